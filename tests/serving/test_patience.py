"""Clients that do not send what they began are waited for, but not for ever."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from models.bundle import Bundle
from serving import patience
from serving.answers import answers_of
from serving.protocol import speak
from serving.routes import create_app

HEAD = b"POST /forecast HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.fixture
def connection(flow_bundle: Bundle, free_port: int, monkeypatch) -> Iterator[socket.socket]:
    """To a service that waits for 0.4 s."""
    monkeypatch.setattr(patience, "WAIT", 0.4)
    monkeypatch.setattr(patience, "LOOK", 0.05)
    app = create_app()
    app.state.answers = answers_of(flow_bundle)
    server = uvicorn.Server(uvicorn.Config(app, port=free_port, lifespan="off", log_config=None))

    async def serve() -> None:
        speak(server, app.refuse)
        closing = asyncio.create_task(patience.close_slow(server))
        await server.serve()
        closing.cancel()

    serving = threading.Thread(target=lambda: asyncio.run(serve()))
    serving.start()
    while not server.started:
        time.sleep(0.02)
    with socket.create_connection(("127.0.0.1", free_port), timeout=10) as one:
        yield one
    server.should_exit = True
    serving.join(10)


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
