"""Clients that do not send what they began are waited for, but not for ever."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from models.bundle import Bundle
from serving import patience
from tests.serving.listening import listening

HEAD = b"POST /forecast HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.fixture
def connection(flow_bundle: Bundle, monkeypatch) -> Iterator[socket.socket]:
    """To a service that waits for 0.4 s."""
    monkeypatch.setattr(patience, "WAIT", 0.4)
    monkeypatch.setattr(patience, "LOOK", 0.05)
    with (
        listening(flow_bundle, patience.close_slow) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as one,
    ):
        yield one


def answered(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of what comes until the service closes the connection."""
    told = b""
    while more := connection.recv(65_536):
        told += more
    head, _, body = told.partition(b"\r\n\r\n")
    return head.lower(), body


@pytest.mark.parametrize(
    ("sent", "lacking"),
    [
        pytest.param(b"", "head", id="nothing"),
        pytest.param(HEAD, "head", id="half_a_head"),
        pytest.param(HEAD + b"Content-Length: 9\r\n\r\n", "body", id="no_body"),
        pytest.param(HEAD + b"Content-Length: 9\r\n\r\n{", "body", id="half_a_body"),
    ],
)
def test_what_does_not_come_is_answered_408_and_the_connection_is_closed(connection, sent, lacking):
    connection.sendall(sent)

    head, body = answered(connection)

    assert head.startswith(b"http/1.1 408 ")
    assert b"connection: close" in head
    error = json.loads(body)["error"]
    assert (error["code"], error["message"]) == ("too_slow", f"the {lacking} was not whole after 0.4 s")


def test_who_is_slow_but_comes_is_answered(connection):
    for part in (HEAD, b"Content-Length: 2\r\n\r\n{", b"}"):
        time.sleep(0.2)
        connection.sendall(part)

    head, _ = answered(connection)

    assert head.startswith(b"http/1.1 200 ")
