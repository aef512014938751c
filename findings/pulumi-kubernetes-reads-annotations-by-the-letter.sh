#!/usr/bin/env bash
# pulumi-kubernetes, provider module at f47bc2d6f199 of 2026-01-15 (keys and values are the same at 9497796 of 2026-07-01, after 4.32.0), run
# 2026-11-30. Needs Go.
#
# Annotations below pulumi.com/ tell the provider how to handle an object. The option of a resource is refused where it is misspelt, and so
# one expects of these, whose prefix is nobody else's, or a warning. There is none: a key that it does not know goes to the cluster as any
# annotation, and a value that it does not know is the default. `deletionPropagation: background`, which is what the API calls it, leaves a
# deletion in the foreground; `timeoutSeconds: 10m` waits for as long as without it; `skipAwait: "True"`, as Python writes it, waits.
# Of a Job with skipAwait that is replaced under its name, the first of these ends the update: nobody waits until the old one is gone, and
# in the foreground it is there until its pods have ended, so that the API server refuses the new one.
#
# Seen: below, at the end (annotation: whether it is waited for, for how long, whether what is there is replaced, and how it is deleted).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding

go 1.24.7

require k8s.io/apimachinery v0.34.1
MOD
# The provider's own functions, by themselves: the rest of its package needs all clients of Kubernetes.
source=$(go mod download -json github.com/pulumi/pulumi-kubernetes/provider/v4@v4.0.0-20260115033456-f47bc2d6f199 |
  sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')/pkg/metadata
{
  cat <<'GO'
package main

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

GO
  sed -n '/^const (/,/^)/p' "$source/annotations.go"
  for name in SkipAwaitLogic ReplaceUnready TimeoutDuration DeletionPropagation IsAnnotationTrue GetAnnotationValue; do
    sed -n "/^func $name(/,/^}/p" "$source/overrides.go" "$source/annotations.go"
  done
} > provider.go
cat > main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	for _, note := range []string{
		"skipAwait: true", "skipAwait: True", "skip-await: true", "replaceUnready: true", "replaceUnready: yes", "timeoutSeconds: 600",
		"timeoutSeconds: 10m", "deletionPropagationPolicy: Background", "deletionPropagation: background",
	} {
		key, value, _ := strings.Cut(note, ": ")
		object := &unstructured.Unstructured{Object: map[string]any{}}
		object.SetAnnotations(map[string]string{"pulumi.com/" + key: value})
		fmt.Printf("%s: %v, %v, %v, %s\n", note, !SkipAwaitLogic(object), TimeoutDuration(0, object), ReplaceUnready(object), DeletionPropagation(object))
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run -trimpath . > seen.txt

diff - seen.txt <<'SEEN'
skipAwait: true: false, <nil>, false, Foreground
skipAwait: True: true, <nil>, false, Foreground
skip-await: true: true, <nil>, false, Foreground
replaceUnready: true: true, <nil>, true, Foreground
replaceUnready: yes: true, <nil>, false, Foreground
timeoutSeconds: 600: true, 10m0s, false, Foreground
timeoutSeconds: 10m: true, <nil>, false, Foreground
deletionPropagationPolicy: Background: true, <nil>, false, Background
deletionPropagation: background: true, <nil>, false, Foreground
SEEN
