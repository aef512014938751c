#!/bin/sh
# guidellm puts 0 ms for an answer that ends in the midst of its thoughts, and inference-perf knows no thoughts.
#
# Version: guidellm 0.8.1 and inference-perf 0.7.0 (PyPI), Python 3.12 or later.
# Expected: where max_tokens ends a model of reasoning before its answer begins, there is no time to the
# first token of the answer, as with aiperf 0.13.0, which leaves it out; and the time to the first token
# is that of the first thought, as with guidellm and aiperf.
# Seen on 2026-11-30, of a stream whose first thought comes after 0.3 s, and whose answer after 0.8 s:
#     guidellm, thoughts and answer: first token 0.3, first of the answer 0.8, successes all
#     guidellm, thoughts alone: first token 0.3, first of the answer 0.0, successes all
#     inference-perf, thoughts and answer: first token 0.8, output tokens 4, successes all
#     inference-perf, thoughts alone: first token None, output tokens 0, successes all
# So the more answers are cut off, the quicker guidellm says that they begin; and of a model that thinks,
# inference-perf says how long it thinks, counts its thoughts in no throughput, and an answer without a
# word is a success that no percentile has.
#
# Needs python3 (3.12 or later; PYTHON names another one) and a package index; guidellm brings torch, of gigabytes.
# Asks nobody but a server of its own on loopback. Ends with 1 if what is seen changes.
set -eu
folder=$(mktemp -d)
server=
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
for package in guidellm==0.8.1 inference-perf==0.7.0; do
    "${PYTHON:-python3}" -m venv "${package%==*}"
    "${package%==*}/bin/pip" install --quiet --disable-pip-version-check "$package"
done

cat > server.py <<'PROGRAM'
import http.server, json, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        time.sleep(0.1)
        self.event({"role": "assistant", "content": ""})
        time.sleep(0.2)
        for word in range(4):
            self.event({"reasoning": f"w{word} "})
            time.sleep(0.1)
        for word in range(0 if "alone" in sys.argv else 4):
            time.sleep(0.1)
            self.event({"content": f"w{word} "})
        self.event({}, "length" if "alone" in sys.argv else "stop")
        self.send({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 8, "total_tokens": 13}})
        self.write("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def event(self, delta, reason=None):
        self.send({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    def send(self, chunk):
        common = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        self.write(f"data: {json.dumps(common | chunk)}\n\n")

    def write(self, text):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text.encode()))
        self.wfile.flush()

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
guidellm/bin/python tokenizer.py
export HF_HUB_OFFLINE=1

cat > seen.py <<'PROGRAM'
import json, sys
way = sys.argv[1]
[run] = json.load(open(f"guidellm-{way}.json"))["benchmarks"]
metrics = run["metrics"]
first, answer = (
    round(metrics[f"time_to_first_{name}_ms"]["successful"]["median"] / 1000, 1)
    for name in ("token", "output_token")
)
totals = metrics["request_totals"]
whole = "all" if totals["successful"] == totals["total"] else totals
print(f"guidellm, {way}: first token {first}, first of the answer {answer}, successes {whole}")
report = json.load(open(f"{way}/summary_lifecycle_metrics.json"))
answers = report["successes"]
first = (answers["latency"]["time_to_first_token"] or {}).get("median")
first = None if first is None else round(first, 1)
whole = "all" if not report["failures"]["count"] else report["failures"]["count"]
tokens = round(answers["output_len"]["mean"])
print(f"inference-perf, {way}: first token {first}, output tokens {tokens}, successes {whole}")
PROGRAM

run() {
    : > port
    guidellm/bin/python server.py "$2" > port &
    server=$!
    while ! [ -s port ]; do sleep 0.2; done
    url=http://127.0.0.1:$(cat port)
    guidellm/bin/guidellm run --disable-console --profile kind=synchronous \
        --backend "kind=openai_http,target=$url,model=m,request_format=/v1/chat/completions" \
        --constraint kind=max_requests,count=5 --tokenizer "kind=hf_auto,model=$folder/tokenizer" \
        --data kind=synthetic_text,prompt_tokens=5,output_tokens=8 \
        --output "kind=json,path=guidellm-$1.json" > log 2>&1 || { cat log; exit 2; }
    cat > config.yaml <<CONFIG
api: {type: chat, streaming: true}
data: {type: mock}
load: {type: constant, num_workers: 1, stages: [{rate: 2, duration: 2}]}
server: {type: vllm, model_name: m, base_url: "$url"}
tokenizer: {pretrained_model_name_or_path: $folder/tokenizer}
report: {request_lifecycle: {summary: true}}
storage: {local_storage: {path: "$folder/$1"}}
CONFIG
    inference-perf/bin/inference-perf --config_file config.yaml > log 2>&1 || { cat log; exit 2; }
    kill "$server"
    guidellm/bin/python seen.py "$1"
}

{ run 'thoughts and answer' both; run 'thoughts alone' alone; } | sort | tee seen
[ "$(cat seen)" = "guidellm, thoughts alone: first token 0.3, first of the answer 0.0, successes all
guidellm, thoughts and answer: first token 0.3, first of the answer 0.8, successes all
inference-perf, thoughts alone: first token None, output tokens 0, successes all
inference-perf, thoughts and answer: first token 0.8, output tokens 4, successes all" ]
