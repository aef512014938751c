"""What the SDK is spared: its debug messages, and looking at all Outputs over and over."""

import gc
from importlib.util import module_from_spec
from types import FunctionType, SimpleNamespace

import pulumi
import pytest
from pulumi.runtime import resource, settings
from pulumi.runtime.proto.source_pb2 import StackTrace

import stacks
from plan.record import record
from plan.run import plan
from stacks import begin_registrations, silence_sdk, trace_from_frames
from stacks.sdk import SWITCH

from .environments import ROOT


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches an engine, by the SDK as it came."""
    messages: list[str] = []
    engine = SimpleNamespace(Log=lambda request: messages.append(request.message))
    # A program that was planned before has silenced the one that is loaded.
    fresh = module_from_spec(pulumi.log.__spec__)
    pulumi.log.__spec__.loader.exec_module(fresh)
    monkeypatch.setattr(fresh, "get_engine", lambda: engine)
    monkeypatch.setattr(pulumi, "log", fresh)
    return messages


def test_the_engine_hears_warnings_and_errors_but_not_each_step_of_the_sdk(
    heard: list[str],
) -> None:
    silence_sdk()
    pulumi.log.debug("resource registration prepared")
    pulumi.log.warn("private")
    pulumi.log.error("refused")
    assert heard == ["private", "refused"]


def test_the_environment_lets_the_steps_of_the_sdk_through(
    heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, "true")
    silence_sdk()
    pulumi.log.debug("resource registration prepared")
    assert heard == ["resource registration prepared"]


def test_the_engine_is_told_where_a_resource_is_declared_as_by_the_sdk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Frame for frame, also where no file is."""
    pairs: list[tuple[StackTrace, StackTrace]] = []
    by_sdk = resource._get_stack_trace
    trace_from_frames()
    replacement = resource._get_stack_trace

    def both() -> StackTrace:
        pairs.append((by_sdk(), replacement()))
        return pairs[-1][0]

    def program() -> None:
        monkeypatch.setattr(resource, "_get_stack_trace", both)
        text = compile('Thing("in-no-file")', "<text>", "eval")
        FunctionType(text, {"Thing": Thing})()

    try:
        record(program, by_sdk=True)
    finally:
        monkeypatch.setattr(resource, "_get_stack_trace", by_sdk)
    [(original, trace)] = [pair for pair in pairs if pair[0].frames]
    assert trace == original
    files = [frame.pc.uri.rpartition("/")[2] for frame in trace.frames]
    assert files[:2] == ["", "test_sdk.py"]


class Thing(pulumi.ComponentResource):
    """A component of a type of its own."""

    def __init__(self, name: str) -> None:
        super().__init__("ack-inference:index:Thing", name)


def test_registrations_have_begun_before_the_program_ends() -> None:
    """The SDK then waits for them; without any, it looks at all Outputs whenever one is done."""
    begun = []

    def program() -> None:
        pulumi.ComponentResource("ack-inference:index:Thing", "thing")
        begun.append(len(settings._get_rpc_manager().rpcs))
        begin_registrations()
        begun.append(len(settings._get_rpc_manager().rpcs))

    assert [registration.name for registration in record(program, by_sdk=True).resources] == [
        "thing"
    ]
    before, after = begun
    assert after > before


def test_the_program_spares_the_sdk_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(stacks, "silence_sdk", lambda: calls.append("silenced"))
    monkeypatch.setattr(stacks, "trace_from_frames", lambda: calls.append("traced"))
    monkeypatch.setattr(stacks, "deploy", lambda *_: calls.append("deployed"))
    monkeypatch.setattr(stacks, "begin_registrations", lambda: calls.append("begun"))
    plan("dev", ROOT)
    assert calls == ["silenced", "traced", "deployed", "begun"]


def test_the_program_looks_for_garbage_seldom() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        plan("dev", ROOT)
        assert gc.get_threshold()[0] >= 100_000
    finally:
        gc.set_threshold(*before)
