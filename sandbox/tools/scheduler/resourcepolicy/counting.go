package resourcepolicy

import (
	"maps"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/resource"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	fwk "k8s.io/kube-scheduler/framework"
)

// Knowledge is what the nodes that a cycle sees do not say of their pods.
type Knowledge struct {
	// Placed is the unit that a pod was scheduled in.
	Placed func(types.UID) (unit int, known bool)
	// Latest is a pod as it was last heard of. The framework hands a new pod out before it has
	// noted on the nodes what it heard earlier, such as that the old one is ending.
	Latest func(*v1.Pod) *v1.Pod
}

// Survey says what the units look like to a pod.
func Survey(policy *Policy, pod *v1.Pod, nodes []fwk.NodeInfo, knowledge Knowledge) []UnitState {
	states := make([]UnitState, len(policy.Units))
	for _, node := range nodes {
		for index := range policy.Units {
			if !policy.Units[index].Has(node.Node()) {
				continue
			}
			for _, info := range node.GetPods() {
				states[index].add(policy, index, pod, info.GetPod(), knowledge)
			}
		}
	}
	return states
}

func (s *UnitState) add(policy *Policy, index int, pod, other *v1.Pod, knowledge Knowledge) {
	if canPreempt(pod) && corev1helpers.PodPriority(other) < corev1helpers.PodPriority(pod) {
		s.Victims = true
	}
	if !policy.Selects(other) {
		return
	}
	if other = knowledge.Latest(other); !isOf(policy, index, other, knowledge) {
		return
	}
	ends := other.DeletionTimestamp != nil
	s.Terminating = s.Terminating || ends
	if (ends && policy.IgnoreTerminating) || !sameGroup(policy, pod, other) {
		return
	}
	if policy.IgnorePrevious && scheduledAt(other).Before(policy.Created) {
		return
	}
	s.Pods++
	s.Used = sum(s.Used, Requests(other))
}

// isOf says whether a pod on a node of the unit is counted as one of its pods.
func isOf(policy *Policy, index int, pod *v1.Pod, knowledge Knowledge) bool {
	if unit, known := knowledge.Placed(pod.UID); known {
		return unit == index
	}
	unit := &policy.Units[index]
	return contains(pod.Labels, unit.Labels()) && contains(pod.Annotations, unit.PodAnnotations)
}

func sameGroup(policy *Policy, pod, other *v1.Pod) bool {
	for _, key := range policy.MatchLabelKeys {
		if pod.Labels[key] != other.Labels[key] {
			return false
		}
	}
	return true
}

// UnitOf is the unit, among open ones, that a pod takes on a node. Nodes of no unit are in unit
// len(units). full says, where there is none, that a unit of the node is reached but full.
func UnitOf(policy *Policy, decision *Decision, node *v1.Node) (unit int, open, full bool) {
	inUnit := false
	for index := range policy.Units {
		if !policy.Units[index].Has(node) {
			continue
		}
		inUnit = true
		if isOpen(decision, index) {
			return index, true, false
		}
		full = full || index <= decision.Last
	}
	rest := len(policy.Units)
	return rest, !inUnit && isOpen(decision, rest), full
}

func isOpen(decision *Decision, index int) bool {
	for _, open := range decision.Open {
		if open == index {
			return true
		}
	}
	return false
}

// Requests is what a pod takes of a node.
func Requests(pod *v1.Pod) v1.ResourceList {
	return resource.PodRequests(pod, resource.PodResourcesOptions{})
}

func sum(left, right v1.ResourceList) v1.ResourceList {
	total := v1.ResourceList{}
	maps.Copy(total, left)
	for name, quantity := range right {
		added := total[name].DeepCopy()
		added.Add(quantity)
		total[name] = added
	}
	return total
}

func contains(labels, wanted map[string]string) bool {
	for key, value := range wanted {
		if actual, has := labels[key]; !has || actual != value {
			return false
		}
	}
	return true
}

func scheduledAt(pod *v1.Pod) time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == v1.PodScheduled && condition.Status == v1.ConditionTrue {
			return condition.LastTransitionTime.Time
		}
	}
	// Assumed a moment ago, and not yet stored.
	return time.Now()
}

func canPreempt(pod *v1.Pod) bool {
	return pod.Spec.PreemptionPolicy == nil || *pod.Spec.PreemptionPolicy != v1.PreemptNever
}
