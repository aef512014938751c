#!/usr/bin/env bash
# Knative Serving v0.50.0 (Go module knative.dev/serving), its controllers of Revisions and PodAutoscalers and its autoscaler, run
# 2026-11-30, in a time of their own. Needs Go; builds for some minutes.
#
# `min-scale` is how many replicas there are at least, and `scale-down-delay` how long they are kept, for as long as a revision is routed
# to. But while none of them is ready and one fits on no node, as it is until an autoscaler has brought a node with a card, the revision
# counts as failed, a failed one as unreachable, and for what is unreachable neither holds: the replicas that ought to wait are ended
# and made anew; and those that a burst has ordered go in the second in which their nodes are there, be the delay as long as it may.
# config-deployment has `pod-is-always-schedulable`, off by default, which is said to keep a revision from being marked unschedulable
# (https://github.com/knative/serving/issues/14862): with it both hold.
#
# Seen: below, at the end (replicas of the Deployment, and when; nodes come 170 s after pods that need them).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false"

# Inside a copy of the module, so that its own go.mod chooses what it is built with.
module=$(go mod download -json knative.dev/serving@v0.50.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module/pkg" "$module/go.mod" "$module/go.sum" .
chmod -R u+w .
mkdir finding
cat > finding/finding_test.go <<'GO'
package finding

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	caching "knative.dev/caching/pkg/client/injection/client/fake"
	images "knative.dev/caching/pkg/client/injection/informers/caching/v1alpha1/image/fake"
	networking "knative.dev/networking/pkg/client/injection/client/fake"
	_ "knative.dev/networking/pkg/client/injection/informers/networking/v1alpha1/certificate/fake"
	services "knative.dev/networking/pkg/client/injection/informers/networking/v1alpha1/serverlessservice/fake"
	network "knative.dev/networking/pkg/config"
	kubernetes "knative.dev/pkg/client/injection/kube/client/fake"
	deployments "knative.dev/pkg/client/injection/kube/informers/apps/v1/deployment/fake"
	filteredpods "knative.dev/pkg/client/injection/kube/informers/core/v1/pod/filtered/fake"
	filtered "knative.dev/pkg/client/injection/kube/informers/factory/filtered"
	_ "knative.dev/pkg/client/injection/kube/informers/factory/filtered/fake"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	dynamic "knative.dev/pkg/injection/clients/dynamicclient/fake"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
	rtesting "knative.dev/pkg/reconciler/testing"
	_ "knative.dev/pkg/system/testing"
	"knative.dev/serving/pkg/apis/config"
	"knative.dev/serving/pkg/apis/serving"
	v1 "knative.dev/serving/pkg/apis/serving/v1"
	"knative.dev/serving/pkg/autoscaler/aggregation"
	autoscaler "knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/autoscaler/scaling"
	knative "knative.dev/serving/pkg/client/injection/client/fake"
	_ "knative.dev/serving/pkg/client/injection/ducks/autoscaling/v1alpha1/podscalable/fake"
	metrics "knative.dev/serving/pkg/client/injection/informers/autoscaling/v1alpha1/metric/fake"
	podautoscalers "knative.dev/serving/pkg/client/injection/informers/autoscaling/v1alpha1/podautoscaler/fake"
	revisions "knative.dev/serving/pkg/client/injection/informers/serving/v1/revision/fake"
	"knative.dev/serving/pkg/deployment"
	observability "knative.dev/serving/pkg/observability/configmap"
	"knative.dev/serving/pkg/reconciler/autoscaling/kpa"
	"knative.dev/serving/pkg/reconciler/revision"
	"knative.dev/serving/pkg/resources"
)

const space, name = "a", "chat-00001"

func must(err error) {
	if err != nil {
		panic(err)
	}
}

type requests struct{ stable, panics *aggregation.TimedFloat64Buckets }

func (r requests) StableAndPanicConcurrency(_ types.NamespacedName, now time.Time) (float64, float64, error) {
	return r.stable.WindowAverage(now), r.panics.WindowAverage(now), nil
}

func (requests) StableAndPanicRPS(types.NamespacedName, time.Time) (float64, float64, error) {
	return 0, 0, nil
}

type trial struct {
	title string
	notes map[string]string
	begin, asked int // seconds: when a burst comes and nodes are gone, and how long it is there
}

// show puts the one object of a kind, as it is now, where controllers look for it.
func show[T any](informer cache.SharedIndexInformer, get func(context.Context, string, meta.GetOptions) (T, error), name string) (T, bool) {
	object, err := get(context.Background(), name, meta.GetOptions{})
	if err == nil {
		must(informer.GetIndexer().Update(object))
	}
	return object, err == nil
}

func course(t *testing.T, trial trial, schedulable string) {
	ctx, cancel, _ := rtesting.SetupFakeContextWithCancel(t, func(ctx context.Context) context.Context {
		return filtered.WithSelectors(ctx, serving.RevisionUID)
	})
	ctx = logging.WithLogger(ctx, zap.NewNop().Sugar())
	settings := map[string]map[string]string{
		deployment.ConfigName: {"queue-sidecar-image": "a", "pod-is-always-schedulable": schedulable},
		autoscaler.ConfigName: nil, config.FeaturesConfigName: nil, config.DefaultsConfigName: nil,
		network.ConfigMapName: nil, logging.ConfigMapName(): nil, observability.Name(): nil,
	}
	maps := []*core.ConfigMap{}
	for name, data := range settings {
		maps = append(maps, &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: name}, Data: data})
	}
	seen := requests{aggregation.NewTimedFloat64Buckets(time.Minute, time.Second), aggregation.NewTimedFloat64Buckets(6*time.Second, time.Second)}
	pods := filteredpods.Get(ctx, serving.RevisionUID)
	scaler := scaling.NewMultiScaler(ctx.Done(), func(decider *scaling.Decider) (scaling.UniScaler, error) {
		counted := resources.NewPodAccessor(pods.Lister(), space, name)
		return scaling.New(attribute.NewSet(), noop.NewMeterProvider(), space, name, seen, counted, &decider.Spec), nil
	}, zap.NewNop().Sugar())
	watcher := configmap.NewStaticWatcher(maps...)
	controllers := []*controller.Impl{revision.NewController(ctx, watcher), kpa.NewController(ctx, watcher, scaler)}
	for _, each := range controllers {
		each.Reconciler.(reconciler.LeaderAware).Promote(reconciler.UniversalBucket(), func(reconciler.Bucket, types.NamespacedName) {})
	}
	scaled := watch.NewRaceFreeFake()
	dynamic.Get(ctx).PrependWatchReactor("deployments", func(clienttesting.Action) (bool, watch.Interface, error) { return true, scaled, nil })

	served := knative.Get(ctx)
	// The activator stays before the pods, as it does of itself before so few; so nobody has to probe it.
	notes := map[string]string{"target": "2", "target-burst-capacity": "-1"}
	for key, value := range trial.notes {
		notes[key] = value
	}
	made := &v1.Revision{ObjectMeta: meta.ObjectMeta{Name: name, Namespace: space, UID: "1", Annotations: map[string]string{},
		Labels: map[string]string{serving.RoutingStateLabelKey: "active", serving.ServiceLabelKey: "chat", serving.ConfigurationLabelKey: "chat"}}}
	for key, value := range notes {
		made.Annotations["autoscaling.knative.dev/"+key] = value
	}
	made.Annotations["serving.knative.dev/progress-deadline"] = "1800s"
	made.Spec.Containers = []core.Container{{Name: "vllm", Image: "dev.local/vllm:v0.19.0"}}
	made.SetDefaults(ctx)
	_, err := served.ServingV1().Revisions(space).Create(ctx, made, meta.CreateOptions{})
	must(err)

	of := kubernetes.Get(ctx)
	scalable := dynamic.Get(ctx).Resource(apps.SchemeGroupVersion.WithResource("deployments")).Namespace(space)
	fmt.Printf("seen: %s, pod-is-always-schedulable %s:", trial.title, schedulable)
	last := int32(-1)
	for second := range 2000 {
		inHand := 0.0
		if second >= trial.begin && second < trial.begin+trial.asked {
			inHand = 9
		}
		seen.stable.Record(time.Now(), inHand)
		seen.panics.Record(time.Now(), inHand)
		for _, each := range controllers {
			show(revisions.Get(ctx).Informer(), served.ServingV1().Revisions(space).Get, name)
			show(podautoscalers.Get(ctx).Informer(), served.AutoscalingV1alpha1().PodAutoscalers(space).Get, name)
			show(metrics.Get(ctx).Informer(), served.AutoscalingV1alpha1().Metrics(space).Get, name)
			show(images.Get(ctx).Informer(), caching.Get(ctx).CachingV1alpha1().Images(space).Get, name+"-cache-vllm")
			show(deployments.Get(ctx).Informer(), of.AppsV1().Deployments(space).Get, name+"-deployment")
			if door, there := show(services.Get(ctx).Informer(), networking.Get(ctx).NetworkingV1alpha1().ServerlessServices(space).Get, name); there {
				door.Status.InitializeConditions()
				door.Status.ServiceName, door.Status.PrivateServiceName = name, name+"-private"
				door.Status.MarkEndpointsReady()
				door.Status.MarkActivatorEndpointsPopulated()
			}
			each.Reconciler.Reconcile(ctx, space+"/"+name)
		}

		// What the Deployment's controller, a scheduler and kubelets do; nodes are there, but not for 170 s from trial.begin on.
		work, err := of.AppsV1().Deployments(space).Get(ctx, name+"-deployment", meta.GetOptions{})
		if err == nil {
			have, absent := scalable.Get(ctx, work.Name, meta.GetOptions{})
			if absent == nil {
				wanted, _, _ := unstructured.NestedInt64(have.Object, "spec", "replicas")
				work.Spec.Replicas = ptr.To(int32(wanted))
			}
			for _, old := range pods.Informer().GetIndexer().List() {
				must(pods.Informer().GetIndexer().Delete(old))
				must(of.CoreV1().Pods(space).Delete(ctx, old.(*core.Pod).Name, meta.DeleteOptions{}))
			}
			work.Status = apps.DeploymentStatus{Conditions: []apps.DeploymentCondition{{Type: apps.DeploymentProgressing, Status: core.ConditionTrue}}}
			for i := range *work.Spec.Replicas {
				pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: fmt.Sprint(name, i), Namespace: space, Labels: work.Spec.Template.Labels}}
				if second >= trial.begin && second < trial.begin+170 {
					pod.Status = core.PodStatus{Phase: core.PodPending, Conditions: []core.PodCondition{{
						Type: core.PodScheduled, Status: core.ConditionFalse, Reason: core.PodReasonUnschedulable, Message: "Insufficient nvidia.com/gpu"}}}
				} else {
					pod.Status = core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}}
					work.Status.ReadyReplicas, work.Status.AvailableReplicas = i+1, i+1
				}
				_, err = of.CoreV1().Pods(space).Create(ctx, pod, meta.CreateOptions{})
				must(err)
				must(pods.Informer().GetIndexer().Add(pod))
			}
			_, err = of.AppsV1().Deployments(space).Update(ctx, work, meta.UpdateOptions{})
			must(err)
			fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(work)
			must(err)
			object := &unstructured.Unstructured{Object: fields}
			object.SetGroupVersionKind(apps.SchemeGroupVersion.WithKind("Deployment"))
			if absent != nil {
				_, err = scalable.Create(ctx, object, meta.CreateOptions{})
				scaled.Add(object)
			} else {
				_, err = scalable.Update(ctx, object, meta.UpdateOptions{})
				scaled.Modify(object)
			}
			must(err)
			if *work.Spec.Replicas != last && second > 10 {
				last = *work.Spec.Replicas
				fmt.Printf(" %d at %d s", last, second)
			}
		}
		time.Sleep(time.Second)
	}
	fmt.Println()
	for _, each := range controllers {
		each.WorkQueue().ShutDown()
	}
	cancel()
	scaled.Stop()
	time.Sleep(time.Minute)
}

func TestWaiting(t *testing.T) {
	for _, trial := range []trial{
		{"min-scale 2, nodes gone at 300 s", map[string]string{"min-scale": "2"}, 300, 0},
		{"scale-down-delay 300s, 9 requests for 30 s at 600 s", map[string]string{"scale-down-delay": "300s"}, 600, 30},
	} {
		for _, schedulable := range []string{"false", "true"} {
			synctest.Test(t, func(t *testing.T) { course(t, trial, schedulable) })
		}
	}
}
GO
go test -count 1 -v ./finding > all.txt 2>&1 || { tail -50 all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
min-scale 2, nodes gone at 300 s, pod-is-always-schedulable false: 2 at 11 s 0 at 331 s 2 at 332 s
min-scale 2, nodes gone at 300 s, pod-is-always-schedulable true: 2 at 11 s
scale-down-delay 300s, 9 requests for 30 s at 600 s, pod-is-always-schedulable false: 1 at 11 s 0 at 93 s 2 at 601 s 4 at 603 s 7 at 605 s 1 at 772 s 2 at 773 s 1 at 901 s 0 at 1231 s
scale-down-delay 300s, 9 requests for 30 s at 600 s, pod-is-always-schedulable true: 1 at 11 s 0 at 93 s 2 at 601 s 4 at 603 s 7 at 605 s 3 at 993 s 1 at 1293 s 0 at 1623 s
SEEN
