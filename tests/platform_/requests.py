"""What a program asks of the engine, options included."""

from collections.abc import Callable
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2

RELEASE = "kubernetes:helm.sh/v3:Release"
ADDON = "alicloud:cs/kubernetesAddon:KubernetesAddon"


class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(f"{args.token} is called")


def requests(
    program: Callable[[], object],
) -> dict[str, resource_pb2.RegisterResourceRequest]:
    """Every registration of a program by name."""
    by_name: dict[str, resource_pb2.RegisterResourceRequest] = {}

    class Monitor(MockMonitor):
        def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802
            by_name[request.name] = request
            return super().RegisterResource(request)

    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks, preview=True, monitor=Monitor(mocks))
    pulumi.runtime.test(program)()
    return by_name
