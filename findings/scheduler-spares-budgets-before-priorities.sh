#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its scheduler as it ships, run 2026-11-30. Needs Go; builds for some minutes.
#
# Who gives way to a pod of a higher priority is told by priorities, one expects, the lowest first; a budget is something that preemption
# "tries to respect", so that it decides between equals. But of all nodes where the pod would fit, the scheduler takes those whose budgets
# it would break least before it looks at priorities. So a batch of the lowest priority, with a budget that lets none of its pods go just
# now, stays, and a model of a higher priority on another node is ended, which has no budget. A budget that lets none go is that of a single
# replica with minAvailable 1, and of any model while a replica of it loads. Where there is nobody else, the batch goes in spite of it.
#
# Seen: below, at the end (two nodes of one card each, and a pod of priority 1000 that needs one).
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
	policy "k8s.io/api/policy/v1"
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

func node(name string) *core.Node {
	room := core.ResourceList{"cpu": resource.MustParse("32"), "nvidia.com/gpu": resource.MustParse("1"), "pods": resource.MustParse("50")}
	node := &core.Node{ObjectMeta: meta.ObjectMeta{Name: name}}
	node.Status.Capacity, node.Status.Allocatable = room, room
	return node
}

func pod(name, on string, priority int32) *core.Pod {
	pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "a", UID: types.UID(name), Labels: map[string]string{"app": name}}}
	card := core.ResourceList{"nvidia.com/gpu": resource.MustParse("1")}
	pod.Spec = core.PodSpec{NodeName: on, SchedulerName: core.DefaultSchedulerName, Priority: &priority,
		Containers: []core.Container{{Name: "a", Image: "a", Resources: core.ResourceRequirements{Requests: card, Limits: card}}}}
	if on != "" {
		pod.Status.StartTime = &meta.Time{Time: time.Unix(1, 0)}
	}
	return pod
}

func budget(name string, allowed int32) *policy.PodDisruptionBudget {
	return &policy.PodDisruptionBudget{ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "a"},
		Spec:   policy.PodDisruptionBudgetSpec{Selector: &meta.LabelSelector{MatchLabels: map[string]string{"app": name}}},
		Status: policy.PodDisruptionBudgetStatus{DisruptionsAllowed: allowed}}
}

// ended is the pod that the scheduler ends for another one of priority 1000.
func ended(objects ...runtime.Object) string {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	objects = append(objects, node("one"), node("two"), pod("chat", "", 1000))
	client, answer := fake.NewClientset(objects...), make(chan string, 2)
	client.PrependReactor("delete", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		answer <- action.(kubetesting.DeleteAction).GetName()
		return true, nil, nil
	})
	recorder := func(string) events.EventRecorder { return events.NewFakeRecorder(99) }
	shared := informers.NewSharedInformerFactory(client, 0)
	kubeScheduler, err := scheduler.New(ctx, client, shared, nil, recorder)
	must(err)
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())
	must(kubeScheduler.WaitForHandlersSync(ctx))
	go kubeScheduler.Run(ctx)
	select {
	case name := <-answer:
		return name
	case <-time.After(time.Minute):
		return "nobody in a minute"
	}
}

func main() {
	for _, allowed := range []int32{-1, 1, 0} {
		objects, says := []runtime.Object{pod("batch", "one", 10), pod("embed", "two", 500)}, "batch has no budget"
		if allowed >= 0 {
			objects, says = append(objects, budget("batch", allowed)), fmt.Sprintf("a budget lets %d of batch go", allowed)
		}
		fmt.Printf("batch 10, embed 500, %s: ended is %s\n", says, ended(objects...))
	}
	fmt.Printf("batch 10, alone, a budget lets 0 of batch go: ended is %s\n", ended(pod("batch", "one", 10), pod("lead", "two", 2000), budget("batch", 0)))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
batch 10, embed 500, batch has no budget: ended is batch
batch 10, embed 500, a budget lets 1 of batch go: ended is batch
batch 10, embed 500, a budget lets 0 of batch go: ended is embed
batch 10, alone, a budget lets 0 of batch go: ended is batch
SEEN
