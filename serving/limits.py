"""The rate limit: how many requests of one client are answered in a minute."""

import math

MOST_CLIENTS = 10_000
"""Clients that are remembered; beyond, those that may ask a full minute's requests again are forgotten."""


class RateLimit:
    """A bucket of tokens for each client: it holds a minute's requests, and fills evenly.

    >>> limit = RateLimit(60)
    >>> [limit.wait("a", now=0.0) for _ in range(61)][-2:], limit.wait("b", now=0.0), limit.wait("a", now=1.0)
    ([0, 1], 0, 0)
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._per_second = per_minute / 60
        # By client: tokens, and when they were counted.
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, client: str, now: float) -> int:
        """Take a token and return 0, or the seconds until there is one. now: of a clock that never goes back, s."""
        tokens, counted = self._buckets.get(client, (self.per_minute, now))
        tokens = min(self.per_minute, tokens + (now - counted) * self._per_second)
        if tokens < 1:
            self._buckets[client] = (tokens, now)
            return math.ceil((1 - tokens) / self._per_second)
        if client not in self._buckets and len(self._buckets) >= MOST_CLIENTS:
            self._forget(now)
        self._buckets[client] = (tokens - 1, now)
        return 0

    def _forget(self, now: float) -> None:
        """Forget those whose bucket is full again; if none is, the one that asked longest ago."""
        kept = {
            client: (tokens, counted)
            for client, (tokens, counted) in self._buckets.items()
            if tokens + (now - counted) * self._per_second < self.per_minute
        }
        if len(kept) >= MOST_CLIENTS:
            del kept[min(kept, key=lambda client: kept[client][1])]
        self._buckets = kept
