"""What runs a generator in its pod: it ends as the generator does not, and says how it went.

Both generators end with 0 also where no request was answered, which would make a Job that measured
nothing a success.
"""

from typing import Final

INFERENCE_PERF: Final = '''\
"""Runs inference-perf, and ends with 0 only if a request was answered.

    python3 run.py SECONDS --config_file FILE

SECONDS ends a closed loop, which inference-perf itself counts in requests; 0 leaves it its own end.
"""

import asyncio
import contextvars
import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import inference_perf.main as program
from inference_perf.apis import ErrorResponseInfo

SECONDS = float(sys.argv.pop(1)) if __name__ == "__main__" else 0.0
PAUSE_SECONDS = 1.0

failed = contextvars.ContextVar("failed", default=False)


class Noting:
    """Passes on what becomes of requests, and notes of the one at hand whether it failed.

    inference-perf takes every stream for an answer, also one that breaks off with an error.
    """

    def __init__(self, collector):
        self.collector = collector

    def record_metric(self, metric):
        if metric.error is None and (why := fault(metric)):
            metric.error = ErrorResponseInfo(error_type="Broken answer", error_msg=why)
        failed.set(metric.error is not None)
        self.collector.record_metric(metric)


def fault(metric):
    """Why a stream is no whole answer; nothing where it is."""
    stream = metric.response_data or ""
    for line in stream.splitlines():
        if line.startswith("data:") and '"error"' in line:
            try:
                event = json.loads(line.removeprefix("data:"))
            except ValueError:
                continue
            if isinstance(event, dict) and event.get("error"):
                return "an error ended the stream"
    if "[DONE]" not in stream:
        return "the stream ended without its last event"
    return "" if metric.info.response_metrics.chunk_times else "the answer has no text"


class Client(program.vLLMModelServerClient):
    """Asks as inference-perf does, with a key that no report shows, and by the clock.

    The clock starts with the first request, and sends nothing once it is over. A client pauses
    after a failure: a refusal takes no time at all, and nobody asks a thousand times a second.
    """

    def __init__(self, collector, **settings):
        super().__init__(Noting(collector), **settings)
        # inference-perf writes its configuration, and with it a key, into the report.
        self.api_key = os.environ.get("API_KEY") or None
        self.seconds = SECONDS
        self.process = os.getpid()
        self.began = multiprocessing.Value("d", 0.0)
        self.ended = multiprocessing.Value("b", 0)

    async def process_request(self, *request):
        if self.seconds and self.is_over():
            return
        await super().process_request(*request)
        if self.seconds and failed.get():
            await asyncio.sleep(PAUSE_SECONDS)

    def is_over(self):
        now = time.monotonic()
        with self.began.get_lock():
            self.began.value = self.began.value or now
        if now < self.began.value + self.seconds:
            return False
        with self.ended.get_lock():
            # On SIGINT inference-perf lets requests in flight end, and reports.
            if not self.ended.value:
                os.kill(self.process, signal.SIGINT)
            self.ended.value = 1
        return True


def judge(report):
    """Says what came of the requests; the code to end with is 0 only if there was an answer."""
    try:
        summary = json.loads(report.read_text())
    except OSError:
        return 1, "No request was sent: inference-perf wrote no report."
    failures = summary["failures"]
    answered, lost = summary["successes"]["count"], failures["count"]
    total = answered + lost
    if not answered:
        return 1, f"No request was answered: all {total} failed. {reasons(failures)}"
    why = f" {reasons(failures)}" if lost else ""
    return 0, f"{answered} of {total} requests were answered.{why}"


def reasons(failures):
    """What requests failed of, the most frequent first."""
    labels = failures.get("by_label") or {}
    return "; ".join(f"{label}: {entry['count']}" for label, entry in labels.items())[:500]


def main():
    [file] = [value for key, value in zip(sys.argv, sys.argv[1:]) if key == "--config_file"]
    folder = json.loads(Path(file).read_text())["storage"]["local_storage"]["path"]
    report = Path(folder) / "summary_lifecycle_metrics.json"
    report.unlink(missing_ok=True)  # of an earlier run of this name
    # inference-perf has no seam for it: it makes the client by this name.
    program.vLLMModelServerClient = Client
    program.main_cli()
    code, sentence = judge(report)
    print(sentence, flush=True)
    sys.stderr.flush()
    # A closed loop that has ended still has requests queued, for which Python would wait.
    os._exit(code)


if __name__ == "__main__":
    main()
'''
"""Runs inference-perf 0.7.0: its loadgen/load_generator.py and client/modelserver were read."""

HEY: Final = """\
# Runs hey, and ends with 0 only if a request was answered.
#     sh run.sh REPORT OPTION... URL
set -u
report=$1
shift
mkdir -p "$(dirname "$report")" || exit
if [ -n "${API_KEY:-}" ]; then
    set -- -H "Authorization: Bearer $API_KEY" "$@"
fi
hey "$@" > "$report"
code=$?
cat "$report"
[ "$code" -eq 0 ] || exit "$code"
if ! grep -q '^ *\\[2[0-9][0-9]\\]' "$report"; then
    echo 'No request was answered with a status of 2xx.'
    exit 1
fi
"""
"""Runs hey 0.1.5, whose report has a line such as `[200]  12 responses` for each status."""
