#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its scheduler as it ships, run 2026-11-30. Needs Go; builds for some minutes.
#
# Preferred node affinity with weights is how pods try one pool before another: 100 for the first, less for the next. One expects that the
# first pool is taken as long as it has room, since weights are compared. But they are brought to 0..100 each, count twice, and are added
# to what else the scheduler likes: up to 100 for an image that a node has, 100 for a node that is empty, 100 for an even use of it. So
# between 100 and 50 an image decides: where the second pool has served before, and a node of the first one is new, pods of a model, whose
# image has gigabytes, go to the second pool, with room in the first. Of two pools 100 and no term at all are further apart.
# (The image counts only if the pod names it as the node does, docker.io and all: vllm/vllm-openai:v0.19.0 is never found.)
#
# Seen: below, at the end (each pool has one node; all have room; of the first one's CPU a quarter is in use).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false -mod=mod"

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
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/scheduler"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

var pools = []string{"a10", "l20", "t4"}

func node(pool, image string) *core.Node {
	room := core.ResourceList{"cpu": resource.MustParse("32"), "memory": resource.MustParse("180Gi"), "pods": resource.MustParse("50")}
	node := &core.Node{ObjectMeta: meta.ObjectMeta{Name: pool, Labels: map[string]string{"pool": pool}}}
	node.Status.Capacity, node.Status.Allocatable = room, room
	if image != "" {
		node.Status.Images = []core.ContainerImage{{Names: []string{image}, SizeBytes: 9 << 30}}
	}
	return node
}

func pod(name, on, cpu, image string, weights []int32) *core.Pod {
	pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "a", UID: types.UID(name)}}
	requests := core.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse("16Gi")}
	wishes := []core.PreferredSchedulingTerm{}
	for i, weight := range weights {
		if weight > 0 {
			of := []core.NodeSelectorRequirement{{Key: "pool", Operator: core.NodeSelectorOpIn, Values: pools[i : i+1]}}
			wishes = append(wishes, core.PreferredSchedulingTerm{Weight: weight, Preference: core.NodeSelectorTerm{MatchExpressions: of}})
		}
	}
	pod.Spec = core.PodSpec{
		NodeName: on, SchedulerName: core.DefaultSchedulerName,
		Containers: []core.Container{{Name: "a", Image: image, Resources: core.ResourceRequirements{Requests: requests}}},
		Affinity:   &core.Affinity{NodeAffinity: &core.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: wishes}},
	}
	return pod
}

// where is the node that the scheduler chooses, or what it says of the pod.
func where(objects ...runtime.Object) string {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client, answer, recorder := fake.NewClientset(objects...), make(chan string, 2), events.NewFakeRecorder(9)
	client.PrependReactor("create", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		answer <- action.(kubetesting.CreateAction).GetObject().(*core.Binding).Target.Name
		return true, nil, nil
	})
	shared := informers.NewSharedInformerFactory(client, 0)
	kubeScheduler, err := scheduler.New(ctx, client, shared, nil, func(string) events.EventRecorder { return recorder })
	must(err)
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())
	must(kubeScheduler.WaitForHandlersSync(ctx))
	go kubeScheduler.Run(ctx)
	select {
	case name := <-answer:
		return name
	case event := <-recorder.Events:
		return event
	case <-time.After(time.Minute):
		return "nothing in a minute"
	}
}

func main() {
	const full, short = "docker.io/vllm/vllm-openai:v0.19.0", "vllm/vllm-openai:v0.19.0"
	for _, weights := range [][]int32{{100, 50}, {100, 67, 34}, {100, 0}} {
		for _, trial := range []struct{ there, asked string }{{"", full}, {full, short}, {full, full}} {
			objects := []runtime.Object{pod("new", "", "4", trial.asked, weights), pod("other", pools[0], "8", "a", nil)}
			for i := range weights {
				image := ""
				if i == 1 {
					image = trial.there
				}
				objects = append(objects, node(pools[i], image))
			}
			fmt.Printf("weights %v, second pool has %q, pod asks for %s: %s\n", weights, trial.there, trial.asked, where(objects...))
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
weights [100 50], second pool has "", pod asks for docker.io/vllm/vllm-openai:v0.19.0: a10
weights [100 50], second pool has "docker.io/vllm/vllm-openai:v0.19.0", pod asks for vllm/vllm-openai:v0.19.0: a10
weights [100 50], second pool has "docker.io/vllm/vllm-openai:v0.19.0", pod asks for docker.io/vllm/vllm-openai:v0.19.0: l20
weights [100 67 34], second pool has "", pod asks for docker.io/vllm/vllm-openai:v0.19.0: a10
weights [100 67 34], second pool has "docker.io/vllm/vllm-openai:v0.19.0", pod asks for vllm/vllm-openai:v0.19.0: a10
weights [100 67 34], second pool has "docker.io/vllm/vllm-openai:v0.19.0", pod asks for docker.io/vllm/vllm-openai:v0.19.0: l20
weights [100 0], second pool has "", pod asks for docker.io/vllm/vllm-openai:v0.19.0: a10
weights [100 0], second pool has "docker.io/vllm/vllm-openai:v0.19.0", pod asks for vllm/vllm-openai:v0.19.0: a10
weights [100 0], second pool has "docker.io/vllm/vllm-openai:v0.19.0", pod asks for docker.io/vllm/vllm-openai:v0.19.0: a10
SEEN
