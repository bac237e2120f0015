"""Changes: what one training was told or made of that another was not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PLACES = ("config.data", "config.cutoff")
"""Where the data lie, and a cutoff as asked for: the dataset's hash and the bundle's cutoff say what they came to."""
INPUTS = ("config.", "gate.", "bundle.", "dataset.", "version.")
ORDER = ("data", "cutoff", "config", "gate", "code", "libraries")
SHOWN = 2
"""Keys that a name tells one by one."""


@dataclass(frozen=True)
class Change:
    """key: as `config.boosted.rounds`, `dataset.sha256`, `version.pandas`; before, after: empty where it was not."""

    key: str
    before: str
    after: str

    @property
    def words(self) -> str:
        """
        >>> Change("config.draws", "200", "400").words
        'draws 200→400'
        """
        return f"{self.key.partition('.')[2]} {short(self.before)}→{short(self.after)}"


def facts_of(params: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """What went into a run, from its parameters and tags; not what came out."""
    told = {key: value for key, value in tags.items() if key.startswith(("dataset.", "version."))}
    return {key: str(value) for key, value in (dict(params) | told).items() if key.startswith(INPUTS)}


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Sorted by key. Facts as in `facts_of`.

    A commit with uncommitted changes is told even where both runs had the same: their code may differ.
    """
    keys = sorted((set(before) | set(after)).difference(PLACES))
    pairs = [Change(key, before.get(key, ""), after.get(key, "")) for key in keys]
    return tuple(one for one in pairs if one.before != one.after or _uncertain(one))


def _uncertain(change: Change) -> bool:
    return change.key == "version.commit" and change.after.endswith("+changes")


def summary(made: Iterable[Change]) -> str:
    """For a run's name.

    >>> summary([Change("config.boosted.rounds", "60", "80"), Change("dataset.sha256", "a", "b")])
    'data, boosted.rounds 60→80'
    >>> summary([])
    'nothing changed'
    """
    groups: dict[str, list[Change]] = {}
    for change in made:
        groups.setdefault(_group(change), []).append(change)
    groups = {name: groups[name] for name in ORDER if name in groups}
    if "data" in groups:
        groups.pop("cutoff", None)
    return ", ".join(_told(name, own) for name, own in groups.items()) or "nothing changed"


def _group(change: Change) -> str:
    kind, _, name = change.key.partition(".")
    if kind == "version":
        return "code" if name in ("commit", "qonys") else "libraries"
    return {"dataset": "data", "bundle": "cutoff"}.get(kind, kind)


def _told(name: str, own: list[Change]) -> str:
    if name in ("data", "code"):
        return name
    if name == "cutoff":
        return own[0].words
    if len(own) > SHOWN:
        return f"{name} ({len(own)} keys)"
    words = ", ".join(one.words for one in own)
    return words if name == "config" else f"{name} {words}"


def short(value: str) -> str:
    """Of a hash its beginning; `none` for nothing.

    >>> short("a862c4a46101b3610aedb838e951f6ca1d9de21e+changes")
    'a862c4a46101+changes'
    """
    digest, plus, more = value.partition("+")
    return (f"{digest[:12]}{plus}{more}" if len(digest) >= 40 else value) or "none"
