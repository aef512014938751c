"""A GPU exporter without GPUs: DCGM's series, with values that are told."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from components.catalog.metrics import SERIES, Origin, PodLabels

_SERIES: Final = [entry for entry in SERIES.values() if entry.origin is not Origin.VLLM]


class GpuExporter:
    """The series of all cards of a cluster, as one exporter per node would report them."""

    def __init__(self, labels: PodLabels) -> None:
        """Starts without any card.

        Args:
            labels: Names of the labels that say which pod a card works for.
        """
        self._registry = CollectorRegistry()
        names = ("gpu", labels.namespace, labels.pod)
        self._gauges = {
            entry.name: Gauge(entry.name, entry.meaning, names, registry=self._registry)
            for entry in _SERIES
        }

    def report(self, series: str, namespace: str, pod: str, values: Sequence[float]) -> None:
        """Says what each card of a pod reports, in the order of the cards."""
        for card, value in enumerate(values):
            self._gauges[series].labels(str(card), namespace, pod).set(value)

    def text(self) -> bytes:
        """The series as Prometheus reads them."""
        return generate_latest(self._registry)


@contextmanager
def serving(text: Callable[[], bytes]) -> Iterator[int]:
    """Answers a Prometheus on loopback until the context ends, and gives the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.end_headers()
            self.wfile.write(text())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
