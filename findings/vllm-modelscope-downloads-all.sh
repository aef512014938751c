#!/usr/bin/env bash
# vLLM 0.19.0 and 0.33.0 (PyPI wheels), what its default loader asks a hub for, and modelscope 1.40.2 with modelscope-hub 0.5.1 (PyPI), whose
# library is asked, run 2026-11-30.
#
# With VLLM_USE_MODELSCOPE another hub has the same model, and --download-dir is where its files go, one expects. Of Hugging Face vLLM asks
# for one format of weights, safetensors where there are some, in the folder of --download-dir. Of ModelScope it asks for the repository,
# without a pattern and without that folder: PyTorch's files, `original/`, ONNX and GGUF come along, several times the size of what is
# loaded, into MODELSCOPE_CACHE, by default a folder of the container's own file system. --ignore-patterns, which keeps original/ out by
# default, does not reach it either. So a pod's start, and its ephemeral storage, are those of all formats, and a volume at --download-dir
# stays empty.
#
# Seen: below, at the end (what is downloaded of a repository that has five formats; MB stand for GB).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check modelscope==1.40.2 modelscope-hub==0.5.1
for version in 0.19.0 0.33.0; do
  python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.11 \
    --platform manylinux_2_31_x86_64 --platform manylinux_2_28_x86_64 --dest . "vllm==$version"
  unzip -q -o vllm-"$version"-*.whl 'vllm/model_executor/model_loader/*.py' -d "$version"
  rm vllm-"$version"-*.whl
done

cat >hub.py <<'END'
import ast
import contextlib
import fnmatch
import http.server
import json
import os
import sys
import threading
import urllib.parse
from pathlib import Path
from types import SimpleNamespace as Names
from unittest.mock import MagicMock

MB = 10**6
FILES = {
    "config.json": 1000, "model.safetensors": 15 * MB, "pytorch_model.bin": 15 * MB, "original/consolidated.00.pth": 15 * MB,
    "onnx/model.onnx": 15 * MB, "qwen-q8_0.gguf": 8 * MB,
}


class Hub(http.server.BaseHTTPRequestHandler):
    """The two addresses of ModelScope that a download asks."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        body = b'{"Code": 404}'
        if url.path.endswith("/repo/files"):
            entries = [{"Path": path, "Name": Path(path).name, "Type": "blob", "Size": size} for path, size in FILES.items()]
            body = json.dumps({"Code": 200, "Success": True, "Data": {"Files": entries}}).encode()
        elif url.path.endswith("/repo"):
            body = bytes(FILES[dict(urllib.parse.parse_qsl(url.query))["FilePath"]])
        self.send_response(200 if len(body) > 20 else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ |= {"MODELSCOPE_DOMAIN": f"127.0.0.1:{server.server_port}", "MODELSCOPE_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}


def files_in(path):
    return sorted(str(file.relative_to(path)) for file in Path(path).rglob("*") if file.is_file() and file.name[0] != ".")


def parts(version):
    """The loader's call, and the two functions behind it."""
    room = Path(version, "vllm/model_executor/model_loader")
    loader, utilities = (ast.parse((room / name).read_text()) for name in ("default_loader.py", "weight_utils.py"))
    [call] = [node for node in ast.walk(loader) if isinstance(node, ast.Call) and ast.unparse(node.func) == "maybe_download_from_modelscope"]
    names = ("maybe_download_from_modelscope", "download_weights_from_hf")
    functions = [node for node in utilities.body if isinstance(node, ast.FunctionDef) and node.name in names]
    for function in functions:
        function.decorator_list = []  # They trace how long it takes.
    return ast.unparse(call), ast.Module(functions, [])


version = sys.argv[1]
call, functions = parts(version)
asked = []


def snapshot_download(model, allow_patterns, cache_dir, **_):
    asked.append((allow_patterns, cache_dir))
    return "."


ls = Names(ls=lambda *_, **__: [f"acme/qwen/{path}" for path in FILES if "/" not in path])
names = {
    "envs": Names(VLLM_USE_MODELSCOPE=True), "get_lock": lambda *_: contextlib.nullcontext(), "os": os, "fnmatch": fnmatch, "json": json,
    "time": Names(perf_counter=lambda: 0), "Path": lambda _: Names(glob=lambda _: [1]), "logger": MagicMock(), "DisabledTqdm": None,
    "huggingface_hub": Names(constants=Names(HF_HUB_OFFLINE=False)), "SAFE_WEIGHTS_INDEX_NAME": "model.safetensors.index.json",
    # Of 0.33.0, then of 0.19.0.
    "hf_fs": lambda: ls, "hf_api": lambda: Names(snapshot_download=snapshot_download),
    "HfFileSystem": lambda: ls, "snapshot_download": snapshot_download,
    "model_name_or_path": "acme/qwen", "revision": None,
}
exec(compile(functions, "weight_utils.py", "exec"), names)
names["download_weights_from_hf"]("acme/qwen", "/data", ["*.safetensors", "*.bin", "*.pt"])
print(f"{version}, Hugging Face, --download-dir /data: {asked}")
path = eval(call, names)
size = sum(FILES[name] for name in files_in(path))
print(f"{version}, {call}: {size // MB} MB in {Path(path).relative_to(Path.cwd())}")
print(f"{version}, files: {' '.join(files_in(path))}")
END
for version in 0.19.0 0.33.0; do MODELSCOPE_CACHE="$PWD/cache-$version" HOME="$PWD" venv/bin/python hub.py "$version" 2>log || { cat log >&2; exit 2; }; done >seen
diff - seen <<'END'
0.19.0, Hugging Face, --download-dir /data: [('*.safetensors', '/data')]
0.19.0, maybe_download_from_modelscope(model_name_or_path, revision): 68 MB in cache-0.19.0/models/acme--qwen/snapshots/master
0.19.0, files: config.json model.safetensors onnx/model.onnx original/consolidated.00.pth pytorch_model.bin qwen-q8_0.gguf
0.33.0, Hugging Face, --download-dir /data: [('*.safetensors', '/data')]
0.33.0, maybe_download_from_modelscope(model_name_or_path, revision): 68 MB in cache-0.33.0/models/acme--qwen/snapshots/master
0.33.0, files: config.json model.safetensors onnx/model.onnx original/consolidated.00.pth pytorch_model.bin qwen-q8_0.gguf
END
