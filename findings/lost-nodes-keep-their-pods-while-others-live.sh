#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, its node lifecycle controller and its taint eviction controller with their defaults, run 2026-11-30 (but that pods
# tolerate a lost node for 1 s in place of 300 s). Needs Go; builds for some minutes.
#
# Pods of a node that does not answer are made elsewhere after five minutes, one expects, and the more so the more nodes are lost. So it is
# with one node and with two, and where a whole zone is gone. But where three nodes of a zone are lost, which are 55 % of it or more, and one
# of them still answers, pods of the first at the most are ended, for as long as that lasts: in a zone of up to 50 nodes, no further node is
# tainted. A model on them stays at its count of replicas, of which none answers, so that nobody makes another one. Nodes without a label for
# their zone, as machines of a site may be, are one zone, all together.
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
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
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

// silent takes events to nowhere, which the fake client has no place for.
type silent struct{ *fake.Clientset }

type silentCore struct{ typed.CoreV1Interface }

func (s silent) CoreV1() typed.CoreV1Interface { return silentCore{s.Clientset.CoreV1()} }

func (silentCore) RESTClient() rest.Interface {
	return kubernetes.NewForConfigOrDie(&rest.Config{Host: "http://127.0.0.1:1"}).CoreV1().RESTClient()
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

// ended says how many pods are ended, of those on nodes that are lost, all at the same time.
func ended(size, lost int, zone string) string {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	objects := []runtime.Object{node("well", 0, false), node("well", 1, false)}
	for number := range size {
		there := node(zone, number, false)
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
		silent{client}, 5*time.Second, time.Minute, time.Hour, 0.1, 0.01, 50, 0.55))
	taints := result(tainteviction.New(ctx, silent{client}, pods, nodes, "taint-eviction-controller"))
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())
	go lifecycle.Run(ctx)
	go taints.Run(ctx)
	time.Sleep(7 * time.Second)
	for number := range lost {
		result(client.CoreV1().Nodes().UpdateStatus(ctx, node(zone, number, true), meta.UpdateOptions{}))
	}
	time.Sleep(70 * time.Second)
	lock.Lock()
	defer lock.Unlock()
	switch len(names) {
	case lost:
		return "all"
	case 0, 1: // the rate is set once a round of looking at nodes is over, and the first may be quicker
		return "the first at the most"
	}
	return fmt.Sprint(len(names))
}

func main() {
	trials := []struct {
		size, lost int
		zone       string
	}{{1, 1, "one"}, {2, 1, "one"}, {3, 2, "one"}, {6, 3, "one"}, {5, 3, "one"}, {4, 3, "one"}, {4, 3, ""}, {4, 4, "one"}, {50, 49, "one"}}
	lines, group := make([]string, len(trials)), sync.WaitGroup{}
	for index, trial := range trials {
		group.Go(func() {
			lines[index] = fmt.Sprintf("zone %q, %d of %d nodes lost: pods ended: %s", trial.zone, trial.lost, trial.size, ended(trial.size, trial.lost, trial.zone))
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
zone "one", 1 of 1 nodes lost: pods ended: all
zone "one", 1 of 2 nodes lost: pods ended: all
zone "one", 2 of 3 nodes lost: pods ended: all
zone "one", 3 of 6 nodes lost: pods ended: all
zone "one", 3 of 5 nodes lost: pods ended: the first at the most
zone "one", 3 of 4 nodes lost: pods ended: the first at the most
zone "", 3 of 4 nodes lost: pods ended: the first at the most
zone "one", 4 of 4 nodes lost: pods ended: all
zone "one", 49 of 50 nodes lost: pods ended: the first at the most
SEEN
