#!/usr/bin/env bash
# hey v0.1.5 (Go module github.com/rakyll/hey), and vegeta v12.13.0 (Go module github.com/tsenart/vegeta/v12) beside it, run 2026-11-30.
# Needs Go.
#
# hey reads an answer's body to its end, and what goes wrong there it throws away: a client that knows whole answers alone, one expects,
# does not count half of one. But with the status 200, which a stream of tokens has from its beginning, an answer is counted, and it is
# among the quickest: that of a server that dies in the middle of it, and that of a stream that takes longer than -t (20 s by default),
# which comes to 20.00 s, status 200, without an error. So a model whose answers take a minute has a p99 of 20 s, and replicas that break
# make a model look faster. vegeta counts the same as errors, and as no answer (status 0).
#
# Seen: below, at the end (three streams each, of 2 s; broken after 1 s; of 6 s with a limit of 3 s).
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'END'
package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		tokens := 4
		if r.URL.Path == "/long" {
			tokens = 12
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for token := range tokens {
			fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":\"w%d \"}}]}\n\n", token)
			w.(http.Flusher).Flush()
			time.Sleep(500 * time.Millisecond)
			if r.URL.Path == "/broken" && token == 1 {
				panic(http.ErrAbortHandler) // the connection goes, as it does with its server
			}
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, nil))
}
END
cat > go.mod <<'END'
module finding

go 1.25

require (
	github.com/rakyll/hey v0.1.5
	github.com/tsenart/vegeta/v12 v12.13.0
)

tool (
	github.com/rakyll/hey
	github.com/tsenart/vegeta/v12
)
END
export GOFLAGS="-mod=mod -trimpath -buildvcs=false"
{ go mod tidy && go build -o server . && go build -o hey github.com/rakyll/hey && go build -o vegeta github.com/tsenart/vegeta/v12; } 2> go.log ||
	{ cat go.log; exit 2; }
./server > address &
server=$!
while ! [ -s address ]; do sleep 0.1; done
for path in whole broken long; do
	url=http://$(cat address)/$path
	./hey -n 3 -c 3 -t 3 "$url" > report
	echo "hey, $path: $(grep -E '^ +\[[0-9]+\]' report | xargs); slowest $(awk '/Slowest/ {printf "%.1f", int(2 * $2 + 0.5) / 2}' report) s;" \
		"errors $(grep -c 'Error distribution' report || true)"
	echo "GET $url" | ./vegeta attack -rate 3 -duration 1s -timeout 3s > results
	./vegeta report -type json < results > report
	echo "vegeta, $path: $(grep -o '"status_codes":{[^}]*}' report), $(grep -o '"success":[0-9.]*' report)"
done > seen.txt

diff - seen.txt <<'SEEN'
hey, whole: [200] 3 responses; slowest 2.0 s; errors 0
vegeta, whole: "status_codes":{"200":3}, "success":1
hey, broken: [200] 3 responses; slowest 1.0 s; errors 0
vegeta, broken: "status_codes":{"0":3}, "success":0
hey, long: [200] 3 responses; slowest 3.0 s; errors 0
vegeta, long: "status_codes":{"0":3}, "success":0
SEEN
