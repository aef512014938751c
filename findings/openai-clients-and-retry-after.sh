#!/usr/bin/env bash
# OpenAI's clients: openai 3.57.0 and 2.8.1 for Python (PyPI), and openai 6.49.0 for Node (npm), run 2026-11-30. Needs Node 20 too.
#
# A gateway that refuses a request says when to ask again, `429` with `Retry-After: 3600` where an hour's tokens are used up. Clients that ask
# twice more by themselves keep to it, one expects, as far as their `timeout` goes, and all three alike. Each does something else.
# - Python up to 2.x keeps to 60 s at the most. What is longer it passes over: it asks twice more within two seconds, and fails.
# - Python 3.57 keeps to 120 s at the most, and fails at once where it is longer.
# - Node keeps to whatever it is told. `timeout` is that of one request, and the pause is none: with 20 s it waits for an hour, twice.
#   Nor does an AbortSignal end that: it is looked at when the hour is over.
# So a budget per hour looks like a server that hangs, to programs in Node alone. Up to 60 s all three do the same.
#
# Seen: below, at the end (what each is told: for how long it pauses before its second and third request, and what comes of it). Pauses are
# cut short here, but for the last line, in which half a second passes after the signal.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 2.8.1 3.57.0; do
  python3 -m venv "venv-$version"
  "venv-$version/bin/pip" install --quiet --disable-pip-version-check "openai==$version"
done
npm install --silent --no-fund --no-audit --prefix node openai@6.49.0 >npm.log 2>&1 || { cat npm.log; exit 2; }

cat >server.py <<'END'
"""Refuses every request, with what its path asks for in Retry-After."""
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(429)
        self.send_header("Retry-After", self.path.split("/")[1])
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
python3 server.py >port &
trap 'kill %1; rm -rf "$folder"' EXIT
until [ -s port ]; do sleep 0.1; done
port=$(cat port)

cat >client.py <<'END'
import sys
import time

import openai

for told in ("5", "60", "90", "3600"):
    pauses = []
    time.sleep = pauses.append
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{sys.argv[1]}/{told}", api_key="none", timeout=20)
    try:
        client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "tide"}])
    except openai.RateLimitError:
        text = " and ".join("less than 2 s" if pause < 2 else f"{pause:.0f} s" for pause in pauses) or "none"
        print(f"Python {openai.__version__}, {told}: pauses {text}, then RateLimitError")
END
cat >node/client.mjs <<'END'
import OpenAI from "openai";

const [port] = process.argv.slice(2);
const timer = globalThis.setTimeout;
const ask = (told, signal) =>
  new OpenAI({ baseURL: `http://127.0.0.1:${port}/${told}`, apiKey: "none", timeout: 20_000 })
    .chat.completions.create({ model: "chat", messages: [{ role: "user", content: "tide" }] }, { signal })
    .catch((error) => error.constructor.name);

for (const told of ["5", "60", "90", "3600"]) {
  const pauses = [];
  // Others set timers too, for the time of a request and for connections that are kept.
  globalThis.setTimeout = (then, ms, ...rest) => {
    if (ms !== told * 1000) return timer(then, ms, ...rest);
    pauses.push(`${ms / 1000} s`);
    return timer(then, 0, ...rest);
  };
  const end = await ask(told);
  console.log(`Node, ${told}: pauses ${pauses.join(" and ")}, then ${end}`);
}
globalThis.setTimeout = timer;
const end = await Promise.race([
  ask("3600", AbortSignal.timeout(500)),
  new Promise((then) => timer(then, 1000, "still waiting")),
]);
console.log(`Node, 3600, aborted after 0.5 s: ${end}`);
process.exit(0);
END
for version in 2.8.1 3.57.0; do "venv-$version/bin/python" client.py "$port"; done >seen
node node/client.mjs "$port" >>seen

diff - seen <<'END'
Python 2.8.1, 5: pauses 5 s and 5 s, then RateLimitError
Python 2.8.1, 60: pauses 60 s and 60 s, then RateLimitError
Python 2.8.1, 90: pauses less than 2 s and less than 2 s, then RateLimitError
Python 2.8.1, 3600: pauses less than 2 s and less than 2 s, then RateLimitError
Python 3.57.0, 5: pauses 5 s and 5 s, then RateLimitError
Python 3.57.0, 60: pauses 60 s and 60 s, then RateLimitError
Python 3.57.0, 90: pauses 90 s and 90 s, then RateLimitError
Python 3.57.0, 3600: pauses none, then RateLimitError
Node, 5: pauses 5 s and 5 s, then RateLimitError
Node, 60: pauses 60 s and 60 s, then RateLimitError
Node, 90: pauses 90 s and 90 s, then RateLimitError
Node, 3600: pauses 3600 s and 3600 s, then RateLimitError
Node, 3600, aborted after 0.5 s: still waiting
END
