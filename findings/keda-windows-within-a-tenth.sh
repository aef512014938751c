#!/usr/bin/env bash
# KEDA v2.21.0 (Go module github.com/kedacore/keda/v2), its cron scaler, and the HPA's replica calculator of Kubernetes v1.34.1
# (k8s.io/kubernetes), run 2026-11-30. Needs Go; builds for some minutes.
#
# A cron trigger has `desiredReplicas`: "number of replicas to which the resource has to be scaled between the start and end of the cron
# schedule". But KEDA hands that number to an HPA as a figure, which is to be 1 for each replica, and an HPA leaves alone whatever is
# within 10 % of its target. So a window of 11 on top of 10 replicas never comes, nor one of 22 on top of 20; and where load has brought 13,
# a window of 12 keeps 13 until it ends. From 12 on top of 10 it is the number itself.
#
# Seen: below, at the end (windows of 11, 12, 22 and 23 over 10, 11, 13, 14 and 20 replicas: where another number is wanted than theirs).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-mod=mod -trimpath"

mkdir keda hpa
cat > keda/go.mod <<'END'
module finding

go 1.26.0

require github.com/kedacore/keda/v2 v2.21.0

replace github.com/nexus-rpc/nexus-proto-annotations v0.1.0 => github.com/nexus-rpc/nexus-proto-annotations v0.1.1-0.20260629224316-835bd8d49cb4
END
cat > keda/window_test.go <<'END'
package main

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// TestWindow prints the target and, in the window, the figure of each trigger, both in thousandths.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(9 * time.Hour) // from midnight on
		for _, replicas := range []string{"11", "12", "22", "23"} {
			hours := map[string]string{"timezone": "UTC", "start": "0 8 * * *", "end": "0 20 * * *", "desiredReplicas": replicas}
			scaler, err := scalers.NewCronScaler(&scalersconfig.ScalerConfig{TriggerMetadata: hours})
			must(err)
			figures, _, err := scaler.GetMetricsAndActivity(context.Background(), "cron")
			must(err)
			target := scaler.GetMetricSpecForScaling(context.Background())[0].External.Target
			fmt.Printf("seen: %s %s %d %d\n", replicas, target.Type, target.AverageValue.MilliValue(), figures[0].Value.MilliValue())
		}
	})
}
END
(cd keda && go test -vet=off -v . > all.txt 2>&1 || { cat all.txt; exit 2; })
sed -n 's/^seen: //p' keda/all.txt > figures.txt

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
} > hpa/go.mod
cat > hpa/finding.go <<'GO'
package finding

import _ "k8s.io/kubernetes/pkg/controller/podautoscaler"
GO
# What is within 10 % is not exported: the test stands beside it, in the copy of this folder.
package=k8s.io/kubernetes/pkg/controller/podautoscaler
(cd hpa && { go mod tidy && go mod vendor; } > tidy.log 2>&1) || { cat hpa/tidy.log; exit 2; }
cat > hpa/vendor/$package/window_test.go <<'GO'
package podautoscaler

import (
	"fmt"
	"os"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// figure is a metrics API with one external metric.
type figure struct {
	metrics.MetricsClient
	thousandths int64
}

func (f figure) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return []int64{f.thousandths}, time.Now(), nil
}

func TestWindow(t *testing.T) {
	file, err := os.Open(os.Getenv("FIGURES"))
	for err == nil {
		var kind string
		var replicas, target, value int64
		if _, err = fmt.Fscan(file, &replicas, &kind, &target, &value); err != nil {
			break
		}
		for _, current := range []int32{10, 11, 13, 14, 20} {
			calculator := &ReplicaCalculator{metricsClient: figure{thousandths: value}}
			wanted, _, _, err := calculator.GetExternalPerPodMetricReplicas(current, target, "cron", Tolerances{scaleDown: 0.1, scaleUp: 0.1}, "a", &meta.LabelSelector{})
			if err != nil {
				t.Fatal(err)
			}
			if wanted != int32(replicas) {
				fmt.Printf("seen: window of %d, %s %d: there are %d, and wanted are %d\n", replicas, kind, target/1000, current, wanted)
			}
		}
	}
}
GO
(cd hpa && FIGURES="$folder/figures.txt" go test -mod=vendor -trimpath -count 1 -v $package -run TestWindow > all.txt 2>&1) || { cat hpa/all.txt; exit 2; }
sed -n 's/^seen: //p' hpa/all.txt > seen.txt

diff - seen.txt <<'SEEN'
window of 11, AverageValue 1: there are 10, and wanted are 10
window of 12, AverageValue 1: there are 11, and wanted are 11
window of 12, AverageValue 1: there are 13, and wanted are 13
window of 22, AverageValue 1: there are 20, and wanted are 20
SEEN
