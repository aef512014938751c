package resourcepolicy

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// memory is what is known of pods from one attempt to the next, until they are gone. It starts
// empty with the scheduler: a pod that waits then waits anew.
type memory struct {
	clock clock.WithDelayedExecution
	mutex sync.Mutex
	pods  map[types.UID]*record
}

type record struct {
	unit      int
	placed    bool
	preempted int
	since     map[int]time.Time
	timer     clock.Timer
}

func newMemory(clock clock.WithDelayedExecution) *memory {
	return &memory{clock: clock, pods: map[types.UID]*record{}}
}

func (m *memory) of(uid types.UID) *record {
	if m.pods[uid] == nil {
		m.pods[uid] = &record{since: map[int]time.Time{}}
	}
	return m.pods[uid]
}

// placed is the unit that a pod was scheduled in.
func (m *memory) placed(uid types.UID) (int, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	pod := m.pods[uid]
	if pod == nil || !pod.placed {
		return 0, false
	}
	return pod.unit, true
}

// place notes the unit that a pod is scheduled in; displace takes it back.
func (m *memory) place(uid types.UID, unit int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	pod := m.of(uid)
	pod.unit, pod.placed = unit, true
}

func (m *memory) displace(uid types.UID) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if pod := m.pods[uid]; pod != nil {
		pod.placed = false
	}
}

// waited is how long a pod has waited in a unit.
func (m *memory) waited(uid types.UID, unit int) time.Duration {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	pod := m.pods[uid]
	if pod == nil {
		return 0
	}
	since, waits := pod.since[unit]
	if !waits {
		return 0
	}
	return m.clock.Since(since)
}

// waits notes that a pod waits in a unit from now on, unless it does already.
func (m *memory) waits(uid types.UID, unit int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	pod := m.of(uid)
	if _, already := pod.since[unit]; !already {
		pod.since[unit] = m.clock.Now()
	}
}

// wake calls back after a while, once per pod.
func (m *memory) wake(uid types.UID, after time.Duration, callback func()) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	pod := m.of(uid)
	if pod.timer != nil {
		pod.timer.Stop()
	}
	pod.timer = m.clock.AfterFunc(after, callback)
}

// preempted is in how many units, from the first, preemption was tried in vain just now.
func (m *memory) preempted(uid types.UID) int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if pod := m.pods[uid]; pod != nil {
		return pod.preempted
	}
	return 0
}

func (m *memory) setPreempted(uid types.UID, units int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.of(uid).preempted = units
}

// settle ends the waiting of a pod that is bound.
func (m *memory) settle(uid types.UID) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if pod := m.pods[uid]; pod != nil {
		if pod.timer != nil {
			pod.timer.Stop()
		}
		*pod = record{unit: pod.unit, placed: pod.placed, since: map[int]time.Time{}}
	}
}

// forget drops what is known of a pod that is gone.
func (m *memory) forget(uid types.UID) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if pod := m.pods[uid]; pod != nil && pod.timer != nil {
		pod.timer.Stop()
	}
	delete(m.pods, uid)
}
