// Command kubernetes has the controller of HorizontalPodAutoscalers decide on recorded traces, in a
// time of its own.
//
// It reads a JSON list of traces from standard input, and writes a JSON list with the number of pods
// after each decision. The controller runs as it is; pods, their metrics and the scale are played.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
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
		synctest.Test(t, func(*testing.T) { replicas[index] = each.play() })
	}
	return json.NewEncoder(to).Encode(replicas)
}

// trace is a load, what answers it, and who decides; times are milliseconds.
type trace struct {
	Name     string                                 `json:"name"`
	Manifest *autoscalingv2.HorizontalPodAutoscaler `json:"manifest"`
	Replicas int32                                  `json:"replicas"`
	// Values has the load at each decision, in thousandths: all pods together, or what is outside;
	// null where it is missing.
	Values []*int64 `json:"values"`
	// Request is what a pod requests, in thousandths.
	Request int64 `json:"request"`
	// Pending is how long a new pod is pending; Start, until it is ready; Leave, how long it goes.
	Pending int64 `json:"pending"`
	Start   int64 `json:"start"`
	Leave   int64 `json:"leave"`
	// Lost is when a pod that came is not ready again; 0 for never.
	Lost int64 `json:"lost"`
	// Surge are pods beyond those that are asked for, all the time.
	Surge int `json:"surge"`
	// Silent pods report nothing: each of so many; 0 for none.
	Silent int `json:"silent"`
}
