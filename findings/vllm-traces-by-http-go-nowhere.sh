#!/usr/bin/env bash
# vLLM 0.33.0 (PyPI wheel; 0.19.0 has the same lines), what makes its exporter of traces, and OpenTelemetry 1.45.2 for Python (PyPI), run
# 2026-11-30.
#
# With `--otlp-traces-endpoint http://collector:4318`, a collector's own port for HTTP, one expects what OpenTelemetry does everywhere: with
# OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf it goes by HTTP, to that address and /v1/traces. vLLM reads another variable,
# OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, and without it talks gRPC to the port for HTTP. With it, it hands the address on as one that is whole:
# each batch is posted to /, a collector answers 404, and the spans are gone. The server comes up, answers, and is ready in either case;
# two of its log's lines say it, at a level that nothing alerts on. The path has to stand in the flag.
#
# Seen: below, at the end (variables and the flag: what a collector is sent, and what the exporter says of it).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.12 --platform manylinux_2_31_x86_64 \
  --platform manylinux_2_28_x86_64 --dest . "vllm==0.33.0"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "opentelemetry-sdk==1.45.2" "opentelemetry-exporter-otlp-proto-grpc==1.45.2" \
  "opentelemetry-exporter-otlp-proto-http==1.45.2"
cat > send.py <<'END'
import ast
import os
import socket
import sys
import threading
import zipfile
from pathlib import Path

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

[wheel] = Path().glob("*.whl")
with zipfile.ZipFile(wheel) as files:
    tree = ast.parse(files.read("vllm/tracing/otel.py"))
[function] = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "get_span_exporter"]
names = {
    "os": os,
    "OTLPGrpcExporter": Grpc,
    "OTLPHttpExporter": Http,
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
}
exec(compile(ast.Module([function], []), "otel.py", "exec"), names)

door = socket.create_server(("127.0.0.1", 0))
requests = []


def collect():
    """A collector's port for HTTP: it takes traces at /v1/traces."""
    while True:
        peer, _ = door.accept()
        line = peer.recv(65536).split(b"\r\n")[0].decode(errors="replace")
        requests.append("gRPC" if line.startswith("PRI ") else line)
        status = "200 OK" if " /v1/traces " in line else "404 Not Found"
        peer.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        peer.close()


class Watched(SpanExporter):
    """Tells what an exporter says of a batch."""

    def __init__(self, exporter):
        self.exporter = exporter

    def export(self, spans):
        self.result = self.exporter.export(spans)
        return self.result

    def shutdown(self):
        pass


threading.Thread(target=collect, daemon=True).start()
os.environ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"] = "2"
exporter = Watched(names["get_span_exporter"](f"http://127.0.0.1:{door.getsockname()[1]}{sys.argv[1]}"))
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
provider.get_tracer("vllm").start_span("llm_request").end()
print(f"{requests[0]}, {exporter.result.name}")
END
sent() { # variable, path behind the address
  echo "$1, http://collector:4318$2: $(env "$1" venv/bin/python send.py "$2" 2> log.txt)"
}
{
  sent OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf ""
  sent OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf ""
  sent OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf /v1/traces
} > seen.txt

diff - seen.txt <<'SEEN'
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, http://collector:4318: gRPC, FAILURE
OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf, http://collector:4318: POST / HTTP/1.1, FAILURE
OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf, http://collector:4318/v1/traces: POST /v1/traces HTTP/1.1, SUCCESS
SEEN
