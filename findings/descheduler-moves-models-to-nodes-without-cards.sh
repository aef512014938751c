#!/usr/bin/env bash
# The descheduler v0.36.0 (Go module sigs.k8s.io/descheduler), one round with policies as its documents have them, run 2026-12-01. Needs Go;
# builds for some minutes.
#
# LowNodeUtilization moves pods from full nodes to those that have room, for them, one expects. But a node counts as one with room by the
# resources that the policy names, cpu, memory and pods as a rule: a model of eight cards, which asks for most of its node's CPUs, is evicted
# since nodes without a card are idle, while it loads or serves, and again in the next round, five minutes later: there is no other node for
# it. What asks the scheduler's questions is `nodeFit`, and that is off by default. To name `nvidia.com/gpu` in the policy helps the model, and
# ends all moving wherever idle nodes have no card: of each resource that is named, some has to be free. Whether it is evicted at all hangs
# on its /dev/shm: a pod with an emptyDir is left alone by default.
#
# Seen: below, at the end (a GPU node, of whose 96 CPUs a model has 64, a CPU node that is full of a website, and two that are idle).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false -mod=mod"

cat > go.mod <<'MOD'
module finding

go 1.26.0

require sigs.k8s.io/descheduler v0.36.0

replace k8s.io/kube-openapi => k8s.io/kube-openapi v0.0.0-20260512234627-ef417d054102
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	policies "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/descheduler/cmd/descheduler/app/options"
	"sigs.k8s.io/descheduler/pkg/descheduler"
	"sigs.k8s.io/descheduler/pkg/features"
	"sigs.k8s.io/descheduler/pkg/framework/pluginregistry"
)

const card = "nvidia.com/gpu"

func result[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func amounts(cpu, cards string) core.ResourceList {
	list := core.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse("1Gi")}
	if cards != "0" {
		list[card] = resource.MustParse(cards)
	}
	return list
}

func node(name, cpu, cards string) *core.Node {
	there := &core.Node{ObjectMeta: meta.ObjectMeta{Name: name}}
	room := amounts(cpu, cards)
	room["memory"], room["pods"] = resource.MustParse("400Gi"), resource.MustParse("100")
	there.Status.Capacity, there.Status.Allocatable = room, room
	there.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue}}
	return there
}

func pod(name, on string, ready bool, needs core.ResourceList, volumes ...core.Volume) *core.Pod {
	owner := meta.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: name, UID: "1", Controller: ptr.To(true)}
	there := &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: name, UID: types.UID(name), OwnerReferences: []meta.OwnerReference{owner}}}
	there.Spec = core.PodSpec{NodeName: on, Volumes: volumes, Containers: []core.Container{{Name: "a", Image: "a",
		Resources: core.ResourceRequirements{Requests: needs, Limits: needs}}}}
	status := map[bool]core.ConditionStatus{true: core.ConditionTrue, false: core.ConditionFalse}[ready]
	there.Status = core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: status}}}
	return there
}

func policy(fit bool, resources ...string) string {
	thresholds := func(value int) string {
		pairs := []string{}
		for _, name := range resources {
			pairs = append(pairs, fmt.Sprintf("%s: %d", name, value))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	return fmt.Sprintf(`
apiVersion: descheduler/v1alpha2
kind: DeschedulerPolicy
profiles:
- name: default
  pluginConfig:
  - name: DefaultEvictor
    args: {nodeFit: %v}
  - name: LowNodeUtilization
    args:
      thresholds: %s
      targetThresholds: %s
  plugins:
    balance: {enabled: [LowNodeUtilization]}
`, fit, thresholds(20), thresholds(50))
}

// evicted is whom a round evicts, beside a website of 30 CPUs on one of three CPU nodes.
func evicted(says string, model *core.Pod) string {
	ctx := context.Background()
	objects := []runtime.Object{node("gpu-0", "96", "8"), node("cpu-0", "32", "0"), node("cpu-1", "32", "0"), node("cpu-2", "32", "0"),
		model, pod("web-0", "cpu-0", true, amounts("15", "0")), pod("web-1", "cpu-0", true, amounts("15", "0"))}
	client, names := fake.NewClientset(objects...), []string{}
	client.PrependReactor("create", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		if action.GetSubresource() == "eviction" {
			name, _, _ := strings.Cut(action.(kubetesting.CreateAction).GetObject().(*policies.Eviction).Name, "-") // either pod of the website
			names = append(names, name)
			return true, nil, nil
		}
		return false, nil, nil
	})
	file := result(os.CreateTemp("", ""))
	defer os.Remove(file.Name())
	result(file.WriteString(says))
	server := result(options.NewDeschedulerServer())
	server.Client, server.EventClient, server.DefaultFeatureGates = client, client, features.DefaultMutableFeatureGate
	loaded := result(descheduler.LoadPolicyConfig(file.Name(), client, pluginregistry.PluginRegistry))
	if err := descheduler.RunDeschedulerStrategies(ctx, server, loaded, "v1"); err != nil {
		panic(err)
	}
	if len(names) == 0 {
		return "nobody"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func main() {
	descheduler.SetupPlugins()
	needs := amounts("64", "8")
	usual := []string{"cpu", "memory", "pods"}
	shared := core.Volume{Name: "shm", VolumeSource: core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{Medium: core.StorageMediumMemory}}}
	serves := func(volumes ...core.Volume) *core.Pod { return pod("chat", "gpu-0", true, needs, volumes...) }
	fmt.Println("cpu, memory, pods: evicted are", evicted(policy(false, usual...), serves()))
	fmt.Println("the same, while it loads: evicted are", evicted(policy(false, usual...), pod("chat", "gpu-0", false, needs)))
	fmt.Println("the same, with an emptyDir for /dev/shm: evicted are", evicted(policy(false, usual...), serves(shared)))
	fmt.Println("the same, with nodeFit: evicted are", evicted(policy(true, usual...), serves()))
	fmt.Println("cpu, memory, pods, nvidia.com/gpu: evicted are", evicted(policy(false, append(usual, card)...), serves()))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
cpu, memory, pods: evicted are chat, web
the same, while it loads: evicted are chat, web
the same, with an emptyDir for /dev/shm: evicted are web
the same, with nodeFit: evicted are web
cpu, memory, pods, nvidia.com/gpu: evicted are nobody
SEEN
