"""ETags: whether an answer that a client has is still the answer. They change with the model and the code alone."""

import hashlib
from functools import lru_cache
from pathlib import Path

ROOMS = ("features", "models", "serving")


class NotModified(Exception):  # noqa: N818 -- no error: the answer is had already
    """The client has the answer."""


@lru_cache(maxsize=1)
def code_hash() -> str:
    """sha256 of the code that answers: the same model may be answered otherwise by another version."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256()
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def answers_tag(content: str) -> str:
    """Of everything that is answered from a bundle with this content."""
    return hashlib.sha256(f"{content} {code_hash()}".encode()).hexdigest()


def answer_tag(answers_tag: str, path: str, body: bytes) -> str:
    """Of the answer to a request, quoted as a header has it. answers_tag: of everything that is answered."""
    asked = b"\0".join([answers_tag.encode(), path.encode("utf-8", "surrogatepass"), body])
    return f'"{hashlib.blake2b(asked, digest_size=12).hexdigest()}"'


def is_had(unless_tag: bytes, tag: str) -> bool:
    """Whether a header If-None-Match names the tag. `*` names none: it asks whether there is an answer at all.

    >>> is_had(b'W/"a", "b"', '"b"'), is_had(b'W/"a"', '"a"'), is_had(b"*", '"a"')
    (True, True, False)
    """
    given = unless_tag.decode("latin-1").split(",")
    return any(one.strip().removeprefix("W/") == tag for one in given)


def tag_as_had(unless_tag: bytes, tag: str) -> str:
    """The tag in the form in which a header If-None-Match has it: weak for an answer that was packed.

    >>> tag_as_had(b'W/"a"', '"a"'), tag_as_had(b'"a"', '"a"')
    ('W/"a"', '"a"')
    """
    weak = f"W/{tag}"
    return weak if weak.encode() in unless_tag else tag
