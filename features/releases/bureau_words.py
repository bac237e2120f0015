"""How the Bureau writes names and figures: marks of footnotes, dashes, spaces in thousands, letters that look alike."""

import math
import re
from datetime import date

ALIKE = str.maketrans("aceopxyih", "асеорхуіһ")
"""Latin letters that are typed inside Cyrillic words, to those that are meant."""

_FOOTNOTE = re.compile(r"(\s*[*†]+|\s*[⁰¹²³⁴-⁹]+[⁾)]?|\s+\d{1,2}\))+$")
_ATTACHED_FOOTNOTE = re.compile(r"\d\)$")
_SPACE = re.compile(r"[\s\u200b\ufeff]+")
_DASHES = "-–—−‐‑‒"
_NUMBERS = (
    re.compile(r"\d+([.,]\d+)?"),
    re.compile(r"\d{1,3}( \d{3})+([.,]\d+)?"),
    re.compile(r"\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,}"),
    re.compile(r"\d{1,3}(\.\d{3}){2,}"),
)
_BETWEEN_THOUSANDS = (None, " ", ",", ".")


def plain(text: object) -> str:
    """A name by which spellings of the same thing are equal: lower case, no marks of footnotes, no points.

    >>> plain("г.\\xa0Астана 2)"), plain("Жетiсу*"), plain(2013.0)
    ('г астана', 'жетісу', '2013')
    """
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    told = _FOOTNOTE.sub("", _SPACE.sub(" ", str(text)).strip())
    told = told.casefold().replace("ё", "е")
    for dash in _DASHES[1:]:
        told = told.replace(dash, "-")
    told = re.sub(r"[.,;:\"'«»“”„`]+", " ", told)
    return " ".join(_in_one_script(word) for word in told.split())


def _in_one_script(word: str) -> str:
    return word.translate(ALIKE) if re.search(r"[а-яәіңғүұқөһ]", word) else word


def is_absent(cell: object) -> bool:
    """A dash: there was no such case."""
    return isinstance(cell, str) and cell.strip() in tuple(_DASHES)


def is_unknown(cell: object) -> bool:
    """Empty, or a mark for not available (…) or withheld (x)."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return isinstance(cell, str) and _SPACE.sub("", cell).casefold() in ("", "…", "...", "..", "x", "х")


def has_figure(cell: object) -> bool:
    return not is_absent(cell) and not is_unknown(cell)


def read_number(cell: object) -> float:
    """Raises ValueError where it is no number, or could be two.

    >>> read_number("1 234 567,5¹⁾"), read_number("−12"), read_number("(1\\u202f234)")
    (1234567.5, -12.0, -1234.0)
    """
    if isinstance(cell, (bool, date)) or not isinstance(cell, (int, float, str)):
        raise ValueError(f"{cell!r} is no number")
    if not isinstance(cell, str):
        return _finite(float(cell))
    told = _FOOTNOTE.sub("", _SPACE.sub(" ", cell).strip()).removesuffix("%").strip()
    bracketed = re.fullmatch(r"\((.+)\)", told)
    body = bracketed[1].strip() if bracketed else told
    negative = bool(bracketed) or body[:1] in tuple(_DASHES)
    value = _unsigned(body.lstrip(_DASHES).strip() if body[:1] in tuple(_DASHES) else body)
    return -value if negative else value


def is_number(cell: object) -> bool:
    try:
        read_number(cell)
    except ValueError:
        return False
    return True


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return value


def _unsigned(text: str) -> float:
    for pattern, between in zip(_NUMBERS, _BETWEEN_THOUSANDS, strict=True):
        if pattern.fullmatch(text):
            return float((text.replace(between, "") if between else text).replace(",", "."))
    shorter = _ATTACHED_FOOTNOTE.sub("", text)
    # A footnote's digit that touches the figure can be told from it only by the spaces between thousands.
    if shorter != text and _NUMBERS[1].fullmatch(shorter):
        return _unsigned(shorter)
    raise ValueError(f"'{text}' is no number")
