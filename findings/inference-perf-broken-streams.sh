#!/bin/sh
# inference-perf counts an answer that broke off as a success, and ends with 0 where all requests fail.
#
# Version: inference-perf 0.7.0 (PyPI), Python 3.12 or later.
# Expected: a stream whose only event is `data: {"error": ...}` is a failed request, and a run in
# which no request was answered ends with another exit code than 0.
# Seen on 2026-11-28:
#     stream with an error event: successes 5, failures 0, exit 0
#     status 500: successes 0, failures 5, exit 0
# So a Job that runs it is "Complete" though nothing was measured.
#
# Needs python3 (3.12 or later; PYTHON names another one) and a package index. Asks nobody but a
# server of its own on loopback. Ends with 1 if what is seen changes.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
server=
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check inference-perf==0.7.0

cat > server.py <<'PROGRAM'
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        broken = "error-event" in sys.argv
        body = json.dumps({"error": {"message": "engine died", "code": 500}})
        body = f"data: {body}\n\n" if broken else body
        self.send_response(200 if broken else 500)
        self.send_header("Content-Type", "text/event-stream" if broken else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PROGRAM

mkdir tokenizer
cat > tokenizer.py <<'PROGRAM'
import json
words = {"<unk>": 0, **{f"w{n}": n + 1 for n in range(500)}}
json.dump(
    {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None,
        "decoder": None, "model": {"type": "WordLevel", "vocab": words, "unk_token": "<unk>"},
    },
    open("tokenizer/tokenizer.json", "w"),
)
settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}
json.dump(settings, open("tokenizer/tokenizer_config.json", "w"))
PROGRAM
venv/bin/python tokenizer.py

run() {
    : > port
    venv/bin/python server.py "$1" > port &
    server=$!
    while ! [ -s port ]; do sleep 0.2; done
    cat > config.yaml <<CONFIG
api: {type: completion, streaming: true}
data:
  type: random
  input_distribution: {type: fixed, min: 5, max: 5, mean: 5, std_dev: 0}
  output_distribution: {type: fixed, min: 5, max: 5, mean: 5, std_dev: 0}
load: {type: constant, num_workers: 1, stages: [{rate: 5, duration: 1}]}
server: {type: vllm, model_name: m, base_url: "http://127.0.0.1:$(cat port)"}
tokenizer: {pretrained_model_name_or_path: $folder/tokenizer}
report: {request_lifecycle: {summary: true}}
storage: {local_storage: {path: $folder/$1}}
CONFIG
    code=0
    HF_HUB_OFFLINE=1 venv/bin/inference-perf --config_file config.yaml > log 2>&1 || code=$?
    kill "$server"
    venv/bin/python - "$1" "$code" <<'PROGRAM'
import json, sys
report = json.load(open(f"{sys.argv[1]}/summary_lifecycle_metrics.json"))
counts = report["successes"]["count"], report["failures"]["count"]
print(f"{sys.argv[1]}: successes {counts[0]}, failures {counts[1]}, exit {sys.argv[2]}")
PROGRAM
}

{ run error-event; run status-500; } | tee seen
[ "$(cat seen)" = "error-event: successes 5, failures 0, exit 0
status-500: successes 0, failures 5, exit 0" ]
