"""Remembered answers: what was computed from a dataset is kept for whoever asks again, until all is forgotten."""

from collections.abc import Callable
from functools import _lru_cache_wrapper, lru_cache
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
_REMEMBERED: list[_lru_cache_wrapper] = []


def remembered(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorates a function whose answers are kept, `most` of them, with the datasets that they are of."""

    def decorate(compute: Callable[P, T]) -> Callable[P, T]:
        kept = lru_cache(maxsize=most)(compute)
        _REMEMBERED.append(kept)
        return cast("Callable[P, T]", kept)

    return decorate


def forget() -> None:
    """Keep no answer any longer, nor the datasets: for who goes on to another dataset and stays.

    >>> @remembered(2)
    ... def rows(dataset: str) -> list[str]:
    ...     return [dataset]
    >>> first = rows("a")
    >>> rows("a") is first
    True
    >>> forget()
    >>> rows("a") is first
    False
    """
    for kept in _REMEMBERED:
        kept.cache_clear()
