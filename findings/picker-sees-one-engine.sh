#!/usr/bin/env bash
# The endpoint picker of the Gateway API inference extension, sigs.k8s.io/gateway-api-inference-extension v1.5.0 (Go module): its reader of
# metrics and its scorers, run 2026-11-30. Needs Go; builds for some minutes.
#
# A picker sends a request to the pod with the shortest queue and the emptiest KV cache. With --data-parallel-size vLLM has several engines
# behind one port, and a series of each with its number in the label `engine` (vllm/v1/metrics/loggers.py of 0.33.0). One expects their
# sum, or the worst. The picker takes the sample with the latest time; vLLM's have none, so that it is the first: engine 0, and nothing of
# the others. A pod whose engine 0 is idle is the best of all, be its other engines as full as they can be, and it is so for as long as
# requests are queued there. Likewise a series that is missing is a 0: a pod with vLLM up to 0.9.1, which calls its cache's use
# vllm:gpu_cache_usage_perc, has the emptiest cache of the pool.
#
# Seen: below, at the end (what a pod reports: what the picker reads, and how it scores the pod, 1 the best).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > go.mod <<'END'
module finding

go 1.26

require sigs.k8s.io/gateway-api-inference-extension v1.5.0
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/gateway-api-inference-extension/pkg/epp/framework/interface/datalayer"
	"sigs.k8s.io/gateway-api-inference-extension/pkg/epp/framework/interface/scheduling"
	"sigs.k8s.io/gateway-api-inference-extension/pkg/epp/framework/plugins/datalayer/extractor/metrics"
	source "sigs.k8s.io/gateway-api-inference-extension/pkg/epp/framework/plugins/datalayer/source/metrics"
	"sigs.k8s.io/gateway-api-inference-extension/pkg/epp/framework/plugins/scheduling/scorer/kvcacheutilization"
	"sigs.k8s.io/gateway-api-inference-extension/pkg/epp/framework/plugins/scheduling/scorer/queuedepth"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// What vLLM publishes: requests that wait, and the use of the KV cache, of each engine.
func report(cache string, waiting []int, used []float64) string {
	text := "# TYPE vllm:num_requests_waiting gauge\n"
	for engine, value := range waiting {
		text += fmt.Sprintf("vllm:num_requests_waiting{engine=\"%d\",model_name=\"m\"} %d\n", engine, value)
	}
	text += "# TYPE " + cache + " gauge\n"
	for engine, value := range used {
		text += fmt.Sprintf("%s{engine=\"%d\",model_name=\"m\"} %g\n", cache, engine, value)
	}
	return text
}

func main() {
	log.SetLogger(logr.Discard())
	ctx := context.Background()
	reader, err := source.MetricsDataSourceFactory("source", nil, nil)
	must(err)
	extractor, err := metrics.CoreMetricsExtractorFactory("extractor", nil, nil)
	must(err)
	const cache = "vllm:kv_cache_usage_perc"
	pods := []struct{ what, text string }{
		{"one engine, 8 wait, cache 0.9", report(cache, []int{8}, []float64{0.9})},
		{"engines with 0 and 40 waiting, cache 0 and 1", report(cache, []int{0, 40}, []float64{0, 1})},
		{"engines with 40 and 0 waiting, cache 1 and 0", report(cache, []int{40, 0}, []float64{1, 0})},
		{"one engine, 8 wait, cache 0.9 by its old name", report("vllm:gpu_cache_usage_perc", []int{8}, []float64{0.9})},
	}
	var endpoints []scheduling.Endpoint
	for _, pod := range pods {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, pod.text) }))
		defer server.Close()
		endpoint := datalayer.NewEndpoint(&datalayer.EndpointMetadata{MetricsHost: strings.TrimPrefix(server.URL, "http://")}, nil)
		data, err := reader.(datalayer.PollingDataSource).Poll(ctx, endpoint)
		must(err)
		extractor.(datalayer.Extractor).Extract(ctx, data, endpoint)
		endpoints = append(endpoints, scheduling.NewEndpoint(endpoint.GetMetadata(), endpoint.GetMetrics(), nil))
	}
	queue := queuedepth.NewQueueScorer().Score(ctx, nil, nil, endpoints)
	used := kvcacheutilization.NewKVCacheUtilizationScorer().Score(ctx, nil, nil, endpoints)
	for place, endpoint := range endpoints {
		read := endpoint.GetMetrics()
		fmt.Printf("%s: %d wait, cache %g; queue %.1f, cache %.1f\n", pods[place].what,
			read.WaitingQueueSize, read.KVCacheUsagePercent, queue[endpoint], used[endpoint])
	}
}
END
export GOFLAGS="-mod=mod -trimpath"
{ go mod tidy && go build -o finding .; } 2> go.log || { cat go.log; exit 2; }
./finding > seen.txt 2> errors.txt || { cat errors.txt; exit 2; }

diff - seen.txt <<'SEEN'
one engine, 8 wait, cache 0.9: 8 wait, cache 0.9; queue 0.8, cache 0.1
engines with 0 and 40 waiting, cache 0 and 1: 0 wait, cache 0; queue 1.0, cache 1.0
engines with 40 and 0 waiting, cache 1 and 0: 40 wait, cache 1; queue 0.0, cache 0.0
one engine, 8 wait, cache 0.9 by its old name: 8 wait, cache 0; queue 0.8, cache 1.0
SEEN
