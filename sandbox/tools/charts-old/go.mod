// Releases whose resource types later ones no longer have; no program is built here.
module ack-inference.invalid/sandbox/tools/charts-old

go 1.26.0

require sigs.k8s.io/gateway-api-inference-extension v1.0.2
