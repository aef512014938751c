#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, pkg/controller/podautoscaler, run 2026-11, in a time of its own.
#
# A scale-down policy of "4 pods in 600 s" is no bound on what goes in 600 s. It is counted from the replicas at the beginning of the
# period: pods that came in it may go beside those four, all in one round. And what has come is forgotten early: events of scaling
# up are kept for the longest period of the scale-up policies, and the next step up overwrites older ones. So the same policy, with
# the same replicas, lets go all that came in ten minutes, or nearly nothing of it, by whether one more pod came since.
#
# Seen (scale-up: any number each 15 s; scale-down: 4 pods in 600 s):
#   10 replicas for long: down to 6
#   2 -> 10, 60 s later: down to 0
#   2 -> 10, 60 s later -> 11: down to 6
#   the same with a scale-up period of 600 s: down to 0
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

# What counts is not exported: the test stands beside it, in the copy of this folder.
package=k8s.io/kubernetes/pkg/controller/podautoscaler
cat > vendor/$package/scale_down_test.go <<'GO'
package podautoscaler

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
)

func rules(kind autoscaling.HPAScalingPolicyType, value, seconds int32) *autoscaling.HPAScalingRules {
	most := autoscaling.MaxChangePolicySelect
	policy := autoscaling.HPAScalingPolicy{Type: kind, Value: value, PeriodSeconds: seconds}
	return &autoscaling.HPAScalingRules{SelectPolicy: &most, Policies: []autoscaling.HPAScalingPolicy{policy}}
}

func TestScaleDown(t *testing.T) {
	for _, trial := range []struct {
		name  string
		up    int32
		steps []int32
	}{
		{"10 replicas for long", 15, nil},
		{"2 -> 10, 60 s later", 15, []int32{2, 10}},
		{"2 -> 10, 60 s later -> 11", 15, []int32{2, 10, 11}},
		{"the same with a scale-up period of 600 s", 600, []int32{2, 10, 11}},
	} {
		synctest.Test(t, func(t *testing.T) {
			behavior := &autoscaling.HorizontalPodAutoscalerBehavior{
				ScaleUp:   rules(autoscaling.PodsScalingPolicy, 100, trial.up),
				ScaleDown: rules(autoscaling.PodsScalingPolicy, 4, 600),
			}
			controller := &HorizontalController{
				scaleUpEvents:   map[string][]timestampedScaleEvent{},
				scaleDownEvents: map[string][]timestampedScaleEvent{},
			}
			replicas := int32(10)
			for i := 1; i < len(trial.steps); i++ {
				controller.storeScaleEvent(behavior, "a", trial.steps[i-1], trial.steps[i])
				replicas = trial.steps[i]
				time.Sleep(60 * time.Second)
			}
			least := calculateScaleDownLimitWithBehaviors(
				replicas, controller.scaleUpEvents["a"], controller.scaleDownEvents["a"], behavior.ScaleDown)
			fmt.Printf("%s: down to %d\n", trial.name, max(0, least))
		})
	}
}
GO
go test -count 1 -v $package -run TestScaleDown | grep ': down to' | tee output
diff output - <<'SEEN'
10 replicas for long: down to 6
2 -> 10, 60 s later: down to 0
2 -> 10, 60 s later -> 11: down to 6
the same with a scale-up period of 600 s: down to 0
SEEN
