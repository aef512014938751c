#!/bin/sh
# sglang-router's power_of_two does not know how busy servers of vLLM are: a server that is ten times
# slower gets a third of the requests. Its cache_aware does know, by what it has sent itself.
#
# Version: sglang-router 0.3.2 (PyPI), three servers of loopback with vLLM's API, one of them slow.
# Expected: of two servers drawn, power_of_two takes the one with fewer requests in hand, as its name
# says everywhere else, and as vllm-router 0.1.17 does.
# Seen on 2026-11-29, 90 requests, 9 at a time; the slow one's part:
#     power_of_two: a fair part
#     cache_aware, thresholds 0 and 1: little
# Of a server it asks /health, /get_model_info, /get_server_info and the like, and never a load (the
# servers here write down what they are asked).
#
# Needs python3 and a package index. Ends with 1 if what is seen changes.
set -eu
folder=$(mktemp -d)
trap 'kill $(cat "$folder"/*.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check sglang-router==0.3.2
cat > server.py <<'PROGRAM'
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

known = {"/health": {}, "/v1/models": {"object": "list", "data": [{"id": "m", "object": "model"}]}}

class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_GET(self):
        with open("asked", "a") as file:
            print(self.path, file=file)
        self.answer(200 if self.path in known else 404, known.get(self.path, {}))
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(float(sys.argv[2]))
        self.answer(200, {"id": sys.argv[2], "object": "text_completion", "model": "m", "choices": [
            {"index": 0, "text": "x", "finish_reason": "stop"}]})
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Server).serve_forever()
PROGRAM
cat > ask.py <<'PROGRAM'
import json, random, sys, time, urllib.request
from concurrent.futures import ThreadPoolExecutor

url = f"http://127.0.0.1:{sys.argv[1]}"
def ask(number):
    prompt = " ".join(str(random.random()) for _ in range(20))
    body = json.dumps({"model": "m", "prompt": prompt, "max_tokens": 1}).encode()
    request = urllib.request.Request(f"{url}/v1/completions", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=60))["id"]
until = time.monotonic() + 120
seen = set()
while len(seen) < 3:  # each server is known, and has answered
    assert time.monotonic() < until, "the router does not come up"
    try:
        with ThreadPoolExecutor(9) as pool:
            seen.update(pool.map(ask, range(9)))
    except OSError:
        time.sleep(0.2)
time.sleep(6)
with ThreadPoolExecutor(9) as pool:
    answers = list(pool.map(ask, range(90)))
part = answers.count("1.0") / len(answers)
print(f"{part:.0%}", file=sys.stderr)
print("little" if part < 0.2 else "a fair part" if part < 0.45 else "most")
PROGRAM
port() {
    venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
servers=
for seconds in 0.1 0.11 1.0; do
    number=$(port)
    venv/bin/python server.py "$number" $seconds & echo $! > "$seconds.pid"
    servers="$servers http://127.0.0.1:$number"
done
run() {
    number=$(port)
    # shellcheck disable=SC2086
    venv/bin/sglang-router launch --host 127.0.0.1 --port "$number" --prometheus-port "$(port)" \
        --log-level error "$@" --worker-urls $servers > log 2>&1 &
    router=$!
    echo $router > router.pid
    venv/bin/python ask.py "$number"
    kill $router
}
{
    echo "power_of_two: $(run --policy power_of_two)"
    echo "cache_aware, thresholds 0 and 1: $(run --policy cache_aware --balance-abs-threshold 0 --balance-rel-threshold 1.0)"
} | tee seen
sort -u asked >&2
[ "$(cat seen)" = "power_of_two: a fair part
cache_aware, thresholds 0 and 1: little" ]
