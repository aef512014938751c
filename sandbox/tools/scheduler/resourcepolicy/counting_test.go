package resourcepolicy

import (
	"slices"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

var created = time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)

func node(name, card string, pods ...*v1.Pod) fwk.NodeInfo {
	info := framework.NewNodeInfo(pods...)
	info.SetNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"card": card}}})
	return info
}

func pod(name string, changes ...func(*v1.Pod)) *v1.Pod {
	made := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "inference", UID: types.UID(name), Labels: map[string]string{"app": "qwen"},
		},
		Spec: v1.PodSpec{Containers: []v1.Container{{Resources: v1.ResourceRequirements{Requests: cards("1")}}}},
		Status: v1.PodStatus{Conditions: []v1.PodCondition{{
			Type: v1.PodScheduled, Status: v1.ConditionTrue, LastTransitionTime: metav1.NewTime(created.Add(time.Minute)),
		}}},
	}
	for _, change := range changes {
		change(made)
	}
	return made
}

func ends(pod *v1.Pod) { pod.DeletionTimestamp = &metav1.Time{Time: created} }

func early(pod *v1.Pod) {
	pod.Status.Conditions[0].LastTransitionTime = metav1.NewTime(created.Add(-time.Minute))
}

func labelled(key, value string) func(*v1.Pod) {
	return func(pod *v1.Pod) { pod.Labels[key] = value }
}

func annotated(key, value string) func(*v1.Pod) {
	return func(pod *v1.Pod) { pod.Annotations = map[string]string{key: value} }
}

func priority(value int32) func(*v1.Pod) {
	return func(pod *v1.Pod) { pod.Spec.Priority = &value }
}

func never(pod *v1.Pod) {
	policy := v1.PreemptNever
	pod.Spec.PreemptionPolicy = &policy
}

func spec(change func(*Spec)) Spec {
	made := Spec{
		Selector: map[string]string{"app": "qwen"},
		Units: []Unit{
			{Resource: "ecs", NodeSelector: map[string]string{"card": "A10"}},
			{Resource: "ecs", NodeSelector: map[string]string{"card": "T4"}},
		},
	}
	if change != nil {
		change(&made)
	}
	return made
}

func policyOf(t *testing.T, change func(*Spec)) *Policy {
	t.Helper()
	policy, err := New("inference", "qwen", created, spec(change))
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func nobody(types.UID) (int, bool) { return 0, false }

func same(pod *v1.Pod) *v1.Pod { return pod }

var nothing = Knowledge{nobody, same}

func TestAPodEndsThoughItsNodeDoesNotSayItYet(t *testing.T) {
	latest := Knowledge{nobody, func(pod *v1.Pod) *v1.Pod { pod = pod.DeepCopy(); ends(pod); return pod }}
	nodes := []fwk.NodeInfo{node("a10", "A10", pod("a"))}
	if states := Survey(policyOf(t, nil), pod("new"), nodes, latest); !states[a10].Terminating || states[a10].Pods != 0 {
		t.Errorf("got %+v", states)
	}
}

func TestWhichPodsCountAgainstAMax(t *testing.T) {
	no := false
	for _, row := range []struct {
		name   string
		change func(*Spec)
		other  *v1.Pod
		counts bool
	}{
		{"a pod of the policy", nil, pod("a"), true},
		{"no pod of another app", nil, pod("a", labelled("app", "other")), false},
		{"no pod of another namespace", nil, pod("a", func(pod *v1.Pod) { pod.Namespace = "other" }), false},
		{"by default, no pod that ends", nil, pod("a", ends), false},
		{"a pod that ends, where the policy says so", func(spec *Spec) { spec.IgnoreTerminatingPod = &no }, pod("a", ends), true},
		{"by default, a pod of before the policy", nil, pod("a", early), true},
		{"no pod of before the policy, where it says so", func(spec *Spec) { spec.IgnorePreviousPod = true }, pod("a", early), false},
		{"a pod of after it all the same", func(spec *Spec) { spec.IgnorePreviousPod = true }, pod("a"), true},
		{"a pod of the same revision", byRevision, pod("a", labelled("revision", "2")), true},
		{"no pod of another revision", byRevision, pod("a", labelled("revision", "1")), false},
		{"no pod that lacks the unit's labels", withLabel, pod("a"), false},
		{"a pod that has the unit's labels", withLabel, pod("a", labelled("paid", "yes")), true},
		{"a pod without the label that waits for nodes", waiting, pod("a"), true},
		{"no pod that lacks the unit's annotations", withAnnotation, pod("a"), false},
		{"a pod that has the unit's annotations", withAnnotation, pod("a", annotated("paid", "yes")), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			policy := policyOf(t, row.change)
			nodes := []fwk.NodeInfo{node("a10", "A10", row.other), node("t4", "T4", pod("elsewhere"))}
			states := Survey(policy, pod("new", labelled("revision", "2")), nodes, nothing)
			if counts := states[a10].Pods == 1; counts != row.counts {
				t.Errorf("counted %d pods", states[a10].Pods)
			}
			used := states[a10].Used["nvidia.com/gpu"]
			if counts := used.Value() == 1; counts != row.counts {
				t.Errorf("counted %d cards", used.Value())
			}
		})
	}
}

func byRevision(spec *Spec) { spec.MatchLabelKeys = []string{"revision"} }
func withLabel(spec *Spec)  { spec.Units[a10].PodLabels = map[string]string{"paid": "yes"} }
func waiting(spec *Spec)    { spec.Units[a10].PodLabels = map[string]string{WaitForScaling: "true"} }
func withAnnotation(spec *Spec) {
	spec.Units[a10].PodAnnotations = map[string]string{"paid": "yes"}
}

func TestAPodCountsInTheUnitThatItWasPlacedInWhereTwoHaveTheNode(t *testing.T) {
	policy := policyOf(t, func(spec *Spec) { spec.Units[t4].NodeSelector = spec.Units[a10].NodeSelector })
	second := func(types.UID) (int, bool) { return t4, true }
	states := Survey(policy, pod("new"), []fwk.NodeInfo{node("a10", "A10", pod("a"))}, Knowledge{second, same})
	if states[a10].Pods != 0 || states[t4].Pods != 1 {
		t.Errorf("got %+v", states)
	}
}

func TestEveryRevisionIsWaitedForWhereNoPodMayEnd(t *testing.T) {
	policy := policyOf(t, byRevision)
	nodes := []fwk.NodeInfo{node("a10", "A10", pod("a", labelled("revision", "1"), ends))}
	if states := Survey(policy, pod("new", labelled("revision", "2")), nodes, nothing); !states[a10].Terminating {
		t.Errorf("got %+v", states)
	}
}

func TestVictimsAreOfLowerPriorityWhoeverTheyBelongTo(t *testing.T) {
	stranger := labelled("app", "training")
	for _, row := range []struct {
		name    string
		pod     *v1.Pod
		other   *v1.Pod
		victims bool
	}{
		{"lower", pod("new", priority(10)), pod("a", stranger, priority(1)), true},
		{"equal", pod("new", priority(10)), pod("a", stranger, priority(10)), false},
		{"higher", pod("new", priority(10)), pod("a", stranger, priority(11)), false},
		{"a pod without a priority has 0", pod("new", priority(1)), pod("a", stranger), true},
		{"a pod that never preempts has none", pod("new", priority(10), never), pod("a", stranger), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			states := Survey(policyOf(t, nil), row.pod, []fwk.NodeInfo{node("a10", "A10", row.other)}, nothing)
			if states[a10].Victims != row.victims || states[t4].Victims {
				t.Errorf("got %+v", states)
			}
		})
	}
}

func TestWhichUnitANodeIsIn(t *testing.T) {
	overlapping := func(spec *Spec) { spec.Units[t4].NodeSelector = nil }
	for _, row := range []struct {
		name   string
		change func(*Spec)
		card   string
		open   []int
		last   int
		unit   int
		isOpen bool
		isFull bool
	}{
		{"the first", nil, "A10", []int{a10, t4, rest}, rest, a10, true, false},
		{"the second", nil, "T4", []int{a10, t4, rest}, rest, t4, true, false},
		{"none", nil, "L20", []int{a10, t4, rest}, rest, rest, true, false},
		{"none, while that is not tried", nil, "L20", []int{a10}, a10, rest, false, false},
		{"a later one", nil, "T4", []int{a10}, a10, rest, false, false},
		{"a full one is not one of none", nil, "A10", []int{t4, rest}, rest, rest, false, true},
		{"the first of two", overlapping, "A10", []int{a10, t4}, rest, a10, true, false},
		{"the second of two, as the first is full", overlapping, "A10", []int{t4}, rest, t4, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			decision := &Decision{Open: row.open, Last: row.last}
			unit, open, full := UnitOf(policyOf(t, row.change), decision, node("n", row.card).Node())
			if unit != row.unit || open != row.isOpen || full != row.isFull {
				t.Errorf("got unit %d, open %v, full %v", unit, open, full)
			}
		})
	}
}

func TestVirtualNodesAreInUnitsOfEciAndAcsAlone(t *testing.T) {
	virtual := &v1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"type": "virtual-kubelet"}}}
	for resource, has := range map[string]bool{"ecs": false, "": false, "elastic": false, "eci": true, "acs": true} {
		unit := Unit{Resource: resource}
		if unit.Has(virtual) != has || unit.Has(&v1.Node{}) == has {
			t.Errorf("a unit of %q has %v", resource, unit.Has(virtual))
		}
	}
}

func TestAPodGetsTheMarksOfItsUnit(t *testing.T) {
	policy := policyOf(t, func(spec *Spec) {
		spec.Units[t4].PodLabels = map[string]string{WaitForScaling: "true", "paid": "no"}
		spec.Units[t4].PodAnnotations = map[string]string{"note": "elastic"}
	})
	costs := []string{}
	for unit := range []int{a10, t4, rest} {
		written := marks(policy, unit)
		costs = append(costs, written["annotations"].(map[string]string)["controller.kubernetes.io/pod-deletion-cost"])
	}
	if !slices.Equal(costs, []string{"200", "100", "0"}) {
		t.Errorf("the last unit is not the cheapest to leave: %v", costs)
	}
	written := marks(policy, t4)
	if labels := written["labels"].(map[string]string); len(labels) != 1 || labels["paid"] != "no" {
		t.Errorf("got labels %v", labels)
	}
	if written["annotations"].(map[string]string)["note"] != "elastic" {
		t.Errorf("got %v", written)
	}
}
