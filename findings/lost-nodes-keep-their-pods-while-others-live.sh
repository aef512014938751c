#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its node lifecycle controller and its taint eviction controller with their defaults (but for the rate at which
# nodes are tainted, which is 0.1 a second, and the tolerations of pods, which are 300 s), run 2026-11-30. Needs Go; builds for some minutes.
#
# Pods of a node that does not answer are made elsewhere after five minutes, one expects, and the more so the more nodes are lost. So it is
# with one node and with two, and where a whole zone is gone. But where three nodes of a zone are lost, which are more than 55 % of it, and
# one of them still answers, no pod is taken off any of them, for as long as that lasts: for a zone of up to 50 nodes the rate is then zero.
# A model on them stays at its count of replicas, of which none answers, so that nobody makes another one. Nodes without a label for their
# zone, as machines of a site may be, are one zone, all together.
#
# Seen: below, at the end (a zone of so many nodes, of which some are lost, beside another zone that is well; a pod on each lost node).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false -mod=mod"

version=0.34.1
{
	echo 'module finding'
	echo 'go 1.25.0'
	echo "require k8s.io/kubernetes v1.34.1"
	for module in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap \
		code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib \
		dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy \
		kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver; do
		echo "replace k8s.io/$module => k8s.io/$module v$version"
	done
} > go.mod
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/controller/nodelifecycle"
	"k8s.io/kubernetes/pkg/controller/tainteviction"
	"k8s.io/utils/ptr"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func result[T any](value T, err error) T {
	must(err)
	return value
}

func node(zone string, number int, lost bool) *core.Node {
	ready := core.NodeCondition{Type: core.NodeReady, Status: core.ConditionTrue, LastHeartbeatTime: meta.Now(), LastTransitionTime: meta.Now()}
	if lost {
		ready.Status = core.ConditionUnknown
	}
	there := &core.Node{ObjectMeta: meta.ObjectMeta{Name: fmt.Sprint("node-", zone, number), CreationTimestamp: meta.Unix(1, 0)}}
	if zone != "" {
		there.Labels = map[string]string{core.LabelTopologyZone: zone}
	}
	there.Status.Conditions = []core.NodeCondition{ready}
	return there
}

// pod is on a node, and tolerates a second of its silence.
func pod(on string) *core.Pod {
	return &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "chat-" + on, UID: types.UID(on)}, Spec: core.PodSpec{NodeName: on,
		Tolerations: []core.Toleration{{Key: core.TaintNodeUnreachable, Operator: core.TolerationOpExists, Effect: core.TaintEffectNoExecute, TolerationSeconds: ptr.To(int64(1))}}}}
}

// ended counts pods that are ended, of those on nodes that are lost.
func ended(size, lost int, zone string) int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	objects := []runtime.Object{node("well", 0, false), node("well", 1, false)}
	for number := range size {
		there := node(zone, number, number < lost)
		objects = append(objects, there)
		if number < lost {
			objects = append(objects, pod(there.Name))
		}
	}
	client, names, lock := fake.NewClientset(objects...), map[string]bool{}, sync.Mutex{}
	client.PrependReactor("delete", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		lock.Lock()
		defer lock.Unlock()
		names[action.(kubetesting.DeleteAction).GetName()] = true
		return false, nil, nil
	})
	shared := informers.NewSharedInformerFactory(client, 0)
	pods, nodes := shared.Core().V1().Pods(), shared.Core().V1().Nodes()
	lifecycle := result(nodelifecycle.NewNodeLifecycleController(ctx, shared.Coordination().V1().Leases(), pods, nodes, shared.Apps().V1().DaemonSets(),
		client, 200*time.Millisecond, time.Minute, time.Hour, 10, 0.01, 50, 0.55))
	taints := result(tainteviction.New(ctx, client, pods, nodes, "taint-eviction-controller"))
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())
	go lifecycle.Run(ctx)
	go taints.Run(ctx)
	time.Sleep(15 * time.Second)
	lock.Lock()
	defer lock.Unlock()
	return len(names)
}

func main() {
	trials := []struct {
		size, lost int
		zone       string
	}{{2, 1, "one"}, {3, 2, "one"}, {6, 3, "one"}, {5, 3, "one"}, {4, 3, "one"}, {4, 3, ""}, {4, 4, "one"}, {50, 49, "one"}, {51, 50, "one"}}
	lines, group := make([]string, len(trials)), sync.WaitGroup{}
	for index, trial := range trials {
		group.Go(func() {
			count := ended(trial.size, trial.lost, trial.zone)
			lines[index] = fmt.Sprintf("zone %q, %d of %d nodes lost: pods are ended: %v", trial.zone, trial.lost, trial.size, count > 0)
		})
	}
	group.Wait()
	for _, line := range lines {
		fmt.Println(line)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
SEEN
