"""An engine that listens on the port of an earlier one is reached all the same."""

import contextvars
import socket
from concurrent import futures

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from pulumi.runtime.settings import Settings

import sandbox.engine  # noqa: F401  sets up the channels


class Engine(engine_pb2_grpc.EngineServicer):
    def Log(self, request, context):  # noqa: N802
        return empty_pb2.Empty()


def engine_at(port: int) -> engine_pb2_grpc.EngineStub:
    """What a program calls, by the SDK's own way to it."""
    return Settings("project", "stack", engine=f"127.0.0.1:{port}").engine


def test_a_program_reaches_an_engine_where_an_earlier_one_was_gone():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    earlier = contextvars.copy_context().run(engine_at, port)
    for _ in range(3):  # each makes gRPC wait longer before it looks again
        with pytest.raises(grpc.RpcError, match="refused"):
            earlier.Log(engine_pb2.LogRequest())

    server = grpc.server(futures.ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(Engine(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        contextvars.copy_context().run(engine_at, port).Log(engine_pb2.LogRequest())
    finally:
        server.stop(None).wait()
