// Package gang does what ACK documents of gang scheduling: pods that name a group by a label are
// bound once as many of them have a node as another label says, and not before.
//
// "Use gang scheduling", help.aliyun.com, 2026-09-21. What no page says: how long those wait that
// have a node already; see patience.
package gang

import (
	"context"
	"fmt"
	"strconv"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

const (
	// Name is what the plugin is called in a KubeSchedulerConfiguration.
	Name = "Gang"
	// GroupLabel names the group of a pod, in its namespace.
	GroupLabel = "pod-group.scheduling.sigs.k8s.io/name"
	// SizeLabel is how many pods of the group there have to be room for.
	SizeLabel = "pod-group.scheduling.sigs.k8s.io/min-available"
	// patience is how long a pod keeps its place for the others.
	patience = 20 * time.Second
)

// Plugin holds pods back until their group is whole.
type Plugin struct {
	handle framework.Handle
	pods   corelisters.PodLister
}

var (
	_ framework.PreFilterPlugin   = &Plugin{}
	_ framework.PermitPlugin      = &Plugin{}
	_ framework.EnqueueExtensions = &Plugin{}
)

// Start makes the plugin.
func Start(_ context.Context, _ runtime.Object, handle framework.Handle) (framework.Plugin, error) {
	return &Plugin{handle, handle.SharedInformerFactory().Core().V1().Pods().Lister()}, nil
}

// Name is the plugin's.
func (p *Plugin) Name() string { return Name }

// EventsToRegister has what may make a group whole.
func (p *Plugin) EventsToRegister(context.Context) ([]fwk.ClusterEventWithHint, error) {
	return []fwk.ClusterEventWithHint{
		{Event: fwk.ClusterEvent{Resource: fwk.Pod, ActionType: fwk.Add | fwk.Delete | fwk.UpdatePodLabel}},
		{Event: fwk.ClusterEvent{Resource: fwk.Node, ActionType: fwk.Add | fwk.UpdateNodeTaint}},
	}, nil
}

// PreFilter does not try a pod of whose group too few are there.
func (p *Plugin) PreFilter(
	_ context.Context, _ fwk.CycleState, pod *v1.Pod, _ []fwk.NodeInfo,
) (*framework.PreFilterResult, *fwk.Status) {
	group, size := Of(pod)
	if size == 0 {
		return nil, fwk.NewStatus(fwk.Skip)
	}
	if members := p.members(pod.Namespace, group); len(members) < size {
		text := fmt.Sprintf("group %s has %d of %d pods", group, len(members), size)
		return nil, fwk.NewStatus(fwk.UnschedulableAndUnresolvable, text)
	}
	return nil, nil
}

// PreFilterExtensions are not needed: a preempted pod makes no group whole.
func (p *Plugin) PreFilterExtensions() framework.PreFilterExtensions { return nil }

// Permit binds a pod, and all that wait for it, once the group is whole.
func (p *Plugin) Permit(ctx context.Context, _ fwk.CycleState, pod *v1.Pod, _ string) (*fwk.Status, time.Duration) {
	group, size := Of(pod)
	if size == 0 {
		return nil, 0
	}
	var waiting []framework.WaitingPod
	p.handle.IterateOverWaitingPods(func(other framework.WaitingPod) {
		if name, _ := Of(other.GetPod()); name == group && other.GetPod().Namespace == pod.Namespace {
			waiting = append(waiting, other)
		}
	})
	placed, pending := 1+len(waiting), map[string]*v1.Pod{}
	for _, member := range p.members(pod.Namespace, group) {
		if member.Spec.NodeName != "" {
			placed++
		} else if member.UID != pod.UID {
			pending[member.Namespace+"/"+member.Name] = member
		}
	}
	if placed < size {
		// They may have failed while there was no room: they are tried beside this one.
		p.handle.Activate(klog.FromContext(ctx), pending)
		return fwk.NewStatus(fwk.Wait, fmt.Sprintf("%d of %d pods of group %s have a node", placed, size, group)), patience
	}
	for _, other := range waiting {
		other.Allow(Name)
	}
	return nil, 0
}

// Of is the group of a pod and its size; 0 for a pod of none.
func Of(pod *v1.Pod) (string, int) {
	size, err := strconv.Atoi(pod.Labels[SizeLabel])
	if group := pod.Labels[GroupLabel]; group != "" && err == nil && size > 1 {
		return group, size
	}
	return "", 0
}

// members are the pods of a group that are not ending.
func (p *Plugin) members(namespace, group string) []*v1.Pod {
	pods, err := p.pods.Pods(namespace).List(labels.SelectorFromSet(labels.Set{GroupLabel: group}))
	if err != nil {
		return nil // A lister reads memory alone.
	}
	members := make([]*v1.Pod, 0, len(pods))
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil && pod.Status.Phase != v1.PodSucceeded && pod.Status.Phase != v1.PodFailed {
			members = append(members, pod)
		}
	}
	return members
}
