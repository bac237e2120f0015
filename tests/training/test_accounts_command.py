"""`qonys accounts`: its files, its page, and its audit in a real store."""

from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from features import accounts
from features.accounts import balanced_record
from features.audit import audit
from tests.tables import dataset_of, flows_country, small_country, write_folder
from training.__main__ import app
from training.account_figures import account_matrix
from training.accounts_command import account_report, write_account

FILES = {
    *(f"{name}.csv" for name in ("flows", "flows_present", "inside", "abroad", "levels", "balance_sheet")),
    *("contradictions.csv", "evidence.csv", "audit.html", "flows.png"),
}
COMMAND = ["accounts", "--since", "2023", "--draws", "10", "--out", "out", "--check"]


@pytest.fixture(scope="module")
def checked(folder):
    """What `qonys accounts --check` says of the embedded data."""
    return CliRunner().invoke(app, COMMAND)


class Page(HTMLParser):
    """Tags that are open, what is loaded from elsewhere, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open, self.loaded, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open += [] if tag in ("meta", "img", "br", "link") else [tag]
        self.loaded += [value for name, value in attrs if name in ("src", "srcset", "data") and "data:" not in value]
        self.loaded += [tag] if tag in ("link", "script", "iframe") else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_every_file_is_written_and_no_other_is_left(checked, folder):
    assert checked.exit_code == 0, checked.output
    assert {path.name for path in (folder / "out").iterdir()} == FILES


def test_estimated_numbers_have_basis_and_interval(checked, folder):
    for name in ("flows", "flows_present", "inside", "abroad", "levels"):
        rows = pd.read_csv(folder / "out" / f"{name}.csv")
        assert set(rows["basis"]) == {"estimated"}, name
        assert (rows["lower"] <= rows["upper"]).all(), name


def test_flows_of_the_time_and_of_present_regions_have_the_same_national_totals(checked, folder):
    flows, present = (pd.read_csv(folder / "out" / f"{name}.csv") for name in ("flows", "flows_present"))

    assert flows.groupby("year")["persons"].sum().equals(present.groupby("year")["persons"].sum())


def test_it_tells_contradictions_and_origins(checked):
    assert "27,800 in January–September (mgorod.kz) against 12,110 in the whole year" in checked.output
    assert "largest origins of Astana in 2024" in checked.output
    assert "  Akmola: ≈ " in checked.output
    assert checked.output.count("), estimated") >= 15
    assert "closes to the person" in checked.output


def test_the_page_is_whole_and_loads_nothing(checked, folder):
    source = (folder / "out" / "audit.html").read_text("utf-8")
    page = Page(source)

    assert (page.open, page.loaded) == ([], [])
    assert "url(" not in source
    assert "@import" not in source
    for told in ("it is not a register", "Bureau of National Statistics", "The account closes", "27,800", "≈"):
        assert told in page.text


def test_the_audit_is_a_run_with_its_tables_and_page(checked, folder):
    client = MlflowClient(f"sqlite:///{folder}/build/mlflow.db")
    experiment = client.get_experiment_by_name("qonys")
    (run,) = client.search_runs([experiment.experiment_id], "attributes.status = 'FINISHED'")
    found = pd.read_csv(folder / "out" / "contradictions.csv")

    assert run.info.run_name == "accounts kazakhstan 2023-2024"
    assert run.data.metrics["contradictions"] == len(found)
    assert run.data.metrics["contradictions_persons"] == found["persons"].sum()
    assert run.data.metrics["identity_gap"] == run.data.metrics["balance_gap"] == run.data.metrics["faults"] == 0
    assert {artifact.path for artifact in client.list_artifacts(run.info.run_id)} == FILES


def test_a_record_at_fault_is_told_and_exits_with_1(checked, folder, monkeypatch):
    def broken(*arguments):
        record = balanced_record(*arguments)
        tables = record.tables.copy()
        tables[0, 0, 1] += 7
        return replace(record, tables=tables)

    monkeypatch.setattr(accounts, "balanced_record", broken)

    data = write_folder(folder / "small", **small_country())

    told = CliRunner().invoke(app, ["accounts", "--data", str(data), "--draws", "2", "--out", "broken", "--check"])

    assert told.exit_code == 1
    assert "fault: North, 2018: balance of scope all is -493; must be -500" in told.output
    assert "The record is at fault" in (folder / "broken" / "audit.html").read_text("utf-8")


def test_what_stops_the_writing_leaves_the_files_as_they_were(tmp_path, monkeypatch):
    dataset = dataset_of(**flows_country(["A", "B", "C"], range(2019, 2021)))
    (tmp_path / "flows.csv").write_text("as it was")
    monkeypatch.setattr("training.audit_page.TEMPLATE", tmp_path / "missing.html")

    with pytest.raises(FileNotFoundError):
        write(dataset, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["flows.csv"]
    assert (tmp_path / "flows.csv").read_text() == "as it was"


def test_recorded_flows_do_not_look_estimated(tmp_path):
    dataset = dataset_of(**flows_country(["A", "B", "C"], range(2019, 2021)))

    record, found = write(dataset, tmp_path)

    page = Page((tmp_path / "audit.html").read_text("utf-8"))
    assert "≈" not in page.text
    assert "estimated" not in account_report(record, dataset, found)
    figure = account_matrix(record, dataset, found.sheet)
    assert {text.get_style() for text in figure.axes[0].texts} == {"normal"}
    assert "as recorded" in figure.get_suptitle()


def write(dataset, folder):
    """Record and audit."""
    record = balanced_record(dataset, draws=2)
    found = audit(record, dataset)
    write_account(record, dataset, found, folder)
    return record, found
