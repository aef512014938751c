#!/usr/bin/env bash
# The vertical pod autoscaler v1.8.1 (Go module k8s.io/autoscaler/vertical-pod-autoscaler), its recommender's model with its defaults and what
# its admission controller makes of a limit, run 2026-11-30. Needs Go; builds for some minutes.
#
# A recommendation for memory comes of 8 days of peaks, so that what a server needs while it loads its model counts for 8 days at the least,
# one expects. But a day's peak has half the weight of the next one's, and the target is the 90th percentile of these weights: three days
# after a start it is forgotten. From the fourth day on the upper bound is below what the pod asks for, by which the updater ends a pod to
# make it smaller. The limit goes down with the request, also to the letter where both were equal, and the next start is killed while it
# loads, each time with a limit that is 1.4 times the last one. The updater leaves a model of one replica alone: there it is
# the next pod that dies, after a drain or an update, and its container starts again with the limit that the pod has.
#
# Seen: below, at the end (GiB; a container with request and limit of 64 uses 40 for ten minutes, and 8 from then on).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false -mod=mod"

cat > go.mod <<'MOD'
module finding

go 1.26.0

require k8s.io/autoscaler/vertical-pod-autoscaler v1.8.1
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	autoscaling "k8s.io/api/autoscaling/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	vpatypes "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/config"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	api "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
)

const (
	gib     = 1 << 30
	loads   = 40 // GiB while it loads
	serves  = 8  // GiB from then on
	minutes = 24 * 60
)

var (
	defaults    = config.DefaultRecommenderConfig()
	recommender = logic.CreatePodResourceRecommender(logic.RecommendationConfig{
		SafetyMarginFraction: defaults.SafetyMarginFraction, PodMinCPUMillicores: defaults.PodMinCPUMillicores,
		PodMinMemoryMb: defaults.PodMinMemoryMb, TargetCPUPercentile: defaults.TargetCPUPercentile,
		LowerBoundCPUPercentile: defaults.LowerBoundCPUPercentile, UpperBoundCPUPercentile: defaults.UpperBoundCPUPercentile,
		ConfidenceIntervalCPU: defaults.ConfidenceIntervalCPU, TargetMemoryPercentile: defaults.TargetMemoryPercentile,
		LowerBoundMemoryPercentile: defaults.LowerBoundMemoryPercentile, UpperBoundMemoryPercentile: defaults.UpperBoundMemoryPercentile,
		ConfidenceIntervalMemory: defaults.ConfidenceIntervalMemory,
	})
	label   = labels.Set{"app": "chat"}
	cluster = model.NewClusterState(time.Hour)
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func container(pod string) model.ContainerID {
	return model.ContainerID{PodID: model.PodID{Namespace: "a", PodName: pod}, ContainerName: "vllm"}
}

func start(pod string, request float64) {
	cluster.AddOrUpdatePod(container(pod).PodID, label, core.PodRunning)
	must(cluster.AddOrUpdateContainer(container(pod), model.Resources{
		model.ResourceMemory: model.MemoryAmountFromBytes(request * gib), model.ResourceCPU: model.CPUAmountFromCores(8)}))
}

func use(pod string, at time.Time, memory float64) {
	for what, usage := range map[model.ResourceName]model.ResourceAmount{
		model.ResourceMemory: model.MemoryAmountFromBytes(memory * gib), model.ResourceCPU: model.CPUAmountFromCores(1)} {
		must(cluster.AddSample(&model.ContainerUsageSampleWithKey{Container: container(pod), ContainerUsageSample: model.ContainerUsageSample{
			MeasureStart: at, Usage: usage, Resource: what}}))
	}
}

// recommended are target and upper bound, in GiB.
func recommended() (float64, float64) {
	for _, vpa := range cluster.VPAs() {
		there := recommender.GetRecommendedPodResources(vpa.AggregateStateByContainerName())["vllm"]
		return float64(there.Target[model.ResourceMemory]) / gib, float64(there.UpperBound[model.ResourceMemory]) / gib
	}
	panic("no VPA")
}

// limit is what the admission controller gives a new pod of the same template.
func limit(target float64) float64 {
	list := func(memory float64) core.ResourceList {
		return core.ResourceList{core.ResourceMemory: *resource.NewQuantity(int64(memory*gib), resource.BinarySI)}
	}
	limits, _ := api.GetProportionalLimit(list(64), list(64), list(target), nil)
	return float64(limits.Memory().Value()) / gib
}

func main() {
	vpa := &vpatypes.VerticalPodAutoscaler{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "chat"},
		Spec: vpatypes.VerticalPodAutoscalerSpec{TargetRef: &autoscaling.CrossVersionObjectReference{Kind: "Deployment", Name: "chat"}}}
	must(cluster.AddOrUpdateVpa(vpa, label.AsSelector()))
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	start("chat-0", 64)
	now := begin
	for day := 1; day <= 8; day++ {
		for minute := range minutes {
			memory := float64(serves)
			if day == 1 && minute < 10 {
				memory = loads
			}
			use("chat-0", now, memory)
			now = now.Add(time.Minute)
		}
		target, upper := recommended()
		fmt.Printf("day %d: target %.1f, upper bound %.1f\n", day, target, upper)
	}
	cluster.DeletePod(container("chat-0").PodID)
	for pod := 1; ; pod++ {
		name := fmt.Sprint("chat-", pod)
		target, _ := recommended()
		given := limit(target)
		start(name, target)
		if given >= loads {
			fmt.Printf("pod %d: limit %.1f, it loads\n", pod, given)
			return
		}
		use(name, now, given)
		now = now.Add(time.Minute)
		must(cluster.RecordOOM(container(name), now, model.MemoryAmountFromBytes(target*gib)))
		fmt.Printf("pod %d: limit %.1f, killed\n", pod, given)
		cluster.DeletePod(container(name).PodID)
		now = now.Add(10 * time.Minute)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
day 1: target 48.0, upper bound 96.0
day 2: target 48.0, upper bound 72.0
day 3: target 48.0, upper bound 64.0
day 4: target 9.4, upper bound 60.0
day 5: target 9.4, upper bound 11.3
day 6: target 9.4, upper bound 11.0
day 7: target 9.4, upper bound 10.8
day 8: target 9.4, upper bound 10.6
pod 1: limit 9.4, killed
pod 2: limit 13.3, killed
pod 3: limit 18.9, killed
pod 4: limit 26.6, killed
pod 5: limit 37.5, killed
pod 6: limit 52.9, it loads
SEEN
