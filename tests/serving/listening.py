"""An app that a real server runs, for tests of what is sent byte by byte."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn

from models.bundle import Bundle
from serving.answers import answers_of
from serving.protocol import speak
from serving.routes import create_app


@contextmanager
def listening(bundle: Bundle, *beside: Callable[[uvicorn.Server], Awaitable[None]]) -> Iterator[int]:
    """Port of what answers from a bundle and reads requests as our service does. beside: what runs in its loop."""
    app = create_app()
    app.state.answers = answers_of(bundle)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    speak(server, app.refuse)
    door = socket.create_server(("127.0.0.1", 0))

    async def serve() -> None:
        tasks = [asyncio.ensure_future(one(server)) for one in beside]
        await server.serve(sockets=[door])
        for task in tasks:
            task.cancel()

    serving = threading.Thread(target=lambda: asyncio.run(serve()))
    serving.start()
    while not server.started:
        time.sleep(0.02)
    yield door.getsockname()[1]
    server.should_exit = True
    serving.join(10)
