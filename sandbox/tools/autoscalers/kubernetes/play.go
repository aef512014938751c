package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/fake"
	autoscalinglisters "k8s.io/client-go/listers/autoscaling/v2"
	corelisters "k8s.io/client-go/listers/core/v1"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	kubectrlmgrconfigv1alpha1 "k8s.io/kube-controller-manager/config/v1alpha1"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	config "k8s.io/kubernetes/pkg/controller/podautoscaler/config/v1alpha1"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

const (
	namespace = "ns"
	name      = "model"
	// Pods are looked at a moment before a decision, and measured some time before.
	before  = 500 * time.Millisecond
	measure = 5 * time.Second
	window  = time.Minute
	old     = -time.Hour
)

var errMissing = errors.New("the metric is missing")

// pod is one of a Deployment.
type pod struct {
	created time.Time
	leaving *time.Time
}

// stage is a Deployment with its pods, and the metrics of them.
type stage struct {
	trace
	begun    time.Time
	replicas int32
	made     []pod
	extra    []pod
	pods     cache.Indexer
	value    *int64
	now      time.Time
}

func init() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	// A metric that is missing is an error, and is waited after in the time of the real world.
	utilruntime.ErrorHandlers = nil
}

func (t trace) play() []int32 {
	s := &stage{trace: t, begun: time.Now(), replicas: t.Replicas}
	for range t.Surge {
		s.extra = append(s.extra, pod{created: s.begun.Add(old)})
	}
	for range t.Replicas {
		s.made = append(s.made, pod{created: s.begun.Add(old)})
	}
	hpa := t.Manifest.DeepCopy()
	hpa.Namespace, hpa.Name = namespace, name
	defaults.SetDefaults_HorizontalPodAutoscaler(hpa)
	client := fake.NewSimpleClientset(hpa)
	hpas, pods := informer{indexer()}, informer{indexer()}
	_ = hpas.Add(hpa)
	s.pods = pods
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "*", s.got)
	scales.AddReactor("update", "*", s.updated)
	target := schema.FromAPIVersionAndKind(hpa.Spec.ScaleTargetRef.APIVersion, hpa.Spec.ScaleTargetRef.Kind)
	mapper := apimeta.NewDefaultRESTMapper([]schema.GroupVersion{target.GroupVersion()})
	mapper.Add(target, apimeta.RESTScopeNamespace)
	var flags kubectrlmgrconfigv1alpha1.HPAControllerConfiguration
	config.RecommendedDefaultHPAControllerConfiguration(&flags)
	sync := flags.HorizontalPodAutoscalerSyncPeriod.Duration
	ctx, cancel := context.WithCancel(context.Background())
	controller := podautoscaler.NewHorizontalController(
		ctx, client.CoreV1(), scales, client.AutoscalingV2(), mapper, metrics{s},
		hpaInformer{hpas}, podInformer{pods}, sync,
		flags.HorizontalPodAutoscalerDownscaleStabilizationWindow.Duration,
		flags.HorizontalPodAutoscalerTolerance,
		flags.HorizontalPodAutoscalerCPUInitializationPeriod.Duration,
		flags.HorizontalPodAutoscalerInitialReadinessDelay.Duration,
	)
	go controller.Run(ctx, 1)
	var decided []int32
	for index, value := range t.Values {
		tick := s.begun.Add(time.Duration(index+1) * sync)
		time.Sleep(tick.Add(-before).Sub(time.Now()))
		s.now, s.value = time.Now(), value
		s.show()
		time.Sleep(2 * before)
		decided = append(decided, s.replicas)
	}
	cancel()
	time.Sleep(time.Minute)
	return decided
}

func indexer() cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
}

// informer has what is put into it, and tells of what is there at once.
type informer struct{ cache.Indexer }

func (i informer) Informer() cache.SharedIndexInformer { return informed{indexed: i.Indexer} }

type informed struct {
	cache.SharedIndexInformer
	indexed cache.Indexer
}

func (i informed) HasSynced() bool { return true }

func (i informed) AddEventHandlerWithResyncPeriod(handler cache.ResourceEventHandler, _ time.Duration) (cache.ResourceEventHandlerRegistration, error) {
	for _, object := range i.indexed.List() {
		handler.OnAdd(object, true)
	}
	return nil, nil
}

type hpaInformer struct{ informer }

func (i hpaInformer) Lister() autoscalinglisters.HorizontalPodAutoscalerLister {
	return autoscalinglisters.NewHorizontalPodAutoscalerLister(i.Indexer)
}

type podInformer struct{ informer }

func (i podInformer) Lister() corelisters.PodLister { return corelisters.NewPodLister(i.Indexer) }

// there are the pods that are not gone.
func (s *stage) there() []pod {
	there := append([]pod{}, s.extra...)
	for _, each := range s.made {
		if each.leaving == nil || s.now.Before(each.leaving.Add(time.Duration(s.Leave)*time.Millisecond)) {
			there = append(there, each)
		}
	}
	return there
}

func (s *stage) isRunning(each pod) bool {
	return !s.now.Before(each.created.Add(time.Duration(s.Pending) * time.Millisecond))
}

// show has the controller see the pods as they are.
func (s *stage) show() {
	var objects []interface{}
	for index, each := range s.there() {
		started := metav1.NewTime(each.created.Add(time.Duration(s.Pending) * time.Millisecond))
		ready := metav1.NewTime(each.created.Add(time.Duration(s.Start) * time.Millisecond))
		object := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: fmt.Sprint(index), Labels: map[string]string{"app": name},
			},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name:      "server",
				Resources: corev1.ResourceRequirements{Requests: s.requests()},
			}}},
			Status: corev1.PodStatus{Phase: corev1.PodPending},
		}
		if each.leaving != nil {
			leaving := metav1.NewTime(*each.leaving)
			object.DeletionTimestamp = &leaving
		}
		if s.isRunning(each) {
			condition := corev1.PodCondition{
				Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: started,
			}
			if !s.now.Before(ready.Time) {
				condition.Status, condition.LastTransitionTime = corev1.ConditionTrue, ready
			}
			lost := metav1.NewTime(each.created.Add(time.Duration(s.Lost) * time.Millisecond))
			if s.Lost != 0 && !s.now.Before(lost.Time) {
				condition.Status, condition.LastTransitionTime = corev1.ConditionFalse, lost
			}
			object.Status = corev1.PodStatus{
				Phase: corev1.PodRunning, StartTime: &started, Conditions: []corev1.PodCondition{condition},
			}
		}
		objects = append(objects, object)
	}
	_ = s.pods.Replace(objects, "")
}

func (s *stage) requests() corev1.ResourceList {
	if s.Request == 0 {
		return nil
	}
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(s.Request, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewMilliQuantity(s.Request, resource.DecimalSI),
	}
}

// perPod is what each pod reports that does.
func (s *stage) perPod() (metricsclient.PodMetricsInfo, time.Time, error) {
	info := metricsclient.PodMetricsInfo{}
	if s.value == nil {
		return nil, time.Time{}, errMissing
	}
	running := int64(0)
	for _, each := range s.there() {
		if s.isRunning(each) {
			running++
		}
	}
	for index, each := range s.there() {
		if s.isRunning(each) && (s.Silent == 0 || (index+1)%s.Silent != 0) {
			info[fmt.Sprint(index)] = metricsclient.PodMetric{
				Timestamp: s.now.Add(-measure), Window: window, Value: *s.value / running,
			}
		}
	}
	if len(info) == 0 {
		return nil, time.Time{}, errMissing
	}
	return info, s.now, nil
}

func (s *stage) got(clienttesting.Action) (bool, runtime.Object, error) {
	status := int32(0)
	for _, each := range s.there() {
		if each.leaving == nil {
			status++
		}
	}
	return true, &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       autoscalingv1.ScaleSpec{Replicas: s.replicas},
		Status:     autoscalingv1.ScaleStatus{Replicas: status, Selector: "app=" + name},
	}, nil
}

// updated takes a number of pods: new ones come, or the youngest go.
func (s *stage) updated(action clienttesting.Action) (bool, runtime.Object, error) {
	scale := action.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
	s.replicas = scale.Spec.Replicas
	now, staying := time.Now(), int32(0)
	for index := range s.made {
		if s.made[index].leaving == nil {
			if staying++; staying > s.replicas {
				s.made[index].leaving = &now
			}
		}
	}
	for ; staying < s.replicas; staying++ {
		s.made = append(s.made, pod{created: now})
	}
	return true, scale, nil
}

// metrics are those of the stage.
type metrics struct{ *stage }

func (m metrics) GetResourceMetric(context.Context, corev1.ResourceName, string, labels.Selector, string) (metricsclient.PodMetricsInfo, time.Time, error) {
	return m.perPod()
}

func (m metrics) GetRawMetric(string, string, labels.Selector, labels.Selector) (metricsclient.PodMetricsInfo, time.Time, error) {
	return m.perPod()
}

func (m metrics) GetObjectMetric(string, string, *autoscalingv2.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	if m.value == nil {
		return 0, time.Time{}, errMissing
	}
	return *m.value, m.now, nil
}

func (m metrics) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	if m.value == nil {
		return nil, time.Time{}, errMissing
	}
	return []int64{*m.value}, m.now, nil
}
