"""The protocol: how the bytes of a connection become requests; what is none is answered as any fault. Knows uvicorn."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.errors import Detail, RequestError
from serving.rules import LONGEST_URL, MOST_HEADER_BYTES, headers_too_large, url_too_long

LONGEST_HEAD = 2 * (LONGEST_URL + MOST_HEADER_BYTES)
"""Bytes of a head that are read at all, beside its first piece; well above what the rules let pass."""
Refuse = Callable[[RequestError, tuple[str, int] | None], bytes]
"""Makes the whole answer to what is no request, of the client at an address."""


def speak(server: uvicorn.Server, refuse: Refuse) -> None:
    """Have a server, before it listens, read requests in this way."""
    if not server.config.loaded:
        # It would choose a protocol of its own.
        server.config.load()
    server.config.http_protocol_class = partial(Protocol, refuse=refuse)  # pyright: ignore[reportAttributeAccessIssue]


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn reads it, but a head without end is cut off: uvicorn would keep all of it, and reading a long
    one stops everybody. WebSockets are not spoken; who asks for one is answered over HTTP."""

    # Bytes of a head that is not whole, without its first piece; None: none was begun.
    _head: int | None = None

    def __init__(self, *given: Any, refuse: Refuse, **named: Any) -> None:
        super().__init__(*given, **named)
        self._refuse = refuse

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        before = self._head
        try:
            self.parser.feed_data(data)  # pyright: ignore[reportOptionalMemberAccess]
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            self.end(self._fault())
            return
        if before is not None and self._head is not None:
            self._head = before + len(data)
            if self._head > LONGEST_HEAD:
                self.end(self._too_long())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head = None

    def _should_upgrade_to_ws(self) -> bool:
        return False

    def end(self, fault: RequestError) -> None:
        """Answer with a fault and close the connection."""
        self.transport.write(self._refuse(fault, self.client))
        self.transport.close()

    def _too_long(self) -> RequestError:
        return url_too_long(len(self.url)) if len(self.url) > LONGEST_URL else headers_too_large(len(self.headers))

    def _fault(self) -> RequestError:
        # A URL of more than 64 kB is none to the parser.
        if len(getattr(self, "url", b"")) > LONGEST_URL:
            return url_too_long(len(self.url))
        wanted = "a request of HTTP/1.1: a known method, one length of the body, no control characters"
        detail = Detail(field="request", value=None, expected=wanted)
        return RequestError(400, "not_http", "what was sent is no request", [detail], {"Connection": "close"})
