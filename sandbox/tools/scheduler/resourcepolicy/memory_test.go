package resourcepolicy

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

func TestAPodWaitsFromItsFirstAttemptInAUnit(t *testing.T) {
	clock := clocktesting.NewFakeClock(created)
	memory := newMemory(clock)
	if memory.waited("a", a10) != 0 {
		t.Error("a pod has waited before it was tried")
	}
	memory.waits("a", a10)
	clock.Step(time.Minute)
	memory.waits("a", a10) // A second attempt does not begin anew.
	clock.Step(time.Minute)
	memory.waits("a", t4)
	if memory.waited("a", a10) != 2*time.Minute || memory.waited("a", t4) != 0 || memory.waited("b", a10) != 0 {
		t.Errorf("got %v and %v", memory.waited("a", a10), memory.waited("a", t4))
	}
}

func TestAPodIsWokenOnceByItsLastTimer(t *testing.T) {
	clock := clocktesting.NewFakeClock(created)
	memory := newMemory(clock)
	woken := make(chan string, 2)
	memory.wake("a", time.Minute, func() { woken <- "early" })
	memory.wake("a", time.Hour, func() { woken <- "late" })
	clock.Step(time.Hour)
	if got := <-woken; got != "late" || len(woken) != 0 {
		t.Errorf("woken by the %s timer", got)
	}
}

func TestABoundPodKeepsItsUnitAndStopsWaiting(t *testing.T) {
	clock := clocktesting.NewFakeClock(created)
	memory := newMemory(clock)
	memory.waits("a", a10)
	memory.setPreempted("a", 1)
	memory.wake("a", time.Minute, func() { t.Error("a bound pod is woken") })
	memory.place("a", t4)
	memory.settle("a")
	clock.Step(time.Hour)
	if unit, placed := memory.placed("a"); unit != t4 || !placed || memory.waited("a", a10) != 0 || memory.preempted("a") != 0 {
		t.Errorf("got unit %d, %v", unit, placed)
	}
}

func TestAPodThatWasNotBoundIsInNoUnit(t *testing.T) {
	memory := newMemory(clocktesting.NewFakeClock(created))
	memory.place("a", t4)
	memory.displace("a")
	if _, placed := memory.placed("a"); placed {
		t.Error("it still counts")
	}
}

func TestNothingIsKeptOfAPodThatIsGone(t *testing.T) {
	clock := clocktesting.NewFakeClock(created)
	memory := newMemory(clock)
	memory.wake("a", time.Minute, func() { t.Error("a pod that is gone is woken") })
	memory.place("a", t4)
	memory.forget("a")
	clock.Step(time.Hour)
	if len(memory.pods) != 0 {
		t.Errorf("kept %v", memory.pods)
	}
}
