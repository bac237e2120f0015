"""Files of the page, as they are sent: each with its type, its mark, and a compressed copy."""

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parent
INDEX = "index.html"
PLOTLY = "plotly.min.js"
LINK = '<link rel="modulepreload" href="/page/{{version}}/{name}">'
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Media types by suffix; a file with another suffix is not sent."""
VERSION, MODULES = b"{version}", b"{modules}"
"""What stands in the HTML for the version, so that files can be kept for ever under their address, and for the modules,
which a browser then fetches at once and not one after the other, as each names the next."""


@dataclass(frozen=True)
class PageFile:
    """body: as it is on disk. media_type: with the charset."""

    body: bytes
    media_type: str

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'

    @cached_property
    def compressed(self) -> bytes:
        """Takes a quarter of a second for plotly's 5 MB; Python lets others run meanwhile."""
        return gzip.compress(self.body, 6, mtime=0)


@dataclass(frozen=True)
class PageFiles:
    """files: by their path below the page's address. version: changes with any of them. styles: hashes of the style
    sheets that plotly's script holds, which a strict policy must name."""

    files: Mapping[str, PageFile]
    version: str
    styles: tuple[str, ...]


@lru_cache(maxsize=1)
def page_files() -> PageFiles:
    """Read once, when the page is first asked for."""
    found = dict(sorted(_found()))
    version = hashlib.sha256("".join(name + one.etag for name, one in found.items()).encode()).hexdigest()[:12]
    links = "\n  ".join(LINK.format(name=name) for name in found if name.startswith("js/"))
    body = found[INDEX].body.replace(MODULES, links.encode()).replace(VERSION, version.encode())
    found[INDEX] = PageFile(body, found[INDEX].media_type)
    return PageFiles(found, version, tuple(_styles(found.get(PLOTLY))))


def _found() -> Iterator[tuple[str, PageFile]]:
    for path in FOLDER.rglob("*"):
        if path.suffix in TYPES:
            yield path.relative_to(FOLDER).as_posix(), _read(path)
    plotly = _plotly()
    if plotly.is_file():
        yield PLOTLY, _read(plotly)


def _styles(plotly: PageFile | None) -> Iterator[str]:
    """The empty sheet, to which plotly adds rules, and those that it sets as text."""
    sheets = ["", *re.findall(r"\.textContent='([^'\\]*)'", plotly.body.decode())] if plotly else []
    for sheet in sheets:
        yield f"'sha256-{base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()}'"


def _read(path: Path) -> PageFile:
    return PageFile(path.read_bytes(), f"{TYPES[path.suffix]}; charset=utf-8")


def _plotly() -> Path:
    """Plotly's JavaScript in the installed package, which is found without importing it. Where there is none the page
    shows its tables."""
    spec = find_spec("plotly")
    folder = Path(spec.origin).parent if spec and spec.origin else FOLDER / "none"
    return folder / "package_data" / PLOTLY
