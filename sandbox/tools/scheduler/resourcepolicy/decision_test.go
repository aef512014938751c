package resourcepolicy

import (
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const a10, t4, rest = 0, 1, 2

func two(when When, change func(*Policy)) *Policy {
	policy := &Policy{
		Name:    "qwen",
		When:    when,
		Timeout: DefaultTimeout,
		Units: []Unit{
			{Resource: "ecs", NodeSelector: map[string]string{"card": "A10"}},
			{Resource: "ecs", NodeSelector: map[string]string{"card": "T4"}},
		},
	}
	if change != nil {
		change(policy)
	}
	return policy
}

func most(pods int32) func(*Policy) {
	return func(policy *Policy) { policy.Units[a10].Max = &pods }
}

func waits(policy *Policy) {
	policy.Units[a10].PodLabels = map[string]string{WaitForScaling: "true"}
}

func cards(amount string) v1.ResourceList {
	return v1.ResourceList{"nvidia.com/gpu": resource.MustParse(amount)}
}

func mostCards(amount string) func(*Policy) {
	return func(policy *Policy) { policy.Units[a10].MaxResources = cards(amount) }
}

func TestWhichUnitsAPodIsTriedIn(t *testing.T) {
	long := DefaultTimeout + time.Second
	everywhere, first, others := []int{a10, t4, rest}, []int{a10}, []int{t4, rest}
	for _, row := range []struct {
		name   string
		when   When
		change func(*Policy)
		a10    UnitState
		open   []int
		stop   Stop
		wait   time.Duration
	}{
		{"by default, all at once", LackResourceOrExceedMax, nil, UnitState{}, everywhere, Nowhere, 0},
		{"by default, a max that is not reached keeps nobody", LackResourceOrExceedMax, most(2), UnitState{Pods: 1}, everywhere, Nowhere, 0},
		{"by default, a full unit is left out", LackResourceOrExceedMax, most(2), UnitState{Pods: 2}, others, Nowhere, 0},
		{"by default, nobody waits for nodes", LackResourceOrExceedMax, waits, UnitState{}, everywhere, Nowhere, 0},
		{"by default, pods that end keep nobody", LackResourceOrExceedMax, nil, UnitState{Terminating: true}, everywhere, Nowhere, 0},

		{"ExceedMax waits for a max", ExceedMax, most(2), UnitState{Pods: 1}, first, MaxNotReached, 0},
		{"ExceedMax waits for it for ever", ExceedMax, most(2), UnitState{Pods: 1, Waited: long}, first, MaxNotReached, 0},
		{"ExceedMax goes on at the max", ExceedMax, most(2), UnitState{Pods: 2}, others, Nowhere, 0},
		{"ExceedMax goes on beyond the max", ExceedMax, most(2), UnitState{Pods: 3}, others, Nowhere, 0},
		{"ExceedMax goes on without a max", ExceedMax, nil, UnitState{}, everywhere, Nowhere, 0},
		{"ExceedMax goes on without a max, whatever waits for nodes", ExceedMax, waits, UnitState{}, everywhere, Nowhere, 0},
		{"ExceedMax waits for maxResources", ExceedMax, mostCards("2"), UnitState{Used: cards("1")}, first, MaxNotReached, 0},
		{"ExceedMax goes on where maxResources would be exceeded", ExceedMax, mostCards("2"), UnitState{Used: cards("2")}, others, Nowhere, 0},

		{"TimeoutOrExceedMax waits for a max", TimeoutOrExceedMax, most(2), UnitState{Pods: 1}, first, TimeRuns, DefaultTimeout},
		{"TimeoutOrExceedMax waits for what is left", TimeoutOrExceedMax, most(2), UnitState{Waited: time.Minute}, first, TimeRuns, DefaultTimeout - time.Minute},
		{"TimeoutOrExceedMax goes on after the time", TimeoutOrExceedMax, most(2), UnitState{Waited: DefaultTimeout}, everywhere, Nowhere, 0},
		{"TimeoutOrExceedMax goes on at the max", TimeoutOrExceedMax, most(2), UnitState{Pods: 2}, others, Nowhere, 0},
		{"TimeoutOrExceedMax waits for nodes", TimeoutOrExceedMax, waits, UnitState{}, first, TimeRuns, DefaultTimeout},
		{"TimeoutOrExceedMax goes on when no node came", TimeoutOrExceedMax, waits, UnitState{Waited: long}, everywhere, Nowhere, 0},
		{"TimeoutOrExceedMax goes on without max or label", TimeoutOrExceedMax, nil, UnitState{}, everywhere, Nowhere, 0},
		{"TimeoutOrExceedMax waits for maxResources", TimeoutOrExceedMax, mostCards("2"), UnitState{}, first, TimeRuns, DefaultTimeout},

		{"Timeout waits in any unit", Timeout, nil, UnitState{}, first, TimeRuns, DefaultTimeout},
		{"Timeout waits in a full unit too", Timeout, most(2), UnitState{Pods: 2}, nil, TimeRuns, DefaultTimeout},
		{"Timeout goes on after the time", Timeout, most(2), UnitState{Pods: 2, Waited: long}, others, Stop(-1), 0},

		{"NoTerminating goes on where no pod ends", LackResourceAndNoTerminating, nil, UnitState{}, everywhere, Nowhere, 0},
		{"NoTerminating waits while a pod ends", LackResourceAndNoTerminating, nil, UnitState{Terminating: true}, first, PodsEnd, 0},
		{"NoTerminating waits in a full unit too", LackResourceAndNoTerminating, most(1), UnitState{Pods: 1, Terminating: true}, nil, PodsEnd, 0},
		{"NoTerminating goes on at the max", LackResourceAndNoTerminating, most(1), UnitState{Pods: 1}, others, Nowhere, 0},

		{"maxResources may be reached", LackResourceOrExceedMax, mostCards("2"), UnitState{Used: cards("1")}, everywhere, Nowhere, 0},
		{"maxResources may not be exceeded", LackResourceOrExceedMax, mostCards("2"), UnitState{Used: cards("2")}, others, Nowhere, 0},
		{"a max of 0 keeps everybody out", LackResourceOrExceedMax, most(0), UnitState{}, others, Nowhere, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			states := []UnitState{row.a10, {Waited: long}}
			if row.stop == Stop(-1) { // Timeout holds in the second unit as well.
				states[t4].Waited = long
				row.stop = Nowhere
			}
			decision := Decide(two(row.when, row.change), states, Attempt{Requests: cards("1"), Nominated: -1})
			if !slices.Equal(decision.Open, row.open) || decision.Stop != row.stop || decision.Wait != row.wait {
				t.Errorf("got %+v, want open %v, stop %v, wait %v", decision, row.open, row.stop, row.wait)
			}
		})
	}
}

func TestPreemptionComesBeforeTheNextUnitOnlyWhereThePolicySaysSo(t *testing.T) {
	before := func(policy *Policy) { policy.BeforeNextUnit = true }
	full := func(policy *Policy) { before(policy); most(1)(policy) }
	for _, row := range []struct {
		name    string
		change  func(*Policy)
		a10, t4 UnitState
		tried   int
		last    int
		stop    Stop
		asks    bool
	}{
		{"before: a unit with victims keeps the pod", before, UnitState{Victims: true}, UnitState{}, 0, a10, Preemption, true},
		{"before: a unit without lets it go", before, UnitState{}, UnitState{}, 0, rest, Nowhere, true},
		{"before: tried in vain, it goes on", before, UnitState{Victims: true}, UnitState{}, 1, rest, Nowhere, true},
		{"before: then the next unit keeps it", before, UnitState{Victims: true}, UnitState{Victims: true}, 1, t4, Preemption, true},
		{"before: a full unit has nothing to preempt for", full, UnitState{Victims: true, Pods: 1}, UnitState{}, 0, rest, Nowhere, true},
		{"after: victims keep nobody", nil, UnitState{Victims: true}, UnitState{Victims: true}, 0, rest, Nowhere, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			policy := two(LackResourceOrExceedMax, row.change)
			decision := Decide(policy, []UnitState{row.a10, row.t4}, Attempt{Preempted: row.tried, Nominated: -1})
			if decision.Last != row.last || decision.Stop != row.stop || decision.Preempts(policy) != row.asks {
				t.Errorf("got %+v, want last %d, stop %v", decision, row.last, row.stop)
			}
		})
	}
}

func TestPreemptionAfterAllUnitsDoesNotComeWhileAPodWaitsInAnEarlierOne(t *testing.T) {
	states := []UnitState{{Victims: true}, {}}
	after := two(TimeoutOrExceedMax, waits)
	decision := Decide(after, states, Attempt{Nominated: -1})
	if decision.Preempts(after) {
		t.Error("preempts in the first of two units")
	}
	before := two(TimeoutOrExceedMax, waits)
	before.BeforeNextUnit = true
	if decision := Decide(before, states, Attempt{Nominated: -1}); !decision.Preempts(before) || decision.Stop != TimeRuns {
		t.Errorf("BeforeNextUnit waits without preemption: %+v", decision)
	}
}

func TestPreemptionAfterAllUnitsComesWhileAPodWaitsInTheLast(t *testing.T) {
	policy := two(TimeoutOrExceedMax, func(policy *Policy) {
		policy.Units[t4].PodLabels = map[string]string{WaitForScaling: "true"}
	})
	decision := Decide(policy, []UnitState{{}, {}}, Attempt{Nominated: -1})
	if decision.Last != t4 || decision.Stop != TimeRuns || !decision.Preempts(policy) {
		t.Errorf("got %+v", decision)
	}
}

func TestAPodIsNotHeldBackFromTheNodeThatRoomIsMadeOn(t *testing.T) {
	policy := two(ExceedMax, most(2))
	decision := Decide(policy, []UnitState{{}, {}}, Attempt{Nominated: t4})
	if !slices.Equal(decision.Open, []int{a10, t4, rest}) {
		t.Errorf("got %+v", decision)
	}
}

func TestNodesOfNoUnitAreLeftOutWhereTheStrategyIsRequired(t *testing.T) {
	policy := two(LackResourceOrExceedMax, func(policy *Policy) { policy.Required = true })
	decision := Decide(policy, []UnitState{{}, {}}, Attempt{Nominated: -1})
	if !slices.Equal(decision.Open, []int{a10, t4}) {
		t.Errorf("got %+v", decision)
	}
}

func TestAPolicyWithoutUnitsLeavesEveryNode(t *testing.T) {
	decision := Decide(&Policy{}, nil, Attempt{Nominated: -1})
	if !slices.Equal(decision.Open, []int{0}) || !decision.Preempts(&Policy{}) {
		t.Errorf("got %+v", decision)
	}
}

func TestAPodIsToldWhyItWaits(t *testing.T) {
	for stop, words := range map[Stop]string{
		Preemption:    "goes on to the next unit",
		TimeRuns:      "waits in unit 1 of ResourcePolicy qwen for 1m30s",
		MaxNotReached: "whose max is not reached",
		PodsEnd:       "where pods are terminating",
		Nowhere:       "no unit of ResourcePolicy qwen has room",
	} {
		decision := Decision{Stop: stop, Wait: 90 * time.Second}
		if got := decision.Explain(two(Timeout, nil)); !strings.Contains(got, words) {
			t.Errorf("got %q, want %q in it", got, words)
		}
	}
}
