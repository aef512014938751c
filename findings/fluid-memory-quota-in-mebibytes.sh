#!/usr/bin/env bash
# Fluid v1.0.8 (github.com/fluid-cloudnative/fluid, 2025-10-31), pkg/ddc/jindocache, run 2026-11-30. Needs Go; builds for some minutes.
#
# For a cache in memory, Fluid has each worker of a JindoRuntime request as much as its quota, so that the scheduler knows of it. The
# quota is written in Jindo's units first (20Gi is 20g, 1500Mi is 1500m), and read back by making Gi of g alone: 1500m is then a quantity
# of Kubernetes, one and a half bytes. So with a quota of whole gibibytes a worker requests all of it, and with one that is written in
# Mi, which Kubernetes does with 1.5Gi too, nothing: it lands on nodes without memory for it. The request is written into the
# JindoRuntime's own spec as well, where whoever made it did not say it.
#
# Seen: below, at the end (quota: request of the worker, in bytes; what the JindoRuntime says of it afterwards).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-mod=mod -trimpath -buildvcs=false"

# Inside a copy of the module: what works resources out is not exported.
module=$(go mod download -json github.com/fluid-cloudnative/fluid@v1.0.8 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module/api" "$module/pkg" "$module/go.mod" "$module/go.sum" .
chmod -R u+w .
rm pkg/ddc/jindocache/*_test.go
cat > pkg/ddc/jindocache/finding_test.go <<'GO'
package jindocache

import (
	"fmt"
	"testing"

	data "github.com/fluid-cloudnative/fluid/api/v1alpha1"
	"github.com/fluid-cloudnative/fluid/pkg/utils"
	"github.com/fluid-cloudnative/fluid/pkg/utils/fake"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestFinding(t *testing.T) {
	for _, text := range []string{"20Gi", "1500Mi", "1.5Gi", "20G"} {
		quota := resource.MustParse(text)
		cache := &data.JindoRuntime{}
		cache.Name, cache.Namespace = "qwen", "inference"
		cache.Spec.TieredStore.Levels = []data.Level{{MediumType: "MEM", Path: "/dev/shm", Quota: &quota, High: "0.9", Low: "0.8"}}
		scheme := runtime.NewScheme()
		if err := data.AddToScheme(scheme); err != nil {
			t.Fatal(err)
		}
		client := fake.NewFakeClientWithScheme(scheme, cache)
		engine := &JindoCacheEngine{Log: fake.NullLogger(), Client: client, name: cache.Name, namespace: cache.Namespace}
		values := &Jindo{}
		// As transform() does, in transform.go.
		if err := engine.transformResources(cache, values, utils.TransformQuantityToJindoUnit(&quota)); err != nil {
			t.Fatal(err)
		}
		after, err := engine.getRuntime()
		if err != nil {
			t.Fatal(err)
		}
		request := resource.MustParse(values.Worker.Resources.Requests.Memory)
		fmt.Printf("seen: %s: %s, %s\n", text, request.AsDec(), after.Spec.Worker.Resources.Requests.Memory())
	}
}
GO
go test -vet=off -count 1 -v ./pkg/ddc/jindocache -run TestFinding > all.txt 2>&1 || { tail -30 all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
20Gi: 21474836480, 20Gi
1500Mi: 1.500, 1500m
1.5Gi: 1.536, 1536m
20G: 20000000000, 20G
SEEN
