"""The rules: what holds for every request, whatever it asks for. Who may ask, how often, how large, from where."""

from time import monotonic

from starlette.types import Scope

from serving.errors import Detail, RequestError, no_model, shown
from serving.exchange import Exchange
from serving.limits import RateLimit
from serving.metrics import Metrics
from serving.settings import Settings

PROBES = frozenset({"/healthz", "/livez", "/readyz"})
"""Asked by what watches the service: no key, no limit."""
OPEN = PROBES | {"/", "/openapi.json", "/docs.json"}
"""What tells how to ask needs no key; nor do the page's files."""
OPEN_FOLDERS = ("/page/",)
ADMIN = "/admin/"
LONGEST_URL, MOST_HEADERS, MOST_HEADER_BYTES = 8_000, 100, 32_000
Headers = list[tuple[bytes, bytes]]
SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    # Of figures; the page tells its own.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
HAS_TAG = ("ok", "not_modified")
"""Codes of what is an answer, and no fault."""
ASK_AGAIN, KEEP_NOTHING = (b"cache-control", b"private, no-cache"), (b"cache-control", b"no-store")
METHODS = b"GET, HEAD, POST"
ASKED_HEADERS = b"authorization, content-type, if-none-match, x-request-id"
TOLD_HEADERS = b"etag, retry-after, www-authenticate, x-request-id"


class Rules:
    """draining: the service was told to end, and answers what still comes. metrics: None: nothing is counted."""

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        self.settings = settings
        self.metrics = metrics
        self.draining = False
        self._limit = RateLimit(settings.rate) if settings.rate else None

    def check(self, exchange: Exchange, scope: Scope) -> None:
        """Raises RequestError where the request may not pass."""
        _check_size(exchange, scope)
        if exchange.path in PROBES:
            if exchange.path == "/readyz":
                self._check_ready(exchange)
            return
        refusal = self._refusal(exchange)
        self._check_rate(exchange.key or exchange.client)
        if refusal:
            raise refusal

    def preflight(self, exchange: Exchange) -> bool:
        """Whether a browser asks if a page of another site may ask, and it may."""
        return exchange.method == "OPTIONS" and self._is_welcome(exchange)

    def headers(self, exchange: Exchange) -> Headers:
        """Those of every answer that does not tell its own."""
        told = [*SECURITY, (b"x-request-id", exchange.id)]
        if self.draining:
            told.append((b"connection", b"close"))
        if exchange.tag and exchange.code in HAS_TAG:
            told += [(b"etag", exchange.tag.encode()), ASK_AGAIN]
        else:
            told.append(KEEP_NOTHING)
        if self.settings.origins:
            told.append((b"vary", b"Origin"))
            if self._is_welcome(exchange):
                told += [
                    (b"access-control-allow-origin", exchange.origin),
                    (b"access-control-allow-methods", METHODS),
                    (b"access-control-allow-headers", ASKED_HEADERS),
                    (b"access-control-expose-headers", TOLD_HEADERS),
                    (b"access-control-max-age", b"600"),
                ]
        return told

    def _check_ready(self, exchange: Exchange) -> None:
        if self.draining:
            raise RequestError(503, "shutting_down", "the service is about to end", headers={"Retry-After": "1"})
        if exchange.answers is None:
            raise no_model()

    def _is_welcome(self, exchange: Exchange) -> bool:
        origins = self.settings.origins
        return bool(exchange.origin) and ("*" in origins or exchange.origin.decode("latin-1").lower() in origins)

    def _refusal(self, exchange: Exchange) -> RequestError | None:
        """Why who asks may not; notes the name of the key."""
        wanted = "admin" if exchange.path.startswith(ADMIN) else "read"
        keys = self.settings.keys
        if keys is None:
            return None if wanted == "read" else _admin_is_off()
        scheme, _, secret = exchange.authorization.decode("utf-8", "surrogateescape").partition(" ")
        key = keys.of(secret.strip()) if scheme.lower() == "bearer" else None
        if key is not None:
            exchange.key = key.name
            return None if key.may(wanted) else _not_allowed(key.name)
        if exchange.path in OPEN or exchange.path.startswith(OPEN_FOLDERS):
            return None
        return _unknown_key(bool(exchange.authorization))

    def _check_rate(self, client: str) -> None:
        wait = self._limit.wait(client, monotonic()) if self._limit else 0
        if wait:
            wanted = f"at most {self.settings.rate} requests a minute; again in {wait} s"
            detail = Detail(field="client", value=shown(client), expected=wanted)
            raise RequestError(429, "rate_limited", "too many requests", [detail], {"Retry-After": str(wait)})


def _check_size(exchange: Exchange, scope: Scope) -> None:
    length = len(scope["raw_path"]) + len(scope["query_string"])
    if length > LONGEST_URL:
        raise url_too_long(length)
    if len(scope["headers"]) > MOST_HEADERS or exchange.header_bytes > MOST_HEADER_BYTES:
        raise headers_too_large(len(scope["headers"]))


def url_too_long(length: int) -> RequestError:
    detail = Detail(field="path", value=length, expected=f"at most {LONGEST_URL:,} bytes")
    return RequestError(414, "url_too_long", "the URL is too long", [detail], {"Connection": "close"})


def headers_too_large(headers: int) -> RequestError:
    wanted = f"at most {MOST_HEADERS} headers of {MOST_HEADER_BYTES:,} bytes together"
    detail = Detail(field="headers", value=headers, expected=wanted)
    return RequestError(431, "headers_too_large", "the headers are too large", [detail], {"Connection": "close"})


def _admin_is_off() -> RequestError:
    wanted = "QONYS_API_KEYS with a key of the scope admin in the environment of the service"
    detail = Detail(field="authorization", value=None, expected=wanted)
    return RequestError(403, "admin_is_off", "administration is off: the service has no keys", [detail])


def _not_allowed(name: str) -> RequestError:
    detail = Detail(field="authorization", value=name, expected="a key of the scope admin")
    told = {"WWW-Authenticate": 'Bearer realm="qonys", error="insufficient_scope", scope="admin"'}
    return RequestError(403, "insufficient_scope", f"the key {name!r} may only read", [detail], told)


def _unknown_key(given: bool) -> RequestError:
    detail = Detail(field="authorization", value=None, expected="Authorization: Bearer KEY, with a key of the service")
    error = ', error="invalid_token"' if given else ""
    told = {"WWW-Authenticate": f'Bearer realm="qonys"{error}'}
    message = "the key is unknown" if given else "a key is needed"
    return RequestError(401, "unknown_key" if given else "key_needed", message, [detail], told)
