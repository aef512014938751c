#!/usr/bin/env bash
# KServe v0.20.0 (github.com/kserve/kserve), its reconciler for KEDA, and KEDA v2.21.0 (github.com/kedacore/keda/v2), its prometheus
# scaler, run 2026-11-30. Needs Go; builds for some minutes.
#
# An External metric of an InferenceService has a target of a type, as one of an HPA has. `type: Value` says there that a figure is held
# at the value, whatever the number of replicas, which is what a mean or a latency needs. KServe's webhook wants `value` for External,
# and its reconciler hands KEDA that number as `threshold`, without a metricType, of which KEDA makes AverageValue, as of `type:
# AverageValue` beside the same value: the figure divided by the threshold is how many replicas there are to be. A mean of 90 % with a
# target of 45 % wants two, be there ten already.
#
# Seen: type in the InferenceService: metricType of KServe's trigger, target of KEDA's HPA
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GOFLAGS="-trimpath -buildvcs=false"
mkdir "$folder/kserve" "$folder/keda"

# Inside a copy of the module, so that its own go.mod chooses what it is built with.
cd "$folder/kserve"
module=$(go mod download -json github.com/kserve/kserve@v0.20.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module/pkg" "$module/go.mod" "$module/go.sum" .
chmod -R u+w .
mkdir finding
cat > finding/main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/kserve/kserve/pkg/apis/serving/v1beta1"
	"github.com/kserve/kserve/pkg/controller/v1beta1/inferenceservice/reconcilers/keda"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	for _, kind := range []v1beta1.MetricTargetType{v1beta1.ValueMetricType, v1beta1.AverageValueMetricType} {
		external := &v1beta1.ExternalMetricSource{}
		external.Metric.Backend, external.Metric.ServerAddress = "prometheus", "http://p:9090"
		external.Metric.Query = "avg(DCGM_FI_DEV_GPU_UTIL)"
		external.Target.Type, external.Target.Value = kind, v1beta1.NewMetricQuantity("45")
		predictor := &v1beta1.ComponentExtensionSpec{MaxReplicas: 10, AutoScaling: &v1beta1.AutoScalingSpec{
			Metrics: []v1beta1.MetricsSpec{{Type: v1beta1.ExternalMetricSourceType, External: external}},
		}}
		reconciler, err := keda.NewKedaReconciler(nil, nil, metav1.ObjectMeta{Name: "chat-predictor"}, predictor, &corev1.ConfigMap{})
		must(err)
		trigger, err := json.Marshal(reconciler.ScaledObject.Spec.Triggers[0])
		must(err)
		fmt.Printf("%s\t%s\n", kind, trigger)
	}
}
GO
go run ./finding > "$folder/triggers.txt" 2> all.txt || { tail -20 all.txt; exit 2; }

cd "$folder/keda"
export GOFLAGS="-trimpath -mod=mod"
cat > go.mod <<'END'
module finding

go 1.26.0

require github.com/kedacore/keda/v2 v2.21.0

replace github.com/nexus-rpc/nexus-proto-annotations v0.1.0 => github.com/nexus-rpc/nexus-proto-annotations v0.1.1-0.20260629224316-835bd8d49cb4
END
cat > finding_test.go <<'GO'
package finding

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
)

func TestFinding(t *testing.T) {
	file, err := os.Open("../triggers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		kind, text, _ := strings.Cut(lines.Text(), "\t")
		var trigger keda.ScaleTriggers
		if err := json.Unmarshal([]byte(text), &trigger); err != nil {
			t.Fatal(err)
		}
		scaler, err := scalers.NewPrometheusScaler(&scalersconfig.ScalerConfig{
			MetricType: trigger.MetricType, TriggerMetadata: trigger.Metadata,
		})
		if err != nil {
			t.Fatal(err)
		}
		target, err := json.Marshal(scaler.GetMetricSpecForScaling(context.Background())[0].External.Target)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("seen: %s: %q, %s\n", kind, trigger.MetricType, target)
	}
}
GO
go test -vet=off -count 1 -v . > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
Value: "", {"type":"AverageValue","averageValue":"45"}
AverageValue: "", {"type":"AverageValue","averageValue":"45"}
SEEN
