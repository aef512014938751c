"""What the SDK does beside registering resources, and a program can spare it."""

import asyncio
import os
from typing import Final

import pulumi
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
