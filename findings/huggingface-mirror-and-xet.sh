#!/usr/bin/env bash
# huggingface_hub 0.36.2 and 2.4.0 with hf-xet 1.8.0 (PyPI), run 2026-11-30. huggingface_hub has needed hf-xet since 0.32, on x86-64 and ARM.
#
# `HF_ENDPOINT` names a mirror where Hugging Face itself is not reached, and files come from there, one expects, as the mirror has them. So do
# lists and small files. Of what Hugging Face keeps in Xet, and that is the weights of nearly all models, the mirror is asked for a key
# alone. Its answer names the store, and hf-xet goes there, past the mirror: as the mirror passes on what Hugging Face says,
# cas-server.xethub.hf.co, which is not reached either. `config.json` is there at once, and the weights hang or fail.
# With HF_HUB_DISABLE_XET=1 the mirror is asked for the weights too.
#
# Seen: below, at the end (who is asked for what, of a mirror on loopback whose files are in a store of another port that answers 404).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 0.36.2 2.4.0; do
  python3 -m venv "$version"
  "$version/bin/pip" install --quiet --disable-pip-version-check "huggingface_hub==$version" hf-xet==1.8.0
done

cat >mirror.py <<'END'
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

COMMIT = "1" * 40
FILES = {"config.json": b"{}", "model.safetensors": bytes(1000)}
asked = []


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, headers=None, status=200):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Store(Answers):
    def do_GET(self):
        asked.append(f"store: {self.path.split('/')[2]}")
        self.answer(b"", status=404)

    do_POST = do_GET


class Mirror(Answers):
    def do_GET(self):
        path, _, name = self.path.partition("?")[0].rpartition("/")
        if "/xet-read-token/" in self.path:
            asked.append("mirror: key")
            until = int(time.time()) + 900
            self.answer(b"{}", {"X-Xet-Cas-Url": store, "X-Xet-Access-Token": "key", "X-Xet-Token-Expiration": until})
        elif "/resolve/" in path:
            body = FILES[name]
            headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT}
            if name == "model.safetensors":
                headers["X-Xet-Hash"] = "a" * 64
                headers["X-Xet-Refresh-Route"] = f"https://huggingface.co/api/models/acme/qwen/xet-read-token/{COMMIT}"
            if self.command == "GET":
                asked.append(f"mirror: {name}")
            self.answer(body, headers)
        elif "/tree/" in self.path:
            entries = [{"type": "file", "path": name, "size": len(body), "oid": "1"} for name, body in FILES.items()]
            self.answer(json.dumps(entries).encode())
        elif "/models/" in self.path:
            self.answer(json.dumps({"id": "acme/qwen", "sha": COMMIT, "siblings": [{"rfilename": name} for name in FILES]}).encode())
        else:
            self.answer(b"", status=404)

    do_HEAD = do_GET


store, mirror = serve(Store), serve(Mirror)
PROGRAM = """
import sys
import huggingface_hub
try:
    huggingface_hub.snapshot_download("acme/qwen", local_dir=sys.argv[1])
    print("done")
except Exception:
    print("fails")
"""
for version in ("0.36.2", "2.4.0"):
    for variables in ({}, {"HF_HUB_DISABLE_XET": "1"}):
        asked.clear()
        home = tempfile.mkdtemp(dir=".")
        environment = os.environ | {"HF_ENDPOINT": mirror, "HF_HOME": home} | variables
        command = [f"{version}/bin/python", "-c", PROGRAM, f"{home}/model"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        # How often, and what telemetry there is beside, is no matter.
        ways = sorted({way for way in asked if way.split()[1] in {*FILES, "key", "reconstructions"}})
        print(f"{version}, {' '.join(f'{name}={value}' for name, value in variables.items()) or 'HF_ENDPOINT alone'}: "
              f"{run.stdout.strip() or run.stderr}; {', '.join(ways)}")
END
python3 mirror.py >seen
diff - seen <<'END'
0.36.2, HF_ENDPOINT alone: fails; mirror: config.json, mirror: key, store: reconstructions
0.36.2, HF_HUB_DISABLE_XET=1: done; mirror: config.json, mirror: model.safetensors
2.4.0, HF_ENDPOINT alone: fails; mirror: config.json, mirror: key, store: reconstructions
2.4.0, HF_HUB_DISABLE_XET=1: done; mirror: config.json, mirror: model.safetensors
END
