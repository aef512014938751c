#!/usr/bin/env bash
# knative.dev/serving v0.50.0 with go-containerregistry v0.20.3, run 2026-11-28.
#
# config-deployment has registries-skipping-tag-resolving, a list of registries that the controller
# does not ask for digests. With `docker.io` in it, images at docker.io are asked for all the same:
# the list is taken as it is written, and compared with the registry as go-containerregistry writes
# it, which is index.docker.io for docker.io and for a reference without a host. Where Docker Hub
# cannot be reached, every revision then fails with "Unable to fetch image", in spite of the setting.
# Only `index.docker.io` works, a name that stands in no image reference.
#
# Seen:
#   docker.io/vllm/vllm-openai:v0.19.0 is at index.docker.io: skipped by docker.io false, by index.docker.io true
#   vllm/vllm-openai:v0.19.0 is at index.docker.io: skipped by docker.io false, by index.docker.io true
#   quay.io/org/image:1 is at quay.io: skipped by quay.io true
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding

go 1.25.0

require (
	github.com/google/go-containerregistry v0.20.3
	knative.dev/serving v0.50.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	"knative.dev/serving/pkg/deployment"
)

func skipped(listed, registry string) bool {
	config, err := deployment.NewConfigFromMap(map[string]string{
		"queue-sidecar-image":                "queue",
		"registries-skipping-tag-resolving": "kind.local,ko.local,dev.local," + listed,
	})
	if err != nil {
		panic(err)
	}
	return config.RegistriesSkippingTagResolving.Has(registry)
}

func registry(image string) string {
	tag, err := name.NewTag(image, name.WeakValidation)
	if err != nil {
		panic(err)
	}
	return tag.Registry.RegistryStr()
}

func main() {
	for _, image := range []string{"docker.io/vllm/vllm-openai:v0.19.0", "vllm/vllm-openai:v0.19.0"} {
		host := registry(image)
		fmt.Printf("%s is at %s: skipped by docker.io %t, by index.docker.io %t\n",
			image, host, skipped("docker.io", host), skipped("index.docker.io", host))
	}
	host := registry("quay.io/org/image:1")
	fmt.Printf("quay.io/org/image:1 is at %s: skipped by quay.io %t\n", host, skipped("quay.io", host))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }

# The resolver compares exactly these two.
source=$(go list -m -f '{{.Dir}}' knative.dev/serving)/pkg/reconciler/revision/resolve.go
grep -n 'registriesToSkip.Has(tag.Registry.RegistryStr())' "$source"

go run . | tee output
diff output - <<'SEEN'
docker.io/vllm/vllm-openai:v0.19.0 is at index.docker.io: skipped by docker.io false, by index.docker.io true
vllm/vllm-openai:v0.19.0 is at index.docker.io: skipped by docker.io false, by index.docker.io true
quay.io/org/image:1 is at quay.io: skipped by quay.io true
SEEN
