#!/bin/sh
# The endpoint picker of the inference extension cannot be started without an InferencePool, though it
# has flags for that: --endpoint-selector wants a name of a pool, and --pool-name is refused beside it.
#
# Version: sigs.k8s.io/gateway-api-inference-extension v1.5.0 (Go module, cmd/epp), Go 1.26.
# Expected: with --endpoint-selector and --endpoint-target-ports, which its chart `standalone` gives,
# it finds its pods by their labels, in a cluster without the resource types of the extension.
# Seen on 2026-11-29:
#     without --pool-name: "Failed to construct endpoint pool from options", "name must not be empty"
#     with it: "Failed to validate flags", "either pool-name or endpoint-selector must be set"
# So a gateway that needs no InferencePool itself (Envoy Gateway) needs its type for the picker.
#
# Needs Go 1.26 and a module proxy; builds for some minutes. Ends with 1 if what is seen changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > kubeconfig <<'CONFIG'
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
users: [{name: none, user: {}}]
current-context: none
CONFIG
go mod init findings >go.log 2>&1
go get -tool sigs.k8s.io/gateway-api-inference-extension/cmd/epp@v1.5.0 >>go.log 2>&1 || { cat go.log; exit 1; }
go build -o picker sigs.k8s.io/gateway-api-inference-extension/cmd/epp >>go.log 2>&1 || { cat go.log; exit 1; }

picker() {
  KUBECONFIG=$folder/kubeconfig NAMESPACE=default POD_NAME=picker-5d8f7c6b9-abcde timeout 60 \
    ./picker --endpoint-selector app=qwen --endpoint-target-ports 8000 --pool-namespace default \
    --tracing=false --secure-serving=false --metrics-endpoint-auth=false "$@" 2>&1 || true
}
alone=$(picker | grep -o '"error":"[^"]*"' | head -1)
named=$(picker --pool-name qwen | grep -o '"error":"[^"]*"' | head -1)
echo "without --pool-name: $alone"
echo "with --pool-name: $named"
[ "$alone" = '"error":"name must not be empty"' ]
[ "$named" = '"error":"either pool-name or endpoint-selector must be set"' ]
