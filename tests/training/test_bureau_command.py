"""`qonys import bureau` as a user calls it: what it prints, what it changes, and its exit code."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from features.dataset import load_dataset
from tests.bureau_form import printed, small_dataset, write_sheet
from tests.tables import kazakhstan
from training.__main__ import main


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return small_dataset(tmp_path / "data")


@pytest.fixture
def qonys(monkeypatch, capsys, tmp_path):
    """Runs the command line in this process; gives exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["qonys", "import", "bureau", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def balances(folder: Path, added: int = 0) -> Path:
    """Table 6567 as the dataset has it, but for Astana 2023, which has so many persons more."""
    rows = load_dataset(folder / "data").movements
    rows.loc[(rows["region"] == "KZ-71") & (rows["year"] == 2023), "persons"] += added
    return write_sheet(folder / "6567.xlsx", printed(load_dataset(folder / "data"), rows, "Сальдо миграции"))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_revision_is_told_and_made(qonys, data, tmp_path):
    path = balances(tmp_path, 100)

    code, out, _ = qonys(path, "--into", data)

    assert code == 0
    assert "note: 6567.xlsx: sheet 'Лист1': words below or between the figures left out: row 8" in out
    assert f"{data}: release 'BNS 6567 of 2024'\n  movements: 8 unchanged, 1 revised\n" in out
    assert [line.split()[-1] for line in out.splitlines() if "KZ-71" in line] == ["100"]
    both = kazakhstan().movements.merge(load_dataset(data).movements, on=["region", "year", "measure", "scope"])
    assert sorted(both["persons_y"] - both["persons_x"]) == [0] * 8 + [100]


def test_a_dry_run_tells_the_same_and_changes_nothing(qonys, data, tmp_path):
    before = files_of(data)
    path = balances(tmp_path, 100).rename(tmp_path / "saldo.xlsx")

    code, out, _ = qonys(path, "--table", 6567, "--into", data, "--dry-run", "--release", "draft", "--published", 2025)

    assert code == 0
    assert f"{data}: release 'draft'\n  movements: 8 unchanged, 1 revised\n" in out
    assert out.endswith("tried on a copy: nothing is changed\n")
    assert files_of(data) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param([], "neither FILES nor --fetch is given", id="nothing_to_read"),
        pytest.param(["saldo.xlsx"], "saldo.xlsx: its name holds no table number; give --table", id="no_number"),
        pytest.param(["--table", "6567", "--fetch"], "--table says what FILES hold", id="table_of_no_file"),
        pytest.param(["6567.xlsx", "--tables", "6567"], "--tables is given without --fetch", id="tables_to_fetch"),
        pytest.param(["6567.xlsx", "--factor", "0"], "--factor 0: must be above 0", id="factor"),
        pytest.param(["6567.xlsx"], "6567.xlsx: cannot be read (No such file or directory)", id="no_such_file"),
        pytest.param(["--fetch", "--tables", "656"], "--tables 656: not in bureau_tables.toml", id="unknown_number"),
        pytest.param(
            ["--fetch", "--tables", "internal_net"], "the site does not serve it by a number", id="table_without_number"
        ),
        pytest.param(["--fetch", "--site", "http://127.0.0.1:1"], "cannot be fetched", id="unreachable"),
        pytest.param(["--fetch", "--offline", "--tables", "6567"], "not in the cache", id="not_in_the_cache"),
    ],
)
def test_what_a_user_gets_wrong_is_one_message(qonys, data, words, told, monkeypatch):
    monkeypatch.setattr("features.releases.bureau_site.time.sleep", lambda _: None)
    before = files_of(data)

    code, _, err = qonys(*words, "--into", data)

    assert code == 2
    assert told in " ".join(err.split())
    assert "Traceback" not in err
    assert files_of(data) == before


def test_figures_that_break_the_dataset_leave_it_as_it_was(qonys, data, tmp_path):
    before = files_of(data)
    path = write_sheet(tmp_path / "internal_net.xlsx", [[None, 2024], ["г. Астана", 5], ["Абай", -4]])

    code, _, err = qonys(path, "--into", data)

    assert code == 2
    assert "net sums to +1 over the regions; must be 0" in " ".join(err.split())
    assert files_of(data) == before


class Site(BaseHTTPRequestHandler):
    """Serves the balance of Astana 2025 in the site's own form, whatever the number."""

    def do_GET(self):
        body = "PERIOD\tКАТО(по каталогу)\tКН\tVAL\n2024\tГ.АСТАНА\tВсего\t81 000\n".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_live_tables_are_fetched_kept_and_imported(qonys, data, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        code, out, _ = qonys("--fetch", "--tables", "6567", "--site", address, "--into", data)
    finally:
        server.shutdown()
        server.server_close()

    assert code == 0
    assert "table 6567: fetched, of 20" in out
    assert "movements: 1 revised" in out
    assert (tmp_path / "build" / "bureau" / "6567.csv").is_file()
