#!/usr/bin/env bash
# k8s.io/kubernetes v1.34.1, the kubelet's topology manager and its static CPU manager, run 2026-11-30. Needs Go; builds for some minutes. The
# device manager's hints are stated as it gives them (cm/devicemanager/topology_hints.go) where all cards are free.
#
# With `topologyManagerPolicy: restricted`, a pod is refused that could be on fewer NUMA nodes than it would be. Who takes all 8 cards of a
# machine, 4 on each of two nodes, needs both, so that nothing is better for it, one expects, and that a few CPUs come from one of them. But
# what a pod prefers has to be the very same set of nodes for each resource: 8 cards prefer both nodes, 16 CPUs prefer one of them, and the
# kubelet refuses the pod with TopologyAffinityError, on a machine that is empty. It takes the pod with more CPUs than one node has, and with
# 16.5 CPUs, as a fraction has no preference. The scheduler knows nothing of it: a Deployment makes one pod after another, all of which fail.
#
# Seen: below, at the end (two NUMA nodes of 64 CPUs and 4 cards each, 4 CPUs reserved).
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
	"fmt"
	"os"
	"time"

	cadvisor "github.com/google/cadvisor/info/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/kubelet/cm/containermap"
	"k8s.io/kubernetes/pkg/kubelet/cm/cpumanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager/bitmask"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/utils/cpuset"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

const cpusPerNode, cardsPerNode = 64, 4

// machine has two NUMA nodes of 64 CPUs (32 cores) each.
func machine() *cadvisor.MachineInfo {
	info := &cadvisor.MachineInfo{NumCores: 2 * cpusPerNode, NumSockets: 2}
	for numa := range 2 {
		node := cadvisor.Node{Id: numa}
		for core := range cpusPerNode / 2 {
			first := numa*cpusPerNode + 2*core
			node.Cores = append(node.Cores, cadvisor.Core{Id: numa*cpusPerNode/2 + core, SocketID: numa, Threads: []int{first, first + 1}})
		}
		info.Topology = append(info.Topology, node)
	}
	return info
}

// cards hints as the device manager does, of a node where all cards are free: 4 on each NUMA node.
type cards struct{}

func (cards) GetTopologyHints(_ *core.Pod, container *core.Container) map[string][]topologymanager.TopologyHint {
	quantity := container.Resources.Requests["nvidia.com/gpu"]
	var hints []topologymanager.TopologyHint
	for _, nodes := range [][]int{{0}, {1}, {0, 1}} {
		fits := int(quantity.Value()) <= len(nodes)*cardsPerNode
		least := (int(quantity.Value())-1)/cardsPerNode + 1
		if fits {
			mask := must(bitmask.NewBitMask(nodes...))
			hints = append(hints, topologymanager.TopologyHint{NUMANodeAffinity: mask, Preferred: len(nodes) == least})
		}
	}
	return map[string][]topologymanager.TopologyHint{"nvidia.com/gpu": hints}
}

func (these cards) GetPodTopologyHints(pod *core.Pod) map[string][]topologymanager.TopologyHint {
	return these.GetTopologyHints(pod, &pod.Spec.Containers[0])
}

func (cards) Allocate(*core.Pod, *core.Container) error { return nil }

func pod(cpu, gpus string) *core.Pod {
	amounts := core.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse("256Gi"), "nvidia.com/gpu": resource.MustParse(gpus)}
	return &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "chat", Namespace: "a", UID: types.UID("chat")}, Spec: core.PodSpec{
		Containers: []core.Container{{Name: "vllm", Resources: core.ResourceRequirements{Requests: amounts, Limits: amounts}}}},
		Status: core.PodStatus{QOSClass: core.PodQOSGuaranteed}}
}

func admitted(policy, cpu, gpus string) string {
	info := machine()
	manager := must(topologymanager.NewManager(info.Topology, policy, "container", nil))
	folder := must(os.MkdirTemp("", ""))
	defer os.RemoveAll(folder)
	reserved := core.ResourceList{"cpu": resource.MustParse("4")}
	cpus := must(cpumanager.NewManager("static", nil, time.Hour, info, cpuset.New(0, 1, 64, 65), reserved, folder, manager))
	none := func() []*core.Pod { return nil }
	if err := cpus.Start(none, ready{}, nil, nil, containermap.NewContainerMap()); err != nil {
		panic(err)
	}
	manager.AddHintProvider(cpus)
	manager.AddHintProvider(cards{})
	result := manager.Admit(&lifecycle.PodAdmitAttributes{Pod: pod(cpu, gpus)})
	if !result.Admit {
		return "refused, " + result.Reason
	}
	return "admitted"
}

type ready struct{}

func (ready) AddSource(string) {}
func (ready) AllReady() bool   { return false }

func main() {
	for _, policy := range []string{"best-effort", "restricted"} {
		for _, wants := range [][2]string{{"16", "4"}, {"96", "4"}, {"16", "8"}, {"64", "8"}, {"96", "8"}, {"16500m", "8"}} {
			fmt.Printf("%s: %s cards and %s CPUs: %s\n", policy, wants[1], wants[0], admitted(policy, wants[0], wants[1]))
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
best-effort: 4 cards and 16 CPUs: admitted
best-effort: 4 cards and 96 CPUs: admitted
best-effort: 8 cards and 16 CPUs: admitted
best-effort: 8 cards and 64 CPUs: admitted
best-effort: 8 cards and 96 CPUs: admitted
best-effort: 8 cards and 16500m CPUs: admitted
restricted: 4 cards and 16 CPUs: admitted
restricted: 4 cards and 96 CPUs: refused, TopologyAffinityError
restricted: 8 cards and 16 CPUs: refused, TopologyAffinityError
restricted: 8 cards and 64 CPUs: refused, TopologyAffinityError
restricted: 8 cards and 96 CPUs: admitted
restricted: 8 cards and 16500m CPUs: admitted
SEEN
