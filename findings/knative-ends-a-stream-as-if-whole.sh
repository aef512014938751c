#!/usr/bin/env bash
# Knative Serving v0.50.0 (Go module knative.dev/serving), its handlers of queue-proxy, and openai 3.57.0 (PyPI), run 2026-11-30. Needs Go
# and Python; builds for some minutes.
#
# `timeoutSeconds` ends a request with status 504, says NewTimeoutHandler, and of an answer that has begun its comment says "the error is
# ignored and the response is allowed to continue". A stream neither continues nor breaks off: the text "request timeout" is written
# behind its last event, and the answer ends as one that is whole does, with status 200. To a reader of server-sent events that text is a
# field without a name, to be passed over. So OpenAI's client gives what there is without an error, and all that tells an answer that
# stopped in the middle is that no finish_reason has come. A load generator that goes by the status counts it as answered.
# So does `idleTimeoutSeconds`, and a stream of which there are only headers: vLLM, like all of FastAPI, sends them at once. For the same
# reason `responseStartTimeoutSeconds` does not bound the time to the first token of a stream. queue-proxy's own
# kn.serving.invocation.duration says 500; what the client saw was 200.
#
# Seen (the limit is 1 s each time): below, at the end.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"

cat >go.mod <<'END'
module finding

go 1.26

require knative.dev/serving v0.50.0
END

cat >main.go <<'END'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	netproxy "knative.dev/networking/pkg/http/proxy"
	"knative.dev/serving/pkg/http/handler"
	"knative.dev/serving/pkg/queue"
)

const chunk = `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m",` +
	`"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}` + "\n\n"

// Streams as vLLM does: the headers at once, the first token after `first`, and one more every 200 ms.
func model(first time.Duration, tokens int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		time.Sleep(first)
		for token := 0; token < tokens && r.Context().Err() == nil; token++ {
			fmt.Fprintf(w, chunk, fmt.Sprintf("w%d ", token), "null")
			w.(http.Flusher).Flush()
			time.Sleep(200 * time.Millisecond)
		}
		fmt.Fprintf(w, chunk, "", `"stop"`)
		fmt.Fprint(w, "data: [DONE]\n\n")
	})
}

// What queue-proxy puts before a model that has to do with time: pkg/queue/sharedmain, main.go and handlers.go.
func proxy(model http.Handler, whole, start, idle time.Duration, reader metric.Reader) *httptest.Server {
	target, _ := url.Parse(httptest.NewServer(model).URL)
	reverse := httputil.NewSingleHostReverseProxy(target)
	reverse.FlushInterval = netproxy.FlushInterval
	counted, err := queue.NewAppRequestMetricsHandler(metric.NewMeterProvider(metric.WithReader(reader)), reverse, nil)
	if err != nil {
		panic(err)
	}
	limits := func(*http.Request) (time.Duration, time.Duration, time.Duration) { return whole, start, idle }
	return httptest.NewServer(handler.NewTimeoutHandler(counted, "request timeout", limits, zap.NewNop().Sugar()))
}

func ask(what string, model http.Handler, whole, start, idle time.Duration) {
	reader := metric.NewManualReader()
	answer, err := http.Get(proxy(model, whole, start, idle, reader).URL)
	if err != nil {
		panic(err)
	}
	body, err := io.ReadAll(answer.Body)
	lines := strings.Split(strings.TrimSpace(string(body)), "\n")
	time.Sleep(time.Second)
	var counted metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &counted); err != nil {
		panic(err)
	}
	status := ""
	for _, scope := range counted.ScopeMetrics {
		for _, series := range scope.Metrics {
			if histogram, ok := series.Data.(metricdata.Histogram[float64]); ok {
				for _, point := range histogram.DataPoints {
					value, _ := point.Attributes.Value("http.response.status_code")
					status += value.Emit()
				}
			}
		}
	}
	fmt.Printf("%s: status %d, last line %q, error %v; counted as %s\n", what, answer.StatusCode, lines[len(lines)-1], err, status)
}

func main() {
	second := time.Second
	if len(os.Args) > 1 {
		fmt.Println(proxy(model(0, 50), second, 0, 0, metric.NewManualReader()).URL)
		select {}
	}
	ask("no limit", model(0, 3), time.Hour, 0, 0)
	ask("timeoutSeconds", model(0, 50), second, 0, 0)
	ask("timeoutSeconds, headers alone", model(3*second, 3), second, 0, 0)
	ask("idleTimeoutSeconds", model(3*second, 3), time.Hour, 0, second)
	ask("responseStartTimeoutSeconds", model(3*second, 3), time.Hour, second, 0)
}
END

cat >client.py <<'END'
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
question = [{"role": "user", "content": "?"}]
answer = [chunk.choices[0] for chunk in client.chat.completions.create(model="m", messages=question, stream=True)]
is_text = answer[0].delta.content == "w0 "
print(f"openai: no error, text {is_text}, finish_reason {answer[-1].finish_reason}")
END

export GOFLAGS="-mod=mod ${GOFLAGS:-}"
go mod tidy 2>go.log || { cat go.log; exit 2; }
go build -o finding . 2>go.log || { cat go.log; exit 2; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openai==3.57.0
./finding serve >address 2>/dev/null &
server=$!
while ! [ -s address ]; do sleep 0.2; done
{ ./finding 2>/dev/null; venv/bin/python client.py "$(cat address)"; } >seen

diff - seen <<'END'
no limit: status 200, last line "data: [DONE]", error <nil>; counted as 200
timeoutSeconds: status 200, last line "request timeout", error <nil>; counted as 500
timeoutSeconds, headers alone: status 200, last line "request timeout", error <nil>; counted as 500
idleTimeoutSeconds: status 200, last line "request timeout", error <nil>; counted as 500
responseStartTimeoutSeconds: status 200, last line "data: [DONE]", error <nil>; counted as 200
openai: no error, text True, finish_reason None
END
