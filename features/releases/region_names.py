"""RegionNames: which region of a dataset is meant by a name in a table of the Bureau."""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import pandas as pd

from features.dataset import Dataset
from features.fault_words import nearest
from features.releases.bureau_tables import BureauTables
from features.releases.bureau_words import plain

NATION = "the nation"
Kind = Literal["region", "nation", "part", "whole", "including", "smaller", "unknown"]

_PARENTHESES = re.compile(r"\s*\([^)]*\)")
TOWN = 0.8
"""From this likeness to a city's name on (difflib's ratio), a town's name is a misspelt city's."""


class _Region(NamedTuple):
    """Kind, and first and last year, None where it has none."""

    kind: str
    begun: int | None
    ended: int | None


class _Name(NamedTuple):
    """stem: without the word that says what kind it is. kind: `city`, `region`, or empty where it does not say."""

    stem: str
    kind: str
    former: bool


@dataclass(frozen=True, eq=False)
class RegionNames:
    """regions: the dataset's, by code. codes: by the stem of a name. shown: names as they stand, for errors."""

    known: BureauTables
    regions: dict[str, _Region]
    codes: dict[str, frozenset[str]]
    shown: tuple[str, ...]

    def kind(self, text: str) -> Kind:
        """What a row is that begins with this text."""
        name, words = plain(text), self.known.words
        if name in words["nation"]:
            return "nation"
        for kind in ("including", "part", "whole"):
            if name.rstrip(" :") in words[kind]:
                return kind
        if any(_has_word(name, word) for word in words["smaller"]):
            return "smaller"
        if self.candidates(text):
            return "region"
        return "smaller" if self._is_town(name) else "unknown"

    def candidates(self, text: str) -> frozenset[str]:
        """Codes of the regions that may be meant: more than one where a region ended and one of its name goes on, and
        where a name may be a city's or a region's."""
        name = self._parts(text)
        codes = {code for code in self.codes.get(name.stem, ()) if name.kind in ("", self.regions[code].kind)}
        former = {code for code in codes if self.regions[code].ended is not None}
        return frozenset(former if name.former and former else codes)

    def settled(self, texts: Iterable[str]) -> dict[str, frozenset[str]]:
        """Candidates by name, where the names of one sheet together tell cities from regions.

        A bare `Алматы` is the region where another row is the city, and the city where another row is the region;
        where neither is there it keeps both.
        """
        found = {text: self.candidates(text) for text in texts}
        told = [codes for codes in found.values() if len(self._kinds(codes)) == 1]
        taken = {code for codes in told for code in codes}
        return {text: (codes - taken or codes) if codes not in told else codes for text, codes in found.items()}

    def is_settled(self, codes: frozenset[str]) -> bool:
        return len(self._kinds(codes)) == 1

    def in_year(self, codes: frozenset[str], year: int, given: frozenset[str]) -> str:
        """The region that a name means in a year: the former one until it ended, unless a region that begins only then
        has a figure for the year: then the source has carried its figures to the new boundaries.

        given: codes of regions that have a figure for the year.
        """
        for code in sorted(codes):
            ended = self.regions[code].ended
            if len(codes) > 1 and ended is not None and year <= ended and not self._begun_in(ended + 1) & given:
                return code
        current = sorted(code for code in codes if self.regions[code].ended is None)
        return (current or sorted(codes))[0]

    def _begun_in(self, year: int) -> frozenset[str]:
        return frozenset(code for code, region in self.regions.items() if region.begun == year)

    def existed(self, code: str, year: int) -> bool:
        _, begun, ended = self.regions[code]
        return (begun is None or begun <= year) and (ended is None or year <= ended)

    def hint(self, text: str) -> str:
        """`; did you mean …?` with the known name that is nearest, or nothing."""
        by_plain = {plain(name): name for name in self.shown}
        close = difflib.get_close_matches(plain(text), list(by_plain), n=1)
        return nearest(by_plain[close[0]], [by_plain[close[0]]]) if close else ""

    def _kinds(self, codes: Iterable[str]) -> set[str]:
        return {self.regions[code].kind for code in codes}

    def _is_town(self, name: str) -> bool:
        """Called a city, and not like the name of one that the dataset has."""
        parts = self._parts(name)
        cities = [stem for stem, codes in self.codes.items() if "city" in self._kinds(codes)]
        return parts.kind == "city" and not difflib.get_close_matches(parts.stem, cities, n=1, cutoff=TOWN)

    def _parts(self, text: str) -> _Name:
        return _parts(text, self.known)


@lru_cache(maxsize=4)
def region_names(dataset: Dataset, known: BureauTables) -> RegionNames:
    """From the names that the dataset gives its regions in any language, and the Bureau's other names for them."""
    table = dataset.whole.regions
    columns = [column for column in ("name", "name_ru", "name_kk") if column in table]
    pairs = table.melt("region", columns, value_name="told").dropna(subset="told")
    meant = dict(zip(pairs["told"].astype(str), pairs["region"].astype(str), strict=True))
    # A former region of the same name stands in `codes` beside the present one.
    named = [*zip(pairs["told"].astype(str), pairs["region"].astype(str), strict=True)]
    named += [(alias, meant[name]) for alias, name in known.aliases.items() if name in meant]
    codes: dict[str, set[str]] = defaultdict(set)
    for name, code in named:
        codes[_parts(name, known).stem].add(code)
    frozen = {stem: frozenset(found) for stem, found in codes.items()}
    shown = tuple(dict.fromkeys(name for name, _ in named))
    return RegionNames(known, _regions(table), frozen, shown)


def _regions(table: pd.DataFrame) -> dict[str, _Region]:
    spans = table.reindex(columns=["region", "kind", "valid_from", "valid_to"])
    return {
        str(code): _Region(str(kind), None if pd.isna(begun) else int(begun), None if pd.isna(ended) else int(ended))
        for code, kind, begun, ended in spans.itertuples(index=False)
    }


def _parts(text: str, known: BureauTables) -> _Name:
    name = plain(text)
    words = plain(_PARENTHESES.sub("", name)).split()
    cities, oblasts = known.words["city"], known.words["region"]
    kind = "city" if cities & set(words) else "region" if oblasts & set(words) else ""
    stem = [word for word in words if word not in cities | oblasts]
    return _Name(" ".join(stem or words), kind, bool(_PARENTHESES.search(name)))


def _has_word(name: str, word: str) -> bool:
    return f" {word} " in f" {name} "
