#!/usr/bin/env bash
# vLLM 0.33.0 (PyPI wheel), the buckets of its histograms, and Prometheus v3.14 (Go module github.com/prometheus/prometheus v0.314.0), whose
# PromQL engine is asked, run 2026-11-30. Needs Go; builds for some minutes.
#
# histogram_quantile is an estimate, one knows, and expects it to be some percent off. Between 1 s and 2.5 s vLLM counts first tokens in
# one bucket, and between 25 and 50 ms the time from token to token. Within a bucket Prometheus takes all to be spread evenly, so that the
# p95 of whatever falls into one is near its upper end: 2.43 s where each first token came after 1.1 s, and 49 ms where each token took 26.
# It is off by a factor of two, to the worse side, and it does not get better by degrees: more replicas, of which answers come after 1.01 in
# place of 2.4 s, change nothing, until the bucket is left. So with a target between two bounds, 2 s, KEDA wants a fifth more replicas at
# each look, up to the most there may be, of a model that is well within it. At a bound, 2.5 s, the estimate is on the right side.
#
# Seen: below, at the end (what each request took: p50 and p95, as Prometheus has them).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.11 \
  --platform manylinux_2_28_x86_64 --dest . vllm==0.33.0
unzip -q -o vllm-*.whl vllm/v1/metrics/buckets.py
rm vllm-*.whl
# Ten requests in every 15 s, each of which takes the same time: series as vLLM reports them.
python3 - >series <<'END'
import runpy

buckets = runpy.run_path("vllm/v1/metrics/buckets.py")
print("load 15s")
for name, family, times in (
    ("time_to_first_token_seconds", "TIME_TO_FIRST_TOKEN_BUCKETS", ("0.9", "1.01", "1.1", "2.4", "2.6")),
    ("inter_token_latency_seconds", "INTER_TOKEN_LATENCY_BUCKETS", ("0.024", "0.026", "0.049")),
):
    for seconds in times:
        for bound in (*buckets[family], float("inf")):
            step = 10 if float(seconds) <= bound else 0
            le = "+Inf" if bound == float("inf") else bound
            print(f'  vllm:{name}_bucket{{each="{seconds} s", le="{le}"}} 0+{step}x40')
END
cat >go.mod <<'END'
module finding

go 1.26.0

require github.com/prometheus/prometheus v0.314.0
END
cat >quantiles_test.go <<'END'
package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
)

func TestQuantiles(t *testing.T) {
	series, _ := os.ReadFile("series")
	storage := promqltest.LoadedStorage(t, string(series))
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 100000, Timeout: time.Minute})
	ask := func(quantile, name string) map[string]float64 {
		text := fmt.Sprintf("histogram_quantile(%s, sum by (le, each) (rate(vllm:%s_bucket[2m])))", quantile, name)
		query, err := engine.NewInstantQuery(context.Background(), storage, nil, text, time.Unix(600, 0))
		if err != nil {
			t.Fatal(err)
		}
		vector, err := query.Exec(context.Background()).Vector()
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]float64{}
		for _, sample := range vector {
			values[sample.Metric.Get("each")] = sample.F
		}
		return values
	}
	for _, row := range []struct{ name, each string }{
		{"time_to_first_token_seconds", "0.9 s"}, {"time_to_first_token_seconds", "1.01 s"},
		{"time_to_first_token_seconds", "1.1 s"}, {"time_to_first_token_seconds", "2.4 s"},
		{"time_to_first_token_seconds", "2.6 s"}, {"inter_token_latency_seconds", "0.024 s"},
		{"inter_token_latency_seconds", "0.026 s"}, {"inter_token_latency_seconds", "0.049 s"},
	} {
		p50, p95 := ask("0.5", row.name), ask("0.95", row.name)
		fmt.Printf("seen: %s, each %s: p50 %.3f, p95 %.3f\n", row.name, row.each, p50[row.each], p95[row.each])
	}
}
END
go mod tidy >tidy.log 2>&1 || { cat tidy.log; exit 2; }
go test -trimpath -count 1 -v . >all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt >seen.txt
diff - seen.txt <<'END'
time_to_first_token_seconds, each 0.9 s: p50 0.875, p95 0.988
time_to_first_token_seconds, each 1.01 s: p50 1.750, p95 2.425
time_to_first_token_seconds, each 1.1 s: p50 1.750, p95 2.425
time_to_first_token_seconds, each 2.4 s: p50 1.750, p95 2.425
time_to_first_token_seconds, each 2.6 s: p50 3.750, p95 4.875
inter_token_latency_seconds, each 0.024 s: p50 0.018, p95 0.024
inter_token_latency_seconds, each 0.026 s: p50 0.038, p95 0.049
inter_token_latency_seconds, each 0.049 s: p50 0.038, p95 0.049
END
