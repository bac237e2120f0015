"""Kept answers: what was asked once, byte for byte, is not read, checked and written again."""

from collections import OrderedDict
from dataclasses import dataclass

MOST_KEPT, MOST_BYTES = 2_000, 32_000_000
"""Answers, and bytes of them with what was asked; the one asked for longest ago goes first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to a path and a body. tag: its ETag; empty: none. target: what was asked for; empty: nothing."""

    answer: bytes
    tag: str
    target: str


class KeptAnswers:
    """Of one model: another model brings its own. Of nobody: who may ask, and how often, is checked before.

    >>> kept = KeptAnswers(most=2)
    >>> for body in (b"a", b"b", b"a", b"c"):
    ...     if kept.find("/forecast", body) is None:
    ...         kept.keep("/forecast", body, Kept(body.upper(), "", ""))
    >>> [kept.find("/forecast", body) is not None for body in (b"a", b"b", b"c")]
    [True, False, True]
    """

    def __init__(self, most: int = MOST_KEPT, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, bytes], Kept] = OrderedDict()

    def find(self, path: str, body: bytes) -> Kept | None:
        found = self._kept.get((path, body))
        if found is not None:
            self._kept.move_to_end((path, body))
        return found

    def keep(self, path: str, body: bytes, kept: Kept) -> None:
        """An answer that there is no room for beside no other is not kept."""
        size = len(body) + len(kept.answer)
        if size > self._most_bytes or (path, body) in self._kept:
            return
        self._kept[path, body] = kept
        self._bytes += size
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            (_, asked), gone = self._kept.popitem(last=False)
            self._bytes -= len(asked) + len(gone.answer)
