package resourcepolicy

import (
	"context"
	"fmt"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const syncTimeout = 30 * time.Second

// store holds every ResourcePolicy, read once per change.
type store struct {
	mutex    sync.RWMutex
	policies map[string]map[string]*Policy // by namespace and name
}

func newStore() *store {
	return &store{policies: map[string]map[string]*Policy{}}
}

// follow fills the store, and returns once it has what the API server has.
func (s *store) follow(ctx context.Context, client dynamic.Interface, changed func(namespace string)) error {
	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	informer := factory.ForResource(Resource).Informer()
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { changed(s.set(ctx, object)) },
		UpdateFunc: func(_, object any) { changed(s.set(ctx, object)) },
		DeleteFunc: func(object any) { changed(s.remove(object)) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	synced, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	if !cache.WaitForCacheSync(synced.Done(), registration.HasSynced) {
		return fmt.Errorf("no %s.%s after %s: is its CRD installed?", Resource.Resource, Resource.Group, syncTimeout)
	}
	return nil
}

func (s *store) set(ctx context.Context, object any) string {
	stored := object.(*unstructured.Unstructured)
	policy, err := Read(stored)
	if err != nil {
		klog.FromContext(ctx).Error(err, "ResourcePolicy is left out")
		return s.remove(object)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.policies[policy.Namespace] == nil {
		s.policies[policy.Namespace] = map[string]*Policy{}
	}
	s.policies[policy.Namespace][policy.Name] = policy
	return policy.Namespace
}

func (s *store) remove(object any) string {
	if final, gone := object.(cache.DeletedFinalStateUnknown); gone {
		object = final.Obj
	}
	stored := object.(*unstructured.Unstructured)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.policies[stored.GetNamespace()], stored.GetName())
	return stored.GetNamespace()
}

// of gives the policies that select a pod.
func (s *store) of(pod *v1.Pod) []*Policy {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	var policies []*Policy
	for _, policy := range s.policies[pod.Namespace] {
		if policy.Selects(pod) {
			policies = append(policies, policy)
		}
	}
	return policies
}
