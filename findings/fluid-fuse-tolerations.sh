#!/usr/bin/env bash
# Fluid v1.0.8 (github.com/fluid-cloudnative/fluid, 2025-10-31), rendered by Helm's own engine v3.19.0. Needs Go.
#
# `spec.fuse.tolerations` of a JindoRuntime passes the CRD and reaches the values of the chart that Fluid's controller
# installs for each cache (pkg/ddc/jindocache/transform.go, transformTolerations), and the chart reads none of them:
# the fuse tolerates every taint, so its DaemonSet may land on any tainted node that has a pod with the dataset.
# Master and workers get what they are given, which Fluid appends to the Dataset's own tolerations: the same one in
# both comes twice.
#
# Seen on 2026-11-28:
#   fuse: - operator: Exists
#   worker: - key: cache - key: cache
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding.invalid/fluid

go 1.26.0

require helm.sh/helm/v3 v3.19.0
MOD

cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// tolerations is the list below the last `tolerations:` of a manifest, in one line.
func tolerations(manifest string) string {
	lines := strings.Split(manifest[strings.LastIndex(manifest, "tolerations:"):], "\n")[1:]
	found := []string{}
	for _, line := range lines {
		text := strings.TrimSpace(line)
		if !strings.HasPrefix(text, "- operator") && !strings.HasPrefix(text, "- key") && !strings.HasPrefix(text, "operator") {
			break
		}
		if strings.HasPrefix(text, "-") {
			found = append(found, text)
		}
	}
	return strings.Join(found, " ")
}

func main() {
	chart := must(loader.Load(os.Args[1] + "/charts/jindocache"))
	chart.AddDependency(must(loader.Load(os.Args[1] + "/charts/library")))
	cache := map[string]any{"key": "cache", "operator": "Exists"}
	gpu := map[string]any{"key": "nvidia.com/gpu", "operator": "Exists"}
	values := map[string]any{
		"fuse":   map[string]any{"tolerations": []any{gpu}},
		"worker": map[string]any{"tolerations": []any{cache, cache}},
	}
	options := chartutil.ReleaseOptions{Name: "qwen", Namespace: "inference"}
	all := must(chartutil.ToRenderValues(chart, values, options, nil))
	manifests := must(engine.Render(chart, all))
	prefix := chart.ChartFullPath() + "/templates/"
	fmt.Println("fuse:", tolerations(manifests[prefix+"fuse/daemonset.yaml"]))
	fmt.Println("worker:", tolerations(manifests[prefix+"worker/statefulset.yaml"]))
}
GO

fluid=$(go mod download -json github.com/fluid-cloudnative/fluid@v1.0.8 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
go mod tidy >tidy.log 2>&1 || { tail -3 tidy.log; exit 1; }
got=$(go run . "$fluid")
echo "$got"
diff <(echo "$got") - <<'WANT'
fuse: - operator: Exists
worker: - key: cache - key: cache
WANT
