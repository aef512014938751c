// Modules that hold charts and resource types which the platform installs; no program is built here.
module ack-inference.invalid/sandbox/tools/charts

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.1
	github.com/envoyproxy/gateway v1.9.1
	github.com/fluid-cloudnative/fluid v1.0.8
	github.com/kserve/kserve v0.20.0
	knative.dev/caching v0.0.0-20260727161800-0edbf88bc267
	knative.dev/networking v0.0.0-20260727162500-c7a7b772cac9
	knative.dev/operator v0.50.0
	knative.dev/serving v0.50.0
	sigs.k8s.io/gateway-api v1.6.1
	sigs.k8s.io/gateway-api-inference-extension v1.5.0
	sigs.k8s.io/lws v0.9.0
)
