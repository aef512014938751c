package resourcepolicy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/dynamic"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/utils/clock"
)

// Name is what the plugin is called in a KubeSchedulerConfiguration.
const Name = "ResourcePolicy"

const (
	stateKey fwk.StateKey = Name
	// retryAfter lets a failed attempt return to the queue before the pod is taken out of it again.
	retryAfter = 10 * time.Millisecond
	// costStep keeps room between the deletion costs of units.
	costStep = 100
	// Defaults of DefaultPreemptionArgs, which are set only where a configuration is read.
	candidatePercentage, candidateMinimum = 10, 100
)

// Plugin tries pods in the units of their ResourcePolicy. Preemption is the framework's own, and
// asked for where the policy wants it; DefaultPreemption has to be off in the configuration.
type Plugin struct {
	*defaultpreemption.DefaultPreemption
	handle   framework.Handle
	pods     corelisters.PodLister
	policies *store
	memory   *memory
}

var (
	_ framework.PreEnqueuePlugin  = &Plugin{}
	_ framework.PreFilterPlugin   = &Plugin{}
	_ framework.FilterPlugin      = &Plugin{}
	_ framework.PostFilterPlugin  = &Plugin{}
	_ framework.ScorePlugin       = &Plugin{}
	_ framework.ReservePlugin     = &Plugin{}
	_ framework.PreBindPlugin     = &Plugin{}
	_ framework.PostBindPlugin    = &Plugin{}
	_ framework.EnqueueExtensions = &Plugin{}
)

// attempt is what one scheduling cycle knows of its pod.
type attempt struct {
	policy   *Policy
	decision Decision
}

// Clone is for dry runs of preemption, which change nothing of it.
func (a *attempt) Clone() fwk.StateData { return a }

// Start makes the plugin, and returns once it knows every ResourcePolicy.
func Start(ctx context.Context, _ runtime.Object, handle framework.Handle) (framework.Plugin, error) {
	args := &config.DefaultPreemptionArgs{
		MinCandidateNodesPercentage: candidatePercentage, MinCandidateNodesAbsolute: candidateMinimum,
	}
	gates := feature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate)
	preemption, err := defaultpreemption.New(ctx, args, handle, gates)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(handle.KubeConfig())
	if err != nil {
		return nil, err
	}
	pods := handle.SharedInformerFactory().Core().V1().Pods()
	plugin := &Plugin{
		DefaultPreemption: preemption,
		handle:            handle,
		pods:              pods.Lister(),
		policies:          newStore(),
		memory:            newMemory(clock.RealClock{}),
	}
	if _, err := pods.Informer().AddEventHandler(plugin.followsPods(ctx)); err != nil {
		return nil, err
	}
	return plugin, plugin.policies.follow(ctx, client, func(namespace string) {
		plugin.activate(ctx, namespace, labels.Everything())
	})
}

// Name is the plugin's own; without this it would be that of DefaultPreemption.
func (p *Plugin) Name() string { return Name }

// EventsToRegister has what may make a pod schedulable that waits in a unit. What Pod and Node
// events do not say, a timer or followsPods does.
func (p *Plugin) EventsToRegister(context.Context) ([]fwk.ClusterEventWithHint, error) {
	nodes := fwk.Add | fwk.UpdateNodeAllocatable | fwk.UpdateNodeLabel | fwk.UpdateNodeTaint
	return []fwk.ClusterEventWithHint{
		{Event: fwk.ClusterEvent{Resource: fwk.Pod, ActionType: fwk.Delete}},
		{Event: fwk.ClusterEvent{Resource: fwk.Pod, ActionType: fwk.UpdatePodLabel}},
		{Event: fwk.ClusterEvent{Resource: fwk.Node, ActionType: nodes}},
	}, nil
}

// PreFilter decides which units the pod is tried in.
func (p *Plugin) PreFilter(
	_ context.Context, state fwk.CycleState, pod *v1.Pod, nodes []fwk.NodeInfo,
) (*framework.PreFilterResult, *fwk.Status) {
	policies := p.policies.of(pod)
	if len(policies) == 0 {
		return nil, fwk.NewStatus(fwk.Skip)
	}
	if len(policies) > 1 {
		return nil, refuse("%s select the pod, but one policy can", names(policies))
	}
	policy := policies[0]
	if key := policy.Missing(pod); key != "" {
		return nil, refuse("%s asks for the label %s, which the pod lacks", policy, key)
	}
	states := Survey(policy, pod, nodes, Knowledge{p.memory.placed, p.latest})
	for index := range states {
		states[index].Waited = p.memory.waited(pod.UID, index)
	}
	decision := Decide(policy, states, Attempt{
		Requests:  Requests(pod),
		Preempted: p.memory.preempted(pod.UID),
		Nominated: nominated(policy, pod, nodes),
	})
	if decision.Stop == TimeRuns {
		p.memory.waits(pod.UID, decision.Last)
	}
	state.Write(stateKey, &attempt{policy, decision})
	return nil, nil
}

// PreFilterExtensions are not needed: bounds count pods as they are, whoever may be preempted.
func (p *Plugin) PreFilterExtensions() framework.PreFilterExtensions { return nil }

// Filter leaves the nodes of open units.
func (p *Plugin) Filter(_ context.Context, state fwk.CycleState, _ *v1.Pod, node fwk.NodeInfo) *fwk.Status {
	now := read(state)
	if now == nil {
		return nil
	}
	_, open, full := UnitOf(now.policy, &now.decision, node.Node())
	switch {
	case open:
		return nil
	case full:
		return refuse("node(s) of a full unit of %s", now.policy)
	}
	return refuse("node(s) of a later unit of %s", now.policy)
}

// PostFilter preempts, waits or goes on, as none of the open units has room.
func (p *Plugin) PostFilter(
	ctx context.Context, state fwk.CycleState, pod *v1.Pod, statuses framework.NodeToStatusReader,
) (*framework.PostFilterResult, *fwk.Status) {
	now := read(state)
	if now == nil {
		return p.DefaultPreemption.PostFilter(ctx, state, pod, statuses)
	}
	var result *framework.PostFilterResult
	if now.decision.Preempts(now.policy) && canPreempt(pod) {
		for _, unit := range now.decision.Open {
			outcome, status := p.DefaultPreemption.PostFilter(ctx, state, pod, unitReader{statuses, now, unit})
			// It made room, or failed, or waits for pods that it ended before: nil, says Evaluator.Preempt.
			if !status.IsRejected() || outcome == nil {
				return outcome, status
			}
			result = outcome
		}
	}
	p.comesBack(ctx, pod, now)
	return result, fwk.NewStatus(fwk.Unschedulable, now.decision.Explain(now.policy))
}

// comesBack sees to it that the pod is tried again in time.
func (p *Plugin) comesBack(ctx context.Context, pod *v1.Pod, now *attempt) {
	preempted, after := 0, time.Duration(0)
	switch now.decision.Stop {
	case Preemption:
		preempted, after = now.decision.Last+1, retryAfter
	case TimeRuns:
		after = now.decision.Wait
	}
	p.memory.setPreempted(pod.UID, preempted)
	if after == 0 {
		return
	}
	logger := klog.FromContext(ctx)
	p.memory.wake(pod.UID, after, func() {
		p.handle.Activate(logger, map[string]*v1.Pod{pod.Namespace + "/" + pod.Name: pod})
	})
}

// Score puts a node of an earlier unit before all nodes of later ones.
func (p *Plugin) Score(_ context.Context, state fwk.CycleState, _ *v1.Pod, node fwk.NodeInfo) (int64, *fwk.Status) {
	now := read(state)
	if now == nil {
		return 0, nil
	}
	unit, _, _ := UnitOf(now.policy, &now.decision, node.Node())
	return max(framework.MinNodeScore, framework.MaxNodeScore-int64(unit)), nil
}

// ScoreExtensions are not needed: a score is in range as it is.
func (p *Plugin) ScoreExtensions() framework.ScoreExtensions { return nil }

// Reserve notes the unit of the pod before other pods are counted against its max.
func (p *Plugin) Reserve(_ context.Context, state fwk.CycleState, pod *v1.Pod, name string) *fwk.Status {
	now := read(state)
	if now == nil {
		return nil
	}
	node, err := p.handle.SnapshotSharedLister().NodeInfos().Get(name)
	if err != nil {
		return fwk.AsStatus(err)
	}
	unit, _, _ := UnitOf(now.policy, &now.decision, node.Node())
	p.memory.place(pod.UID, unit)
	return nil
}

// Unreserve takes that back.
func (p *Plugin) Unreserve(_ context.Context, _ fwk.CycleState, pod *v1.Pod, _ string) {
	p.memory.displace(pod.UID)
}

// PreBindPreFlight says that a pod with a policy is written to before it is bound.
func (p *Plugin) PreBindPreFlight(_ context.Context, state fwk.CycleState, _ *v1.Pod, _ string) *fwk.Status {
	if read(state) == nil {
		return fwk.NewStatus(fwk.Skip)
	}
	return nil
}

// PreBind writes the labels and annotations of the unit to the pod, and what it costs to end it.
func (p *Plugin) PreBind(ctx context.Context, state fwk.CycleState, pod *v1.Pod, _ string) *fwk.Status {
	now := read(state)
	unit, placed := p.memory.placed(pod.UID)
	if now == nil || !placed {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": marks(now.policy, unit)})
	if err != nil {
		return fwk.AsStatus(err)
	}
	_, err = p.handle.ClientSet().CoreV1().Pods(pod.Namespace).Patch(
		ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{},
	)
	return fwk.AsStatus(err)
}

// PostBind ends the waiting.
func (p *Plugin) PostBind(_ context.Context, _ fwk.CycleState, pod *v1.Pod, _ string) {
	p.memory.settle(pod.UID)
}

// marks are what a pod gets in a unit. A ReplicaSet ends its pods of lowest cost first: those of
// the last unit.
func marks(policy *Policy, unit int) map[string]any {
	written, annotations := map[string]string{}, map[string]string{}
	if unit < len(policy.Units) {
		written = policy.Units[unit].Labels()
		maps.Copy(annotations, policy.Units[unit].PodAnnotations)
	}
	annotations["controller.kubernetes.io/pod-deletion-cost"] = strconv.Itoa((len(policy.Units) - unit) * costStep)
	return map[string]any{"labels": written, "annotations": annotations}
}

// followsPods forgets pods that are gone, and wakes those that wait for others to end: a pod that
// is terminating is no event of the framework, yet no longer counts against a max.
func (p *Plugin) followsPods(ctx context.Context) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(before, after any) {
			old, pod := before.(*v1.Pod), after.(*v1.Pod)
			if pod.Spec.NodeName == "" || pod.DeletionTimestamp == nil || old.DeletionTimestamp != nil {
				return
			}
			for _, policy := range p.policies.of(pod) {
				p.activate(ctx, policy.Namespace, policy.selector)
			}
		},
		DeleteFunc: func(object any) {
			if final, gone := object.(cache.DeletedFinalStateUnknown); gone {
				object = final.Obj
			}
			p.memory.forget(object.(*v1.Pod).UID)
		},
	}
}

// latest is a pod as the informer has it, which is ahead of the nodes; the pod itself if it is gone.
func (p *Plugin) latest(pod *v1.Pod) *v1.Pod {
	if latest, err := p.pods.Pods(pod.Namespace).Get(pod.Name); err == nil && latest.UID == pod.UID {
		return latest
	}
	return pod
}

// activate has the pending pods tried again that are selected.
func (p *Plugin) activate(ctx context.Context, namespace string, selector labels.Selector) {
	pods, err := p.pods.Pods(namespace).List(selector)
	if err != nil {
		return // A lister reads memory alone.
	}
	pending := map[string]*v1.Pod{}
	for _, pod := range pods {
		if pod.Spec.NodeName == "" && pod.DeletionTimestamp == nil {
			pending[pod.Namespace+"/"+pod.Name] = pod
		}
	}
	if len(pending) > 0 {
		p.handle.Activate(klog.FromContext(ctx), pending)
	}
}

// unitReader shows preemption the nodes of one unit.
type unitReader struct {
	framework.NodeToStatusReader
	attempt *attempt
	unit    int
}

// NodesForStatusCode leaves out the nodes of other units.
func (r unitReader) NodesForStatusCode(lister framework.NodeInfoLister, code fwk.Code) ([]fwk.NodeInfo, error) {
	nodes, err := r.NodeToStatusReader.NodesForStatusCode(lister, code)
	return slices.DeleteFunc(nodes, func(node fwk.NodeInfo) bool {
		unit, open, _ := UnitOf(r.attempt.policy, &r.attempt.decision, node.Node())
		return !open || unit != r.unit
	}), err
}

// nominated is the unit of the node that a pod is nominated for; -1 where there is none.
func nominated(policy *Policy, pod *v1.Pod, nodes []fwk.NodeInfo) int {
	for _, node := range nodes {
		if name := pod.Status.NominatedNodeName; name == "" || node.Node().Name != name {
			continue
		}
		return slices.IndexFunc(policy.Units, func(unit Unit) bool { return unit.Has(node.Node()) })
	}
	return -1
}

func read(state fwk.CycleState) *attempt {
	data, err := state.Read(stateKey)
	if err != nil {
		return nil // The pod has no policy.
	}
	return data.(*attempt)
}

func refuse(format string, args ...any) *fwk.Status {
	return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, fmt.Sprintf(format, args...))
}

func names(policies []*Policy) string {
	named := make([]string, len(policies))
	for index, policy := range policies {
		named[index] = policy.String()
	}
	slices.Sort(named)
	return strings.Join(named, " and ")
}
