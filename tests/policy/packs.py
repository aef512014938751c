"""The pack as its own process, the way the engine starts and asks it."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from plan.model import SECRET, UNKNOWN, Plan, Resource
from policy.configuration import Configuration
from policy.model import Level
from tests.stacks.environments import ROOT

PACK: Final = ROOT / "policy"
PYTHON: Final = PACK / ".venv" / "bin" / "python"

CANARY: Final = "CANARY-OF-A-SECRET"
"""Stands in every secret that the pack is sent, as the engine sends it: in the clear."""

LEVELS: Final = {
    Level.ADVISORY: analyzer_pb2.ADVISORY,
    Level.MANDATORY: analyzer_pb2.MANDATORY,
    Level.DISABLED: analyzer_pb2.DISABLED,
}

needs_pack: Final = pytest.mark.skipif(
    not PYTHON.is_file(), reason="The policy pack is not installed: run `make policy`."
)


class Pack:
    """A running pack."""

    def __init__(self, stub: analyzer_pb2_grpc.AnalyzerStub) -> None:
        self.stub = stub

    def configure(self, configuration: Configuration) -> None:
        """As the engine does: everything about every rule, defaults among it."""
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for section in configuration:
            about = request.policyConfig[section.rule.name]
            about.enforcementLevel = LEVELS[section.level]
            about.properties.update(section.settings.model_dump())
        self.stub.Configure(request)

    def diagnostics(self, plan: Plan) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """What is said of each resource as it comes, and of all of them at the end."""
        at_the_end = analyzer_pb2.AnalyzeStackRequest(
            resources=[
                analyzer_pb2.AnalyzerResource(**_fields(resource)) for resource in plan.resources
            ]
        )
        answers = [
            *(self.stub.Analyze(_request(resource)) for resource in plan.resources),
            self.stub.AnalyzeStack(at_the_end),
        ]
        return [diagnostic for answer in answers for diagnostic in answer.diagnostics]


@contextmanager
def running_pack(folder: Path) -> Iterator[Pack]:
    """Starts the pack as Pulumi's Python host does, in a folder that is not its own."""
    command = [str(PYTHON), str(PACK), "127.0.0.1:1"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Pack(analyzer_pb2_grpc.AnalyzerStub(channel))
        finally:
            process.terminate()


def _request(resource: Resource) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(**_fields(resource))


def _fields(resource: Resource) -> dict[str, Any]:
    properties = struct_pb2.Struct()
    properties.update(_wire(resource.inputs))
    return {
        "type": resource.type,
        "urn": resource.urn,
        "name": resource.name,
        "properties": properties,
        "options": analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect),
    }


def _wire(value: Any) -> Any:
    if value is UNKNOWN:
        return rpc.UNKNOWN
    if value is SECRET:
        return {rpc._special_sig_key: rpc._special_secret_sig, "value": CANARY}
    if isinstance(value, Mapping):
        return {key: _wire(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_wire(inner) for inner in value]
    return value
