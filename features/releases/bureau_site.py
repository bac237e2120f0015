"""The Bureau's site: its live tables by number, with retries and a cache. The only file that knows httpx."""

import email.utils
import hashlib
import json
import os
import random
import re
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx

from features.releases.findings import BureauError

ADDRESS = "https://stat.gov.kz"
PATH = "/api/iblock/element/{number}/csv/file/ru/"

ATTEMPTS = 4
FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
"""Seconds before the second attempt, and at most before any; what the site asks for with Retry-After is cut to it."""

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
MAX_BYTES = 500_000_000
FOR_NOW = (429, 500, 502, 503, 504)
"""Answers that may be another one a little later."""


class UnreachableError(BureauError):
    """The site did not answer, however often it was asked."""


@dataclass(frozen=True)
class BureauSite:
    """address: without the path of a table. cache: folder that keeps a CSV per table and what is known of it beside.

    offline: take what the cache has and ask nobody.
    """

    cache: Path
    address: str = ADDRESS
    offline: bool = False


@dataclass(frozen=True)
class Fetched:
    """how: `fetched`, `unchanged` (the site said so), or `cached` (it was not asked). fetched: when, in UTC."""

    number: str
    path: Path
    how: str
    fetched: str

    def __str__(self) -> str:
        return f"table {self.number}: {self.how}, of {self.fetched}"


def fetch_tables(numbers: list[str], site: BureauSite) -> list[Fetched]:
    """The tables, one after another.

    Raises BureauError that names every table that cannot be had, and why; where the site does not answer for one, it
    is not asked for the rest.
    """
    fetched, faults = [], []
    for position, number in enumerate(numbers, start=1):
        try:
            fetched.append(fetch_table(number, site))
        except UnreachableError as error:
            rest = ", ".join(numbers[position:])
            faults += [f"{error.faults[0]}" + (f"; not asked for any more: {rest}" if rest else "")]
            break
        except BureauError as error:
            faults += error.faults
    if faults:
        raise BureauError(faults)
    return fetched


def fetch_table(number: str, site: BureauSite) -> Fetched:
    """Raises BureauError."""
    kept = _kept(number, site)
    if site.offline:
        if kept is None:
            told = f"not in the cache {site.cache}, or not as it was fetched; fetch it without --offline"
            raise BureauError([f"table {number}: {told}, or give its file by hand"])
        return Fetched(number, _file(number, site), "cached", kept["fetched"])
    answer = _asked(number, site, kept)
    if kept is not None and answer.status_code == httpx.codes.NOT_MODIFIED:
        return Fetched(number, _file(number, site), "unchanged", kept["fetched"])
    return _keep(number, site, answer)


# --- asking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    status_code: int
    headers: httpx.Headers
    content: bytes


class _ForNowError(Exception):
    """What failed and may succeed a little later. wait: seconds that the site asks to wait, if it does."""

    def __init__(self, told: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(told)


def _asked(number: str, site: BureauSite, kept: dict | None) -> _Answer:
    address = _address(number, site)
    tried = []
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True, max_redirects=5, verify=_certificates()) as client:
        for attempt in range(ATTEMPTS):
            try:
                return _checked(number, address, _once(client, address, kept), kept)
            except _ForNowError as error:
                tried.append(str(error))
                if attempt + 1 < ATTEMPTS:
                    time.sleep(_wait(attempt, error.wait))
            except httpx.HTTPError as error:
                tried.append(_words(error))
                break
    times = "once" if len(tried) == 1 else f"{len(tried)} times"
    told = f"{address} was asked {times} ({'; '.join(dict.fromkeys(tried))})"
    raise UnreachableError([f"table {number}: cannot be fetched: {told}; {_instead(kept)}"])


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: it takes longer than a small table."""
    return httpx.create_ssl_context()


def _address(number: str, site: BureauSite) -> str:
    address = site.address.rstrip("/") + PATH.format(number=number)
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = None
    if url is None or url.scheme not in ("http", "https") or not url.host:
        raise BureauError([f"--site {site.address}: is no address; must be like {ADDRESS}"])
    return address


def _once(client: httpx.Client, address: str, kept: dict | None) -> _Answer:
    try:
        with client.stream("GET", address, headers=_headers(kept)) as answer:
            if answer.status_code in FOR_NOW:
                raise _ForNowError(f"HTTP {answer.status_code}", _asked_to_wait(answer.headers))
            return _Answer(answer.status_code, answer.headers, _body(answer))
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise _ForNowError(_words(error)) from None


def _headers(kept: dict | None) -> dict[str, str]:
    asked = {"If-None-Match": "etag", "If-Modified-Since": "last_modified"}
    return {header: kept[key] for header, key in asked.items() if kept.get(key)} if kept else {}


def _body(answer: httpx.Response) -> bytes:
    parts, size = [], 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > MAX_BYTES:
            told = f"is larger than {MAX_BYTES:,} bytes; no table is: fetch it by hand and give the file"
            raise BureauError([f"{answer.url}: {told}"])
        parts.append(part)
    return b"".join(parts)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _asked_to_wait(headers: httpx.Headers) -> float | None:
    """Retry-After in seconds, given as such or as a date."""
    told = headers.get("retry-after", "").strip()
    if told.isdigit():
        return float(told)
    try:
        until = email.utils.parsedate_to_datetime(told)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _wait(attempt: int, asked: float | None) -> float:
    """What the site asks for, else twice as long each time, spread so that many who failed together come back apart."""
    if asked is not None:
        return min(asked, LONGEST_WAIT)
    return min(FIRST_WAIT * 2**attempt * random.uniform(0.5, 1.5), LONGEST_WAIT)


def _checked(number: str, address: str, answer: _Answer, kept: dict | None) -> _Answer:
    if answer.status_code == httpx.codes.NOT_MODIFIED and kept is not None:
        return answer
    if answer.status_code != httpx.codes.OK:
        told = f"answers HTTP {answer.status_code}; is {number} still the table's number there?"
        raise BureauError([f"table {number}: {address} {told}"])
    start = answer.content[:2000].lstrip(b"\xef\xbb\xbf \r\n\t")
    if not start:
        raise BureauError([f"table {number}: {address} answers nothing; must be CSV"])
    if start.startswith((b"<", b"{", b"[")) or "html" in answer.headers.get("content-type", ""):
        title = re.search(rb"<title>\s*(.*?)\s*</title>", start, re.IGNORECASE | re.DOTALL)
        what = f" '{title[1].decode(errors='replace')}'" if title else ""
        raise BureauError([f"table {number}: {address} answers a web page{what} instead of CSV; try again later"])
    return answer


def _instead(kept: dict | None) -> str:
    by_hand = "fetch the file by hand and give it as an argument"
    return f"{by_hand}, or take the copy of {kept['fetched']} with --offline" if kept else by_hand


# --- the cache ------------------------------------------------------------------------------------------------------


def _file(number: str, site: BureauSite) -> Path:
    return site.cache / f"{number}.csv"


def _kept(number: str, site: BureauSite) -> dict | None:
    """What is known of the cached copy; None where there is none, or its bytes are not those that were fetched."""
    path = _file(number, site)
    try:
        known = json.loads(path.with_suffix(".json").read_text("utf-8"))
        content = path.read_bytes()
    except (OSError, ValueError):
        return None
    whole = isinstance(known, dict) and known.get("sha256") == hashlib.sha256(content).hexdigest()
    return known if whole and known.get("address") == _address(number, site) and known.get("fetched") else None


def _keep(number: str, site: BureauSite, answer: _Answer) -> Fetched:
    """The CSV first: a copy whose checksum is of another is fetched again, one without its CSV would be missed."""
    fetched = datetime.now(UTC).isoformat(timespec="seconds")
    known = {
        "address": _address(number, site),
        "fetched": fetched,
        "etag": answer.headers.get("etag"),
        "last_modified": answer.headers.get("last-modified"),
        "sha256": hashlib.sha256(answer.content).hexdigest(),
        "bytes": len(answer.content),
    }
    path = _file(number, site)
    try:
        site.cache.mkdir(parents=True, exist_ok=True)
        _write(path, answer.content)
        _write(path.with_suffix(".json"), (json.dumps(known, indent=2) + "\n").encode())
    except OSError as error:
        raise BureauError([f"--cache {site.cache}: cannot be written to ({error.strerror})"]) from None
    return Fetched(number, path, "fetched", fetched)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
