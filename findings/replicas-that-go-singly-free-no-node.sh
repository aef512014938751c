#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its controller of ReplicaSets, run 2026-12-01. Needs Go; builds for some minutes.
#
# Of replicas that are ready, the newest go first at a scale-in, so that nodes that came last are free again, one expects. But before age
# comes how many replicas of the Deployment are on a pod's node, and those of the fullest node go first. Where replicas go at once, all
# nodes are as full at that moment, and age decides: half of the nodes are empty. Where they go one by one, as an autoscaler's rule for
# scale-in has it, or a load that falls slowly, each step takes one from a node that still has two: half of the replicas are gone, and each
# node has one left, so that no node goes, and the bill stays what it was. In steps of as many replicas as a node has, nodes are free again.
#
# Seen: below, at the end (four nodes with two replicas each; pods of the first node are the oldest).
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
	"slices"
	"strings"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/utils/ptr"
)

func result[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

var app = map[string]string{"app": "chat"}

func pod(number int) *core.Pod {
	// Hours since it was ready: the further apart, the surer age decides, which the controller looks at by powers of two.
	hours := []int{1000, 900, 200, 180, 30, 25, 4, 3}[number]
	since := meta.NewTime(time.Now().Add(-time.Duration(hours) * time.Hour))
	owner := meta.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "chat", UID: "1", Controller: ptr.To(true)}
	return &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: fmt.Sprint("chat-", number), UID: types.UID(fmt.Sprint(number)), Labels: app,
		CreationTimestamp: since, OwnerReferences: []meta.OwnerReference{owner}}, Spec: core.PodSpec{NodeName: fmt.Sprint("node-", number/2)},
		Status: core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue, LastTransitionTime: since}}}}
}

// left says what pods are on which node once there are so few, after each of some steps.
func left(steps ...int32) string {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	owner := meta.OwnerReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "chat", UID: "2", Controller: ptr.To(true)}
	set := &apps.ReplicaSet{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "chat", UID: "1", OwnerReferences: []meta.OwnerReference{owner}}, Spec: apps.ReplicaSetSpec{Replicas: ptr.To(int32(8)),
		Selector: &meta.LabelSelector{MatchLabels: app}, Template: core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: app}}}}
	objects := []runtime.Object{set}
	for number := range 8 {
		objects = append(objects, pod(number))
	}
	client := fake.NewClientset(objects...)
	shared := informers.NewSharedInformerFactory(client, 0)
	controller := replicaset.NewReplicaSetController(ctx, shared.Apps().V1().ReplicaSets(), shared.Core().V1().Pods(), client, replicaset.BurstReplicas)
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())
	go controller.Run(ctx, 1)
	time.Sleep(2 * time.Second) // until its watches stand
	var pods []core.Pod
	for _, replicas := range steps {
		there := result(client.AppsV1().ReplicaSets("a").Get(ctx, "chat", meta.GetOptions{}))
		there.Spec.Replicas = &replicas
		result(client.AppsV1().ReplicaSets("a").Update(ctx, there, meta.UpdateOptions{}))
		for len(pods) != int(replicas) {
			time.Sleep(100 * time.Millisecond)
			pods = result(client.CoreV1().Pods("a").List(ctx, meta.ListOptions{})).Items
		}
		time.Sleep(time.Second)
	}
	on := map[string]int{}
	for _, pod := range pods {
		on[pod.Spec.NodeName]++
	}
	lines := []string{}
	for name, count := range on {
		lines = append(lines, fmt.Sprintf("%s has %d", name, count))
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

func main() {
	fmt.Println("8 -> 4 at once:", left(4))
	fmt.Println("8 -> 6 -> 4:", left(6, 4))
	fmt.Println("8 -> 7 -> 6 -> 5 -> 4:", left(7, 6, 5, 4))
	fmt.Println("8 -> 7 -> 6 -> 5 -> 4 -> 3 -> 2:", left(7, 6, 5, 4, 3, 2))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
8 -> 4 at once: node-0 has 2, node-1 has 2
8 -> 6 -> 4: node-0 has 2, node-1 has 2
8 -> 7 -> 6 -> 5 -> 4: node-0 has 1, node-1 has 1, node-2 has 1, node-3 has 1
8 -> 7 -> 6 -> 5 -> 4 -> 3 -> 2: node-0 has 1, node-1 has 1
SEEN
