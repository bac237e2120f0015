"""The exchange: one request, and what becomes of it while it is answered."""

import os
import re
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope

if TYPE_CHECKING:
    from serving.answers import Answers

JSON = "application/json"
SANE_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
"""An identity that a client gives its request is kept if it can stand in a log."""


class Exchange:
    """One request and its answer.

    receive: what the rest of the request comes through. answers: of the model that was served when the request came; it
    is answered from them, whatever is swapped. id: the client's own, or one that is made. client: its address.
    endpoint: the path, or `other`. key: name of the key; empty: none. target: what was asked for; empty: nothing, or
    not known. code: `ok`, `not_modified` or the code of the fault. tag: ETag of the answer; empty: it does not only
    change with the model. size: bytes of the answer's body.
    """

    __slots__ = (
        "accept_encoding",
        "answers",
        "authorization",
        "client",
        "code",
        "content_encoding",
        "content_type",
        "endpoint",
        "header_bytes",
        "id",
        "key",
        "method",
        "origin",
        "path",
        "receive",
        "size",
        "started",
        "status",
        "tag",
        "target",
        "unless_tag",
    )

    def __init__(self, scope: Scope, receive: Receive, endpoint: str, answers: "Answers | None") -> None:
        self.started = perf_counter()
        self.receive = receive
        self.answers = answers
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.client: str = scope["client"][0] if scope.get("client") else "unknown"
        self.endpoint = endpoint
        self.key = self.target = self.tag = ""
        self.code = "ok"
        self.status = self.size = self.header_bytes = 0
        self.authorization = self.origin = self.unless_tag = self.content_encoding = self.accept_encoding = given = b""
        self.content_type = JSON.encode()
        for name, value in scope["headers"]:
            self.header_bytes += len(name) + len(value)
            if name == b"x-request-id":
                given = value
            elif name == b"content-type":
                self.content_type = value
            elif name == b"authorization":
                self.authorization = value
            elif name == b"if-none-match":
                # A list may stand in several lines.
                self.unless_tag = b"%b,%b" % (self.unless_tag, value) if self.unless_tag else value
            elif name == b"origin":
                self.origin = value
            elif name == b"accept-encoding":
                self.accept_encoding = value
            elif name == b"content-encoding":
                self.content_encoding = value
        self.id: bytes = given if SANE_ID.fullmatch(given) else os.urandom(8).hex().encode()
