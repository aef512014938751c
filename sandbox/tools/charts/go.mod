// Modules that hold the charts which the platform installs; no program is built of them.
module ack-inference.invalid/sandbox/tools/charts

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.1
	github.com/fluid-cloudnative/fluid v1.0.8
	github.com/kserve/kserve v0.20.0
)
