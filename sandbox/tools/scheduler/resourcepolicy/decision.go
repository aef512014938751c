package resourcepolicy

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
)

// UnitState is what a unit looks like to a pod that may go there.
type UnitState struct {
	// Pods counts against the unit's max.
	Pods int
	// Used counts against its maxResources.
	Used v1.ResourceList
	// Terminating says whether a pod of the policy is ending there.
	Terminating bool
	// Victims says whether a pod runs there that the pod may preempt.
	Victims bool
	// Waited is how long the pod has waited in it.
	Waited time.Duration
}

// Attempt is what is known of a pod before it is tried once more.
type Attempt struct {
	Requests v1.ResourceList
	// Preempted is in how many units, from the first, preemption was tried in vain just now.
	Preempted int
	// Nominated is the unit of the node that preemption makes room on; -1 where there is none.
	Nominated int
}

// Stop says why a pod does not go on to further units by itself.
type Stop int

const (
	// Nowhere is left to go: every unit is tried.
	Nowhere Stop = iota
	// Preemption is tried in the unit before the next one.
	Preemption
	// TimeRuns in the unit: the pod waits for new nodes, or for others to end.
	TimeRuns
	// MaxNotReached in the unit, which ExceedMax makes the pod wait for.
	MaxNotReached
	// PodsEnd in the unit, which LackResourceAndNoTerminating makes the pod wait for.
	PodsEnd
)

// Decision is which units a pod is tried in at once. The first of them that has room gets it.
type Decision struct {
	// Open has the units in order. Those that are full are left out. len(units) stands for the
	// nodes that are in no unit.
	Open []int
	// Last is the unit that the pod does not go beyond; len(units) where it goes everywhere.
	Last int
	Stop Stop
	// Wait is how long it stays there at most; 0 where no time is set.
	Wait time.Duration
}

// Decide says which units a pod is tried in, were each of them without room.
func Decide(policy *Policy, states []UnitState, attempt Attempt) Decision {
	decision := Decision{}
	for index := range policy.Units {
		unit, state := &policy.Units[index], &states[index]
		full := isFull(unit, state, attempt.Requests)
		if !full {
			decision.Open = append(decision.Open, index)
		}
		if index < attempt.Nominated {
			continue
		}
		stop, wait := stopsIn(policy, unit, state, full)
		if stop == Nowhere && policy.BeforeNextUnit && !full && state.Victims && index >= attempt.Preempted {
			stop = Preemption
		}
		if stop != Nowhere {
			decision.Last, decision.Stop, decision.Wait = index, stop, wait
			return decision
		}
	}
	decision.Last = len(policy.Units)
	if !policy.Required {
		decision.Open = append(decision.Open, decision.Last)
	}
	return decision
}

// Preempts says whether preemption is tried now that none of the open units has room.
func (d *Decision) Preempts(policy *Policy) bool {
	return policy.BeforeNextUnit || d.Last >= len(policy.Units)-1
}

func isFull(unit *Unit, state *UnitState, requests v1.ResourceList) bool {
	if unit.Max != nil && state.Pods >= int(*unit.Max) {
		return true
	}
	for name, most := range unit.MaxResources {
		sum := state.Used[name].DeepCopy()
		sum.Add(requests[name])
		if sum.Cmp(most) > 0 {
			return true
		}
	}
	return false
}

// stopsIn says what keeps a pod in a unit that is full or has no room.
func stopsIn(policy *Policy, unit *Unit, state *UnitState, full bool) (Stop, time.Duration) {
	left := policy.Timeout - state.Waited
	switch policy.When {
	case ExceedMax:
		if unit.Bounded() && !full {
			return MaxNotReached, 0
		}
	case LackResourceAndNoTerminating:
		if state.Terminating {
			return PodsEnd, 0
		}
	case TimeoutOrExceedMax:
		if !full && left > 0 && (unit.Bounded() || unit.Waits()) {
			return TimeRuns, left
		}
	case Timeout:
		if left > 0 {
			return TimeRuns, left
		}
	}
	return Nowhere, 0
}

// Explain says in words why the pod waits, for its events.
func (d *Decision) Explain(policy *Policy) string {
	unit := fmt.Sprintf("unit %d of %s", d.Last+1, policy)
	switch d.Stop {
	case Preemption:
		return fmt.Sprintf("goes on to the next unit, as preemption makes no room in %s", unit)
	case TimeRuns:
		return fmt.Sprintf("waits in %s for %s", unit, d.Wait.Round(time.Second))
	case MaxNotReached:
		return fmt.Sprintf("waits in %s, whose max is not reached", unit)
	case PodsEnd:
		return fmt.Sprintf("waits in %s, where pods are terminating", unit)
	}
	return fmt.Sprintf("no unit of %s has room", policy)
}
