#!/usr/bin/env bash
# Run:ai Model Streamer 0.15.7 and 0.17.1 (PyPI, runai-model-streamer), its FileStreamer with its own library, run 2026-11-30. vLLM 0.19.0 to
# 0.33.0 take any from 0.15.7 on (the extra `runai` of their metadata), and leave the destination at the host's memory.
#
# `--load-format runai_streamer` streams weights to the card, so that one expects a few buffers in the host's memory, and less of it than by
# vLLM's own loader. That one maps the files, whose pages are the kernel's to take back at any time. The streamer reads ahead into memory of
# its own, up to RUNAI_STREAMER_MEMORY_LIMIT, which is 40 GB: in 0.15.7 it has the whole model in it until the last tensor is read, in
# 0.17.1 what the card has not taken yet. That memory counts against the container's limit. A pod of 32Gi that loads 30 GB of weights by
# itself is ended for want of memory with the streamer, and with tensor parallelism each of the processes reads all files into its own.
# With a limit it waits for its consumer, and 512 MiB go through 64.
#
# Seen: below, at the end (a file of 512 MiB, whose consumer takes one of 64 parts, and then waits until no more comes: what the process holds).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 0.15.7 0.17.1; do
  python3 -m venv "$version"
  "$version/bin/pip" install --quiet --disable-pip-version-check numpy==2.3.5 humanize==4.14.0
  # Without torch, which it needs for the form of what it hands out, and which is of gigabytes.
  "$version/bin/pip" install --quiet --disable-pip-version-check --no-deps "runai-model-streamer==$version"
done
head -c 536870912 /dev/zero >weights
cat >stream.py <<'END'
import importlib.util  # which the streamer takes for imported
import sys
import time
import types
from pathlib import Path


class Tensor:
    """All that the streamer does with an array: it gives it another shape."""

    def __init__(self, array):
        self.array = array

    def view(self, *_):
        return self


torch = types.ModuleType("torch")
torch.from_numpy = Tensor
torch.device = lambda name: types.SimpleNamespace(type=name)
package = types.ModuleType("runai_model_streamer")
package.__path__ = [next(f"{path}/runai_model_streamer" for path in sys.path if path.endswith("site-packages"))]
sys.modules |= {"torch": torch, "runai_model_streamer": package}
from runai_model_streamer.file_streamer.file_streamer import FileStreamer
from runai_model_streamer.file_streamer.requests_iterator import FileChunks


def held():
    """Memory that is the process's own, in MiB."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) // 1024


before, most = held(), 0
file = getattr(FileChunks, "contiguous", FileChunks)(0, "weights", 0, [8 * 2**20] * 64)
with FileStreamer() as streamer:
    streamer.stream_files([file])
    for part in streamer.get_chunks():
        if not most:
            while held() > most:
                most = held()
                time.sleep(2)
        most = max(most, held())
print(f"{64 * round((most - before) / 64)} MiB")
END
for version in 0.15.7 0.17.1; do
  echo "$version: $("$version/bin/python" stream.py)"
  echo "$version, limit of 64 MiB: $(RUNAI_STREAMER_MEMORY_LIMIT=67108864 "$version/bin/python" stream.py)"
done >seen
diff - seen <<'END'
0.15.7: 512 MiB
0.15.7, limit of 64 MiB: 64 MiB
0.17.1: 512 MiB
0.17.1, limit of 64 MiB: 64 MiB
END
