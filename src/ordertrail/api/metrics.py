"""GET /metrics: what the server has done so far, in the words of Prometheus.

The parts count for themselves, without locks; this reads them when it is asked. Routes stand for
addresses, so that nobody's id is told.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from ordertrail.api.trace import Traces
from ordertrail.kit import json
from ordertrail.kit.committer import Committer
from ordertrail.kit.histogram import Histogram
from ordertrail.kit.readers import Readers

_PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip")
_CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")


@dataclass(frozen=True, slots=True, eq=False)
class Measured(Collector):
    """The parts of a server that count what they do; `readers` by what they read for."""

    version: str
    traces: Traces
    committer: Committer
    readers: Mapping[str, Readers]

    def collect(self) -> Iterator[Metric]:
        """Yield all figures as they are now."""
        yield InfoMetricFamily("ordertrail_build", "The release.", {"version": self.version})
        yield from self._requests()
        yield from self._writes()
        waiting = GaugeMetricFamily(
            "ordertrail_reads_waiting", "Reads that wait for a thread.", labels=["readers"]
        )
        for name, readers in self.readers.items():
            waiting.add_metric([name], readers.waiting)
        yield waiting

    def _requests(self) -> Iterator[Metric]:
        place = ["method", "route"]
        counts = CounterMetricFamily(
            "ordertrail_requests",
            "Finished requests; status none: the caller left.",
            labels=[*place, "status"],
        )
        durations = HistogramMetricFamily(
            "ordertrail_request_duration_seconds", "From the headers to the answer.", labels=place
        )
        for names, finished in self.traces.finished.items():
            for status, count in zip(_CLASSES, finished.by_class, strict=True):
                if count:
                    counts.add_metric([*names, status], count)
            _add(durations, [*names], finished.durations_s)
        yield counts
        yield durations
        yield GaugeMetricFamily(
            "ordertrail_connections", "Connections that are open.", self.traces.connections
        )

    def _writes(self) -> Iterator[Metric]:
        committer = self.committer
        yield GaugeMetricFamily(
            "ordertrail_writes_waiting", "Writes that wait for a commit.", committer.waiting
        )
        sizes = HistogramMetricFamily("ordertrail_batch_writes", "Writes in one commit.")
        _add(sizes, [], committer.batch_sizes)
        yield sizes
        durations = HistogramMetricFamily("ordertrail_commit_duration_seconds", "Time of a commit.")
        _add(durations, [], committer.durations_s)
        yield durations


class Metrics:
    """The endpoint: for callers on this machine, or for all when `is_open`."""

    def __init__(self, measured: Measured, *, is_open: bool) -> None:
        self._is_open = is_open
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(measured)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

    async def answer(self, request: Request) -> Response:
        """Answer with all figures, or 403."""
        if not (self._is_open or _is_from_here(request)):
            said = {
                "detail": "Metrics are told to callers on this machine only;"
                " ORDERTRAIL_METRICS_OPEN=true opens them to all."
            }
            return Response(json.dumps(said), 403, media_type="application/json")
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"content-type": kind})


def _is_from_here(request: Request) -> bool:
    """Tell whether the caller is on this machine, and no proxy that speaks for another one."""
    if request.client is None or any(name in request.headers for name in _PROXIED):
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _add(family: HistogramMetricFamily, labels: list[str], found: Histogram) -> None:
    names = [*(f"{bound:g}" for bound in found.bounds), "+Inf"]
    counts = list(accumulate(found.counts))
    family.add_metric(labels, list(zip(names, counts, strict=True)), found.total)
