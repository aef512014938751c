"""Whether the SDK tells the engine of every step that it takes."""

import os
from typing import Final

import pulumi

SWITCH: Final = "ACK_INFERENCE_SDK_DEBUG"


def silence_sdk() -> None:
    """Keeps the SDK's own debug messages back, unless the environment asks for them.

    It sends some nine per resource, each by a call that the whole program waits for, whether or not
    the engine was started with `--debug`: half of what a program of a thousand resources does under
    `pulumi up`. `ACK_INFERENCE_SDK_DEBUG=true` lets them through.

    https://github.com/pulumi/pulumi/blob/master/sdk/python/lib/pulumi/log.py
    """
    if os.environ.get(SWITCH) != "true":
        pulumi.log.debug = _unsaid


def _unsaid(*_: object, **__: object) -> None:
    """In place of `pulumi.log.debug`."""
