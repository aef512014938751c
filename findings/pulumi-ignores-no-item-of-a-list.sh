#!/usr/bin/env bash
# pulumi-kubernetes, provider module at f47bc2d6f199 of 2026-01-15 (what it does with ignored fields is the same at 9497796 of 2026-07-01,
# after 4.32.0), run 2026-11-30. Needs Go; builds for some minutes.
#
# `ignore_changes` is the way to leave a field to somebody else: an image to what updates images, an annotation to a controller. With
# server-side apply the provider leaves an ignored field out of what it applies, if another manager owns it. It looks for the field by the
# path cut at each dot: `containers[0]` is taken for a key of that name, and so are the two halves of `annotations["example.com/a"]`. Such
# a field is never found, and nothing is said. Alone it looks as if it works, since a preview shows no difference. With the first change
# of another field, the old value goes along: a conflict with the owner, and with `pulumi.com/patchForce` the field is set back.
# A path without lists and dots works, so that it is the whole list that has to be ignored, with all else that is in it.
# A `pulumi refresh` before the update hides it, as the old value is then the one that stands there.
#
# Seen: below, at the end (ignored path: the field after an update of the label `release`; with patchForce).
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
cat > vendor/$package/ignored_test.go <<'GO'
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

func program(release, force string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	must(0, yaml.Unmarshal([]byte(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: chat, namespace: a, labels: {release: "`+release+`"},
		annotations: {pulumi.com/patchForce: "`+force+`", plain: "1", example.com/a: "1"}}, spec: {
		selector: {matchLabels: {app: chat}}, template: {metadata: {labels: {app: chat}}, spec: {containers: [{name: vllm, image: "1"}]}}}}`), &object.Object))
	return object
}

// after is a field of an object after a controller has set all of them to 2, and Pulumi has changed the label.
func after(path, force string) string {
	ctx := context.Background()
	client := fake.NewClientset().AppsV1().Deployments("a")
	patch := func(who string, kind types.PatchType, text string) {
		must(client.Patch(ctx, "chat", kind, []byte(text), meta.PatchOptions{FieldManager: who}))
	}
	patch(pulumi, types.ApplyPatchType, string(must(yaml.Marshal(program("1", force).Object))))
	image := `{"spec": {"template": {"spec": {"containers": [{"name": "vllm", "image": "2"}]}}}}`
	theirs := map[string]string{
		`metadata.annotations.plain`:             `{"metadata": {"annotations": {"plain": "2"}}}`,
		`metadata.annotations["example.com/a"]`:  `{"metadata": {"annotations": {"example.com/a": "2"}}}`,
		`spec.template.spec.containers[0].image`: image,
		`spec.template.spec.containers`:          image,
	}
	patch("some-controller", merge, theirs[path])
	live := must(runtime.DefaultUnstructuredConverter.ToUnstructured(must(client.Get(ctx, "chat", meta.GetOptions{}))))
	object, err := ssaUpdate(&UpdateConfig{
		ProviderConfig: ProviderConfig{
			URN:             resource.NewURN("s", "p", "", "kubernetes:apps/v1:Deployment", "chat"),
			FieldManager:    pulumi,
			ServerSideApply: true,
		},
		OldInputs: program("1", force), Inputs: program("2", force), IgnoreChanges: []string{path},
	}, &unstructured.Unstructured{Object: live}, untyped{client})
	if err != nil {
		if !strings.Contains(err.Error(), `conflict with "some-controller"`) {
			panic(err)
		}
		return "conflict"
	}
	containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
	values := []string{
		object.GetAnnotations()["plain"], object.GetAnnotations()["example.com/a"], containers[0].(map[string]any)["image"].(string),
	}
	if slices.Contains(values, "2") {
		return "theirs"
	}
	return "set back"
}

func TestIgnored(t *testing.T) {
	for _, path := range []string{
		`metadata.annotations.plain`, `metadata.annotations["example.com/a"]`, `spec.template.spec.containers`, `spec.template.spec.containers[0].image`,
	} {
		fmt.Printf("seen: %s: %s; %s\n", path, after(path, "false"), after(path, "true"))
	}
}
GO
go test -trimpath -count 1 -v $package -run TestIgnored > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
metadata.annotations.plain: theirs; theirs
metadata.annotations["example.com/a"]: conflict; set back
spec.template.spec.containers: theirs; theirs
spec.template.spec.containers[0].image: conflict; set back
SEEN
