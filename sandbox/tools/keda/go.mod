module ack-inference.invalid/sandbox/tools/keda

go 1.26

replace (
	github.com/nexus-rpc/nexus-proto-annotations v0.1.0 => github.com/nexus-rpc/nexus-proto-annotations v0.1.1-0.20260629224316-835bd8d49cb4
)

