#!/usr/bin/env bash
# knative.dev/serving v0.50.0, run 2026-11-29.
#
# The annotation autoscaling.knative.dev/class may name a controller of anybody's, if its domain is not
# Knative's own. Below autoscaling.knative.dev the webhook takes two classes, kpa and hpa. ACK documents
# the class of its predictive autoscaler as `ahpa.autoscaling.knative.dev` ("Use AHPA to enable predictive
# scaling in Knative"): upstream's webhook refuses it, so only ACK's build of Knative takes such a service.
#
# Seen:
#   kpa.autoscaling.knative.dev: taken
#   hpa.autoscaling.knative.dev: taken
#   ahpa.autoscaling.knative.dev: invalid value: ahpa.autoscaling.knative.dev: autoscaling.knative.dev/class
#   ahpa.example.com: taken
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
	"context"
	"fmt"

	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/autoscaler/config/autoscalerconfig"
)

func main() {
	for _, class := range []string{
		"kpa.autoscaling.knative.dev",
		"hpa.autoscaling.knative.dev",
		"ahpa.autoscaling.knative.dev",
		"ahpa.example.com",
	} {
		annotations := map[string]string{autoscaling.ClassAnnotationKey: class}
		said := "taken"
		if err := autoscaling.ValidateAnnotations(context.Background(), &autoscalerconfig.Config{AllowZeroInitialScale: true}, annotations); err != nil {
			said = err.Error()
		}
		fmt.Printf("%s: %s\n", class, said)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }

go run . | tee output
diff output - <<'SEEN'
kpa.autoscaling.knative.dev: taken
hpa.autoscaling.knative.dev: taken
ahpa.autoscaling.knative.dev: invalid value: ahpa.autoscaling.knative.dev: autoscaling.knative.dev/class
ahpa.example.com: taken
SEEN
