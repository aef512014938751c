#!/usr/bin/env bash
# Fluid v1.0.8 (github.com/fluid-cloudnative/fluid, 2025-10-31), pkg/ddc/jindocache, run 2026-11-30. Needs Go; builds for some minutes.
#
# A Dataset that is Bound has a cache, one expects, and is Failed or NotBound when that is gone: Fluid's controller looks at master and
# workers every few seconds, and has the phase Failed. But it writes Failed only where it cannot ask for them (a StatefulSet that is
# deleted). Where none of the workers is ready, or no master, it counts an error, and the phase stays Bound with the condition Ready.
# With one worker of three the check passes, and the JindoRuntime's condition says WorkersReady. So whoever waits for Bound gets on with
# a third of the cache, and whoever watches Bound sees nothing of a cache that is down. What says so is `workerPhase` and `masterPhase`
# in the status of the JindoRuntime.
#
# Seen: below, at the end.
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-mod=mod -trimpath -buildvcs=false"

# Inside a copy of the module: the engine's parts are not exported.
module=$(go mod download -json github.com/fluid-cloudnative/fluid@v1.0.8 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module/api" "$module/pkg" "$module/go.mod" "$module/go.sum" .
chmod -R u+w .
rm pkg/ddc/jindocache/*_test.go
cat > pkg/ddc/jindocache/finding_test.go <<'GO'
package jindocache

import (
	"context"
	"fmt"
	"testing"

	data "github.com/fluid-cloudnative/fluid/api/v1alpha1"
	"github.com/fluid-cloudnative/fluid/pkg/common"
	"github.com/fluid-cloudnative/fluid/pkg/ctrl"
	"github.com/fluid-cloudnative/fluid/pkg/ddc/base"
	"github.com/fluid-cloudnative/fluid/pkg/utils/fake"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const name, namespace = "qwen", "inference"

var about = meta.ObjectMeta{Name: name, Namespace: namespace}

func set(role string, wanted, ready int32) client.Object {
	return &apps.StatefulSet{
		ObjectMeta: meta.ObjectMeta{Name: name + "-jindofs-" + role, Namespace: namespace},
		Spec:       apps.StatefulSetSpec{Replicas: &wanted},
		Status:     apps.StatefulSetStatus{Replicas: wanted, ReadyReplicas: ready, AvailableReplicas: ready},
	}
}

func phase(value data.RuntimePhase) string {
	if value == "" {
		return "not looked at"
	}
	return string(value)
}

func must(t *testing.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// Looks at a cache that was Bound, as Fluid's controller does at every pass.
func look(t *testing.T, words string, sets ...client.Object) {
	scheme := runtime.NewScheme()
	must(t, data.AddToScheme(scheme))
	must(t, apps.AddToScheme(scheme))
	must(t, core.AddToScheme(scheme))
	cache := &data.JindoRuntime{ObjectMeta: about}
	cache.Spec.Replicas = 3
	cache.Spec.Master.Replicas = 1
	dataset := &data.Dataset{ObjectMeta: about}
	dataset.Status.Phase = data.BoundDatasetPhase
	dataset.Status.Conditions = []data.DatasetCondition{{Type: data.DatasetReady, Status: core.ConditionTrue}}
	fuse := &apps.DaemonSet{ObjectMeta: meta.ObjectMeta{Name: name + "-jindofs-fuse", Namespace: namespace}}
	objects := append([]client.Object{cache, dataset, fuse}, sets...)
	all := make([]runtime.Object, len(objects))
	for place, object := range objects {
		all[place] = object
	}
	kube := fake.NewFakeClientWithScheme(scheme, all...)
	info, err := base.BuildRuntimeInfo(name, namespace, common.JindoRuntime)
	must(t, err)
	log := fake.NullLogger()
	engine := &JindoCacheEngine{
		Log: log, Client: kube, name: name, namespace: namespace, runtime: cache, runtimeInfo: info, Helper: ctrl.BuildHelper(info, kube, log),
	}
	err = engine.CheckRuntimeHealthy()
	key := types.NamespacedName{Name: name, Namespace: namespace}
	must(t, kube.Get(context.Background(), key, dataset))
	must(t, kube.Get(context.Background(), key, cache))
	conditions := ""
	for _, condition := range cache.Status.Conditions {
		if condition.Type == data.RuntimeWorkersReady {
			conditions = fmt.Sprintf(", WorkersReady %s", condition.Status)
		}
	}
	result := "healthy"
	if err != nil {
		result = "an error"
	}
	fmt.Printf("seen: %s: %s; Dataset %s, Ready %s; JindoRuntime master %s, workers %s%s\n", words, result, dataset.Status.Phase,
		dataset.Status.Conditions[0].Status, phase(cache.Status.MasterPhase), phase(cache.Status.WorkerPhase), conditions)
}

func TestFinding(t *testing.T) {
	look(t, "3 of 3 workers", set("master", 1, 1), set("worker", 3, 3))
	look(t, "1 of 3 workers", set("master", 1, 1), set("worker", 3, 1))
	look(t, "0 of 3 workers", set("master", 1, 1), set("worker", 3, 0))
	look(t, "no master", set("master", 1, 0), set("worker", 3, 3))
	look(t, "workers deleted", set("master", 1, 1))
}
GO
go test -vet=off -count 1 -v ./pkg/ddc/jindocache -run TestFinding > all.txt 2>&1 || { tail -30 all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
3 of 3 workers: healthy; Dataset Bound, Ready True; JindoRuntime master Ready, workers Ready, WorkersReady True
1 of 3 workers: healthy; Dataset Bound, Ready True; JindoRuntime master Ready, workers PartialReady, WorkersReady True
0 of 3 workers: an error; Dataset Bound, Ready True; JindoRuntime master Ready, workers NotReady, WorkersReady False
no master: an error; Dataset Bound, Ready True; JindoRuntime master NotReady, workers not looked at
workers deleted: an error; Dataset Failed, Ready False; JindoRuntime master Ready, workers not looked at
SEEN
