"""The log: one line of JSON for each request, and for each fault of ours."""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import TextIO

from serving.exchange import Exchange

FAULTS = logging.getLogger("qonys.service")
ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


class AccessLog:
    """A line for each request, written at once. stream: None: nothing is told.

    Not by `logging`, and put together by hand: its records and an encoder take longer than all else of an answer.
    """

    def __init__(self) -> None:
        self.stream: TextIO | None = None

    def tell(self, exchange: Exchange, seconds: float) -> None:
        if self.stream is None:
            return
        try:
            self.stream.write(_line(exchange, seconds))
        except (OSError, ValueError):
            # The disk is full, or nobody reads any more: who asked is answered all the same.
            return


ACCESS = AccessLog()


class JsonLines(logging.Formatter):
    """A record as one line; its message may be a dict of fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = record.msg if isinstance(record.msg, dict) else {"message": record.getMessage()}
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {"time": time, "level": record.levelname.lower(), "log": record.name} | fields
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return ENCODER.encode(told)


def start_log(access: bool) -> None:
    """Write to stderr, which passes each line on. access: whether each request is told."""
    logger = logging.getLogger("qonys")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    ACCESS.stream = sys.stderr if access else None
    # uvicorn would prepare a line of its own for each request, for nobody.
    logging.getLogger("uvicorn.access").propagate = False


def _line(exchange: Exchange, seconds: float) -> str:
    """The identity and the code are plain words; whatever else comes from outside is quoted."""
    return (
        f'{{"time": "{_now()}", "level": "info", "log": "qonys.access", "id": "{exchange.id.decode()}", '
        f'"method": {quoted(exchange.method[:20])}, "path": {quoted(exchange.path[:200])}, '
        f'"status": {exchange.status}, "code": "{exchange.code}", "ms": {seconds * 1000:.2f}, '
        f'"bytes": {exchange.size}, "target": {_or_null(exchange.target)}, "key": {_or_null(exchange.key)}, '
        f'"client": {quoted(exchange.client)}}}\n'
    )


def _or_null(text: str) -> str:
    return quoted(text) if text else "null"


def _now() -> str:
    """ISO 8601 with milliseconds, UTC."""
    second, part = divmod(time.time(), 1)
    return f"{_second(int(second))}.{int(part * 1000):03d}+00:00"


@lru_cache(maxsize=2)
def _second(since_1970: int) -> str:
    return datetime.fromtimestamp(since_1970, UTC).strftime("%Y-%m-%dT%H:%M:%S")
