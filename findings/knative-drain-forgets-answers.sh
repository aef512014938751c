#!/usr/bin/env bash
# Knative Serving v0.50.0 (Go module knative.dev/serving), its queue-proxy as it is, run 2026-11-30. Needs Go; builds for some minutes, and
# runs for two. Takes the ports 8022 (queue-proxy's own), 18012, 18080 and some of 9090 to 9099 of loopback.
#
# A pod that goes has `timeoutSeconds` as its grace period, so that an answer may take as long as any request may, one expects; and the
# hook that Knative adds to the model's container blocks "so we can guarantee that there are no more requests in flight"
# (pkg/reconciler/revision/resources/deploy.go). But what it waits for is 30 s in which no request *begins*. How many are in hand
# nobody counts: an answer that takes longer is cut by the model's own SIGTERM, with most of the grace period left, at each scale-down
# and each new revision. queue-proxy itself stays until its connections are done, so that a model which finishes after SIGTERM what it
# has in hand (vLLM with --shutdown-timeout) loses none.
#
# Seen: below, at the end (a stream of 50 s, and what a kubelet does at the end of a pod).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > go.mod <<'END'
module finding

go 1.26

require knative.dev/serving v0.50.0

tool knative.dev/serving/cmd/queue
END
cat > main.go <<'END'
package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const events = 50

// A model that streams an event a second. At SIGTERM it ends at once, as vLLM does by itself, or when all is answered.
func model(finishes bool) {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range events {
			fmt.Fprintf(w, "data: %d\n\n", event)
			w.(http.Flusher).Flush()
			time.Sleep(time.Second)
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	})
	server := &http.Server{Addr: "127.0.0.1:18080"}
	go server.ListenAndServe()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
	if finishes {
		server.Shutdown(context.Background())
	}
}

func start(command *exec.Cmd) *exec.Cmd {
	if err := command.Start(); err != nil {
		panic(err)
	}
	return command
}

func main() {
	kind := os.Args[1]
	if len(os.Args) > 2 {
		model(kind == "finishes")
		return
	}
	server := start(exec.Command(os.Args[0], kind, "model"))
	defer server.Process.Kill()
	proxy := exec.Command("./queue")
	proxy.Env = append(os.Environ(),
		"CONTAINER_CONCURRENCY=0", "QUEUE_SERVING_PORT=18012", "QUEUE_SERVING_TLS_PORT=18112", "USER_PORT=18080",
		"REVISION_TIMEOUT_SECONDS=300", "SERVING_LOGGING_CONFIG={}", "SERVING_LOGGING_LEVEL=fatal", "SERVING_NAMESPACE=a",
		"SERVING_SERVICE=chat", "SERVING_CONFIGURATION=chat", "SERVING_REVISION=chat-1", "SERVING_POD=chat-1-a", "SERVING_POD_IP=127.0.0.1")
	start(proxy)
	defer proxy.Process.Kill()
	var answer *http.Response
	for range 60 {
		time.Sleep(time.Second)
		if got, err := http.Get("http://127.0.0.1:18012"); err == nil && got.StatusCode == http.StatusOK {
			answer = got
			break
		}
	}
	if answer == nil {
		panic("queue-proxy does not answer")
	}
	ended := make(chan string)
	go func() {
		lines, last := bufio.NewScanner(answer.Body), ""
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data: ") {
				last = lines.Text()
			}
		}
		ended <- fmt.Sprintf("whole %v, error %v", last == "data: [DONE]", lines.Err())
	}()

	// A kubelet calls the hook of the model's container, and sends SIGTERM to queue-proxy, which has no hook.
	began := time.Now()
	proxy.Process.Signal(syscall.SIGTERM)
	hook, err := http.Get("http://127.0.0.1:8022/wait-for-drain")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s: the hook ends with %d after %v s of 300; ", kind, hook.StatusCode, time.Since(began).Round(5*time.Second).Seconds())
	// Then the model gets its SIGTERM.
	server.Process.Signal(syscall.SIGTERM)
	fmt.Println("the answer:", <-ended)
}
END
export GOFLAGS="-mod=mod -trimpath -buildvcs=false"
{ go mod tidy && go build -o finding . && go build -o queue knative.dev/serving/cmd/queue; } 2> go.log || { cat go.log; exit 2; }
for kind in ends finishes; do ./finding $kind 2>> errors.txt; done > seen.txt

diff - seen.txt <<'SEEN'
ends: the hook ends with 200 after 30 s of 300; the answer: whole false, error unexpected EOF
finishes: the hook ends with 200 after 30 s of 300; the answer: whole true, error <nil>
SEEN
