#!/usr/bin/env bash
# pulumi-kubernetes, provider module at f47bc2d6f199 of 2026-01-15, its helm.v3.Release, and the Helm v3 that it is built with, run
# 2026-11-30. Needs Go; builds for some minutes.
#
# A chart's default is taken away by `null` in the values, says Helm, and a list is replaced by the one that is given, an empty one too:
# `nodeSelector: null`, `tolerations: []`. With Pulumi's Release neither reaches Helm. Both are taken out of the inputs without a word,
# the preview shows no value that is missing, and the chart's default stays: a DaemonSet that was to leave tainted nodes tolerates all of
# them. Its option allowNullValues, "whether to allow null values in helm chart configs", lets no null pass: they are gone before it is
# asked. But with it an empty list arrives.
#
# Seen: below, at the end (what a chart is given, and what it renders), of a chart with nodeSelector {gpu: "true"} and tolerations
# [{operator: Exists}].
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding

go 1.24.7

require (
	github.com/pulumi/pulumi-kubernetes/provider/v4 v4.0.0-20260115033456-f47bc2d6f199
	github.com/pulumi/pulumi-kubernetes/sdk/v4 v4.24.0
)
MOD
cat > finding.go <<'GO'
package finding

import (
	_ "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	_ "helm.sh/helm/v3/pkg/engine"
)
GO
{ go mod tidy && go mod vendor; } > tidy.log 2>&1 || { cat tidy.log; exit 2; }

# What is behind a Release is not exported: the test stands beside it, in the copy of this folder.
package=github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider
cat > vendor/$package/values_test.go <<'GO'
package provider

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/client-go/tools/clientcmd/api"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestValues(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "csi")
	for name, text := range map[string]string{
		"Chart.yaml":         "apiVersion: v2\nname: csi\nversion: 1.0.0\n",
		"values.yaml":        "nodeSelector: {gpu: 'true'}\ntolerations: [{operator: Exists}]\n",
		"templates/csi.yaml": "{{ toJson .Values.nodeSelector }} {{ toJson .Values.tolerations }}",
	} {
		path := filepath.Join(folder, name)
		must(0, os.MkdirAll(filepath.Dir(path), 0o755))
		must(0, os.WriteFile(path, []byte(text), 0o644))
	}
	loaded := must(loader.Load(folder))
	render := func(about string, values map[string]any) {
		all := must(chartutil.ToRenderValues(loaded, values, chartutil.ReleaseOptions{}, nil))
		fmt.Printf("seen: %s: %s\n", about, strings.TrimSpace(must(engine.Render(loaded, all))["csi/templates/csi.yaml"]))
	}
	release := &helmReleaseProvider{settings: cli.New(), apiConfig: api.NewConfig(), defaultNamespace: "a", enableSecrets: true}
	for _, row := range []struct {
		about  string
		values map[string]any
	}{
		{"nothing", map[string]any{}},
		{"null", map[string]any{"nodeSelector": nil, "tolerations": nil}},
		{"an empty list", map[string]any{"tolerations": []any{}}},
	} {
		render("Helm, "+row.about, row.values)
		for _, allow := range []bool{false, true} {
			inputs := resource.NewPropertyMapFromMap(map[string]any{"chart": folder, "values": row.values, "allowNullValues": allow})
			checked := must(release.Check(context.Background(), &pulumirpc.CheckRequest{
				Urn:  "urn:pulumi:s::p::kubernetes:helm.sh/v3:Release::csi",
				News: must(plugin.MarshalProperties(inputs, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})),
			}))
			if len(checked.Failures) > 0 {
				t.Fatal(checked.Failures)
			}
			// As Create reads them.
			options := plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true, KeepSecrets: true}
			decoded := must(decodeRelease(must(plugin.UnmarshalProperties(checked.Inputs, options)), "create"))
			render(fmt.Sprintf("Pulumi, %s, allowNullValues %t", row.about, allow), must(getValues(decoded)))
		}
	}
}
GO
go test -trimpath -count 1 -v $package -run TestValues > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
Helm, nothing: {"gpu":"true"} [{"operator":"Exists"}]
Pulumi, nothing, allowNullValues false: {"gpu":"true"} [{"operator":"Exists"}]
Pulumi, nothing, allowNullValues true: {"gpu":"true"} [{"operator":"Exists"}]
Helm, null: null null
Pulumi, null, allowNullValues false: {"gpu":"true"} [{"operator":"Exists"}]
Pulumi, null, allowNullValues true: {"gpu":"true"} [{"operator":"Exists"}]
Helm, an empty list: {"gpu":"true"} []
Pulumi, an empty list, allowNullValues false: {"gpu":"true"} [{"operator":"Exists"}]
Pulumi, an empty list, allowNullValues true: {"gpu":"true"} []
SEEN
