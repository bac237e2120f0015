"""The load: connections that ask one server for the same thing without pause, and what they measured.

As little work as can be: the client is on the same machine as the server.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import cast

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE = 60
"""Seconds without an answer after which a server is given up."""
BITS, SPACES = 20, {ord("0"): " ", ord("1"): "\t"}
"""A number in white space: so many bits, and how they are written."""


class BenchError(ValueError):
    """A server that cannot be measured; says why."""


@dataclass(frozen=True)
class Measured:
    """latencies: seconds, one per request. seconds: from the first request to the last answer. body: that of all."""

    latencies: list[float]
    seconds: float
    body: bytes


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """HTTP/1.1 with a JSON body, as it is sent."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + HEAD_END + body


def in_other_bytes(method: str, path: str, body: bytes) -> Iterator[bytes]:
    """The same request, never twice in the same bytes: white space after the JSON tells one from another."""
    for number in count():
        yield request(method, path, body + f"{number:0{BITS}b}".translate(SPACES).encode())


class Connection(asyncio.Protocol):
    """Keeps one request under way until `ends`, s of perf_counter, or until it has had its share of answers.

    asked: what to send next. fault: what was wrong with an answer; empty: nothing.
    """

    def __init__(self, asked: Iterator[bytes], most: int) -> None:
        self.asked = asked
        self.most = most
        self.latencies: list[float] = []
        self.first = b""
        self.fault = ""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ends = self._sent = 0.0
        self._received = bytearray()
        self._whole = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass of asyncio's.
        self.transport = cast("asyncio.WriteTransport", transport)

    def begin(self, ends: float) -> None:
        self._ends = ends
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._whole:
            self._whole = self._length()
        if self._whole and len(self._received) >= self._whole:
            self._answered(perf_counter())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self._end(self.fault or "the connection was closed before the answer was whole")

    def _send(self) -> None:
        self._received.clear()
        self._whole = 0
        asked = next(self.asked)
        self._sent = perf_counter()
        self.transport.write(asked)

    def _length(self) -> int:
        """Of the whole answer, once its head is here; 0 before."""
        head_ends = self._received.find(HEAD_END)
        if head_ends < 0:
            return 0
        head = bytes(self._received[:head_ends])
        length = LENGTH.search(head)
        if b" 200 " not in head[:13] or length is None:
            self._end(f"answered {bytes(self._received[:300])!r}; must be 200 with a content-length")
            return 0
        return head_ends + len(HEAD_END) + int(length[1])

    def _answered(self, now: float) -> None:
        self.latencies.append(now - self._sent)
        body = bytes(self._received[self._received.find(HEAD_END) + len(HEAD_END) :])
        self.first = self.first or body
        if body != self.first:
            self._end("two answers to the same request differ")
        elif now >= self._ends or len(self.latencies) >= self.most:
            self._end("")
        else:
            self._send()

    def _end(self, fault: str) -> None:
        self.fault = fault
        if not self.ended.done():
            self.ended.set_result(None)
        self.transport.close()


async def measured(port: int, asked: Iterator[bytes], connections: int, seconds: float, most: int) -> Measured:
    """Ask at a port of 127.0.0.1 over so many connections for so long; what is under way then is waited for.

    asked: requests as they are sent. most: of them in all. Raises BenchError where an answer is not 200 or not the same
    as the first.
    """
    loop = asyncio.get_running_loop()
    share = -(-most // connections)
    asking = [await _connected(loop, port, asked, share) for _ in range(connections)]
    started = perf_counter()
    for one in asking:
        one.begin(started + seconds)
    try:
        async with asyncio.timeout(seconds + PATIENCE):
            await asyncio.gather(*(one.ended for one in asking))
    except TimeoutError:
        raise BenchError(f"port {port}: a request was not answered in {PATIENCE} s") from None
    took = perf_counter() - started
    faults = [one.fault for one in asking if one.fault]
    if not faults and len({one.first for one in asking}) > 1:
        faults = ["two answers to the same request differ"]
    if faults:
        raise BenchError(f"port {port}: {faults[0]}")
    return Measured([latency for one in asking for latency in one.latencies], took, asking[0].first)


async def _connected(loop: asyncio.AbstractEventLoop, port: int, asked: Iterator[bytes], most: int) -> Connection:
    _, connection = await loop.create_connection(lambda: Connection(asked, most), "127.0.0.1", port)
    return connection
