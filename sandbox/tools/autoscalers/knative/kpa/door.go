// Package kpa is Knative's own reconciler of that name, with a door: when this program is built, the
// files of knative.dev/serving/pkg/reconciler/autoscaling/kpa are laid beside this one, as they are.
package kpa

import (
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	netprober "knative.dev/networking/pkg/prober"
	areconciler "knative.dev/serving/pkg/reconciler/autoscaling"
	"knative.dev/serving/pkg/reconciler/autoscaling/kpa/resources"
)

// Door is a reconciler with what it talks to: clients, listers, the way to the pods, and its queue.
func Door(
	base *areconciler.Base,
	pods corev1listers.PodLister,
	deciders resources.Deciders,
	targets func(schema.GroupVersionResource) (cache.GenericLister, error),
	client dynamic.Interface,
	transport http.RoundTripper,
	enqueueAfter func(interface{}, time.Duration),
) *Reconciler {
	return &Reconciler{
		Base:       base,
		podsLister: pods,
		deciders:   deciders,
		scaler: &scaler{
			listerFactory:  targets,
			dynamicClient:  client,
			transport:      transport,
			activatorProbe: activatorProbe,
			probeManager: netprober.New(func(arg interface{}, _ bool, _ error) {
				enqueueAfter(arg, reenqeuePeriod)
			}, transport),
			enqueueCB: enqueueAfter,
		},
	}
}
