#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, pkg/controller/job, run 2026-11-30, in a time of its own. Needs Go; builds for some minutes.
#
# A podFailurePolicy with `Ignore` on DisruptionTarget is there so that preemption does not count: "the counter towards the backoffLimit
# is not incremented, and a replacement pod is created". It is not incremented, but the back-off has a counter of its own, which ignored
# pods count for, each pod by itself, and which nothing but a pod that succeeds sets back, so of one training run nothing. From the
# seventh preemption on, be they days apart, the controller makes no new pod for ten minutes; of a job of four pods from the second one
# on. Nothing is pending meanwhile, so that no autoscaler acts and cards stay idle, and the Job's status says nothing of it.
# And the policy is asked about pods that failed. A pod that saved its checkpoint after SIGTERM and ended with 0 has succeeded: the Job
# is complete, with DisruptionTarget and all.
#
# Seen: below, at the end (tens of seconds from the pods' end to the next ones, preemption by preemption, each a day after the last).
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
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/utils/ptr"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func wanted(pods int32) *batch.Job {
	return &batch.Job{
		ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "train", UID: "1"},
		Spec: batch.JobSpec{
			Parallelism: &pods, Completions: &pods, BackoffLimit: ptr.To(int32(3)),
			CompletionMode: ptr.To(batch.IndexedCompletion), Suspend: ptr.To(false),
			PodReplacementPolicy: ptr.To(batch.Failed), // the default with a policy for failures
			PodFailurePolicy: &batch.PodFailurePolicy{Rules: []batch.PodFailurePolicyRule{{
				Action:          batch.PodFailurePolicyActionIgnore,
				OnPodConditions: []batch.PodFailurePolicyOnPodConditionsPattern{{Type: core.DisruptionTarget, Status: core.ConditionTrue}},
			}}},
			Selector: &meta.LabelSelector{MatchLabels: map[string]string{"job": "train"}},
			Template: core.PodTemplateSpec{
				ObjectMeta: meta.ObjectMeta{Labels: map[string]string{"job": "train"}},
				Spec:       core.PodSpec{RestartPolicy: core.RestartPolicyNever, Containers: []core.Container{{Name: "train", Image: "a"}}},
			},
		},
	}
}

// active are the pods that the controller has made and nobody has ended.
func active(ctx context.Context, client kubernetes.Interface) (pods []core.Pod) {
	for _, pod := range must(client.CoreV1().Pods("a").List(ctx, meta.ListOptions{})).Items {
		if pod.DeletionTimestamp == nil {
			pods = append(pods, pod)
		}
	}
	return pods
}

// end is what the scheduler and the kubelet write of a pod that is preempted, and the API server of one without finalizers.
func end(ctx context.Context, client kubernetes.Interface, pod core.Pod, phase core.PodPhase, code int32) {
	now := meta.Now()
	pod.ResourceVersion = "2" // the controller passes over what has none that is new
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &now, ptr.To(int64(0))
	pod.Status = core.PodStatus{
		Phase:      phase,
		Conditions: []core.PodCondition{{Type: core.DisruptionTarget, Status: core.ConditionTrue, Reason: "PreemptionByScheduler"}},
		ContainerStatuses: []core.ContainerStatus{{Name: "train", State: core.ContainerState{
			Terminated: &core.ContainerStateTerminated{ExitCode: code, FinishedAt: now}}}},
	}
	must(client.CoreV1().Pods("a").Update(ctx, &pod, meta.UpdateOptions{}))
}

func sweep(ctx context.Context, client kubernetes.Interface) {
	for _, pod := range must(client.CoreV1().Pods("a").List(ctx, meta.ListOptions{})).Items {
		if pod.DeletionTimestamp != nil && len(pod.Finalizers) == 0 {
			_ = client.CoreV1().Pods("a").Delete(ctx, pod.Name, meta.DeleteOptions{})
		}
	}
}

func run(pods int32, preemptions int, phase core.PodPhase, code int32) {
	ctx, cancel := context.WithCancel(context.Background())
	client := fake.NewClientset()
	named := 0
	client.PrependReactor("create", "pods", naming(&named))
	factory := informers.NewSharedInformerFactory(client, 10000*time.Hour) // 0 waits on a channel of no bubble
	controller := must(job.NewController(ctx, factory.Core().V1().Pods(), factory.Batch().V1().Jobs(), client))
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	done := make(chan struct{})
	go func() { controller.Run(ctx, 1); close(done) }()
	must(client.BatchV1().Jobs("a").Create(ctx, wanted(pods), meta.CreateOptions{}))
	time.Sleep(time.Minute)
	fmt.Printf("seen: %d pods, ended with %d:", pods, code)
	for range preemptions {
		begin := time.Now()
		for _, pod := range active(ctx, client) {
			end(ctx, client, pod, phase, code)
		}
		for len(active(ctx, client)) < int(pods) && time.Since(begin) < time.Hour {
			time.Sleep(time.Second)
			sweep(ctx, client)
		}
		if time.Since(begin) < time.Hour {
			fmt.Printf(" %d", int(time.Since(begin).Seconds())/10*10)
		}
		time.Sleep(24 * time.Hour)
	}
	status := must(client.BatchV1().Jobs("a").Get(ctx, "train", meta.GetOptions{})).Status
	fmt.Printf("; failed %d, succeeded %d", status.Failed, status.Succeeded)
	for _, condition := range status.Conditions {
		fmt.Printf(", %s %s", condition.Type, condition.Status)
	}
	fmt.Println()
	cancel()
	factory.Shutdown()
	<-done
}

func TestJob(t *testing.T) {
	synctest.Test(t, func(*testing.T) { run(1, 9, core.PodFailed, 143) })
	synctest.Test(t, func(*testing.T) { run(4, 3, core.PodFailed, 143) })
	synctest.Test(t, func(*testing.T) { run(1, 1, core.PodSucceeded, 0) })
}
GO
cat > naming_test.go <<'GO'
package finding

import (
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
)

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
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -trimpath -count 1 -timeout 120s -v . > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
1 pods, ended with 143: 10 20 40 80 160 320 600 600 600; failed 0, succeeded 0
4 pods, ended with 143: 80 600 600; failed 0, succeeded 0
1 pods, ended with 0:; failed 0, succeeded 1, SuccessCriteriaMet True, Complete True
SEEN
