"""Patience: how long a client is waited for that does not send what it began to send. Knows uvicorn."""

import asyncio
from time import monotonic
from weakref import WeakKeyDictionary

import uvicorn

from serving.errors import RequestError
from serving.protocol import Protocol

WAIT = 15.0
"""Seconds in which a request's head must be whole, and then its body: 1 MB at half a megabit a second."""
LOOK = 1.0
"""Seconds between looks at connections on which no head has come."""


def too_slow(what: str) -> RequestError:
    """408 for what did not come: the head or the body."""
    return RequestError(408, "too_slow", f"the {what} was not whole after {WAIT:g} s", headers={"Connection": "close"})


async def close_slow(server: uvicorn.Server) -> None:
    """Answer connections on which a head does not come with 408, and close them; for ever. They speak our Protocol.

    uvicorn itself waits for ever for a first head, and for the rest of one that was begun.
    """
    since: WeakKeyDictionary[Protocol, float] = WeakKeyDictionary()
    while True:
        await asyncio.sleep(LOOK)
        now, waiting = monotonic(), [one for one in _connections(server) if _lacks_head(one)]
        for one in set(since).difference(waiting):
            del since[one]
        for one in waiting:
            if now - since.setdefault(one, now) > WAIT:
                one.end(too_slow("head"))


def _connections(server: uvicorn.Server) -> list[Protocol]:
    return [one for one in list(server.server_state.connections) if isinstance(one, Protocol)]


def _lacks_head(connection: Protocol) -> bool:
    """Whether nothing is being answered on it, and uvicorn does not count the seconds until it is closed."""
    cycle = connection.cycle
    return (cycle is None or cycle.response_complete) and connection.timeout_keep_alive_task is None
