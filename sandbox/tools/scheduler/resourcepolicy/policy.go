// Package resourcepolicy is a plugin of the real kube-scheduler that does what ACK documents of
// ResourcePolicy. The README beside the module has the page, and what is assumed where it is silent.
package resourcepolicy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resource is where the API server serves ResourcePolicies.
var Resource = schema.GroupVersionResource{
	Group: "scheduling.alibabacloud.com", Version: "v1alpha1", Resource: "resourcepolicies",
}

// WaitForScaling is the pod label of a unit that waits for new nodes; pods never get it.
const WaitForScaling = "k8s.aliyun.com/resource-policy-wait-for-ecs-scaling"

// DefaultTimeout is how long a pod waits in a unit where the policy does not say it.
const DefaultTimeout = 15 * time.Minute

// When says what lets a pod go on to the next unit, in the spelling of the CRD. The documentation
// writes NoTerminating, which is read as well.
type When string

const (
	LackResourceOrExceedMax      When = "LackResourceOrExceedMax"
	LackResourceAndNoTerminating When = "LackResourceAndNoterminating"
	ExceedMax                    When = "ExceedMax"
	TimeoutOrExceedMax           When = "TimeoutOrExceedMax"
	Timeout                      When = "Timeout"
)

const (
	beforeNextUnit   = "BeforeNextUnit"
	strategyRequired = "required"
)

// Unit is one kind of capacity.
type Unit struct {
	Resource       string            `json:"resource"`
	NodeSelector   map[string]string `json:"nodeSelector"`
	Max            *int32            `json:"max"`
	MaxResources   v1.ResourceList   `json:"maxResources"`
	PodLabels      map[string]string `json:"podLabels"`
	PodAnnotations map[string]string `json:"podAnnotations"`
}

// Spec is the part of a ResourcePolicy that is read.
type Spec struct {
	Selector             map[string]string                 `json:"selector"`
	MatchExpressions     []metav1.LabelSelectorRequirement `json:"matchExpressions"`
	Strategy             string                            `json:"strategy"`
	PreemptPolicy        string                            `json:"preemptPolicy"`
	IgnorePreviousPod    bool                              `json:"ignorePreviousPod"`
	IgnoreTerminatingPod *bool                             `json:"ignoreTerminatingPod"`
	MatchLabelKeys       []string                          `json:"matchLabelKeys"`
	WhenTryNextUnits     struct {
		Policy  When             `json:"policy"`
		Timeout *metav1.Duration `json:"timeout"`
	} `json:"whenTryNextUnits"`
	Units []Unit `json:"units"`
}

// Policy is a ResourcePolicy with its defaults filled in.
type Policy struct {
	Namespace, Name   string
	Created           time.Time
	Units             []Unit
	When              When
	Timeout           time.Duration
	BeforeNextUnit    bool
	Required          bool
	IgnorePrevious    bool
	IgnoreTerminating bool
	MatchLabelKeys    []string
	selector          labels.Selector
}

// Read makes a policy of the object that the API server stores.
func Read(object *unstructured.Unstructured) (*Policy, error) {
	var stored struct {
		Spec Spec `json:"spec"`
	}
	content := map[string]any{"spec": object.Object["spec"]}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &stored); err != nil {
		return nil, fmt.Errorf("read ResourcePolicy %s/%s: %w", object.GetNamespace(), object.GetName(), err)
	}
	return New(object.GetNamespace(), object.GetName(), object.GetCreationTimestamp().Time, stored.Spec)
}

// New fills in the defaults of a spec.
func New(namespace, name string, created time.Time, spec Spec) (*Policy, error) {
	selector, err := metav1.LabelSelectorAsSelector(&metav1.LabelSelector{
		MatchLabels: spec.Selector, MatchExpressions: spec.MatchExpressions,
	})
	if err != nil {
		return nil, fmt.Errorf("select pods by ResourcePolicy %s/%s: %w", namespace, name, err)
	}
	when, err := readWhen(spec.WhenTryNextUnits.Policy)
	if err != nil {
		return nil, fmt.Errorf("ResourcePolicy %s/%s: %w", namespace, name, err)
	}
	policy := &Policy{
		Namespace: namespace, Name: name, Created: created,
		Units:             spec.Units,
		When:              when,
		Timeout:           DefaultTimeout,
		BeforeNextUnit:    spec.PreemptPolicy == beforeNextUnit,
		Required:          spec.Strategy == strategyRequired,
		IgnorePrevious:    spec.IgnorePreviousPod,
		IgnoreTerminating: spec.IgnoreTerminatingPod == nil || *spec.IgnoreTerminatingPod,
		MatchLabelKeys:    spec.MatchLabelKeys,
		selector:          selector,
	}
	if timeout := spec.WhenTryNextUnits.Timeout; timeout != nil {
		policy.Timeout = timeout.Duration
	}
	return policy, nil
}

func readWhen(when When) (When, error) {
	when = cmp.Or(when, LackResourceOrExceedMax)
	for _, policy := range []When{
		LackResourceOrExceedMax, LackResourceAndNoTerminating, ExceedMax, TimeoutOrExceedMax, Timeout,
	} {
		if strings.EqualFold(string(when), string(policy)) {
			return policy, nil
		}
	}
	return "", fmt.Errorf("whenTryNextUnits.policy %q is not known", when)
}

// Selects says whether the policy is for a pod.
func (p *Policy) Selects(pod *v1.Pod) bool {
	return pod.Namespace == p.Namespace && p.selector.Matches(labels.Set(pod.Labels))
}

// Missing names the first label of matchLabelKeys that a pod lacks; empty where it has all.
func (p *Policy) Missing(pod *v1.Pod) string {
	for _, key := range p.MatchLabelKeys {
		if _, has := pod.Labels[key]; !has {
			return key
		}
	}
	return ""
}

// String names the policy as people do.
func (p *Policy) String() string {
	return fmt.Sprintf("ResourcePolicy %s", p.Name)
}

// Bounded says whether the unit takes only so much.
func (u *Unit) Bounded() bool {
	return u.Max != nil || len(u.MaxResources) > 0
}

// Waits says whether the unit waits for new nodes.
func (u *Unit) Waits() bool {
	return u.PodLabels[WaitForScaling] == "true"
}

// Labels are the labels that pods get in the unit.
func (u *Unit) Labels() map[string]string {
	written := map[string]string{}
	for key, value := range u.PodLabels {
		if key != WaitForScaling {
			written[key] = value
		}
	}
	return written
}

// virtual is the label of ACK's virtual nodes, which elastic container instances and ACS run behind.
const virtualKey, virtualValue = "type", "virtual-kubelet"

// Has says whether a node belongs to the unit.
func (u *Unit) Has(node *v1.Node) bool {
	virtual := node.Labels[virtualKey] == virtualValue
	if onVirtual := u.Resource == "eci" || u.Resource == "acs"; onVirtual != virtual {
		return false
	}
	return labels.SelectorFromSet(u.NodeSelector).Matches(labels.Set(node.Labels))
}
