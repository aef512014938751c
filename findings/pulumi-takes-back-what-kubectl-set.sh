#!/usr/bin/env bash
# pulumi-kubernetes, provider module at f47bc2d6f199 of 2026-01-15 (what updates an object is the same at 9497796 of 2026-07-01, after
# 4.32.0), run 2026-11-30. Needs Go; builds for some minutes.
#
# With server-side apply, fields that another manager owns are left alone: so what somebody adds with `kubectl label`, `annotate`, `edit`,
# `patch` or `set env` to an object of a stack stays there, one thinks, as what a controller adds does. But at each update the provider
# first makes all fields its own whose manager's name begins with `kubectl`, which was meant for objects that `kubectl apply` made. What
# the program does not say of them, its apply then removes. No preview shows it: a dry run leaves the managers as they are.
# So the next change of anything, a label, takes back what kubectl set in the meantime; and the annotation of `kubectl rollout restart`
# is part of the template, so that all pods are made anew once more.
# Where kubectl has changed a value of the program, the preview ends with a conflict, and the update writes over it without one.
#
# Seen: below, at the end (what is there after a preview and after an update that changes the label `release`).
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
	_ "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/await"
	_ "k8s.io/client-go/kubernetes/fake"
)
GO
{ go mod tidy && go mod vendor; } > tidy.log 2>&1 || { cat tidy.log; exit 1; }

# What updates is not exported: the test stands beside it, in the copy of this folder. The API server is client-go's fake one, which
# keeps the managers of fields by the API server's own code.
package=github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/await
cat > vendor/$package/kubectl_test.go <<'GO'
package await

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	typed "k8s.io/client-go/kubernetes/typed/apps/v1"
	"sigs.k8s.io/yaml"
)

const (
	merge  = types.StrategicMergePatchType
	pulumi = "pulumi-kubernetes-1234"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// untyped is the client that the provider asks for.
type untyped struct{ typed.DeploymentInterface }

func (u untyped) Patch(ctx context.Context, name string, kind types.PatchType, data []byte, options meta.PatchOptions, sub ...string) (*unstructured.Unstructured, error) {
	result, err := u.DeploymentInterface.Patch(ctx, name, kind, data, options, sub...)
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: must(runtime.DefaultUnstructuredConverter.ToUnstructured(result))}, nil
}

func program(release string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	must(0, yaml.Unmarshal([]byte(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: chat, namespace: a, labels: {release: "`+release+`"}}, spec: {
		selector: {matchLabels: {app: chat}}, template: {metadata: {labels: {app: chat}}, spec: {containers: [{name: vllm, image: "vllm:1"}]}}}}`), &object.Object))
	return object
}

// after is the object after others have changed it, and Pulumi has changed the label.
func after(preview bool, others func(patch func(who string, kind types.PatchType, text string))) (*unstructured.Unstructured, error) {
	ctx := context.Background()
	client := fake.NewClientset().AppsV1().Deployments("a")
	patch := func(who string, kind types.PatchType, text string) {
		must(client.Patch(ctx, "chat", kind, []byte(text), meta.PatchOptions{FieldManager: who}))
	}
	patch(pulumi, types.ApplyPatchType, string(must(yaml.Marshal(program("1").Object))))
	others(patch)
	live := must(runtime.DefaultUnstructuredConverter.ToUnstructured(must(client.Get(ctx, "chat", meta.GetOptions{}))))
	return ssaUpdate(&UpdateConfig{
		ProviderConfig: ProviderConfig{
			URN:             resource.NewURN("s", "p", "", "kubernetes:apps/v1:Deployment", "chat"),
			FieldManager:    pulumi,
			ServerSideApply: true,
		},
		OldInputs: program("1"), Inputs: program("2"), Preview: preview,
	}, &unstructured.Unstructured{Object: live}, untyped{client})
}

func TestKubectl(t *testing.T) {
	for _, preview := range []bool{true, false} {
		object := must(after(preview, func(patch func(string, types.PatchType, string)) {
			patch("kubectl-label", merge, `{"metadata": {"labels": {"label": "a"}}}`)
			patch("kubectl-annotate", merge, `{"metadata": {"annotations": {"annotate": "a"}}}`)
			patch("kubectl-edit", merge, `{"spec": {"template": {"spec": {"nodeSelector": {"edit": "a"}}}}}`)
			patch("kubectl-rollout", merge, `{"spec": {"template": {"metadata": {"annotations": {"rollout-restart": "2026"}}}}}`)
			patch("kubectl", types.ApplyPatchType, `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "chat", "labels": {"apply-server-side": "a"}}}`)
			patch("some-controller", merge, `{"metadata": {"labels": {"controller": "a"}}}`)
		}))
		keys := []string{}
		for _, path := range []string{"metadata labels", "metadata annotations", "spec template metadata annotations", "spec template spec nodeSelector"} {
			fields, _, _ := unstructured.NestedStringMap(object.Object, strings.Fields(path)...)
			for key := range fields {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		fmt.Printf("seen: preview %t, added: %s\n", preview, strings.Join(keys, " "))
	}
	for _, who := range []string{"kubectl-set", "some-controller"} {
		for _, preview := range []bool{true, false} {
			object, err := after(preview, func(patch func(string, types.PatchType, string)) {
				patch(who, merge, `{"spec": {"template": {"spec": {"containers": [{"name": "vllm", "image": "vllm:2"}]}}}}`)
			})
			said := "conflict"
			if err == nil {
				containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
				said = containers[0].(map[string]any)["image"].(string)
			} else if !strings.Contains(err.Error(), "conflict with \""+who) {
				panic(err)
			}
			fmt.Printf("seen: preview %t, image by %s: %s\n", preview, who, said)
		}
	}
}
GO
go test -trimpath -count 1 -v $package -run TestKubectl > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
preview true, added: annotate apply-server-side controller edit label release rollout-restart
preview false, added: controller release
preview true, image by kubectl-set: conflict
preview false, image by kubectl-set: vllm:1
preview true, image by some-controller: conflict
preview false, image by some-controller: conflict
SEEN
