"""Metrics for Prometheus: requests by endpoint, target and outcome, and the model that answers them."""

from functools import lru_cache

from serving.exchange import Exchange

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds. A look-up takes less than a millisecond, a scenario part of a second."""


class Metrics:
    """Labels have few values: endpoints that there are and `other`, targets that were checked, codes of faults."""

    def __init__(self) -> None:
        # Imported when the service starts: where it keeps its numbers is then told by BentoML's environment.
        from prometheus_client import Counter, Gauge, Histogram

        self._requests = Counter(
            "qonys_requests", "Requests answered, by endpoint, target and outcome.", ["endpoint", "target", "outcome"]
        )
        self._seconds = Histogram(
            "qonys_request_seconds", "Time to answer, in seconds, by endpoint.", ["endpoint"], buckets=BUCKETS
        )
        self._reloads = Counter("qonys_reloads", "Models that were to replace the one served.", ["outcome"])
        self._loaded = Gauge(
            "qonys_model_loaded_timestamp_seconds",
            "When the model that is served was loaded, in seconds since 1970.",
            multiprocess_mode="mostrecent",
        )
        # Looking a labelled metric up costs as much as counting.
        self._counters: dict[tuple[str, str, str], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def count(self, exchange: Exchange, seconds: float) -> None:
        endpoint = exchange.endpoint
        labels = (endpoint, exchange.target or "none", exchange.code)
        counter = self._counters.get(labels)
        if counter is None:
            counter = self._counters[labels] = self._requests.labels(*labels)
        counter.inc()
        histogram = self._histograms.get(endpoint)
        if histogram is None:
            histogram = self._histograms[endpoint] = self._seconds.labels(endpoint)
        histogram.observe(seconds)

    def reloaded(self, outcome: str) -> None:
        """outcome: swapped, refused, or unreachable: the registry could not be asked."""
        self._reloads.labels(outcome).inc()

    def loaded(self, timestamp: float) -> None:
        self._loaded.set(timestamp)


@lru_cache(maxsize=1)
def metrics() -> Metrics:
    """Those of this process: Prometheus' client knows each name once."""
    return Metrics()
