#!/usr/bin/env bash
# sigs.k8s.io/lws v0.9.0, its controller of LeaderWorkerSets as it is, with an API server and a controller of StatefulSets that stand in
# for those of a cluster, run 2026-11-30. Needs Go.
#
# A group of pods that is not ready serves nobody, so that an update begins with it, one expects, as that of a Deployment does, or begins
# anywhere, and comes to it. But an update of a LeaderWorkerSet goes from the last group to the first, and counts groups below that are
# not ready against maxUnavailable. With maxUnavailable 1 (the default), or 0 and a surge of 1, and a first group that crashes, the update
# that would mend it never begins: no group is made anew, for as long as the old one is not ready; with a surge there is one group more,
# which holds its cards all the time. Where the last group is the broken one, the same update goes through. A maxUnavailable of one more
# than there are broken groups gets it going.
#
# Seen: below, at the end (groups, and which one is not ready; what the update may do: how many groups there are in the end, and which of
# them are of the new version).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	lws "sigs.k8s.io/lws/api/leaderworkerset/v1"
	"sigs.k8s.io/lws/pkg/controllers"
)

var ctx = context.Background()

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func template(version string) core.PodTemplateSpec {
	return core.PodTemplateSpec{Spec: core.PodSpec{Containers: []core.Container{{Name: "server", Image: "qwen:" + version}}}}
}

// cluster does what the controllers of StatefulSets and of LWS's pods do: groups of the leaders' StatefulSet, each with its revision.
type cluster struct {
	client.Client
	first  string // revision of what is there before the update
	broken int    // group that is not ready at that revision
}

func (c *cluster) revision(group int) string {
	pod := &core.Pod{}
	if err := c.Get(ctx, types.NamespacedName{Namespace: "a", Name: fmt.Sprint("qwen-", group)}, pod); err != nil {
		return ""
	}
	return pod.Labels[lws.RevisionKey]
}

func (c *cluster) step() (groups int) {
	leaders := &apps.StatefulSet{}
	must(c.Get(ctx, types.NamespacedName{Namespace: "a", Name: "qwen"}, leaders))
	latest := leaders.Spec.Template.Labels[lws.RevisionKey]
	if c.first == "" {
		c.first = latest
	}
	groups = int(*leaders.Spec.Replicas)
	for group := 9; group >= 0; group-- {
		wanted := ""
		if group < groups {
			wanted = c.first
			if group >= int(*leaders.Spec.UpdateStrategy.RollingUpdate.Partition) {
				wanted = latest
			}
		}
		if c.revision(group) != wanted {
			c.replace(group, wanted)
		}
	}
	return groups
}

func (c *cluster) replace(group int, revision string) {
	name := fmt.Sprint("qwen-", group)
	labels := map[string]string{lws.SetNameLabelKey: "qwen", lws.GroupIndexLabelKey: fmt.Sprint(group), lws.RevisionKey: revision}
	workers := &apps.StatefulSet{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: name, Labels: labels},
		Spec: apps.StatefulSetSpec{Replicas: ptr.To(int32(1))}, Status: apps.StatefulSetStatus{AvailableReplicas: 1}}
	labels = map[string]string{lws.WorkerIndexLabelKey: "0", lws.SetNameLabelKey: "qwen", lws.GroupIndexLabelKey: fmt.Sprint(group), lws.RevisionKey: revision}
	ready := core.ConditionTrue
	if group == c.broken && revision == c.first {
		ready = core.ConditionFalse
	}
	leader := &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: name, Labels: labels},
		Status: core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: ready}}}}
	for _, object := range []client.Object{workers, leader} {
		must(client.IgnoreNotFound(c.Delete(ctx, object)))
		object.SetResourceVersion("")
		if revision != "" {
			must(c.Create(ctx, object))
		}
	}
}

func update(replicas, broken, surge, unavailable int) {
	scheme := runtime.NewScheme()
	must(kubernetes.AddToScheme(scheme))
	must(lws.AddToScheme(scheme))
	set := &lws.LeaderWorkerSet{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "qwen", UID: "1"}, Spec: lws.LeaderWorkerSetSpec{
		Replicas:             ptr.To(int32(replicas)),
		StartupPolicy:        lws.LeaderCreatedStartupPolicy,
		LeaderWorkerTemplate: lws.LeaderWorkerTemplate{Size: ptr.To(int32(2)), WorkerTemplate: template("1"), RestartPolicy: lws.RecreateGroupOnPodRestart},
		NetworkConfig:        &lws.NetworkConfig{SubdomainPolicy: ptr.To(lws.SubdomainShared)},
		RolloutStrategy: lws.RolloutStrategy{Type: lws.RollingUpdateStrategyType, RollingUpdateConfiguration: &lws.RollingUpdateConfiguration{
			Partition: ptr.To(int32(0)), MaxSurge: intstr.FromInt(surge), MaxUnavailable: intstr.FromInt(unavailable)}},
	}}
	server := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&lws.LeaderWorkerSet{}).WithObjects(set).Build()
	there := &cluster{Client: server, broken: broken}
	reconciler := controllers.NewLeaderWorkerSetReconciler(server, scheme, &events.FakeRecorder{})
	settle := func() (groups int) {
		for range 30 {
			_, err := reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(set)})
			must(err)
			groups = there.step()
		}
		return groups
	}
	settle()
	must(server.Get(ctx, client.ObjectKeyFromObject(set), set))
	set.Spec.LeaderWorkerTemplate.WorkerTemplate = template("2")
	must(server.Update(ctx, set))
	groups, updated := settle(), []int{}
	for group := range groups {
		if there.revision(group) != there.first {
			updated = append(updated, group)
		}
	}
	fmt.Printf("%d groups, number %d not ready, surge %d, unavailable %d: %d groups, new %v\n", replicas, broken, surge, unavailable, groups, updated)
}

func main() {
	for _, rollout := range [][]int{{0, 1}, {1, 0}, {0, 2}} {
		for _, broken := range []int{0, 2} {
			update(3, broken, rollout[0], rollout[1])
		}
	}
}
GO
cat > go.mod <<'MODULE'
module finding

go 1.26.0

require sigs.k8s.io/lws v0.9.0
MODULE
go mod tidy > log 2>&1 || { cat log; exit 1; }
go run . > seen.txt 2> log || { cat log; exit 2; }

diff - seen.txt <<'SEEN'
3 groups, number 0 not ready, surge 0, unavailable 1: 3 groups, new []
3 groups, number 2 not ready, surge 0, unavailable 1: 3 groups, new [0 1 2]
3 groups, number 0 not ready, surge 1, unavailable 0: 4 groups, new [3]
3 groups, number 2 not ready, surge 1, unavailable 0: 3 groups, new [0 1 2]
3 groups, number 0 not ready, surge 0, unavailable 2: 3 groups, new [0 1 2]
3 groups, number 2 not ready, surge 0, unavailable 2: 3 groups, new [0 1 2]
SEEN
