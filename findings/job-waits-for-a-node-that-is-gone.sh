#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, pkg/controller/job, run 2026-11-30, in a time of its own. Needs Go; builds for some minutes.
#
# 300 s after a node has gone quiet, its pods are evicted, and a Job makes others in their place, on nodes that are well. With a
# podFailurePolicy that ignores disruptions, which this eviction is one of, one expects the same, and that it is not counted. But a Job with
# such a policy replaces what has failed, and not what is being deleted (`podReplacementPolicy: Failed`, and the API server takes no other
# one): a kubelet that is gone says of no pod that it has ended. So training that is to survive its nodes waits for the dead one, with idle
# cards beside it, until somebody deletes the Node, or gives it the taint node.kubernetes.io/out-of-service. `kubectl delete pod --force`
# does nothing: the Job's own finalizer holds the pod until it has failed. Without the policy the Job goes on at once.
#
# Seen: below, at the end (whether the Job has the policy: pods that were made a day after the eviction, and after what was then done).
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
	_ "k8s.io/kubernetes/pkg/controller/job"
)
GO
cat > finding_test.go <<'GO'
package finding

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/utils/ptr"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func wanted(policy bool) *batch.Job {
	job := &batch.Job{
		ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "train", UID: "1"},
		Spec: batch.JobSpec{
			Parallelism: ptr.To(int32(1)), Completions: ptr.To(int32(1)), BackoffLimit: ptr.To(int32(3)), Suspend: ptr.To(false),
			CompletionMode: ptr.To(batch.NonIndexedCompletion), PodReplacementPolicy: ptr.To(batch.TerminatingOrFailed), // the default
			Selector: &meta.LabelSelector{MatchLabels: map[string]string{"job": "train"}},
			Template: core.PodTemplateSpec{
				ObjectMeta: meta.ObjectMeta{Labels: map[string]string{"job": "train"}},
				Spec:       core.PodSpec{RestartPolicy: core.RestartPolicyNever, Containers: []core.Container{{Name: "train", Image: "a"}}},
			},
		},
	}
	if policy {
		pattern := core.PodCondition{Type: core.DisruptionTarget, Status: core.ConditionTrue}
		job.Spec.PodReplacementPolicy = ptr.To(batch.Failed) // the default with a policy for failures, and no other is taken
		job.Spec.PodFailurePolicy = &batch.PodFailurePolicy{Rules: []batch.PodFailurePolicyRule{{Action: batch.PodFailurePolicyActionIgnore,
			OnPodConditions: []batch.PodFailurePolicyOnPodConditionsPattern{{Type: pattern.Type, Status: pattern.Status}}}}}
	}
	return job
}

// naming gives a pod what the API server gives it.
func naming(count *int) clienttesting.ReactionFunc {
	return func(action clienttesting.Action) (bool, runtime.Object, error) {
		pod := action.(clienttesting.CreateAction).GetObject().(*core.Pod)
		*count++
		pod.Name = fmt.Sprintf("train-%d", *count)
		pod.UID, pod.Namespace = types.UID(pod.Name), "a"
		return false, nil, nil
	}
}

func pods(ctx context.Context, client kubernetes.Interface) []core.Pod {
	return must(client.CoreV1().Pods("a").List(ctx, meta.ListOptions{})).Items
}

func update(ctx context.Context, client kubernetes.Interface, pod core.Pod, version string) {
	pod.ResourceVersion = version // the controller passes over what has none that is new
	must(client.CoreV1().Pods("a").Update(ctx, &pod, meta.UpdateOptions{}))
}

func run(policy bool) {
	ctx, cancel := context.WithCancel(context.Background())
	client, named := fake.NewClientset(), 0
	client.PrependReactor("create", "pods", naming(&named))
	factory := informers.NewSharedInformerFactory(client, 10000*time.Hour) // 0 waits on a channel of no bubble
	controller := must(job.NewController(ctx, factory.Core().V1().Pods(), factory.Batch().V1().Jobs(), client))
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	done := make(chan struct{})
	go func() { controller.Run(ctx, 1); close(done) }()
	must(client.BatchV1().Jobs("a").Create(ctx, wanted(policy), meta.CreateOptions{}))
	time.Sleep(time.Minute)

	// 300 s after its node has gone quiet, the pod is deleted and marked. Nobody on the node says that it has ended.
	now, pod := meta.Now(), pods(ctx, client)[0]
	pod.Spec.NodeName = "quiet"
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &now, ptr.To(int64(30))
	pod.Status = core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{
		{Type: core.DisruptionTarget, Status: core.ConditionTrue, Reason: "DeletionByTaintManager"}}}
	update(ctx, client, pod, "2")
	time.Sleep(24 * time.Hour)
	fmt.Printf("seen: policy %t: after a day %d pods were made", policy, named)

	// The pod is deleted by force: with the finalizer of its Job it stays.
	pod = pods(ctx, client)[0]
	if policy && len(pod.Finalizers) == 0 {
		panic("nothing holds the pod")
	}
	pod.DeletionGracePeriodSeconds = ptr.To(int64(0))
	update(ctx, client, pod, "3")
	time.Sleep(time.Hour)
	fmt.Printf(", once the pod is deleted by force %d", named)

	// The node is deleted, and what collects pods marks those that were on it.
	pod = pods(ctx, client)[0]
	pod.Status.Phase = core.PodFailed
	update(ctx, client, pod, "4")
	time.Sleep(time.Minute)
	fmt.Printf(", and its node %d\n", named)
	cancel()
	factory.Shutdown()
	<-done
}

func TestJob(t *testing.T) {
	for _, policy := range []bool{false, true} {
		synctest.Test(t, func(*testing.T) { run(policy) })
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -trimpath -count 1 -timeout 120s -v . > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
policy false: after a day 2 pods were made, once the pod is deleted by force 2, and its node 2
policy true: after a day 1 pods were made, once the pod is deleted by force 1, and its node 2
SEEN
