#!/usr/bin/env bash
# SGLang 0.4.10, 0.5.2 and 0.5.23 (PyPI wheels), run 2026-11-30: what answers /health in srt/entrypoints/http_server.py, in a time of its own.
#
# A server's /health says at once whether it lives, and /health_generate makes a token, as their names say; so it was up to 0.4.10. From
# 0.5.2 on the two are one: a probe asks the model for a token, and then looks once a second whether any token came, of whomever. So no
# answer takes less than a second, and Kubernetes gives a probe one second by default (`timeoutSeconds`): such a pod never is ready, be it
# idle. A long prompt gives no token while it is read: the probe waits with it, and after 20 s the answer is 503. With five seconds for a
# probe, a prompt of 15 s takes a replica that is well out of its Service, or, by a liveness probe, ends it with all that it has in hand.
# SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION=false, which 0.5.2 does not know, has /health answer at once again.
#
# Seen: below, at the end (what the server is at: what a probe gets, and after how many seconds).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 0.4.10 0.5.2 0.5.23; do
  python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.11 \
    --platform manylinux_2_34_x86_64 --platform any --dest "$version" "sglang==$version"
done
python3 - >seen <<'END'
import ast
import asyncio
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace as Names
from unittest.mock import MagicMock


class Clock:
    """Time that passes while somebody waits."""

    now = 1e6

    async def sleep(self, seconds):
        self.now += seconds


def health(version):
    """The function behind /health, with stand-ins for all around it."""
    [wheel] = Path(version).glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        tree = ast.parse(files.read("sglang/srt/entrypoints/http_server.py").decode())
    [function] = [
        node for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef) and '@app.get(\'/health\')' in ast.unparse(node)
    ]
    [limit] = [node for node in tree.body if ast.unparse(node).startswith("HEALTH_CHECK_TIMEOUT")]
    function.decorator_list = []
    return ast.Module([limit, function], [])


def asked(version, tokens, generates=True):
    """What a probe gets, and after how long.

    Args:
        tokens: By seconds since the probe, when the last token came.
    """
    clock = Clock()
    began = clock.now

    class Manager:
        gracefully_exit, server_status, is_image_gen, is_generation = False, "Up", False, True
        rid_to_state = {}
        last_receive_tstamp = property(lambda _: began + tokens(clock.now - began))
        server_args = Names(disaggregation_mode="null")

    switch = "SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION"
    flags = {switch: generates, "SGLANG_DIAG_BYPASS_HEALTH_GENERATE": False}
    names = {name: MagicMock() for name in (
        "GenerateReqInput", "EmbeddingReqInput", "logger", "uuid", "get_disagg", "DisaggregationMode", "Request",
    )}
    names |= {
        "os": os, "Response": lambda status_code: status_code, "ServerStatus": Names(Starting="Starting", Up="Up", UnHealthy="UnHealthy"),
        "HEALTH_CHECK_RID_PREFIX": "HEALTH_CHECK", "FAKE_BOOTSTRAP_HOST": "", "_global_state": Names(tokenizer_manager=Manager()),
        "envs": Names(**{name: Names(get=lambda value=value: value) for name, value in flags.items()}),
        "time": Names(time=lambda: clock.now, strftime=lambda *_: "", localtime=lambda *_: None),
        "asyncio": Names(sleep=clock.sleep, create_task=lambda task: (task.close(), MagicMock())[1]),
    }
    exec(compile(health(version), version, "exec"), names)
    function = names.get("health_generate") or names["health"]
    request = [Names(url=Names(path="/health"))] if function.__name__ == "health_generate" else []
    status = asyncio.run(function(*request))
    return f"{status} after {clock.now - began:.0f} s"


STATES = {
    "nothing": lambda after: min(after, 0.05),
    "streams": lambda after: after,
    "a prompt of 7 s": lambda after: after if after > 7 else -1,
    "a prompt of 30 s": lambda after: after if after > 30 else -1,
}
for version in ("0.4.10", "0.5.2", "0.5.23"):
    for name, tokens in STATES.items():
        print(f"{version}, {name}: {asked(version, tokens)}")
print(f"0.5.23, a prompt of 30 s, generation off: {asked('0.5.23', STATES['a prompt of 30 s'], generates=False)}")
END
diff - seen <<'END'
0.4.10, nothing: 200 after 0 s
0.4.10, streams: 200 after 0 s
0.4.10, a prompt of 7 s: 200 after 0 s
0.4.10, a prompt of 30 s: 200 after 0 s
0.5.2, nothing: 200 after 1 s
0.5.2, streams: 200 after 1 s
0.5.2, a prompt of 7 s: 200 after 8 s
0.5.2, a prompt of 30 s: 503 after 20 s
0.5.23, nothing: 200 after 1 s
0.5.23, streams: 200 after 1 s
0.5.23, a prompt of 7 s: 200 after 8 s
0.5.23, a prompt of 30 s: 503 after 20 s
0.5.23, a prompt of 30 s, generation off: 200 after 0 s
END
