#!/usr/bin/env bash
# vLLM 0.19.0 and 0.33.0 (PyPI wheels), its output processor and its Prometheus logger as they are, with torch and the rest of vLLM standing
# still, run 2026-11-30.
#
# A request that its client gives up ends as `abort`, a value of finished_reason that vllm:request_success_total has, and its wait is in the
# histograms, one expects: who waits longest gives up. But what is aborted leaves the output processor at once, and is in no figure of
# requests: `abort` stays 0, and neither the latency nor the time in the queue is seen. Nor is the time to the first token of who never
# got one. With clients that wait 20 s, no p95 of the first token, of the queue or of a whole request is above 20 s, however many are turned
# away by it, and an SLO counts those alone that were served. Where nobody is, there is nothing to count, and what divides or scales by it
# sees a model without requests. vllm:num_requests_waiting has them while they wait.
#
# Seen: below, at the end (of three requests one is answered, one is given up after 20 s in the queue, and one in the middle of its answer).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check msgspec==0.20.0 numpy==2.3.5 prometheus-client==0.23.1 typing-extensions==4.15.0
for version in 0.19.0 0.33.0; do
  python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.11 \
    --platform manylinux_2_31_x86_64 --platform manylinux_2_28_x86_64 --dest . "vllm==$version"
  unzip -q -o vllm-"$version"-*.whl vllm/outputs.py 'vllm/v1/engine/*.py' 'vllm/v1/metrics/*.py' -d "$version"
  rm vllm-"$version"-*.whl
done

cat >abort.py <<'END'
import importlib.abc
import importlib.machinery
import sys
import time
import types
from unittest.mock import MagicMock

import prometheus_client

version = sys.argv[1]
FOLDERS = ("vllm", "vllm.v1", "vllm.v1.metrics")
METRICS = ("buckets", "cache_hit_source", "loggers", "stats", "utils")
REAL = ("vllm.outputs", "vllm.v1.engine", "vllm.v1.engine.output_processor", *(f"vllm.v1.metrics.{name}" for name in METRICS))
MOCKS = ("IncrementalDetokenizer", "LogprobsProcessor", "ParentRequest")


class Thing:
    def __init__(self, *_, **__):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


class Still(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = type(name, (Thing,), {}) if name[0].isupper() and name not in MOCKS else MagicMock()
        setattr(self, name, value)
        return value


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "vllm") and name not in REAL:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = Still(spec.name)
        if spec.name in FOLDERS:
            module.__path__ = [f"{version}/{spec.name.replace('.', '/')}"]
        return module

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Finder())
from vllm.v1.engine import EngineCoreOutput, EngineCoreRequest, FinishReason
from vllm.v1.engine.output_processor import OutputProcessor, RequestState
from vllm.v1.metrics.loggers import PrometheusStatLogger
from vllm.v1.metrics.stats import IterationStats

sys.modules["vllm.v1.engine.output_processor"].length_from_prompt_token_ids_or_embeds = lambda *_: 3
config = MagicMock()
config.model_config.served_model_name, config.model_config.max_model_len = "chat", 8192
config.observability_config.kv_cache_metrics, config.observability_config.custom_histogram_buckets = False, None
logger = PrometheusStatLogger(config)
processor = OutputProcessor(None, log_stats=True)
RequestState.make_request_output = lambda *_, **__: None  # Nobody reads the answers.
parameters = MagicMock(max_tokens=100, n=1, extra_args=None, stream_interval=None)


def arrive(name, seconds_ago):
    fields = dict.fromkeys(EngineCoreRequest.__struct_fields__)
    fields |= {"request_id": name, "external_req_id": name, "sampling_params": parameters, "arrival_time": time.time() - seconds_ago}
    processor.add_request(EngineCoreRequest(**fields), None)
    processor.request_states[name].detokenizer.update.return_value = None


def step(*outputs):
    stats = IterationStats()
    outputs = [EngineCoreOutput(name, tokens, finish_reason=reason) for name, tokens, reason in outputs]
    processor.process_outputs(outputs, time.monotonic(), stats)
    logger.record(None, stats)


arrive("answered", 1)
step(("answered", [1], None))
step(("answered", [2], FinishReason.STOP))
arrive("given up in the queue", 20)
arrive("given up in the answer", 2)
step(("given up in the answer", [1], None))
for name in ("given up in the queue", "given up in the answer"):
    processor.abort_requests([name], internal=True)
    step((name, [], FinishReason.ABORT))  # what the engine says of it, if it does
SERIES = ("request_success", "time_to_first_token_seconds", "request_queue_time_seconds", "e2e_request_latency_seconds")
for metric in prometheus_client.REGISTRY.collect():
    if metric.name.removeprefix("vllm:") in SERIES:
        for sample in metric.samples:
            reason = sample.labels.get("finished_reason")
            if sample.name.endswith(("_count", "_total")) and reason in (None, "stop", "abort"):
                print(f"{version}, {sample.name}{f' {reason}' if reason else ''}: {sample.value:.0f}")
END
for version in 0.19.0 0.33.0; do venv/bin/python abort.py "$version"; done >seen
diff - seen <<'END'
0.19.0, vllm:request_success_total stop: 1
0.19.0, vllm:request_success_total abort: 0
0.19.0, vllm:time_to_first_token_seconds_count: 2
0.19.0, vllm:e2e_request_latency_seconds_count: 1
0.19.0, vllm:request_queue_time_seconds_count: 1
0.33.0, vllm:request_success_total stop: 1
0.33.0, vllm:request_success_total abort: 0
0.33.0, vllm:time_to_first_token_seconds_count: 2
0.33.0, vllm:e2e_request_latency_seconds_count: 1
0.33.0, vllm:request_queue_time_seconds_count: 1
END
