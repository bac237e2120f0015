"""API keys: who may ask, and for what. Only hashes are kept."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal, get_args

Right = Literal["read", "admin"]
RIGHTS: tuple[Right, ...] = get_args(Right)
NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
ENTRY = re.compile(rf"(?P<name>{NAME.pattern}):(?P<right>[a-z]+):(?P<digest>[0-9a-fA-F]{{64}})")
WANTED = f"NAME:{'|'.join(RIGHTS)}:SHA256, as `python -m serving key` prints it"


@dataclass(frozen=True)
class Key:
    """name: what it is called in logs. digest: sha256 of the secret, which is 256 random bits and needs no salt."""

    name: str
    right: Right
    digest: str

    def may(self, right: Right) -> bool:
        """admin may read too."""
        return self.right in ("admin", right)


@dataclass(frozen=True)
class Keys:
    entries: tuple[Key, ...]

    def of(self, secret: str) -> Key | None:
        """The key with this secret. Takes as long whichever it is, and where there is none."""
        digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
        found = None
        for key in self.entries:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found


def keys_of(text: str) -> tuple[Keys, list[str]]:
    """Keys of entries with commas or white space between them, and what is wrong with them.

    A fault tells the entry's place and not what it says: it may hold a secret.

    >>> keys, faults = keys_of(f"page:read:{'0' * 64}, oops")
    >>> [key.name for key in keys.entries], faults
    (['page'], ['entry 2: must be NAME:read|admin:SHA256, as `python -m serving key` prints it'])
    """
    entries = [entry for entry in re.split(r"[\s,]+", text) if entry]
    found: dict[str, Key] = {}
    faults = [] if entries else [f"has no entry; leave it out, or give {WANTED}"]
    for place, entry in enumerate(entries, 1):
        told = ENTRY.fullmatch(entry)
        if told is None or told["right"] not in RIGHTS:
            faults.append(f"entry {place}: must be {WANTED}")
        elif told["name"] in found:
            faults.append(f"entry {place}: another entry is called {told['name']!r}; each must have its own name")
        else:
            found[told["name"]] = Key(told["name"], told["right"], told["digest"].lower())  # pyright: ignore[reportArgumentType]
    return Keys(tuple(found.values())), faults


def new_key(name: str, right: Right) -> tuple[str, str]:
    """A secret, which is kept nowhere, and the entry that knows it.

    Raises ValueError for a name that an entry cannot have.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r}: must be 1 to 32 letters, digits, - or _")
    secret = f"qonys_{secrets.token_urlsafe(32)}"
    return secret, f"{name}:{right}:{hashlib.sha256(secret.encode()).hexdigest()}"
