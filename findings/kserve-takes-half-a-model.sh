#!/usr/bin/env bash
# kserve-storage 0.20.0 and 0.21.0 (PyPI), what KServe's storage initializer runs, with huggingface_hub 0.32.4, which python/storage/uv.lock of
# KServe 0.20.0 has, and 2.4.0 (PyPI), run 2026-11-30.
#
# An init container that ends with 0 has fetched the model, and one that failed is started again and goes on where it was, in the same
# emptyDir, one expects. So it does where the hub answers. But where the hub is not reached at the second start, huggingface_hub 0.32.4, as
# does 0.36.2, warns, returns the folder as it is, and KServe says "Successfully copied": half of a model passes for all of it. The server starts
# on what there is, and fails, or serves without what it does not need at once, until somebody deletes the pod: a container that starts
# again does not fetch again. huggingface_hub 2.4.0 knows which files there should be, and raises.
#
# Seen: below, at the end (of a model of three files, of which the hub refuses one, and then goes away).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >start.py <<'END'
"""One start of the initializer."""
import logging
import sys
from pathlib import Path

logging.disable()
from kserve_storage import Storage

target = Path(sys.argv[1])
target.mkdir(exist_ok=True)
try:
    Storage.download("hf://acme/qwen", str(target))
    end = "done"
except Exception as error:
    end = type(error).__name__
print(end, "with", *sorted(path.name for path in target.iterdir() if path.name[0] != "."))
END
cat >hub.py <<'END'
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading

COMMIT = "1" * 40
FILES = {"config.json": b"{}", "model-00001.safetensors": b"1", "model-00002.safetensors": b"2"}


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, name = self.path.partition("?")[0].rpartition("/")
        status, headers, body = 200, {}, b""
        if "/resolve/" in path:
            body = FILES[name]
            headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT}
            if name == "model-00002.safetensors" and self.command == "GET":
                status, body = 403, b""
        elif "/tree/" in self.path:
            entries = [{"type": "file", "path": name, "size": len(body), "oid": "1"} for name, body in FILES.items()]
            body = json.dumps(entries).encode()
        elif "/models/" in self.path:
            body = json.dumps({"id": "acme/qwen", "sha": COMMIT, "siblings": [{"rfilename": name} for name in FILES]}).encode()
        else:
            status = 404
        self.send_response(status)
        for key, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(key, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
python, versions = sys.argv[1:]
# Port 9 of loopback: the discard service, which nobody runs.
for start, port in (("first", server.server_port), ("second, without the hub", 9)):
    environment = os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": "home", "HF_HUB_DISABLE_XET": "1"}
    run = subprocess.run([python, "start.py", versions.replace(" ", "-")], env=environment, capture_output=True, text=True)
    print(f"{versions}, {start}: {run.stdout.strip() or run.stderr}")
END
for versions in "0.20.0 0.32.4" "0.21.0 2.4.0"; do
  read -r storage hub <<<"$versions"
  python3 -m venv "$hub"
  # What clouds need is left out.
  "$hub/bin/pip" install --quiet --no-compile --disable-pip-version-check requests==2.32.5 "huggingface_hub==$hub"
  "$hub/bin/pip" install --quiet --no-compile --disable-pip-version-check --no-deps "kserve-storage==$storage"
  python3 hub.py "$hub/bin/python" "$versions"
done >seen
diff - seen <<'END'
0.20.0 0.32.4, first: RuntimeError with config.json model-00001.safetensors
0.20.0 0.32.4, second, without the hub: done with config.json model-00001.safetensors
0.21.0 2.4.0, first: RuntimeError with config.json model-00001.safetensors
0.21.0 2.4.0, second, without the hub: IncompleteSnapshotError with config.json model-00001.safetensors
END
