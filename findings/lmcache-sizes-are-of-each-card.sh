#!/usr/bin/env bash
# LMCache 0.5.6 (PyPI wheel), what its workers in vLLM's processes set up, run 2026-11-30. 0.3.9 reads these sizes in the same way.
#
# LMCACHE_MAX_LOCAL_CPU_SIZE is the "maximum CPU cache size in GB", and one gives it so much of what the pod has left: vLLM's own
# --kv-offloading-size is of all cards together. But each worker, of which vLLM has one per card, takes as much for itself, at its start
# and pinned: 100 on eight cards are 800 GiB, and the pod is killed while it starts. Nothing is logged of the sum. Models of latent attention
# (DeepSeek) alone have it once, on the first card. Said nothing, it is 5 GiB for each; LMCACHE_LOCAL_CPU=False, which is to
# turn it off, and any word for on but "true" and "1" (`yes`, `on`), leave the memory taken, as a buffer.
# For a disk the address alone does nothing: LMCACHE_MAX_LOCAL_DISK_SIZE is 0 by default, and no disk is used without a word.
#
# Seen: below, at the end (variables: whether it keeps anything in memory; what each of four cards takes of memory, what it puts on disk).
# `CreateStorageBackends` and `initialize_allocator` are run as they are, with LMCache's own configuration. Stand-ins only write down what
# they are asked for: both of the others need torch.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.12 --platform manylinux_2_28_x86_64 --dest . "lmcache==0.5.6"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyYAML==6.0.3 requests==2.32.5
cat > workers.py <<'END'
import ast
import logging
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

[wheel] = Path().glob("*.whl")
zipfile.ZipFile(wheel).extractall()
logging.disable()
for name in ("lmcache", "lmcache.v1"):  # Without what it imports there, which is torch.
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [name.replace(".", "/")]
from lmcache.v1.config import LMCacheEngineConfig


def function(path, name, names):
    tree = ast.parse(Path(path).read_text())
    [definition] = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name]
    definition.returns, definition.decorator_list = None, []
    for argument in definition.args.args:
        argument.annotation = None
    tree = ast.parse("from __future__ import annotations")
    tree.body.append(definition)
    exec(compile(tree, path, "exec"), names)
    return names[name]


BACKENDS = "lmcache/v1/storage_backend"
GIB = 1024**3
names = {
    "logger": logging.getLogger(),
    "MixedMemoryAllocator": lambda size, **_: size,
    "NUMADetector": types.SimpleNamespace(get_numa_mapping=lambda config: None),
}
allocate = function(f"{BACKENDS}/local_cpu_backend.py", "initialize_allocator", names)


class Memory:
    """Takes what the backend of memory would."""

    _calculate_effective_cpu_size = function(
        f"{BACKENDS}/local_cpu_backend.py", "_calculate_effective_cpu_size", names
    )
    _resolve_local_cpu_allocator_alignment = function(
        f"{BACKENDS}/local_cpu_backend.py", "_resolve_local_cpu_allocator_alignment", names
    )

    def __init__(self, config, metadata, *_):
        self.size = allocate(self, config, metadata)


class Disk:
    """Takes what the backend of disks would."""

    def __init__(self, config, *_):
        self.size = int(config.max_local_disk_size * GIB)


names = {
    "logger": logging.getLogger(),
    "OrderedDict": OrderedDict,
    "LocalCPUBackend": Memory,
    "LocalDiskBackend": Disk,
    "is_cuda_worker": lambda metadata: False,
    "storage_plugin_launcher": lambda *_: None,
    "torch_device_type": "cuda",
}
create = function(f"{BACKENDS}/__init__.py", "CreateStorageBackends", names)
config = LMCacheEngineConfig.from_env()
config.validate()
sizes = {Memory: [], Disk: []}
for rank in range(4):
    metadata = types.SimpleNamespace(
        role="worker", worker_id=rank, world_size=4, use_mla=False, is_first_rank=lambda: rank == 0
    )
    for backend in create(config, metadata, None).values():
        sizes[type(backend)].append(backend.size // GIB)
print(f"keeps {config.local_cpu}; memory {sizes[Memory]}, disk {sizes[Disk]}")
END
started() {
  echo "$*: $(env "$@" venv/bin/python workers.py)"
}
{
  started LMCACHE_CHUNK_SIZE=256
  started LMCACHE_MAX_LOCAL_CPU_SIZE=100
  started LMCACHE_MAX_LOCAL_CPU_SIZE=100 LMCACHE_LOCAL_CPU=False
  started LMCACHE_MAX_LOCAL_CPU_SIZE=100 LMCACHE_LOCAL_CPU=yes
  started LMCACHE_LOCAL_DISK=file:///cache
  started LMCACHE_LOCAL_DISK=file:///cache LMCACHE_MAX_LOCAL_DISK_SIZE=200
} > seen.txt

diff - seen.txt <<'SEEN'
LMCACHE_CHUNK_SIZE=256: keeps True; memory [5, 5, 5, 5], disk []
LMCACHE_MAX_LOCAL_CPU_SIZE=100: keeps True; memory [100, 100, 100, 100], disk []
LMCACHE_MAX_LOCAL_CPU_SIZE=100 LMCACHE_LOCAL_CPU=False: keeps False; memory [100, 100, 100, 100], disk []
LMCACHE_MAX_LOCAL_CPU_SIZE=100 LMCACHE_LOCAL_CPU=yes: keeps False; memory [100, 100, 100, 100], disk []
LMCACHE_LOCAL_DISK=file:///cache: keeps True; memory [5, 5, 5, 5], disk []
LMCACHE_LOCAL_DISK=file:///cache LMCACHE_MAX_LOCAL_DISK_SIZE=200: keeps True; memory [5, 5, 5, 5], disk [200, 200, 200, 200]
SEEN
