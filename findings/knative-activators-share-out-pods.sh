#!/usr/bin/env bash
# Knative Serving v0.50.0 (Go module knative.dev/serving), the throttler of its activator, run 2026-11-30. Needs Go.
#
# `containerConcurrency` is how many requests a pod is given at once, and the activator holds the others "until a pod has room". It stands
# before the pods nearly always: only where they could take target-burst-capacity (200) requests more than they have does it step aside.
# One expects that a request goes to whichever pod has room, as it does with one activator. But with a limit, and then alone, several
# activators share out the pods, each pod to one of them. With two pods and two activators (by high availability, or by the activator's own
# HPA) a request that comes to the activator of the busy pod waits, while the other pod is idle; of three pods, one activator has a single
# one. One pod alone is everybody's: each activator may give it as much as its limit. Without a limit every activator knows all pods, and
# takes the one of two that has less.
#
# Seen: below, at the end (8 requests that take long, all to the first activator: what each pod has in hand).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false"

# The throttler is not exported: the test stands beside it, in a copy of the module.
module=$(go mod download -json knative.dev/serving@v0.50.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module/pkg" "$module/go.mod" "$module/go.sum" .
chmod -R u+w .
rm pkg/activator/net/*_test.go
cat > pkg/activator/net/share_test.go <<'GO'
package net

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"knative.dev/serving/pkg/queue"
)

func course(t *testing.T, limit, activators, pods int) {
	room := queue.BreakerParams{QueueDepth: breakerQueueDepth, MaxConcurrency: revisionMaxConcurrency}
	first := newRevisionThrottler(types.NamespacedName{Namespace: "a", Name: "qwen-00001"}, limit, "http", room, zap.NewNop().Sugar())
	ready := corev1.EndpointSubset{Ports: []corev1.EndpointPort{{Name: "http", Port: 8012}}}
	for i := range activators {
		ready.Addresses = append(ready.Addresses, corev1.EndpointAddress{IP: fmt.Sprint("10.0.0.", 1+i)})
	}
	first.handlePubEpsUpdate(&corev1.Endpoints{Subsets: []corev1.EndpointSubset{ready}}, "10.0.0.1")
	dests, inHand := sets.New[string](), make([]int, pods)
	for i := range pods {
		dests.Insert(fmt.Sprint(i))
	}
	first.handleUpdate(revisionDestsUpdate{Dests: dests})

	ctx, end := context.WithCancel(t.Context())
	for range 8 {
		go first.try(ctx, func(dest string, _ bool) error {
			var pod int
			fmt.Sscan(dest, &pod)
			inHand[pod]++
			<-ctx.Done()
			return nil
		})
		synctest.Wait() // one after the other
	}
	sent := 0
	for _, number := range inHand {
		sent += number
	}
	fmt.Printf("seen: limit %d, activators %d: pods have %v, waiting %d\n", limit, activators, inHand, 8-sent)
	end()
}

func TestShare(t *testing.T) {
	for _, trial := range [][3]int{{4, 1, 2}, {4, 2, 2}, {4, 1, 3}, {4, 2, 3}, {4, 2, 1}, {0, 2, 2}} {
		synctest.Test(t, func(t *testing.T) { course(t, trial[0], trial[1], trial[2]) })
	}
}
GO
go test -count 1 -v ./pkg/activator/net -run TestShare > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
limit 4, activators 1: pods have [4 4], waiting 0
limit 4, activators 2: pods have [4 0], waiting 4
limit 4, activators 1: pods have [3 3 2], waiting 0
limit 4, activators 2: pods have [4 0 4], waiting 0
limit 4, activators 2: pods have [4], waiting 4
limit 0, activators 2: pods have [4 4], waiting 0
SEEN
