#!/usr/bin/env bash
# KEDA v2.21.0 (Go module github.com/kedacore/keda/v2), its prometheus scaler, asking the PromQL engine of Prometheus v3.14
# (github.com/prometheus/prometheus v0.314.0, the one in KEDA's go.mod), run 2026-11-30.
#
# - A load for which there is nobody is read as no load. `queue / available` is +Inf while no replica is available, and KEDA makes 0 of
#   it (ignoreNullValues, true by default): the trigger is not active, so a model at 0 replicas is never woken by its queue. With ignoreNullValues false it is an error at each look, and wakes nothing either.
#   `queue / clamp_min(available, 1)` is what was meant.
# - `scalar(...)` makes one number of a query, says Prometheus, and KEDA's own rule is one element. But a scalar is another form
#   of answer, a pair in place of a list, which KEDA cannot read: an error at each look, so that the workload stays as it is. Without
#   `scalar` it works; so it does with `vector(scalar(...))`.
#
# Seen: below, at the end.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'END'
module finding

go 1.26.0

require github.com/kedacore/keda/v2 v2.21.0

replace github.com/nexus-rpc/nexus-proto-annotations v0.1.0 => github.com/nexus-rpc/nexus-proto-annotations v0.1.1-0.20260629224316-835bd8d49cb4
END

cat > answers_test.go <<'END'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	autoscaling "k8s.io/api/autoscaling/v2"
)

const series = `
load 15s
	queue{gateway="a"} 9x40
	available{deployment="asleep"} 0x40
	available{deployment="awake"} 3x40
`

func TestAnswers(t *testing.T) {
	storage := promqltest.LoadedStorage(t, series)
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1000, Timeout: time.Minute})
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		// As web/api/v1 of Prometheus answers; the time of the series is that of the test, and not KEDA's.
		query, err := engine.NewInstantQuery(request.Context(), storage, nil, request.FormValue("query"), time.Unix(300, 0))
		if err != nil {
			panic(err)
		}
		result := query.Exec(request.Context())
		if result.Err != nil {
			panic(result.Err)
		}
		data := map[string]any{"resultType": result.Value.Type(), "result": result.Value}
		if err := json.NewEncoder(writer).Encode(map[string]any{"status": "success", "data": data}); err != nil {
			panic(err)
		}
	}))
	defer server.Close()
	for _, query := range []string{
		`sum(queue) / sum(available{deployment="awake"})`,
		`sum(queue) / sum(available{deployment="asleep"})`,
		`sum(queue) / clamp_min(sum(available{deployment="asleep"}), 1)`,
		`sum(queue)`,
		`scalar(sum(queue))`,
		`vector(scalar(sum(queue)))`,
	} {
		for _, ignore := range []string{"true", "false"} {
			scaler, err := scalers.NewPrometheusScaler(&scalersconfig.ScalerConfig{
				MetricType: autoscaling.AverageValueMetricType,
				TriggerMetadata: map[string]string{
					"serverAddress": server.URL, "query": query, "threshold": "4", "ignoreNullValues": ignore,
				},
			})
			if err != nil {
				panic(err)
			}
			fmt.Printf("seen: %s, ignoreNullValues %s: ", query, ignore)
			values, active, err := scaler.GetMetricsAndActivity(context.Background(), "queue")
			if err != nil {
				before, _, _ := strings.Cut(err.Error(), " into Go struct")
				fmt.Printf("error: %s\n", before)
				continue
			}
			fmt.Printf("%s, active %v\n", values[0].Value.String(), active)
		}
	}
}
END

export GOFLAGS="-mod=mod -trimpath"
go test -vet=off -v . > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'END'
sum(queue) / sum(available{deployment="awake"}), ignoreNullValues true: 3, active true
sum(queue) / sum(available{deployment="awake"}), ignoreNullValues false: 3, active true
sum(queue) / sum(available{deployment="asleep"}), ignoreNullValues true: 0, active false
sum(queue) / sum(available{deployment="asleep"}), ignoreNullValues false: error: prometheus query returns +Inf
sum(queue) / clamp_min(sum(available{deployment="asleep"}), 1), ignoreNullValues true: 9, active true
sum(queue) / clamp_min(sum(available{deployment="asleep"}), 1), ignoreNullValues false: 9, active true
sum(queue), ignoreNullValues true: 9, active true
sum(queue), ignoreNullValues false: 9, active true
scalar(sum(queue)), ignoreNullValues true: error: json: cannot unmarshal number
scalar(sum(queue)), ignoreNullValues false: error: json: cannot unmarshal number
vector(scalar(sum(queue))), ignoreNullValues true: 9, active true
vector(scalar(sum(queue))), ignoreNullValues false: 9, active true
END
