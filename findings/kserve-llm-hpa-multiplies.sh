#!/usr/bin/env bash
# KServe v0.20.0 (github.com/kserve/kserve), its LLMInferenceService controller, and the HPA's replica calculator of Kubernetes v1.34.1
# (k8s.io/kubernetes), run 2026-11-30. Needs Go; builds for some minutes.
#
# `scaling.wva` has llm-d's Workload Variant Autoscaler say how many replicas there should be, in the metric wva_desired_replicas, and
# `hpa: {}` has an HPA carry it out. KServe gives that HPA a target of type `Value` 1, which a comment beside it calls a pass-through. An
# HPA multiplies such a figure by the replicas that are ready: two that should be three become six, then eighteen, up to maxReplicas.
# Nor does it come back: where one is wanted, the figure is at its target, and all stay. `keda: {}` gives KEDA a threshold of 1 and no
# metricType, which is AverageValue, and that is the number itself.
#
# Seen: below, at the end.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GOFLAGS="-trimpath -buildvcs=false"

# Inside a copy of the module: what renders the HPA is not exported, and KServe's own go.mod chooses what it is built with.
mkdir "$folder/kserve" "$folder/kubernetes"
cd "$folder/kserve"
module=$(go mod download -json github.com/kserve/kserve@v0.20.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module/pkg" "$module/go.mod" "$module/go.sum" .
chmod -R u+w .
rm pkg/controller/v1alpha2/llmisvc/*_test.go
cat > pkg/controller/v1alpha2/llmisvc/finding_test.go <<'GO'
package llmisvc

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/kserve/kserve/pkg/apis/serving/v1alpha2"
	"k8s.io/utils/ptr"
)

func TestFinding(t *testing.T) {
	service := &v1alpha2.LLMInferenceService{}
	service.Name, service.Namespace = "qwen", "inference"
	wva := &v1alpha2.WVASpec{}
	wva.HPA, wva.KEDA = &v1alpha2.HPAScalingSpec{}, &v1alpha2.KEDAScalingSpec{}
	service.Spec.Scaling = &v1alpha2.ScalingSpec{MinReplicas: ptr.To(int32(1)), MaxReplicas: 20, WVA: wva}
	params := mainWorkloadScalingParams(service)
	hpa := expectedHPA(service, params.scaling, params.scaleTargetRef, params.vaName, params.hpaName)
	keda := expectedScaledObject(service, params.scaling, &Config{WVAAutoscalingConfig: &WVAAutoscalingConfig{}},
		params.scaleTargetRef, params.vaName, params.scaledObjectName)
	target, err := json.Marshal(hpa.Spec.Metrics[0].External.Target)
	if err != nil {
		t.Fatal(err)
	}
	trigger := keda.Spec.Triggers[0]
	fmt.Printf("seen: hpa: {}: %s\nseen: keda: {}: threshold %s, metricType %q\n", target, trigger.Metadata["threshold"], trigger.MetricType)
}
GO
go test -vet=off -count 1 -v ./pkg/controller/v1alpha2/llmisvc -run TestFinding > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > "$folder/seen.txt"

cd "$folder/kubernetes"
{
	echo 'module finding'
	echo 'go 1.25.0'
	echo "require k8s.io/kubernetes v1.34.1"
	for module in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap \
		code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib \
		dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy \
		kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver; do
		echo "replace k8s.io/$module => k8s.io/$module v0.34.1"
	done
} > go.mod
cat > finding_test.go <<'GO'
package finding

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// replicas is a metrics API with wva_desired_replicas alone.
type replicas int64

func (wanted replicas) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return []int64{int64(wanted) * 1000}, time.Now(), nil
}

func (replicas) GetResourceMetric(context.Context, core.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errors.New("none")
}

func (replicas) GetRawMetric(string, string, labels.Selector, labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errors.New("none")
}

func (replicas) GetObjectMetric(string, string, *autoscaling.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errors.New("none")
}

func TestFinding(t *testing.T) {
	for _, wanted := range []replicas{3, 1} {
		for _, kind := range []autoscaling.MetricTargetType{autoscaling.ValueMetricType, autoscaling.AverageValueMetricType} {
			current := int32(2)
			fmt.Printf("seen: %d wanted, %s 1: 2", wanted, kind)
			for range 3 {
				store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
				for i := range current {
					ready := []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}
					store.Add(&core.Pod{
						ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: fmt.Sprint(i)},
						Status:     core.PodStatus{Phase: core.PodRunning, Conditions: ready},
					})
				}
				calculator := podautoscaler.NewReplicaCalculator(wanted, listers.NewPodLister(store), 0, 0)
				var err error
				if kind == autoscaling.ValueMetricType {
					current, _, _, err = calculator.GetExternalMetricReplicas(current, 1000, "wva_desired_replicas",
						podautoscaler.Tolerances{}, "a", &meta.LabelSelector{}, labels.Everything())
				} else {
					current, _, _, err = calculator.GetExternalPerPodMetricReplicas(current, 1000, "wva_desired_replicas",
						podautoscaler.Tolerances{}, "a", &meta.LabelSelector{})
				}
				if err != nil {
					t.Fatal(err)
				}
				fmt.Printf(" -> %d", current)
			}
			fmt.Println()
		}
	}
}
GO
go mod tidy > all.txt 2>&1 || { cat all.txt; exit 2; }
go test -vet=off -count 1 -v . > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt >> "$folder/seen.txt"

diff - "$folder/seen.txt" <<'SEEN'
hpa: {}: {"type":"Value","value":"1"}
keda: {}: threshold 1, metricType ""
3 wanted, Value 1: 2 -> 6 -> 18 -> 54
3 wanted, AverageValue 1: 2 -> 3 -> 3 -> 3
1 wanted, Value 1: 2 -> 2 -> 2 -> 2
1 wanted, AverageValue 1: 2 -> 1 -> 1 -> 1
SEEN
