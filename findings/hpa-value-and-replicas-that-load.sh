#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, pkg/controller/podautoscaler, run 2026-11-30, in a time of its own.
#
# A figure that does not add up, such as the p95 of the time to the first token, has a target of type `Value` (KEDA's metricType: Value).
# The documents give ceil(currentReplicas * figure / target). The code has the replicas that are ready in place of the current ones,
# and, unlike for figures of pods, nothing against a change of direction. So while a burst's replicas load a model, a figure far above its
# target asks for fewer of them, one within 10 % of it keeps them all, and where none is ready, none is wanted. A ReplicaSet ends those
# first that are not ready. The stabilization window of scaling down holds that back, for 300 s by default, which is less than many
# models take: what was ordered goes before it has served.
#
# Seen (below, two replicas are ready all the time, the p95 is 5 times its target for a minute, then 3 times):
#   2 ready, 0 loading, p95 5 times its target: 10 wanted
#   2 ready, 8 loading, p95 5 times its target: 10 wanted
#   2 ready, 8 loading, p95 3 times its target: 6 wanted
#   2 ready, 8 loading, p95 1.2 times its target: 3 wanted
#   2 ready, 8 loading, p95 1 times its target: 10 wanted
#   0 ready, 4 loading, p95 3 times its target: 0 wanted
#   window 300 s: 10 at 0 s 6 at 345 s
#   window 900 s: 10 at 0 s
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

version=0.34.1
{
	echo 'module finding'
	echo 'go 1.25.0'
	echo "require k8s.io/kubernetes v1.34.1"
	for module in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap \
		code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib \
		dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy \
		kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver; do
		echo "replace k8s.io/$module => k8s.io/$module v$version"
	done
} > go.mod
cat > finding.go <<'GO'
package finding

import _ "k8s.io/kubernetes/pkg/controller/podautoscaler"
GO
{ go mod tidy && go mod vendor; } > tidy.log 2>&1 || { cat tidy.log; exit 1; }

# What stabilizes is not exported: the test stands beside it, in the copy of this folder.
package=k8s.io/kubernetes/pkg/controller/podautoscaler
cat > vendor/$package/value_test.go <<'GO'
package podautoscaler

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// figure is a metrics API with one external metric.
type figure int64

func (f figure) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return []int64{int64(f)}, time.Now(), nil
}

func (figure) GetResourceMetric(context.Context, core.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errors.New("none")
}

func (figure) GetRawMetric(string, string, labels.Selector, labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errors.New("none")
}

func (figure) GetObjectMetric(string, string, *autoscaling.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errors.New("none")
}

func wanted(ready, loading int, times float64) int32 {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for i := range ready + loading {
		status := core.ConditionFalse
		if i < ready {
			status = core.ConditionTrue
		}
		store.Add(&core.Pod{
			ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: fmt.Sprint(i)},
			Status:     core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: status}}},
		})
	}
	calculator := NewReplicaCalculator(figure(times*1000), listers.NewPodLister(store), 0, 0)
	replicas, _, _, err := calculator.GetExternalMetricReplicas(int32(ready+loading), 1000, "p95",
		Tolerances{scaleDown: 0.1, scaleUp: 0.1}, "a", &meta.LabelSelector{}, labels.Everything())
	if err != nil {
		panic(err)
	}
	return replicas
}

func course(windowSeconds int32) {
	most := autoscaling.MaxChangePolicySelect
	quick := []autoscaling.HPAScalingPolicy{{Type: autoscaling.PercentScalingPolicy, Value: 900, PeriodSeconds: 15}}
	none := int32(0)
	hpa := &autoscaling.HorizontalPodAutoscaler{Spec: autoscaling.HorizontalPodAutoscalerSpec{
		MaxReplicas: 20,
		Behavior: &autoscaling.HorizontalPodAutoscalerBehavior{
			ScaleUp:   &autoscaling.HPAScalingRules{SelectPolicy: &most, Policies: quick, StabilizationWindowSeconds: &none},
			ScaleDown: &autoscaling.HPAScalingRules{SelectPolicy: &most, Policies: quick, StabilizationWindowSeconds: &windowSeconds},
		},
	}}
	controller := &HorizontalController{
		recommendations: map[string][]timestampedRecommendation{},
		scaleUpEvents:   map[string][]timestampedScaleEvent{},
		scaleDownEvents: map[string][]timestampedScaleEvent{},
	}
	begin := time.Now()
	replicas := int32(2)
	fmt.Printf("seen: window %d s:", windowSeconds)
	for time.Since(begin) < 600*time.Second {
		times := 3.0
		if time.Since(begin) < 60*time.Second {
			times = 5
		}
		desired := controller.normalizeDesiredReplicasWithBehaviors(hpa, "a", replicas, wanted(2, int(replicas)-2, times), 1)
		controller.storeScaleEvent(hpa.Spec.Behavior, "a", replicas, desired)
		if desired != replicas {
			fmt.Printf(" %d at %d s", desired, int(time.Since(begin).Seconds()))
			replicas = desired
		}
		time.Sleep(15 * time.Second)
	}
	fmt.Println()
}

func TestValue(t *testing.T) {
	for _, trial := range []struct {
		ready, loading int
		times          float64
	}{{2, 0, 5}, {2, 8, 5}, {2, 8, 3}, {2, 8, 1.2}, {2, 8, 1}, {0, 4, 3}} {
		fmt.Printf("seen: %d ready, %d loading, p95 %g times its target: ", trial.ready, trial.loading, trial.times)
		fmt.Printf("%d wanted\n", wanted(trial.ready, trial.loading, trial.times))
	}
	for _, window := range []int32{300, 900} {
		synctest.Test(t, func(*testing.T) { course(window) })
	}
}
GO
go test -trimpath -count 1 -v $package -run TestValue > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
2 ready, 0 loading, p95 5 times its target: 10 wanted
2 ready, 8 loading, p95 5 times its target: 10 wanted
2 ready, 8 loading, p95 3 times its target: 6 wanted
2 ready, 8 loading, p95 1.2 times its target: 3 wanted
2 ready, 8 loading, p95 1 times its target: 10 wanted
0 ready, 4 loading, p95 3 times its target: 0 wanted
window 300 s: 10 at 0 s 6 at 345 s
window 900 s: 10 at 0 s
SEEN
