#!/usr/bin/env bash
# knative.dev/serving v0.50.0, run 2026-11-29.
#
# config-features takes `enabled`, `allowed` and `disabled`. Any other text, `"true"` among them, is
# no error, neither to the parser nor to the webhook that validates ConfigMaps with it: the flag
# keeps the value that it ships with. So `kubernetes.podspec-affinity: "true"` is stored, and every
# service with an affinity is refused as before. The webhook does refuse a wrong text in the other
# ConfigMaps, such as config-autoscaler.
#
# Seen:
#   kubernetes.podspec-affinity "enabled": Enabled, <nil>
#   kubernetes.podspec-affinity "true": Disabled, <nil>
#   kubernetes.podspec-volumes-emptydir "false": Enabled, <nil>
#   enable-scale-to-zero "yes": failed to parse data: failed to parse "enable-scale-to-zero": strconv.ParseBool: parsing "yes": invalid syntax
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding

go 1.25.0

require knative.dev/serving v0.50.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	"knative.dev/serving/pkg/apis/config"
	autoscaler "knative.dev/serving/pkg/autoscaler/config"
)

func flags(name, value string) (*config.Features, error) {
	return config.NewFeaturesConfigFromMap(map[string]string{name: value})
}

func main() {
	for _, value := range []string{"enabled", "true"} {
		features, err := flags("kubernetes.podspec-affinity", value)
		fmt.Printf("kubernetes.podspec-affinity %q: %s, %v\n", value, features.PodSpecAffinity, err)
	}
	features, err := flags("kubernetes.podspec-volumes-emptydir", "false")
	fmt.Printf("kubernetes.podspec-volumes-emptydir \"false\": %s, %v\n", features.PodSpecVolumesEmptyDir, err)
	_, err = autoscaler.NewConfigFromMap(map[string]string{"enable-scale-to-zero": "yes"})
	fmt.Printf("enable-scale-to-zero \"yes\": %v\n", err)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }

go run . | tee output
diff output - <<'SEEN'
kubernetes.podspec-affinity "enabled": Enabled, <nil>
kubernetes.podspec-affinity "true": Disabled, <nil>
kubernetes.podspec-volumes-emptydir "false": Enabled, <nil>
enable-scale-to-zero "yes": failed to parse data: failed to parse "enable-scale-to-zero": strconv.ParseBool: parsing "yes": invalid syntax
SEEN
