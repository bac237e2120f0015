"""Fetching from a real server on loopback: what it answers is written in each test."""

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from features.releases.bureau_site import ADDRESS, LONGEST_WAIT, BureauSite, UnreachableError, fetch_table, fetch_tables
from features.releases.findings import BureauError

CSV = "PERIOD\tКАТО(по каталогу)\tVAL\n2024\tГ.АСТАНА\t5\n".encode()
Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {"content-type": "text/csv", "etag": '"one"'}, CSV)


@contextmanager
def server(*answers: Answer) -> Iterator[tuple[str, list]]:
    """Its address, and the requests that came; the last answer is given again and again."""
    requests: list = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self)
            status, headers, body = answers[min(len(requests), len(answers)) - 1]
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", requests
    finally:
        running.shutdown()
        running.server_close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited."""
    waited: list[float] = []
    monkeypatch.setattr("features.releases.bureau_site.time.sleep", waited.append)
    return waited


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits) -> Callable[..., BureauSite]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return lambda address, offline=False: BureauSite(tmp_path, address, offline)


def test_a_table_is_fetched_by_its_number_and_kept_with_its_checksum(site, tmp_path):
    with server(OK) as (address, requests):
        fetched = fetch_table("6567", site(address + "/"))

    known = json.loads((tmp_path / "6567.json").read_text("utf-8"))
    assert requests[0].path == "/api/iblock/element/6567/csv/file/ru/"
    assert (fetched.how, fetched.path.read_bytes()) == ("fetched", CSV)
    assert known["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert known["address"] == address + "/api/iblock/element/6567/csv/file/ru/"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["6567.csv", "6567.json"]


def test_what_fails_twice_is_asked_a_third_time_and_each_wait_is_longer(site, waits):
    with server((500, {}, b""), (503, {}, b""), OK) as (address, requests):
        fetch_table("6567", site(address))

    assert len(requests) == 3
    assert 0.5 <= waits[0] <= 1.5
    assert 1.0 <= waits[1] <= 3.0


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        pytest.param(lambda: "7", 7, 7, id="seconds"),
        pytest.param(lambda: "86400", LONGEST_WAIT, LONGEST_WAIT, id="a_day_is_too_long"),
        pytest.param(
            lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True), 5, 40, id="a_date"
        ),
        pytest.param(lambda: "soon", 0.5, 1.5, id="no_time"),
    ],
)
def test_the_site_says_how_long_to_wait(site, waits, asked, least, most):
    with server((429, {"retry-after": asked()}, b""), OK) as (address, _):
        fetch_table("6567", site(address))

    assert least <= waits[0] <= most


def test_a_table_that_has_not_changed_is_not_sent_again(site):
    with server(OK, (304, {}, b"")) as (address, requests):
        first = fetch_table("6567", site(address))
        second = fetch_table("6567", site(address))

    assert requests[1].headers["if-none-match"] == '"one"'
    assert (second.how, second.fetched, second.path.read_bytes()) == ("unchanged", first.fetched, CSV)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda folder: (folder / "6567.csv").write_bytes(CSV[:-3]), id="csv_cut_short"),
        pytest.param(lambda folder: (folder / "6567.json").write_text("{"), id="json_cut_short"),
        pytest.param(lambda folder: (folder / "6567.csv").unlink(), id="csv_gone"),
        pytest.param(lambda folder: (folder / "6567.json").write_text("[]"), id="another_json"),
    ],
)
def test_a_spoilt_copy_is_fetched_anew(site, tmp_path, spoil):
    with server(OK) as (address, requests):
        fetch_table("6567", site(address))
        spoil(tmp_path)
        again = fetch_table("6567", site(address))

        assert "if-none-match" not in requests[1].headers
        assert (again.how, again.path.read_bytes()) == ("fetched", CSV)
        spoil(tmp_path)
        with pytest.raises(BureauError, match="table 6567: not in the cache"):
            fetch_table("6567", site(address, offline=True))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param((200, {"content-type": "text/html"}, b"maintenance"), "answers a web page", id="html_by_its_type"),
        pytest.param(
            (200, {}, "\ufeff<!doctype html><title> Ошибка </title>".encode()),
            "a web page 'Ошибка'",
            id="html_by_its_text",
        ),
        pytest.param((200, {}, b""), "answers nothing", id="empty"),
        pytest.param((404, {}, b"<html>"), "answers HTTP 404", id="not_there"),
        pytest.param((304, {}, b""), "answers HTTP 304", id="unchanged_of_nothing"),
        pytest.param((200, {}, b"x" * 2001), "larger than 2,000 bytes", id="too_large"),
    ],
)
def test_what_is_no_table_is_told_at_once_and_not_kept(site, tmp_path, monkeypatch, answer, told):
    monkeypatch.setattr("features.releases.bureau_site.MAX_BYTES", 2000)
    with server(answer) as (address, requests), pytest.raises(BureauError, match=told) as caught:
        fetch_table("6567", site(address))

    assert address in str(caught.value)
    assert len(requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_is_followed(site):
    with server(OK) as (target, _), server((302, {"location": f"{target}/file.csv"}, b"")) as (address, _):
        assert fetch_table("6567", site(address)).path.read_bytes() == CSV


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_site_that_does_not_answer_is_one_error_with_what_else_can_be_done(site):
    nowhere = site(f"http://127.0.0.1:{closed_port()}")

    with pytest.raises(BureauError) as caught:
        fetch_tables(["6567", "6584", "6548"], nowhere)

    (told,) = caught.value.faults
    for words in ("table 6567", f"{nowhere.address}/api/iblock/element/6567/csv/file/ru/", "asked 4 times"):
        assert words in told
    assert "fetch the file by hand" in told
    assert "not asked for any more: 6584, 6548" in told


def test_the_copy_is_offered_where_there_is_one_and_taken_offline(site):
    with server(OK) as (address, _):
        first = fetch_table("6567", site(address))

    with pytest.raises(UnreachableError, match=r"or take the copy of 20.* with --offline"):
        fetch_table("6567", site(address))
    assert fetch_table("6567", site(address, offline=True)) == replace(first, how="cached")


def test_every_table_that_cannot_be_had_is_told(site):
    with server((404, {}, b"")) as (address, _), pytest.raises(BureauError) as caught:
        fetch_tables(["6567", "6584"], site(address))

    assert [fault[:11] for fault in caught.value.faults] == ["table 6567:", "table 6584:"]


@pytest.mark.parametrize("address", ["stat.gov.kz", "ftp://stat.gov.kz", "http://", "http://:0", ""])
def test_an_address_that_is_none_is_told(site, address):
    with pytest.raises(BureauError, match=f"must be like {ADDRESS}"):
        fetch_table("6567", site(address))


def test_a_cache_that_cannot_be_written_to_is_told(site, tmp_path):
    (tmp_path / "file").write_text("")
    with server(OK) as (address, _), pytest.raises(BureauError, match=r"--cache .*file: cannot be written to"):
        fetch_table("6567", replace(site(address), cache=tmp_path / "file"))


def test_an_answer_that_breaks_off_is_asked_for_again(site):
    with server((200, {"content-length": "999"}, CSV), OK) as (address, requests):
        assert fetch_table("6567", site(address)).path.read_bytes() == CSV

    assert len(requests) == 2
