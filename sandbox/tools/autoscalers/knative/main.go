// Command knative has Knative's own pod autoscaler decide on recorded traces, in a time of its own.
//
// It reads a JSON list of traces from standard input, and writes a JSON list with what was decided
// on each. Collector, deciders with their ticks, reconciler, scaler and prober are Knative's; pods,
// the network and the API server are played: what is stored loses fractions of seconds.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"
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
	decided := make([]decisions, len(traces))
	for index, each := range traces {
		synctest.Test(t, func(t *testing.T) {
			var err error
			if decided[index], err = each.play(); err != nil {
				t.Errorf("%s: %v", each.Name, err)
			}
		})
	}
	return json.NewEncoder(to).Encode(decided)
}

// trace is a load, what answers it, and the settings of who decides.
type trace struct {
	Name string `json:"name"`
	// Annotations of the revision, its containerConcurrency, and the data of config-autoscaler.
	Annotations map[string]string `json:"annotations"`
	Limit       int64             `json:"limit"`
	Config      map[string]string `json:"config"`
	Unreachable bool              `json:"unreachable"`
	// Created is when the revision is, in milliseconds; its ticks come every two seconds after.
	Created int64 `json:"created"`
	// Values has the load of each second: the average of requests in hand, or requests with rps.
	Values []float64 `json:"values"`
	// Ready has milliseconds and the pods that are ready from then on; without it, pods that are
	// wanted are ready after Start milliseconds.
	Ready [][2]int64 `json:"ready"`
	Start int64      `json:"start"`
	// Network is how long a change of the way to the pods takes, in milliseconds.
	Network int64 `json:"network"`
}

// decisions are those of each tick, and what came of them when.
type decisions struct {
	// Ticks has: pods, excess burst capacity, whether it is valid, whether in panic.
	Ticks [][4]int64 `json:"ticks"`
	// Changes has: millisecond, pods that the Deployment is asked for, whether through the activator.
	Changes [][3]int64 `json:"changes"`
}

func truth(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
