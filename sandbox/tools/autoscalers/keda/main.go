// Command keda has KEDA's own executor scale on recorded loads, in a time of its own.
//
// It reads a JSON list of traces from standard input, and writes a JSON list with the number of pods
// after each poll. The executor is KEDA's; whether a trigger is active, and what the HPA did since
// the last poll, are in the trace.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scaling/executor"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func main() {
	// Bubbles with a time of their own are to be had in a test only; its report is no answer.
	answer := os.Stdout
	os.Stdout = os.Stderr
	everything := func(string, string) (bool, error) { return true, nil }
	testing.Main(everything, []testing.InternalTest{{Name: "traces", F: func(t *testing.T) {
		if err := run(t, os.Stdin, answer); err != nil {
			t.Error(err)
		}
	}}}, nil, nil)
}

func run(t *testing.T, from io.Reader, to io.Writer) error {
	var traces []trace
	decoder := json.NewDecoder(from)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&traces); err != nil {
		return fmt.Errorf("reading the traces: %w", err)
	}
	replicas := make([][]int32, len(traces))
	for index, each := range traces {
		synctest.Test(t, func(t *testing.T) {
			var err error
			if replicas[index], err = each.play(); err != nil {
				t.Errorf("%s: %v", each.Name, err)
			}
		})
	}
	return json.NewEncoder(to).Encode(replicas)
}

type trace struct {
	Name     string                     `json:"name"`
	Manifest *kedav1alpha1.ScaledObject `json:"manifest"`
	Replicas int32                      `json:"replicas"`
	// Created is when the object was, in milliseconds; it is polled from then on.
	Created int64  `json:"created"`
	Polls   []poll `json:"polls"`
}

// poll is what KEDA finds: whether a trigger is active, or gives an error; and what the HPA has made
// of the number of pods since, or nothing.
type poll struct {
	Active bool   `json:"active"`
	Failed bool   `json:"failed"`
	Scaled *int32 `json:"scaled"`
}

func (t trace) play() ([]int32, error) {
	time.Sleep(time.Duration(t.Created) * time.Millisecond)
	object := t.Manifest.DeepCopy()
	object.Namespace, object.Name = "ns", "model"
	object.CreationTimestamp = metav1.NewTime(time.Now().Truncate(time.Second))
	object.Status.ScaleTargetGVKR = &kedav1alpha1.GroupVersionKindResource{
		Group: "leaderworkerset.x-k8s.io", Version: "v1", Kind: "LeaderWorkerSet", Resource: "leaderworkersets",
	}
	replicas := t.Replicas
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}, nil
	})
	scales.AddReactor("update", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		scale := action.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		replicas = scale.Spec.Replicas
		return true, scale, nil
	})
	scheme := runtime.NewScheme()
	if err := kedav1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	client := fake.NewClientBuilder().WithScheme(scheme).Build()
	scaler := executor.NewScaleExecutor(client, scales, scheme, time.Second, events.NewFakeRecorder(10000))
	withTriggers, err := kedav1alpha1.AsDuckWithTriggers(object)
	if err != nil {
		return nil, err
	}
	var decided []int32
	for _, each := range t.Polls {
		if each.Scaled != nil && replicas > 0 {
			replicas = *each.Scaled
		}
		result := scaler.RequestScale(context.Background(), object, each.Active, each.Failed, executor.ScaleExecutorOptions{})
		if result.Error != nil {
			return nil, result.Error
		}
		if result.LastActiveTime != nil {
			// An API server stores whole seconds.
			stored := metav1.NewTime(result.LastActiveTime.Truncate(time.Second))
			object.Status.LastActiveTime = &stored
		}
		decided = append(decided, replicas)
		time.Sleep(withTriggers.GetPollingInterval())
	}
	return decided, nil
}
