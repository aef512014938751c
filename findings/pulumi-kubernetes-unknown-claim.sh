#!/usr/bin/env bash
# pulumi-kubernetes, provider module at f47bc2d6f199 of 2026-01-15 (the table of claims is the same
# at 9497796 of 2026-07-01, after 4.32.0), run 2026-11-29.
#
# A claim names its volume, and both cannot be changed, so that one expects a claim to be replaced
# with its volume. Two surprises:
# Another size replaces no claim. It is an update, which the API server refuses for a volume that
# somebody made by hand: only claims of a storage class grow.
# Where a volume has to be deleted before its successor is made, the engine asks the provider what
# becomes of the claim if its whole `spec`, which depends on the volume, is unknown (pulumi v3.259.0,
# pkg/resource/deploy/step_generator.go, calculateDependentReplacements, read alone). An unknown is
# null in the provider's patch, and no path below `spec` is found in null: the claim stays, its
# finalizer keeps the old volume, and the update waits for that until it gives up. The option
# `replace_on_changes=["spec"]` of the claim has the engine take it along.
#
# Seen:
#   another volume name: replaced, by .spec.volumeName
#   another size: updated
#   spec unknown: updated
set -euo pipefail

version=v4.0.0-20260115033456-f47bc2d6f199
module=github.com/pulumi/pulumi-kubernetes/provider/v4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
source=$(go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')

# The provider's own matcher, by itself: the rest of its package needs half of Kubernetes.
mkdir match
sed 's/^package openapi$/package match/' "$source/pkg/openapi/match.go" > match/match.go
# What replaces a claim, as the provider's table has it, and what replaces any object.
sed -n '/"PersistentVolumeClaim": append(/,/},/s/^\t*"\(\.spec[^"]*\)",$/\1/p' \
	"$source/pkg/provider/diff.go" > paths
cat > go.mod <<'MOD'
module finding

go 1.24

require (
	github.com/evanphx/json-patch v5.9.11+incompatible
	k8s.io/client-go v0.33.3
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"finding/match"
)

func main() {
	text, err := os.ReadFile("paths")
	if err != nil {
		panic(err)
	}
	paths := strings.Fields(string(text))
	size := map[string]any{"requests": map[string]any{"storage": "20Gi"}}
	for _, patch := range []struct {
		title string
		spec  any
	}{
		{"another volume name", map[string]any{"volumeName": "other"}},
		{"another size", map[string]any{"resources": size}},
		{"spec unknown", nil},
	} {
		matches, err := match.PatchPropertiesChanged(map[string]any{"spec": patch.spec}, paths)
		if err != nil {
			panic(err)
		}
		effect := "updated"
		if len(matches) > 0 {
			effect = "replaced, by " + strings.Join(matches, " ")
		}
		fmt.Printf("%s: %s\n", patch.title, effect)
	}
}
GO
go mod tidy 2> /dev/null
go run . | tee seen

diff seen - <<'SEEN'
another volume name: replaced, by .spec.volumeName
another size: updated
spec unknown: updated
SEEN
