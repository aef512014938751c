package resourcepolicy

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func object(spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "scheduling.alibabacloud.com/v1alpha1",
		"kind":       "ResourcePolicy",
		"metadata":   map[string]any{"name": "qwen", "namespace": "inference", "creationTimestamp": "2026-11-29T08:00:00Z"},
		"spec":       spec,
	}}
}

func TestAPolicyIsReadAsItIsStored(t *testing.T) {
	policy, err := Read(object(map[string]any{
		"selector":             map[string]any{"app": "qwen"},
		"matchExpressions":     []any{map[string]any{"key": "tier", "operator": "In", "values": []any{"gold"}}},
		"strategy":             "required",
		"preemptPolicy":        "BeforeNextUnit",
		"ignorePreviousPod":    true,
		"ignoreTerminatingPod": false,
		"matchLabelKeys":       []any{"pod-template-hash"},
		"whenTryNextUnits":     map[string]any{"policy": "TimeoutOrExceedMax", "timeout": "90s"},
		"units": []any{map[string]any{
			"resource": "ecs", "max": int64(2), "maxResources": map[string]any{"nvidia.com/gpu": int64(3), "cpu": "500m"},
			"nodeSelector": map[string]any{"card": "A10"}, "podLabels": map[string]any{WaitForScaling: "true"},
		}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	unit := policy.Units[0]
	gpus, cpu := unit.MaxResources["nvidia.com/gpu"], unit.MaxResources["cpu"]
	switch {
	case policy.When != TimeoutOrExceedMax, policy.Timeout != 90*time.Second, !policy.BeforeNextUnit, !policy.Required:
		t.Errorf("got %+v", policy)
	case !policy.IgnorePrevious, policy.IgnoreTerminating, !policy.Created.Equal(created):
		t.Errorf("got %+v", policy)
	case *unit.Max != 2, gpus.Value() != 3, cpu.MilliValue() != 500, !unit.Waits(), !unit.Bounded():
		t.Errorf("got %+v", unit)
	case !policy.Selects(pod("a", labelled("tier", "gold"))), policy.Selects(pod("a")):
		t.Error("matchExpressions are left out")
	case policy.Missing(pod("a")) != "pod-template-hash", policy.Missing(pod("a", labelled("pod-template-hash", "1"))) != "":
		t.Error("matchLabelKeys are left out")
	}
}

func TestWhatAPolicyLeavesOutHasTheDocumentedDefault(t *testing.T) {
	policy, err := Read(object(map[string]any{}))
	if err != nil {
		t.Fatal(err)
	}
	if policy.When != LackResourceOrExceedMax || policy.Timeout != 15*time.Minute || policy.BeforeNextUnit ||
		policy.IgnorePrevious || !policy.IgnoreTerminating || policy.Required {
		t.Errorf("got %+v", policy)
	}
	if !policy.Selects(pod("a")) {
		t.Error("an empty selector does not select every pod of the namespace")
	}
}

func TestBothSpellingsOfNoTerminatingAreRead(t *testing.T) {
	for _, spelling := range []string{"LackResourceAndNoTerminating", "LackResourceAndNoterminating"} {
		policy, err := Read(object(map[string]any{"whenTryNextUnits": map[string]any{"policy": spelling}}))
		if err != nil || policy.When != LackResourceAndNoTerminating {
			t.Errorf("%s: got %v, %v", spelling, policy, err)
		}
	}
}

func TestAPolicyThatCannotBeReadIsNamed(t *testing.T) {
	for _, spec := range []map[string]any{
		{"whenTryNextUnits": map[string]any{"policy": "Sometimes"}},
		{"matchExpressions": []any{map[string]any{"key": "tier", "operator": "Around"}}},
		{"units": "none"},
	} {
		if _, err := Read(object(spec)); err == nil || !strings.Contains(err.Error(), "inference/qwen") {
			t.Errorf("%v: got %v", spec, err)
		}
	}
}
