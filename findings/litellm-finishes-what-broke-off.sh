#!/usr/bin/env bash
# litellm 1.108.0 and 1.110.2, and openai 3.57.0 beside them (PyPI), run 2026-11-30.
#
# A stream whose last event has no finish_reason did not come to its end: a replica went, or a proxy cut it and ended the connection in
# order, as Knative's queue-proxy does (knative-ends-a-stream-as-if-whole.sh). OpenAI's client leaves finish_reason None, by which a program
# can tell, and one that sits behind LiteLLM sees the same, one expects, as LiteLLM only hands events on. But up to 1.108.0 it adds an event
# of its own, with finish_reason "stop", which is what a model says of an answer that is whole. So half an answer looks like all of one to
# whatever is behind LiteLLM, be it the library or the proxy, and is cached, stored and shown as such. 1.110.2 ends it with an error.
#
# Seen: below, at the end (of a stream with two words, [DONE] behind it or not: the words, and the last finish_reason).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check litellm==1.110.2 openai==3.57.0
# Its dependencies serve the older one too.
venv/bin/pip install --quiet --no-compile --disable-pip-version-check --no-deps --target older litellm==1.108.0

cat >ask.py <<'END'
import http.server
import json
import sys
import threading
from importlib.metadata import version

sys.path[:0] = sys.argv[2:]
WORDS = ("The", "tide")


class Replica(http.server.BaseHTTPRequestHandler):
    """Ends before it is done, as if it were."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        choices = [[{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}] for word in WORDS]
        events = [json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "chat", "choices": choice}) for choice in choices]
        if "done" in self.path:
            events.append("[DONE]")
        body = "".join(f"data: {event}\n\n" for event in events).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Replica)
threading.Thread(target=server.serve_forever, daemon=True).start()
question = {"messages": [{"role": "user", "content": "tide"}], "stream": True}
for path, what in (("end", "ends"), ("done", "ends with [DONE]")):
    address = f"http://127.0.0.1:{server.server_port}/{path}"
    words, reason, error = [], None, ""
    try:
        if sys.argv[1] == "openai":
            import openai

            answer = openai.OpenAI(base_url=address, api_key="none").chat.completions.create(model="chat", **question)
        else:
            import litellm

            answer = litellm.completion(model="openai/chat", api_base=address, api_key="none", **question)
        for event in answer:
            words.append(event.choices[0].delta.content)
            reason = event.choices[0].finish_reason or reason
    except Exception as problem:
        error = f", {type(problem).__name__}"
    print(f"{sys.argv[1]} {version(sys.argv[1])}, {what}: {' '.join(filter(None, words))}, finish_reason {reason}{error}")
END
export LITELLM_LOCAL_MODEL_COST_MAP=True  # Else it asks the network for prices.
{
  venv/bin/python ask.py openai
  venv/bin/python ask.py litellm older
  venv/bin/python ask.py litellm
} 2>log >seen || { cat log >&2; exit 2; }
grep '^openai\|^litellm' seen >lines  # It asks for feedback between them.
diff - lines <<'END'
openai 3.57.0, ends: The tide, finish_reason None
openai 3.57.0, ends with [DONE]: The tide, finish_reason None
litellm 1.108.0, ends: The tide, finish_reason stop
litellm 1.108.0, ends with [DONE]: The tide, finish_reason stop
litellm 1.110.2, ends: The tide, finish_reason None, MidStreamFallbackError
litellm 1.110.2, ends with [DONE]: The tide, finish_reason None, MidStreamFallbackError
END
