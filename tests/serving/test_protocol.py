"""What is no request, or does not end, is answered like any fault, and stops nobody else."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from select import select

import pytest

from models.bundle import Bundle
from serving.protocol import LONGEST_HEAD
from serving.rules import SECURITY
from tests.serving.listening import listening

GET = b"GET /model HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture(scope="module")
def port(flow_bundle: Bundle) -> Iterator[int]:
    with listening(flow_bundle) as one:
        yield one


def answered(port: int, *sent: bytes) -> tuple[int, bytes, bytes]:
    """Status, headers and body of what comes until the service closes the connection."""
    told = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            for piece in sent:
                connection.sendall(piece)
            while more := connection.recv(65_536):
                told += more
        except ConnectionError:
            pass
    head, _, body = told.partition(b"\r\n\r\n")
    return int(head[9:12] or 0), head.lower(), body


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param(b"FOO / HTTP/1.1\r\n\r\n", 400, "not_http", id="unknown_method"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", 400, "not_http", id="tls"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n", 400, "not_http", id="two_lengths"),
        pytest.param(GET + b"a: \x00\r\n\r\n", 400, "not_http", id="control_character"),
        pytest.param(b"GET /" + 70_000 * b"x" + b" HTTP/1.1\r\n\r\n", 414, "url_too_long", id="long_url"),
    ],
)
def test_what_is_no_request_is_answered_in_the_one_form(port: int, sent: bytes, status: int, code: str) -> None:
    found, head, body = answered(port, sent)
    assert (found, json.loads(body)["error"]["code"]) == (status, code)
    assert f"content-length: {len(body)}".encode() in head
    assert b"\r\nconnection: close" in head
    assert b"\r\nx-request-id: " in head
    assert all(name + b": " + value.lower() in head for name, value in SECURITY)


@pytest.mark.parametrize("piece", [pytest.param(b"a: b\r\n", id="many"), pytest.param(b"b", id="one")])
def test_a_head_without_end_is_cut_off(port: int, piece: bytes) -> None:
    taken = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, suppress(ConnectionError):
        connection.sendall(GET + b"a: ")
        while taken < 50_000_000:
            connection.sendall(1_000 * piece)
            taken += 1_000 * len(piece)
    assert taken < 20_000_000


def test_a_head_that_is_a_little_too_long_is_told_so(port: int) -> None:
    line = b"a: " + 10_000 * b"b" + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(GET)
        for _ in range(2 * LONGEST_HEAD // len(line)):
            connection.sendall(line)
            if select([connection], [], [], 0.05)[0]:
                break
        assert b" 431 " in connection.recv(20)


def test_who_asks_for_a_websocket_is_answered_over_http(port: int) -> None:
    asked = (
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(asked)
        assert b" 200 " in connection.recv(20)


def test_requests_one_behind_the_other_are_answered_in_order(port: int) -> None:
    ask = b"POST /flows HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
    body = b'{"top": 1}'
    _, head, rest = answered(port, ask % (len(body), b"", body), ask % (2, b"Connection: close\r\n", b"{}"))
    assert b" 200 " in head[:20]
    assert b"HTTP/1.1 200 " in rest
