"""The end of a worker: what was sent to it is answered before it ends. Knows uvicorn."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterator
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from serving.rules import Rules

LAST_READS = 0.3
"""Seconds in which requests of connections that were only just accepted are read."""


def end_gently(rules: Rules) -> None:
    """Told to end, a worker takes requests for `drain` seconds more and closes each connection with its answer; then
    it stops listening and ends. Told twice, it ends as soon as it has answered. To be called where its loop runs.

    uvicorn alone would close connections on which the next request is already under way.
    """
    ends, server = signal.getsignal(signal.SIGTERM), running_server()
    if not callable(ends) or server is None:
        return
    loop = asyncio.get_running_loop()

    def told(number: int, frame: FrameType | None) -> None:
        if rules.draining:
            ends(number, frame)
            return
        rules.draining = True
        loop.call_soon_threadsafe(loop.call_later, rules.settings.drain, stop_listening)

    def stop_listening() -> None:
        for listening in server.servers:
            _close(listening, server, loop)
        loop.call_later(LAST_READS, ends, signal.SIGTERM, None)

    signal.signal(signal.SIGTERM, told)


def running_server() -> uvicorn.Server | None:
    """The server that runs this thread's loop; None: a test, which uvicorn does not run."""
    if threading.current_thread() is not threading.main_thread():
        return None
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(server, uvicorn.Server) else None


def _close(listening: asyncio.Server, server: uvicorn.Server, loop: asyncio.AbstractEventLoop) -> None:
    """Stop listening; connections that the system has made and nobody took yet would be cut, so they are taken."""
    sockets = [socket.socket(fileno=os.dup(one.fileno())) for one in listening.sockets]
    listening.close()
    for one in sockets:
        one.setblocking(False)
        for connection in _waiting(one):
            taken = loop.create_task(_take(connection, server, loop))
            server.server_state.tasks.add(taken)
            taken.add_done_callback(server.server_state.tasks.discard)
        one.close()


async def _take(connection: socket.socket, server: uvicorn.Server, loop: asyncio.AbstractEventLoop) -> None:
    await loop.connect_accepted_socket(partial(_protocol, server), connection)


def _waiting(listening: socket.socket) -> Iterator[socket.socket]:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        connection.setblocking(False)
        yield connection


def _protocol(server: uvicorn.Server) -> asyncio.Protocol:
    kind: Any = server.config.http_protocol_class
    return kind(config=server.config, server_state=server.server_state, app_state=server.lifespan.state)
