#!/usr/bin/env bash
# Knative Serving v0.50.0 (Go module knative.dev/serving), its defaulting webhook, and pulumi-kubernetes, provider module at f47bc2d6f199
# of 2026-01-15 (what it normalizes and compares is the same at 9497796 of 2026-07-01, after 4.32.0). Run 2026-11-30. Needs Go; builds
# for some minutes.
#
# Pulumi compares a program with what it said before, one thinks, so that a preview after an `up` shows nothing, and for a Deployment
# that is so, be its CPU written as 0.5, 1000m or 1. In truth its Kubernetes provider compares with what the API server answered last,
# cut down to the fields of the program. For kinds of Kubernetes it brings both into one form first; for custom resources it does not.
# Knative's webhook does: it stores a Service as Go writes it, 500m for 0.5, 1Gi for 1024Mi, an empty variable and `readOnly: false` left
# out. So each preview, with nothing changed and without a refresh, shows an update of the Service; each `up` sends it; and it is there
# again. A nightly check for drift, `pulumi preview --expect-no-changes`, fails for good. The form that Kubernetes writes itself is quiet.
#
# Seen: below, at the end (what the program says: what a preview of the same program shows, for a Deployment and a Knative Service).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/knative" "$folder/pulumi"

# What the program says, and what the webhook stores of it.
cat > "$folder/cases" <<'CASES'
cpu 500m|{"resources": {"requests": {"cpu": "500m"}}}
cpu 0.5|{"resources": {"requests": {"cpu": "0.5"}}}
cpu 1000m|{"resources": {"requests": {"cpu": "1000m"}}}
memory 1024Mi|{"resources": {"requests": {"memory": "1024Mi"}}}
an empty variable|{"env": [{"name": "A", "value": ""}]}
readOnly false|{"volumeMounts": [{"name": "a", "mountPath": "/a", "readOnly": false}]}
CASES

cd "$folder/knative"
cat > go.mod <<'MOD'
module finding

go 1.25.0

require knative.dev/serving v0.50.0
MOD
cat > finding.go <<'GO'
package finding
GO
cat > finding_test.go <<'GO'
package finding

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	gotesting "testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	admission "k8s.io/api/admission/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	_ "knative.dev/pkg/client/injection/kube/informers/admissionregistration/v1/mutatingwebhookconfiguration/fake"
	_ "knative.dev/pkg/injection/clients/namespacedkube/informers/core/v1/secret/fake"
	"knative.dev/pkg/reconciler/testing"
	"knative.dev/pkg/webhook"
	"knative.dev/pkg/webhook/resourcesemantics"
	"knative.dev/pkg/webhook/resourcesemantics/defaulting"
	serving "knative.dev/serving/pkg/apis/serving/v1"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestWebhook(t *gotesting.T) {
	t.Setenv("SYSTEM_NAMESPACE", "knative-serving")
	ctx, _ := testing.SetupFakeContext(t)
	ctx = webhook.WithOptions(ctx, webhook.Options{SecretName: "webhook-certs"})
	kind := serving.SchemeGroupVersion.WithKind("Service")
	controller := defaulting.NewAdmissionController(ctx, "webhook", "/defaulting",
		map[schema.GroupVersionKind]resourcesemantics.GenericCRD{kind: &serving.Service{}},
		func(ctx context.Context) context.Context { return ctx }, true)
	lines, answers := bufio.NewScanner(must(os.Open("../cases"))), must(os.Create("../knative.txt"))
	for lines.Scan() {
		_, container, _ := strings.Cut(lines.Text(), "|")
		said := `{"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "chat", "namespace": "a"},
			"spec": {"template": {"spec": {"containers": [{"image": "a", ` + container[1:] + `]}}}}`
		answer := controller.Reconciler.(webhook.AdmissionController).Admit(ctx, &admission.AdmissionRequest{
			Kind:      meta.GroupVersionKind{Group: kind.Group, Version: kind.Version, Kind: kind.Kind},
			Resource:  meta.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: "services"},
			Operation: admission.Create, Object: runtime.RawExtension{Raw: []byte(said)},
		})
		if !answer.Allowed {
			panic(answer.Result.Message)
		}
		stored := must(must(jsonpatch.DecodePatch(answer.Patch)).Apply([]byte(said)))
		must(answers.Write(append(must(json.Marshal(map[string]json.RawMessage{"said": []byte(said), "stored": stored})), '\n')))
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -trimpath -count 1 . > all.txt 2>&1 || { cat all.txt; exit 2; }

cd "$folder/pulumi"
cat > go.mod <<'MOD'
module finding

go 1.24.7

require (
	github.com/pulumi/pulumi-kubernetes/provider/v4 v4.0.0-20260115033456-f47bc2d6f199
	github.com/pulumi/pulumi-kubernetes/sdk/v4 v4.24.0
)
MOD
# The provider's own functions, by themselves: the rest of its package needs Helm and half of Kubernetes.
source=$(go mod download -json github.com/pulumi/pulumi-kubernetes/provider/v4@v4.0.0-20260115033456-f47bc2d6f199 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')/pkg/provider
{
	cat <<'GO'
package main

import (
	"reflect"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/clients"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/kinds"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/deepcopy"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

GO
	for name in pruneMap pruneSlice pruneLiveState shouldNormalize normalizeInputs hasComputedValue; do
		sed -n "/^func $name(/,/^}/p" "$source/provider.go" "$source/util.go"
	done
} > provider.go
cat > main.go <<'GO'
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	jsonpatch "github.com/evanphx/json-patch"
	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func object(text []byte) *unstructured.Unstructured {
	result := &unstructured.Unstructured{}
	must(0, json.Unmarshal(text, &result.Object))
	return result
}

// shown is what a preview shows where the program says what it said before: as the provider's Diff does it.
func shown(said, stored []byte) string {
	inputs := must(normalizeInputs(object(said)))
	pruned := pruneLiveState(object(stored), inputs)
	patch := must(jsonpatch.CreateMergePatch(must(pruned.MarshalJSON()), must(must(normalizeInputs(object(said))).MarshalJSON())))
	if string(patch) == "{}" {
		return "nothing"
	}
	return "an update"
}

func main() {
	lines := bufio.NewScanner(must(os.Open("../knative.txt")))
	for _, line := range strings.Split(strings.TrimSpace(string(must(os.ReadFile("../cases")))), "\n") {
		lines.Scan()
		title, container, _ := strings.Cut(line, "|")
		said := []byte(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "chat", "namespace": "a"}, "spec": {"selector": {},
			"template": {"spec": {"containers": [{"image": "a", ` + container[1:] + `]}}}}`)
		// The API server stores kinds of Kubernetes as Go writes them.
		typed := &apps.Deployment{}
		must(0, json.Unmarshal(said, typed))
		var service struct{ Said, Stored json.RawMessage }
		must(0, json.Unmarshal(lines.Bytes(), &service))
		fmt.Printf("%s: %s, %s\n", title, shown(said, must(json.Marshal(typed))), shown(service.Said, service.Stored))
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run -trimpath . | tee seen.txt

diff - seen.txt <<'SEEN'
cpu 500m: nothing, nothing
cpu 0.5: nothing, an update
cpu 1000m: nothing, an update
memory 1024Mi: nothing, an update
an empty variable: nothing, an update
readOnly false: nothing, an update
SEEN
