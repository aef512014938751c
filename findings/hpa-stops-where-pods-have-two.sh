#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its controller of HorizontalPodAutoscalers, run 2026-11-30. Needs Go; builds for some minutes.
#
# Each of two Deployments has an HPA of its own, so that they do not meet, one expects; and where two HPAs are set on one Deployment, the
# larger answer counts, or they pull it to and fro. But before anything else an HPA looks up the pods that its target's selector matches,
# and whose HPA's selectors match them too. If that is more than itself it does nothing, and the other one neither. So it is with a canary
# `app: chat, track: canary` beside a model whose selector is `app: chat` alone: from the canary's first pod on, both stay as they are under
# any load, though no ReplicaSet mistakes the pods. The model grows again once the canary has no pod, or no HPA. Two HPAs on one Deployment
# (somebody's beside KEDA's) scale it no more, either of them.
#
# Seen: below, at the end (each HPA has load for four times the replicas, of which there is one).
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
	"sync"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	scales "k8s.io/api/autoscaling/v1"
	core "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	scaling "k8s.io/client-go/scale/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/utils/ptr"
)

// busy answers that there is load for 4 replicas.
type busy struct{ metrics.MetricsClient }

func (busy) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return []int64{40_000}, time.Now(), nil
}

// target is a Deployment with an HPA or more, and so many pods.
type target struct {
	name     string
	selector string
	pods     int
	scalers  []string
}

func scaler(name, on string) *autoscaling.HorizontalPodAutoscaler {
	ten := resource.MustParse("10")
	return &autoscaling.HorizontalPodAutoscaler{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: name}, Spec: autoscaling.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: on}, MinReplicas: ptr.To(int32(1)), MaxReplicas: 9,
		Metrics: []autoscaling.MetricSpec{{Type: autoscaling.ExternalMetricSourceType, External: &autoscaling.ExternalMetricSource{
			Metric: autoscaling.MetricIdentifier{Name: "waiting"}, Target: autoscaling.MetricTarget{Type: autoscaling.AverageValueMetricType, AverageValue: &ten}}}}}}
}

// play says which of the HPAs scale, and what those say that do not.
func play(targets ...target) string {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var objects []runtime.Object
	for _, each := range targets {
		chosen, err := labels.ConvertSelectorToLabelsMap(each.selector)
		if err != nil {
			panic(err)
		}
		for number := range each.pods {
			objects = append(objects, &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: fmt.Sprint(each.name, number), Labels: chosen},
				Status: core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}}})
		}
		for _, name := range each.scalers {
			objects = append(objects, scaler(name, each.name))
		}
	}
	client, lock, grown := fake.NewClientset(objects...), sync.Mutex{}, map[string]bool{}
	kept := &scaling.FakeScaleClient{}
	kept.AddReactor("get", "deployments", func(action kubetesting.Action) (bool, runtime.Object, error) {
		name := action.(kubetesting.GetAction).GetName()
		each := targets[slices.IndexFunc(targets, func(each target) bool { return each.name == name })]
		return true, &scales.Scale{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: name}, Spec: scales.ScaleSpec{Replicas: int32(each.pods)},
			Status: scales.ScaleStatus{Replicas: int32(each.pods), Selector: each.selector}}, nil
	})
	kept.AddReactor("update", "deployments", func(action kubetesting.Action) (bool, runtime.Object, error) {
		scale := action.(kubetesting.UpdateAction).GetObject().(*scales.Scale)
		lock.Lock()
		defer lock.Unlock()
		grown[fmt.Sprintf("%s grows to %d", scale.Name, scale.Spec.Replicas)] = true
		return true, scale, nil
	})
	mapper := apimeta.NewDefaultRESTMapper([]schema.GroupVersion{{Group: "apps", Version: "v1"}})
	mapper.Add(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, apimeta.RESTScopeNamespace)
	nowhere := kubernetes.NewForConfigOrDie(&rest.Config{Host: "http://127.0.0.1:1"})
	shared := informers.NewSharedInformerFactory(client, 0)
	controller := podautoscaler.NewHorizontalController(ctx, nowhere.CoreV1(), kept, client.AutoscalingV2(), mapper, busy{}, shared.Autoscaling().V2().HorizontalPodAutoscalers(),
		shared.Core().V1().Pods(), time.Second, 5*time.Minute, 0.1, 5*time.Minute, 30*time.Second)
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())
	go controller.Run(ctx, 1)
	time.Sleep(8 * time.Second)
	lock.Lock()
	grown = map[string]bool{}
	lock.Unlock()
	time.Sleep(4 * time.Second)
	lock.Lock()
	defer lock.Unlock()
	said := []string{}
	for what := range grown {
		said = append(said, what)
	}
	list, err := client.AutoscalingV2().HorizontalPodAutoscalers("a").List(ctx, meta.ListOptions{})
	if err != nil {
		panic(err)
	}
	for _, item := range list.Items {
		for _, condition := range item.Status.Conditions {
			if condition.Type == autoscaling.ScalingActive && condition.Status == core.ConditionFalse {
				said = append(said, fmt.Sprintf("%s: %s", item.Name, condition.Reason))
			}
		}
	}
	slices.Sort(said)
	return strings.Join(said, "; ")
}

func main() {
	chat := target{"chat", "app=chat", 1, []string{"hpa-chat"}}
	canary := func(selector string, pods int, scalers ...string) target { return target{"canary", selector, pods, scalers} }
	fmt.Println("chat alone:", play(chat))
	fmt.Println("two HPAs on chat:", play(target{"chat", "app=chat", 1, []string{"hpa-chat", "hpa-keda"}}))
	fmt.Println("a canary app=canary:", play(chat, canary("app=canary", 1, "hpa-canary")))
	fmt.Println("a canary app=chat,track=canary:", play(chat, canary("app=chat,track=canary", 1, "hpa-canary")))
	fmt.Println("the same, without a pod:", play(chat, canary("app=chat,track=canary", 0, "hpa-canary")))
	fmt.Println("the same, without an HPA:", play(chat, canary("app=chat,track=canary", 1)))
	both := target{"chat", "app=chat,track=stable", 1, []string{"hpa-chat"}}
	fmt.Println("the same, beside app=chat,track=stable:", play(both, canary("app=chat,track=canary", 1, "hpa-canary")))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
chat alone: chat grows to 4
two HPAs on chat: hpa-chat: AmbiguousSelector; hpa-keda: AmbiguousSelector
a canary app=canary: canary grows to 4; chat grows to 4
a canary app=chat,track=canary: hpa-canary: AmbiguousSelector; hpa-chat: AmbiguousSelector
the same, without a pod: chat grows to 4; hpa-canary: ScalingDisabled
the same, without an HPA: chat grows to 4
the same, beside app=chat,track=stable: canary grows to 4; chat grows to 4
SEEN
