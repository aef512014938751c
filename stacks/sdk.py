"""What the SDK does beside registering resources, and a program can spare it."""

import asyncio
import os
import sys
import traceback
from functools import cache
from types import FrameType
from typing import Final

import pulumi
from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.sync_await import _sync_await

SWITCH: Final = "ACK_INFERENCE_SDK_DEBUG"


def silence_sdk() -> None:
    """Keeps the SDK's own debug messages back, unless the environment asks for them.

    It sends some nine per resource, each by a call that the whole program waits for, whether or not
    the engine was started with `--debug`. `ACK_INFERENCE_SDK_DEBUG=true` lets them through.

    https://github.com/pulumi/pulumi/blob/master/sdk/python/lib/pulumi/log.py
    """
    if os.environ.get(SWITCH) != "true":
        pulumi.log.debug = _unsaid


def trace_from_frames() -> None:
    """Has the SDK tell where resources are declared without a look at the program's files.

    It sends file and line of all frames of the stack with each resource, which go into the state.
    It asks `traceback` for them, which sees to it that it could show the text of each line too:
    that took a sixth of a program's time.

    https://github.com/pulumi/pulumi/blob/master/sdk/python/lib/pulumi/runtime/resource.py
    """
    resource._get_stack_trace = _stack_trace


def begin_registrations() -> None:
    """Lets everything that was declared begin to register, before the program ends.

    At the end of a program the SDK waits for its registrations, and then for its Outputs. If no
    registration has begun by then, it goes straight to the Outputs, all of them, and looks at each
    one whenever another one is done: time that grows with the square of a stack.

    https://github.com/pulumi/pulumi/blob/master/sdk/python/lib/pulumi/runtime/stack.py
    """
    _sync_await(asyncio.sleep(0))


def _unsaid(*_: object, **__: object) -> None:
    """In place of `pulumi.log.debug`."""


def _stack_trace() -> source_pb2.StackTrace:
    """What called the constructor of a resource's own class, the third on the way outwards."""
    frame: FrameType | None = sys._getframe(1)
    constructors = 0
    while frame and constructors < _CONSTRUCTORS:
        constructors += frame.f_code.co_name == "__init__"
        frame = frame.f_back
    frames = []
    while frame:
        frames.append(_stack_frame(frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return source_pb2.StackTrace(frames=frames)


_CONSTRUCTORS: Final = 3
"""Of `Resource`, of `CustomResource` or `ComponentResource`, and of a class of these."""


@cache
def _stack_frame(file: str, line: int) -> source_pb2.StackFrame:
    summary = traceback.FrameSummary(file, line, "", lookup_line=False)
    return source_pb2.StackFrame(pc=resource._get_source_position_for_frame(summary))
