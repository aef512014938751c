package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	corev1listers "k8s.io/client-go/listers/core/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	netv1alpha1 "knative.dev/networking/pkg/apis/networking/v1alpha1"
	netfake "knative.dev/networking/pkg/client/clientset/versioned/fake"
	netlisters "knative.dev/networking/pkg/client/listers/networking/v1alpha1"
	netcfg "knative.dev/networking/pkg/config"
	"knative.dev/pkg/logging"
	"knative.dev/serving/pkg/activator"
	autoscalingv1alpha1 "knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/apis/serving"
	asconfig "knative.dev/serving/pkg/autoscaler/config"
	asmetrics "knative.dev/serving/pkg/autoscaler/metrics"
	"knative.dev/serving/pkg/autoscaler/scaling"
	servingfake "knative.dev/serving/pkg/client/clientset/versioned/fake"
	listers "knative.dev/serving/pkg/client/listers/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/deployment"
	areconciler "knative.dev/serving/pkg/reconciler/autoscaling"
	"knative.dev/serving/pkg/reconciler/autoscaling/config"
	"knative.dev/serving/pkg/resources"

	"ack-inference.invalid/sandbox/tools/autoscalers/knative/kpa"
)

const (
	namespace = "ns"
	name      = "revision"

	firstRequestAt = 150 * time.Millisecond
	recordAt       = 100 * time.Millisecond
)

var key = types.NamespacedName{Namespace: namespace, Name: name}

// stage is one revision, and all that there is around it.
type stage struct {
	trace
	begun      time.Time
	ctx        context.Context
	autoscaler *asconfigs
	reconciler *kpa.Reconciler
	collector  *asmetrics.MetricCollector
	deciders   *scaling.MultiScaler
	queue      workqueue.TypedDelayingInterface[string]
	net        *netfake.Clientset
	serving    *servingfake.Clientset
	routes     cache.Indexer
	metrics    cache.Indexer
	pods       cache.Indexer

	mux      sync.Mutex
	pa       *autoscalingv1alpha1.PodAutoscaler
	target   *autoscalingv1alpha1.PodScalable
	replicas []time.Time
	ready    int
	decisions
	err error
}

type asconfigs = config.Config

// indexer is a store that a lister reads.
func indexer() cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
}

func (t trace) play() (decisions, error) {
	s := &stage{
		trace:   t,
		begun:   time.Now(),
		queue:   workqueue.NewTypedDelayingQueue[string](),
		net:     netfake.NewSimpleClientset(),
		serving: servingfake.NewSimpleClientset(),
		routes:  indexer(),
		metrics: indexer(),
		pods:    indexer(),
	}
	if err := s.build(); err != nil {
		return decisions{}, err
	}
	done := make(chan struct{})
	go s.work(done)
	s.sleepUntil(time.Duration(t.Created) * time.Millisecond)
	s.begin()
	s.setReady(s.countReady(time.Now()))
	s.enqueue()
	synctest.Wait()
	for second, value := range t.Values {
		s.second(second, value)
	}
	s.deciders.Delete(s.ctx, namespace, name)
	s.collector.Delete(namespace, name)
	s.queue.ShutDown()
	<-done
	time.Sleep(time.Minute) // A probe that is on its way ends by itself.
	return s.decisions, s.err
}

// second plays a second of the load, and has it recorded at its end.
func (s *stage) second(second int, value float64) {
	before := 0.0
	if second > 0 {
		before = s.Values[second-1]
	}
	start := time.Duration(second) * time.Second
	isFirst := value > 0 && before == 0
	if isFirst && start+firstRequestAt > time.Duration(s.Created)*time.Millisecond {
		s.moveTo(start + firstRequestAt)
		stat := asmetrics.Stat{PodName: "activator", AverageConcurrentRequests: 1, RequestCount: 1}
		s.collector.Record(key, time.Now(), stat)
		s.deciders.Poke(key, stat)
		synctest.Wait()
		value -= 1
		if s.pa.Metric() == "concurrency" {
			value = max(value, 0)
		}
	} else {
		isFirst = false
	}
	s.moveTo(start + time.Second + recordAt)
	if value != 0 || isFirst || s.ready > 0 {
		s.collector.Record(key, time.Now(), asmetrics.Stat{
			PodName: "pods", AverageConcurrentRequests: value, RequestCount: value,
		})
	}
}

// moveTo lets time pass, and pods become ready in it.
func (s *stage) moveTo(when time.Duration) {
	for {
		next := s.nextReady()
		if next >= when || next < 0 {
			break
		}
		s.sleepUntil(next)
		s.setReady(s.countReady(time.Now()))
		synctest.Wait()
	}
	s.sleepUntil(when)
	synctest.Wait()
}

func (s *stage) sleepUntil(when time.Duration) {
	time.Sleep(s.begun.Add(when).Sub(time.Now()))
}

// nextReady is when the number of ready pods may change next; -1 for never.
func (s *stage) nextReady() time.Duration {
	s.mux.Lock()
	defer s.mux.Unlock()
	times := s.replicas
	for _, at := range s.Ready {
		times = append(times, s.begun.Add(time.Duration(at[0])*time.Millisecond))
	}
	next := time.Duration(-1)
	for _, from := range times {
		if when := from.Sub(s.begun); from.After(time.Now()) && (next < 0 || when < next) {
			next = when
		}
	}
	return next
}

func (s *stage) countReady(now time.Time) int {
	s.mux.Lock()
	defer s.mux.Unlock()
	ready := 0
	for _, from := range s.replicas {
		if !from.After(now) {
			ready++
		}
	}
	for _, at := range s.Ready {
		if !s.begun.Add(time.Duration(at[0]) * time.Millisecond).After(now) {
			ready = int(at[1])
		}
	}
	return ready
}

// scaled gives the Deployment pods, or takes the youngest away.
func (s *stage) scaled(replicas int) {
	if s.Ready != nil {
		return
	}
	from := time.Now().Truncate(time.Second).Add(time.Duration(s.Start) * time.Millisecond)
	for len(s.replicas) < replicas {
		s.replicas = append(s.replicas, from)
	}
	s.replicas = s.replicas[:replicas]
}

func (s *stage) setReady(ready int) {
	if ready == s.ready {
		return
	}
	s.ready = ready
	var objects []interface{}
	for index := range ready {
		objects = append(objects, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: fmt.Sprint(index),
				Labels: map[string]string{serving.RevisionLabelKey: name},
			},
			Status: corev1.PodStatus{
				Phase:      corev1.PodRunning,
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			},
		})
	}
	_ = s.pods.Replace(objects, "")
	s.route()
	s.enqueue()
}

func (s *stage) enqueue() { s.queue.Add(name) }

// work reconciles what is in the queue, as the controller does.
func (s *stage) work(done chan<- struct{}) {
	defer close(done)
	for {
		item, ended := s.queue.Get()
		if ended {
			return
		}
		if err := s.reconcile(); err != nil && s.err == nil {
			s.err = err
		}
		s.queue.Done(item)
	}
}

func (s *stage) reconcile() error {
	before := s.pa.DeepCopy()
	if err := s.reconciler.ReconcileKind(s.ctx, s.pa); err != nil {
		return err
	}
	stored(s.pa)
	metric, err := s.serving.AutoscalingV1alpha1().Metrics(namespace).Get(s.ctx, name, metav1.GetOptions{})
	if err == nil {
		_ = s.metrics.Add(metric)
		if err := s.collector.CreateOrUpdate(metric); err != nil {
			return err
		}
	}
	s.route()
	s.setReady(s.countReady(time.Now()))
	if !reflect.DeepEqual(before.Status, s.pa.Status) {
		s.enqueue()
	}
	s.note()
	return nil
}

// note keeps what is asked of Deployment and network, where it changed.
func (s *stage) note() {
	route := s.storedRoute()
	if route == nil {
		return
	}
	now := [3]int64{
		time.Since(s.begun).Milliseconds(), int64(*s.target.Spec.Replicas),
		truth(route.Spec.Mode == netv1alpha1.SKSOperationModeProxy),
	}
	last := len(s.Changes) - 1
	switch {
	case last < 0:
		s.Changes = append(s.Changes, now)
	case s.Changes[last][0] == now[0]:
		s.Changes[last] = now
		if last > 0 && s.Changes[last-1][1] == now[1] && s.Changes[last-1][2] == now[2] {
			s.Changes = s.Changes[:last]
		}
	case s.Changes[last][1] != now[1] || s.Changes[last][2] != now[2]:
		s.Changes = append(s.Changes, now)
	}
}

func (s *stage) storedRoute() *netv1alpha1.ServerlessService {
	item, exists, _ := s.routes.GetByKey(namespace + "/" + name)
	if !exists {
		return nil
	}
	return item.(*netv1alpha1.ServerlessService)
}

// route does what the reconciler of ServerlessServices does to their status.
func (s *stage) route() {
	route, err := s.net.NetworkingV1alpha1().ServerlessServices(namespace).Get(s.ctx, name, metav1.GetOptions{})
	if err != nil {
		return
	}
	route = route.DeepCopy()
	if last := s.storedRoute(); last != nil {
		route.Status = *last.Status.DeepCopy()
	} else {
		route.Status.InitializeConditions()
	}
	route.Status.ServiceName, route.Status.PrivateServiceName = name, name+"-private"
	if s.ready > 0 {
		route.Status.MarkEndpointsReady()
	} else {
		route.Status.MarkEndpointsNotReady("NoHealthyBackends")
	}
	if s.ready == 0 || route.Spec.Mode == netv1alpha1.SKSOperationModeProxy {
		route.Status.MarkActivatorEndpointsPopulated()
	} else {
		route.Status.MarkActivatorEndpointsRemoved()
	}
	stored(route)
	if last := s.storedRoute(); last == nil || !reflect.DeepEqual(last, route) {
		_ = s.routes.Add(route)
		s.enqueue()
	}
}

// stored is what an API server gives back: without fractions of seconds.
func stored[T any](object *T) {
	text, err := json.Marshal(object)
	if err == nil {
		*object = *new(T)
		err = json.Unmarshal(text, object)
	}
	if err != nil {
		panic(err)
	}
}

// RoundTrip answers a probe: the activator does, once it is before the pods everywhere.
func (s *stage) RoundTrip(*http.Request) (*http.Response, error) {
	body := "pod"
	if route := s.storedRoute(); route.Status.ProxyFor() > 0 || s.isBacked(route) {
		since := route.Status.GetCondition(netv1alpha1.ActivatorEndpointsPopulated).LastTransitionTime.Inner.Time
		if time.Since(since) >= time.Duration(s.Network)*time.Millisecond {
			body = activator.Name
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (s *stage) isBacked(route *netv1alpha1.ServerlessService) bool {
	condition := route.Status.GetCondition(netv1alpha1.ActivatorEndpointsPopulated)
	return condition != nil && condition.IsTrue()
}

// watched keeps what a decider decides at each tick.
type watched struct {
	scaling.UniScaler
	stage *stage
}

func (w watched) Scale(logger *zap.SugaredLogger, now time.Time) scaling.ScaleResult {
	result := w.UniScaler.Scale(logger, now)
	panicking := !reflect.ValueOf(w.UniScaler).Elem().FieldByName("panicTime").IsZero()
	w.stage.Ticks = append(w.stage.Ticks, [4]int64{
		int64(result.DesiredPodCount), int64(result.ExcessBurstCapacity), truth(result.ScaleValid),
		truth(panicking),
	})
	return result
}

func (s *stage) build() error {
	autoscaler, err := asconfig.NewConfigFromMap(s.Config)
	if err != nil {
		return err
	}
	deployments, err := deployment.NewConfigFromMap(map[string]string{"queue-sidecar-image": "image"})
	if err != nil {
		return err
	}
	logger := zap.NewNop().Sugar()
	ctx := logging.WithLogger(context.Background(), logger)
	s.ctx = config.ToContext(ctx, &config.Config{Autoscaler: autoscaler, Deployment: deployments, Network: &netcfg.Config{}})
	pods := corev1listers.NewPodLister(s.pods)
	s.collector = asmetrics.NewMetricCollector(
		func(*autoscalingv1alpha1.Metric, *zap.SugaredLogger) (asmetrics.StatsScraper, error) { return nil, nil }, logger)
	s.deciders = scaling.NewMultiScaler(make(chan struct{}), func(decider *scaling.Decider) (scaling.UniScaler, error) {
		scaler := scaling.New(attribute.NewSet(), noop.NewMeterProvider(), namespace, name, s.collector,
			resources.NewPodAccessor(pods, namespace, name), &decider.Spec)
		return watched{scaler, s}, nil
	}, logger)
	s.deciders.Watch(func(types.NamespacedName) { s.enqueue() })
	client := dynamicfake.NewSimpleDynamicClient(runtime.NewScheme())
	client.PrependReactor("patch", "deployments", s.patched)
	s.reconciler = kpa.Door(
		&areconciler.Base{
			Client: s.serving, NetworkingClient: s.net,
			SKSLister:    netlisters.NewServerlessServiceLister(s.routes),
			MetricLister: listers.NewMetricLister(s.metrics),
		},
		pods, s.deciders,
		func(gvr schema.GroupVersionResource) (cache.GenericLister, error) {
			targets := indexer()
			_ = targets.Add(s.target)
			return cache.NewGenericLister(targets, gvr.GroupResource()), nil
		},
		client, s, func(_ interface{}, after time.Duration) { s.queue.AddAfter(name, after) },
	)
	return nil
}

// begin makes the revision: its Deployment has the initial scale.
func (s *stage) begin() {
	cfg := config.FromContext(s.ctx).Autoscaler
	reachability := autoscalingv1alpha1.ReachabilityReachable
	if s.Unreachable {
		reachability = autoscalingv1alpha1.ReachabilityUnreachable
	}
	s.pa = &autoscalingv1alpha1.PodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, UID: "uid", Annotations: s.Annotations,
			Labels: map[string]string{
				serving.RevisionLabelKey: name, serving.ConfigurationLabelKey: name,
			},
		},
		Spec: autoscalingv1alpha1.PodAutoscalerSpec{
			ContainerConcurrency: s.Limit,
			ScaleTargetRef:       corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name},
			Reachability:         reachability,
		},
	}
	s.pa.Status.InitializeConditions()
	stored(s.pa)
	initial := cfg.InitialScale
	if scale, ok := s.pa.InitialScale(); ok && (scale > 0 || cfg.AllowZeroInitialScale) {
		initial = scale
	}
	s.target = &autoscalingv1alpha1.PodScalable{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       autoscalingv1alpha1.PodScalableSpec{Replicas: &initial},
	}
	s.scaled(int(initial))
}

// patched takes a number of pods for the Deployment.
func (s *stage) patched(action clienttesting.Action) (bool, runtime.Object, error) {
	var patch []struct{ Value int32 }
	if err := json.Unmarshal(action.(clienttesting.PatchAction).GetPatch(), &patch); err != nil {
		return true, nil, err
	}
	s.mux.Lock()
	defer s.mux.Unlock()
	s.target = s.target.DeepCopy()
	s.target.Spec.Replicas = &patch[0].Value
	s.scaled(int(patch[0].Value))
	return true, nil, nil
}
