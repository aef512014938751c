#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its scheduler as it ships, run 2026-11-30. Needs Go; builds for some minutes.
#
# A topology spread constraint with `DoNotSchedule` keeps replicas on different nodes, and counts the nodes that a pod may run on: node
# affinity is honoured by default. A node that is cordoned, drained, broken or tainted is none of them, one expects. But taints are ignored
# by default (`nodeTaintsPolicy: Ignore`), and all of these are taints. Such a node counts as a place with no replica, so that a second
# one on the node beside it is one too many: of two nodes one is drained, and its replica waits until that node is uncordoned or deleted,
# with room enough on the other. So it does where a node is gone: its replica is evicted after 300 s, and waits for the node's own end.
# With `nodeTaintsPolicy: Honor` it runs on the other one at once.
#
# Seen: below, at the end (two nodes; on the second one is a replica; where the next one goes, by the taint of the first node).
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
	"strings"
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
	"k8s.io/utils/ptr"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func node(name, taint string) *core.Node {
	room := core.ResourceList{"cpu": resource.MustParse("32"), "memory": resource.MustParse("180Gi"), "pods": resource.MustParse("50")}
	node := &core.Node{ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{core.LabelHostname: name}}}
	node.Status.Capacity, node.Status.Allocatable = room, room
	if taint != "" {
		node.Spec.Taints = []core.Taint{{Key: taint, Effect: core.TaintEffectNoSchedule}}
		node.Spec.Unschedulable = taint == core.TaintNodeUnschedulable
	}
	return node
}

func replica(name, on string, taints *core.NodeInclusionPolicy) *core.Pod {
	labels := map[string]string{"app": "chat"}
	pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "a", UID: types.UID(name), Labels: labels}}
	pod.Spec = core.PodSpec{
		NodeName: on, SchedulerName: core.DefaultSchedulerName, Containers: []core.Container{{Name: "a", Image: "a"}},
		TopologySpreadConstraints: []core.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: core.LabelHostname, WhenUnsatisfiable: core.DoNotSchedule,
			LabelSelector: &meta.LabelSelector{MatchLabels: labels}, NodeTaintsPolicy: taints,
		}},
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
		said, _, _ := strings.Cut(event, ". ")
		return strings.TrimPrefix(said, "Warning ")
	case <-time.After(time.Minute):
		return "nothing in a minute"
	}
}

func main() {
	for _, taint := range []string{"", core.TaintNodeUnschedulable, core.TaintNodeNotReady, "example.com/spot-ends"} {
		for _, policy := range []*core.NodeInclusionPolicy{nil, ptr.To(core.NodeInclusionPolicyHonor)} {
			said := where(node("first", taint), node("second", ""), replica("old", "second", policy), replica("new", "", policy))
			fmt.Printf("taint %q, nodeTaintsPolicy %q: %s\n", taint, ptr.Deref(policy, ""), said)
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
taint "", nodeTaintsPolicy "": first
taint "", nodeTaintsPolicy "Honor": first
taint "node.kubernetes.io/unschedulable", nodeTaintsPolicy "": FailedScheduling 0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) were unschedulable
taint "node.kubernetes.io/unschedulable", nodeTaintsPolicy "Honor": second
taint "node.kubernetes.io/not-ready", nodeTaintsPolicy "": FailedScheduling 0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }
taint "node.kubernetes.io/not-ready", nodeTaintsPolicy "Honor": second
taint "example.com/spot-ends", nodeTaintsPolicy "": FailedScheduling 0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) had untolerated taint {example.com/spot-ends: }
taint "example.com/spot-ends", nodeTaintsPolicy "Honor": second
SEEN
