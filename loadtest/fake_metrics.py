"""What vLLM reports at /metrics, of a server that only pretends."""

import time
from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from .fake_prefix_cache import BLOCK_TOKENS

CACHE_TOKENS: Final = 100_000
"""Tokens that the KV cache is said to hold, unless another number is told."""

# Of vllm/v1/metrics/loggers.py, read 2026-11.
_FIRST_TOKEN: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
_NEXT_TOKEN: Final = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0),
)
_REQUEST: Final = (
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0),
    *(120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)
_LABELS: Final = ("model_name", "engine")


class Metrics:
    """The series of one server, under vLLM's names and labels."""

    TYPE: Final = CONTENT_TYPE_LATEST

    def __init__(
        self, model: str, cache_tokens: int = CACHE_TOKENS, adapters: Sequence[str] = ()
    ) -> None:
        self._registry = registry = CollectorRegistry()
        self._cache_tokens = cache_tokens

        def gauge(name: str, meaning: str) -> Gauge:
            return Gauge(name, meaning, _LABELS, registry=registry).labels(model, "0")

        def counter(name: str, meaning: str) -> Counter:
            return Counter(name, meaning, _LABELS, registry=registry).labels(model, "0")

        def histogram(name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
            metric = Histogram(name, meaning, _LABELS, registry=registry, buckets=buckets)
            return metric.labels(model, "0")

        self.running = gauge("vllm:num_requests_running", "Requests that are being answered.")
        self.waiting = gauge("vllm:num_requests_waiting", "Requests in the queue.")
        by_reason = Gauge(
            "vllm:num_requests_waiting_by_reason",
            "Requests in the queue, by what they wait for.",
            (*_LABELS, "reason"),
            registry=registry,
        )
        self.waiting_for_room = by_reason.labels(model, "0", "capacity")
        by_reason.labels(model, "0", "deferred")
        self.cache = gauge("vllm:kv_cache_usage_perc", "Share of the KV cache in use, 0 to 1.")
        self.preemptions = counter("vllm:num_preemptions", "Requests put back into the queue.")
        self.queried = counter("vllm:prefix_cache_queries", "Tokens looked for in the cache.")
        self.hits = counter("vllm:prefix_cache_hits", "Tokens that were there.")
        self.read = counter("vllm:prompt_tokens", "Tokens read.")
        self.written = counter("vllm:generation_tokens", "Tokens written.")
        self.success = Counter(
            "vllm:request_success",
            "Requests that ended.",
            (*_LABELS, "finished_reason"),
            registry=registry,
        ).labels(model, "0", "length")
        self.first_token = histogram(
            "vllm:time_to_first_token_seconds", "Wait for the first token.", _FIRST_TOKEN
        )
        self.next_token = histogram(
            "vllm:inter_token_latency_seconds", "Time from token to token.", _NEXT_TOKEN
        )
        self.latency = histogram(
            "vllm:e2e_request_latency_seconds", "Time of a whole request.", _REQUEST
        )
        self.queue = histogram("vllm:request_queue_time_seconds", "Time in the queue.", _REQUEST)
        self._cached = 0
        Gauge(
            "vllm:cache_config_info",
            "How the KV cache is set up.",
            ("engine", "block_size", "num_gpu_blocks"),
            registry=registry,
        ).labels("0", BLOCK_TOKENS, cache_tokens // BLOCK_TOKENS).set(1)
        self._adapters = Adapters(adapters, registry)

    def text(self) -> bytes:
        """The series as Prometheus reads them."""
        return generate_latest(self._registry)

    @contextmanager
    def queued(self, came: float, model: str) -> Iterator[None]:
        """Counts a request for a model, or an adapter of it, as waiting."""
        with (
            self.waiting.track_inprogress(),
            self.waiting_for_room.track_inprogress(),
            self._adapters.waits(model),
        ):
            yield
        self.queue.observe(time.monotonic() - came)

    @contextmanager
    def request(
        self, prompt_tokens: int, cached_tokens: int, came: float, model: str
    ) -> Iterator["Counted"]:
        """Counts a request as running; one that ends by an error or is left is no success."""
        self.read.inc(prompt_tokens)
        self.queried.inc(prompt_tokens)
        self.hits.inc(cached_tokens)
        counted = Counted(self, came)
        self.cached(prompt_tokens)
        try:
            with self.running.track_inprogress(), self._adapters.runs(model):
                yield counted
        finally:
            self.cached(-prompt_tokens - counted.tokens)
        self.success.inc()
        self.latency.observe(time.monotonic() - came)

    def cached(self, tokens: int) -> None:
        """Puts tokens into the cache, or takes them out."""
        self._cached += tokens
        self.cache.set(min(1.0, self._cached / self._cache_tokens))


class Adapters:
    """Which LoRA adapters are asked for, in the labels of a gauge whose value is when that was.

    Of vllm/v1/metrics/loggers.py, read 2026-11; there is no such series where no adapter is served.
    """

    def __init__(self, names: Sequence[str], registry: CollectorRegistry) -> None:
        self._names = frozenset(names)
        self._waiting: Tally[str] = Tally()
        self._running: Tally[str] = Tally()
        self._info = None
        if names:
            self._info = Gauge(
                "vllm:lora_requests_info",
                "Adapters of running and of waiting requests.",
                ("max_lora", "running_lora_adapters", "waiting_lora_adapters"),
                registry=registry,
            )
            self._tell()

    def waits(self, model: str) -> AbstractContextManager[None]:
        """Counts a request as waiting."""
        return self._counted(self._waiting, model)

    def runs(self, model: str) -> AbstractContextManager[None]:
        """Counts a request as running."""
        return self._counted(self._running, model)

    @contextmanager
    def _counted(self, requests: "Tally[str]", model: str) -> Iterator[None]:
        if model not in self._names:
            yield
            return
        requests[model] += 1
        self._tell()
        try:
            yield
        finally:
            requests[model] -= 1
            self._tell()

    def _tell(self) -> None:
        if self._info is not None:
            names = (",".join(sorted(+requests)) for requests in (self._running, self._waiting))
            self._info.labels(len(self._names), *names).set(time.time())


class Counted:
    """A request that is being answered."""

    def __init__(self, metrics: Metrics, came: float) -> None:
        self._metrics = metrics
        self._last = came
        self.tokens = 0

    def token(self) -> None:
        """Counts a token that was written now."""
        metrics, now = self._metrics, time.monotonic()
        series = metrics.next_token if self.tokens else metrics.first_token
        series.observe(now - self._last)
        self._last = now
        self.tokens += 1
        metrics.written.inc()
        metrics.cached(1)
