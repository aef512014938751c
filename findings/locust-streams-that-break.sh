#!/usr/bin/env bash
# locust 2.47.0 (PyPI), its clients HttpUser and FastHttpUser, against a server of loopback, run 2026-11-30.
#
# To measure the first token of a stream, a locustfile reads it line by line: `client.post(..., stream=True, catch_response=True)`. What
# locust counts of it, one expects, is the request as a whole: its time to the end, and a failure where it breaks off. But the time is that
# of the headers, which a server of tokens sends at once, so that each answer of seconds has 0.0 s, and its length is 0. And an answer that
# breaks off is in no statistic at all, neither among the requests nor among the failures: the error leaves the `with` block, before anything
# is counted. So replicas that die take their requests out of the rate, the percentiles and the share of failures.
# Without stream=True both are right: 2 s, and a failure.
#
# Seen: below, at the end (client, whether it streams, and how the answer ends: what is counted, in seconds, and what is raised).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.py <<'PYTHON'
from locust import FastHttpUser, HttpUser  # first: it patches what is imported after it
from locust.env import Environment

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for _ in range(4):
            self.wfile.write(b"a\r\ndata: {}\n\n\r\n")
            self.wfile.flush()
            time.sleep(0.5)
        if self.path == "/whole":
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True


def lines(response):
    return response.iter_lines() if hasattr(response, "iter_lines") else iter(response.stream.readline, b"")


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
for kind in (HttpUser, FastHttpUser):
    for streams in (False, True):
        for path in ("whole", "broken"):
            user = type("User", (kind,), {"host": f"http://127.0.0.1:{server.server_port}"})
            environment, counted, raised = Environment(user_classes=[user]), [], "nothing"
            environment.events.request.add_listener(
                lambda response_time, exception, **_: counted.append(
                    f"{response_time / 1000:.0f} s, {'failed' if exception else 'no failure'}"))
            client = user(environment).client
            try:
                if streams:
                    with client.post(f"/{path}", json={}, stream=True, catch_response=True) as response:
                        for _ in lines(response):
                            pass
                else:
                    client.post(f"/{path}", json={})
            except Exception as error:
                raised = type(error).__name__
            print(f"{kind.__name__}, {'streams' if streams else 'plain'}, {path}: {counted or 'not counted'}, {raised}")
PYTHON
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet 'locust==2.47.0' > pip.log 2>&1 || { cat pip.log; exit 2; }
venv/bin/python finding.py > seen.txt 2> log || { cat log; exit 2; }

diff - seen.txt <<'SEEN'
HttpUser, plain, whole: ['2 s, no failure'], nothing
HttpUser, plain, broken: ['2 s, failed'], nothing
HttpUser, streams, whole: ['0 s, no failure'], nothing
HttpUser, streams, broken: not counted, ChunkedEncodingError
FastHttpUser, plain, whole: ['2 s, no failure'], nothing
FastHttpUser, plain, broken: ['2 s, failed'], nothing
FastHttpUser, streams, whole: ['0 s, no failure'], nothing
FastHttpUser, streams, broken: not counted, HTTPParseError
SEEN
