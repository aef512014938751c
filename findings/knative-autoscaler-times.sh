#!/usr/bin/env bash
# Knative Serving v0.50.0 (Go module knative.dev/serving), run 2026-11: its Pod Autoscaler's own code, second by second.
#
# - The smaller one of the annotation `target` and `containerConcurrency` counts: with 8 and 4, at 70 %, a pod is filled to 2.8.
#   A target above the limit is neither refused nor without effect on its own: it is passed over.
# - `scale-down-delay` begins when the requests leave the window, not with the last request: of 300 s a pod goes after 358 s.
# - With one pod ready, one second with 9 requests (target 2) wants a second pod for 66 s, at a panic threshold of 110 % as at
#   200 %, since pods are whole: the threshold is compared with 2 / 1.
# - A window of 14 s has a panic window of 1 s, and the autoscaler ticks every 2 s: bursts of every other second are not seen.
#
# Seen:
#   target 8, limit 4: 2.8
#   scale-down-delay 300s, 1 requests at 0 s: 1@0 0@358
#   panic threshold 110 %, 9 requests at 0 s: 2@0 0@66
#   panic threshold 200 %, 9 requests at 0 s: 2@0 0@66
#   panic threshold 201 %, 9 requests at 0 s: 1@0 0@60
#   window 14s, 9 requests at 0 s: 7@0 0@16
#   window 14s, 9 requests at 1 s: 1@2 0@16
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'END'
module finding

go 1.26

require knative.dev/serving v0.50.0
END

cat > main.go <<'END'
package main

import (
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/autoscaler/aggregation"
	"knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/autoscaler/config/autoscalerconfig"
	"knative.dev/serving/pkg/autoscaler/scaling"
	kpa "knative.dev/serving/pkg/reconciler/autoscaling/kpa/resources"
	"knative.dev/serving/pkg/reconciler/autoscaling/resources"
)

type onePod struct{}

func (onePod) ReadyCount() (int, error)    { return 1, nil }
func (onePod) NotReadyCount() (int, error) { return 0, nil }

type requests struct{ stable, panics *aggregation.TimedFloat64Buckets }

func (r requests) StableAndPanicConcurrency(_ types.NamespacedName, now time.Time) (float64, float64, error) {
	return r.stable.WindowAverage(now), r.panics.WindowAverage(now), nil
}

func (r requests) StableAndPanicRPS(_ types.NamespacedName, _ time.Time) (float64, float64, error) {
	return 0, 0, nil
}

func revision(limit int64, annotations map[string]string) *v1alpha1.PodAutoscaler {
	notes := map[string]string{}
	for key, value := range annotations {
		notes["autoscaling.knative.dev/"+key] = value
	}
	return &v1alpha1.PodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "qwen", Namespace: "default", Annotations: notes},
		Spec:       v1alpha1.PodAutoscalerSpec{ContainerConcurrency: limit},
	}
}

// follow prints when the autoscaler wants another number of pods: requests come in one second, after an idle hour.
func follow(title string, shipped *autoscalerconfig.Config, burst float64, at int, annotations map[string]string) {
	pa := revision(0, annotations)
	windows, decider := resources.MakeMetric(pa, "qwen", shipped).Spec, kpa.MakeDecider(pa, shipped)
	seen := requests{
		aggregation.NewTimedFloat64Buckets(windows.StableWindow, config.BucketSize),
		aggregation.NewTimedFloat64Buckets(windows.PanicWindow, config.BucketSize),
	}
	scaler := scaling.New(attribute.NewSet(), noop.NewMeterProvider(), "default", "qwen", seen, onePod{}, &decider.Spec)
	fmt.Printf("%s, %v requests at %d s:", title, burst, at)
	start, last := time.Unix(1_700_000_000, 0), int32(0)
	for second := -3600; second < 3600; second++ {
		now, inHand := start.Add(time.Duration(second)*time.Second), 0.0
		if second == at {
			inHand = burst
		}
		seen.stable.Record(now, inHand)
		seen.panics.Record(now, inHand)
		if second%2 != 0 {
			continue
		}
		if wanted := scaler.Scale(zap.NewNop().Sugar(), now).DesiredPodCount; wanted != last {
			fmt.Printf(" %d@%d", wanted, second)
			last = wanted
		}
	}
	fmt.Println()
}

func main() {
	shipped, err := config.NewConfigFromMap(nil)
	if err != nil {
		panic(err)
	}
	target, _ := resources.ResolveMetricTarget(revision(4, map[string]string{"target": "8"}), shipped)
	fmt.Printf("target 8, limit 4: %v\n", target)
	follow("scale-down-delay 300s", shipped, 1, 0, map[string]string{"target": "2", "scale-down-delay": "300s"})
	for _, percent := range []string{"110", "200", "201"} {
		notes := map[string]string{"target": "2", "panic-threshold-percentage": percent}
		follow("panic threshold "+percent+" %", shipped, 9, 0, notes)
	}
	for second := range 2 {
		follow("window 14s", shipped, 9, second, map[string]string{"target": "2", "window": "14s"})
	}
}
END

export GOFLAGS=-mod=mod
go mod tidy 2> tidy.log || { cat tidy.log; exit 2; }
go run . > seen.txt

diff - seen.txt <<'END'
target 8, limit 4: 2.8
scale-down-delay 300s, 1 requests at 0 s: 1@0 0@358
panic threshold 110 %, 9 requests at 0 s: 2@0 0@66
panic threshold 200 %, 9 requests at 0 s: 2@0 0@66
panic threshold 201 %, 9 requests at 0 s: 1@0 0@60
window 14s, 9 requests at 0 s: 7@0 0@16
window 14s, 9 requests at 1 s: 1@2 0@16
END
