"""The log: one line of JSON for each request, and for each fault of ours."""

import json
import logging
import sys
from datetime import UTC, datetime

from serving.exchange import Exchange

ACCESS, FAULTS = logging.getLogger("qonys.access"), logging.getLogger("qonys.service")
ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


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
    """Write to stderr. access: whether each request is told."""
    logger = logging.getLogger("qonys")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    ACCESS.setLevel(logging.INFO if access else logging.WARNING)


def log_request(exchange: Exchange, client: str, seconds: float) -> None:
    if ACCESS.isEnabledFor(logging.INFO):
        # Made by hand: looking for the line of code that logs takes longer than to log.
        ACCESS.handle(logging.LogRecord(ACCESS.name, logging.INFO, "", 0, _told(exchange, client, seconds), (), None))


def _told(exchange: Exchange, client: str, seconds: float) -> dict[str, object]:
    return {
        "id": exchange.id.decode("latin-1"),
        "method": exchange.method[:20],
        "path": exchange.path[:200],
        "status": exchange.status,
        "code": exchange.code,
        "ms": round(seconds * 1000, 2),
        "bytes": exchange.size,
        "target": exchange.target or None,
        "key": exchange.key or None,
        "client": client,
    }
