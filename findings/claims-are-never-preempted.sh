#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its scheduler as it ships, run 2026-11-30 (the plugin is the same in this at v1.37.2). Needs Go; builds for some
# minutes.
#
# Where all cards are taken, a model of a higher priority ends a pod of a lower one. So it does as long as pods ask for `nvidia.com/gpu`. One
# expects the same of pods that have their cards by a ResourceClaim (DRA, which is on by default from 1.34). But the scheduler's plugin for
# claims does not take part in preemption: with a pod put away on trial, its card stays allocated, so that ending it seems of no use, and
# the model waits until somebody ends by himself, whatever the priorities. The event says "Preemption is not helpful for scheduling".
#
# Seen: below, at the end (a node of one card, and a pod of priority 1000 that needs it).
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
	resources "k8s.io/api/resource/v1"
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

const driver, class, node, card = "gpu.example.com", "gpu", "one", "card-0"

// machine is a node of one card, which its device plugin offers or a driver of DRA.
func machine(claims bool) []runtime.Object {
	room := core.ResourceList{"cpu": resource.MustParse("32"), "pods": resource.MustParse("50")}
	there := &core.Node{ObjectMeta: meta.ObjectMeta{Name: node}}
	there.Status.Capacity, there.Status.Allocatable = room, room
	if !claims {
		room["nvidia.com/gpu"] = resource.MustParse("1")
		return []runtime.Object{there}
	}
	name := node
	slice := &resources.ResourceSlice{ObjectMeta: meta.ObjectMeta{Name: node}, Spec: resources.ResourceSliceSpec{Driver: driver, NodeName: &name,
		Pool: resources.ResourcePool{Name: node, ResourceSliceCount: 1}, Devices: []resources.Device{{Name: card}}}}
	chosen := resources.DeviceSelector{CEL: &resources.CELDeviceSelector{Expression: `device.driver == "` + driver + `"`}}
	return []runtime.Object{there, slice, &resources.DeviceClass{ObjectMeta: meta.ObjectMeta{Name: class},
		Spec: resources.DeviceClassSpec{Selectors: []resources.DeviceSelector{chosen}}}}
}

// pod needs one card, and is on the node or waits.
func pod(name, on string, priority int32, claims bool) []runtime.Object {
	policy := core.PreemptLowerPriority
	pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "a", UID: types.UID(name)}}
	pod.Spec = core.PodSpec{NodeName: on, SchedulerName: core.DefaultSchedulerName, Priority: &priority, PreemptionPolicy: &policy,
		Containers: []core.Container{{Name: "a", Image: "a"}}}
	needs := &pod.Spec.Containers[0].Resources
	if on != "" {
		pod.Status.StartTime = &meta.Time{Time: time.Unix(1, 0)}
	}
	if !claims {
		one := core.ResourceList{"nvidia.com/gpu": resource.MustParse("1")}
		needs.Requests, needs.Limits = one, one
		return []runtime.Object{pod}
	}
	pod.Spec.ResourceClaims = []core.PodResourceClaim{{Name: "gpu", ResourceClaimName: &pod.Name}}
	needs.Claims = []core.ResourceClaim{{Name: "gpu"}}
	claim := &resources.ResourceClaim{ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "a", UID: types.UID("claim-" + name), ResourceVersion: "1"}}
	claim.Spec.Devices.Requests = []resources.DeviceRequest{{Name: "gpu", Exactly: &resources.ExactDeviceRequest{
		DeviceClassName: class, AllocationMode: resources.DeviceAllocationModeExactCount, Count: 1}}}
	if on != "" {
		claim.Status = resources.ResourceClaimStatus{
			Allocation: &resources.AllocationResult{Devices: resources.DeviceAllocationResult{Results: []resources.DeviceRequestAllocationResult{
				{Request: "gpu", Driver: driver, Pool: node, Device: card}}}},
			ReservedFor: []resources.ResourceClaimConsumerReference{{Resource: "pods", Name: name, UID: types.UID(name)}}}
	}
	return []runtime.Object{pod, claim}
}

// play says what the scheduler did, and what it says of the pod that waits.
func play(claims, taken bool) string {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	objects := append(machine(claims), pod("chat", "", 1000, claims)...)
	if taken {
		objects = append(objects, pod("batch", node, 10, claims)...)
	}
	client, answer := fake.NewClientset(objects...), make(chan string, 9)
	client.PrependReactor("delete", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		answer <- "ends " + action.(kubetesting.DeleteAction).GetName()
		return true, nil, nil
	})
	client.PrependReactor("create", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		if action.GetSubresource() != "binding" {
			return false, nil, nil
		}
		answer <- "gives chat the node"
		return true, nil, nil
	})
	recorder := events.NewFakeRecorder(99)
	shared := informers.NewSharedInformerFactory(client, 0)
	kubeScheduler, err := scheduler.New(ctx, client, shared, nil, func(string) events.EventRecorder { return recorder })
	must(err)
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())
	must(kubeScheduler.WaitForHandlersSync(ctx))
	go kubeScheduler.Run(ctx)
	select {
	case what := <-answer:
		return what
	case <-time.After(20 * time.Second):
		waiting, err := client.CoreV1().Pods("a").Get(ctx, "chat", meta.GetOptions{})
		must(err)
		return "ends nobody: " + waiting.Status.Conditions[0].Message
	}
}

func main() {
	for _, claims := range []bool{false, true} {
		by := map[bool]string{false: "nvidia.com/gpu", true: "a ResourceClaim"}[claims]
		fmt.Printf("by %s, the card is free: the scheduler %s\n", by, play(claims, false))
		fmt.Printf("by %s, batch of priority 10 has it: the scheduler %s\n", by, play(claims, true))
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
by nvidia.com/gpu, the card is free: the scheduler gives chat the node
by nvidia.com/gpu, batch of priority 10 has it: the scheduler ends batch
by a ResourceClaim, the card is free: the scheduler gives chat the node
by a ResourceClaim, batch of priority 10 has it: the scheduler ends nobody: 0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.
SEEN
