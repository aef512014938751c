#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its controller of PodDisruptionBudgets and the API server's eviction, run 2026-11-30. Needs Go; builds for
# some minutes.
#
# A budget keeps so many pods that are ready. One that is not serves nobody, so that a drain may have it, one expects; and a budget that
# lets one pod be missing (`maxUnavailable: 1`) never holds back the node of a single replica. But by default a pod that is not ready is
# evicted only where enough others are ready, and one at least. Where a model loads, or never comes up, on all its replicas, none of
# their nodes is drained, upgraded or scaled in. And for a single replica `maxUnavailable: 1` lets it go while it serves, and keeps it
# while it does not. `unhealthyPodEvictionPolicy: AlwaysAllow` is what was expected, and changes nothing for pods that are ready.
#
# Seen: below, at the end (replicas, and how many are ready; what becomes of the eviction of one).
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

import (
	_ "k8s.io/client-go/kubernetes/fake"
	_ "k8s.io/client-go/scale/fake"
	_ "k8s.io/kubernetes/pkg/controller/disruption"
	_ "k8s.io/kubernetes/pkg/registry/core/pod/storage"
)
GO
{ go mod tidy && go mod vendor; } > tidy.log 2>&1 || { cat tidy.log; exit 2; }

# What makes the eviction is not exported: the test stands beside it, in the copy of this folder.
package=k8s.io/kubernetes/pkg/registry/core/pod/storage
cat > vendor/$package/budget_test.go <<'GO'
package storage

import (
	"context"
	"fmt"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	budgets "k8s.io/api/policy/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scales "k8s.io/client-go/scale/fake"
	api "k8s.io/kubernetes/pkg/apis/core"
	convert "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/apis/policy"
	"k8s.io/kubernetes/pkg/controller/disruption"
	"k8s.io/utils/ptr"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// pods is where the API server has one pod.
type pods struct {
	rest.StandardStorage
	pod *api.Pod
}

func (p *pods) Get(context.Context, string, *meta.GetOptions) (runtime.Object, error) { return p.pod, nil }

func (p *pods) Update(context.Context, string, rest.UpdatedObjectInfo, rest.ValidateObjectFunc, rest.ValidateObjectUpdateFunc, bool, *meta.UpdateOptions) (runtime.Object, bool, error) {
	return p.pod, false, nil
}

func (p *pods) Delete(context.Context, string, rest.ValidateObjectFunc, *meta.DeleteOptions) (runtime.Object, bool, error) {
	return nil, true, nil
}

func evict(replicas, ready int, spec budgets.PodDisruptionBudgetSpec) string {
	ctx, stop := context.WithCancel(request.WithNamespace(context.Background(), "a"))
	defer stop()
	labels := map[string]string{"app": "chat"}
	spec.Selector = &meta.LabelSelector{MatchLabels: labels}
	objects := []runtime.Object{
		&budgets.PodDisruptionBudget{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "chat", Generation: 1}, Spec: spec},
		&apps.ReplicaSet{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "chat", UID: "1"}, Spec: apps.ReplicaSetSpec{Replicas: ptr.To(int32(replicas))}},
	}
	var last *core.Pod
	for i := range replicas {
		status := core.ConditionFalse
		if i < ready {
			status = core.ConditionTrue
		}
		owner := meta.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "chat", UID: "1", Controller: ptr.To(true)}
		last = &core.Pod{
			ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: fmt.Sprint("chat-", i), Labels: labels, OwnerReferences: []meta.OwnerReference{owner}},
			Status:     core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: status}}},
		}
		objects = append(objects, last)
	}
	client := fake.NewClientset(objects...)
	shared := informers.NewSharedInformerFactory(client, 0)
	v1, workloads := shared.Core().V1(), shared.Apps().V1()
	controller := disruption.NewDisruptionController(ctx, v1.Pods(), shared.Policy().V1().PodDisruptionBudgets(), v1.ReplicationControllers(),
		workloads.ReplicaSets(), workloads.Deployments(), workloads.StatefulSets(), client, apimeta.NewDefaultRESTMapper(nil), &scales.FakeScaleClient{}, client.Discovery())
	shared.Start(ctx.Done())
	go controller.Run(ctx)
	for {
		budget, err := client.PolicyV1().PodDisruptionBudgets("a").Get(ctx, "chat", meta.GetOptions{})
		must(err)
		if budget.Status.ObservedGeneration == 1 && budget.Status.ExpectedPods == int32(replicas) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	pod := &api.Pod{}
	must(convert.Convert_v1_Pod_To_core_Pod(last, pod, nil))
	eviction := &policy.Eviction{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: last.Name}}
	_, err := newEvictionStorage(&pods{pod: pod}, client.PolicyV1()).Create(ctx, last.Name, eviction, nil, &meta.CreateOptions{})
	if err != nil {
		return err.Error()
	}
	return "evicted"
}

func TestBudget(t *testing.T) {
	one := intstr.FromInt32(1)
	for _, trial := range []struct {
		replicas, ready int
		title           string
		spec            budgets.PodDisruptionBudgetSpec
	}{
		{2, 1, "minAvailable 1", budgets.PodDisruptionBudgetSpec{MinAvailable: &one}},
		{2, 0, "minAvailable 1", budgets.PodDisruptionBudgetSpec{MinAvailable: &one}},
		{1, 1, "maxUnavailable 1", budgets.PodDisruptionBudgetSpec{MaxUnavailable: &one}},
		{1, 0, "maxUnavailable 1", budgets.PodDisruptionBudgetSpec{MaxUnavailable: &one}},
	} {
		for _, policy := range []*budgets.UnhealthyPodEvictionPolicyType{nil, ptr.To(budgets.AlwaysAllow)} {
			trial.spec.UnhealthyPodEvictionPolicy = policy
			said := evict(trial.replicas, trial.ready, trial.spec)
			fmt.Printf("seen: %d, %d ready, %s, policy %q: %s\n", trial.replicas, trial.ready, trial.title, ptr.Deref(policy, ""), said)
		}
	}
}
GO
go test -trimpath -count 1 -v $package -run TestBudget > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
2, 1 ready, minAvailable 1, policy "": evicted
2, 1 ready, minAvailable 1, policy "AlwaysAllow": evicted
2, 0 ready, minAvailable 1, policy "": Cannot evict pod as it would violate the pod's disruption budget.
2, 0 ready, minAvailable 1, policy "AlwaysAllow": evicted
1, 1 ready, maxUnavailable 1, policy "": evicted
1, 1 ready, maxUnavailable 1, policy "AlwaysAllow": evicted
1, 0 ready, maxUnavailable 1, policy "": Cannot evict pod as it would violate the pod's disruption budget.
1, 0 ready, maxUnavailable 1, policy "AlwaysAllow": evicted
SEEN
