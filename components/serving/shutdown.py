"""How a pod ends: time for the endpoints to forget it, and for the requests that it has in hand.

On SIGTERM vLLM aborts what it has in hand, unless `--shutdown-timeout` says how long it may finish.
Before SIGTERM, a pod is still served by proxies that have not heard of its end.
"""

from dataclasses import dataclass
from typing import Final

from ..catalog.vllm import vllm_image
from ..catalog.vllm.table import release
from .server import ModelServer

FLAG: Final = "--shutdown-timeout"
"""Flag of vLLM from 0.18.0 on, whose default is 0: github.com/vllm-project/vllm pull 36666."""
GRACE_SECONDS: Final = 30
"""Grace period of a pod that says nothing, as Kubernetes has it."""
KNATIVE_SECONDS: Final = 300
"""Longest request of a revision that says nothing, and so its pods' grace period, as Knative
ships."""
ENDPOINTS_SECONDS: Final = 10
"""Pause in which Services and ingress controllers forget a pod; an estimate. Most do it in a second
or two, under load later."""
QUIET_SECONDS: Final = 30
"""How long Knative's queue-proxy holds SIGTERM back after the last new request: knative/serving,
pkg/queue/sharedmain, `drainSleepDuration`; 15 on its main branch in 2026."""
END_SECONDS: Final = 5
"""What is left of the grace period for the server to end by itself; an estimate."""


@dataclass(frozen=True)
class Shutdown:
    """How a server ends, in seconds."""

    pause_seconds: int = 0
    """Before SIGTERM, by a preStop hook: the server still answers. 0 for no hook."""
    drain_seconds: int = 0
    """After SIGTERM, by vLLM's flag: it answers what it has in hand. 0 leaves the flag out."""


AT_ONCE: Final = Shutdown()
"""Neither pause nor drain."""


def standard_shutdown(server: ModelServer, grace_seconds: int | None) -> Shutdown:
    """How a server of a plain Deployment ends.

    One that finishes its requests after SIGTERM waits for its endpoints alone; any other gets
    nearly all of the grace period before SIGTERM, as its requests end with it.

    Args:
        server: The container that serves the model.
        grace_seconds: Grace period of the pod; None for Kubernetes' default.
    """
    grace = grace_seconds or GRACE_SECONDS
    if not finishes_requests(server):
        return Shutdown(pause_seconds=max(0, grace - END_SECONDS))
    pause = min(ENDPOINTS_SECONDS, grace // 3)
    return Shutdown(pause, 0 if _own_flag(server) else max(0, grace - pause - END_SECONDS))


def knative_shutdown(server: ModelServer, request_seconds: int | None) -> Shutdown:
    """How a server on Knative ends: its queue-proxy makes the pause, and allows no other hook.

    Args:
        server: The container that serves the model.
        request_seconds: Longest request, which is the grace period of the pod too; None for
            Knative's default.
    """
    if not finishes_requests(server) or _own_flag(server):
        return AT_ONCE
    seconds = (request_seconds or KNATIVE_SECONDS) - QUIET_SECONDS - END_SECONDS
    return Shutdown(drain_seconds=max(0, seconds))


def finishes_requests(server: ModelServer) -> bool:
    """Whether a server finishes after SIGTERM what it has in hand, or can be told to."""
    return _own_flag(server) or (server.vllm is not None and _has_flag(server))


def _has_flag(server: ModelServer) -> bool:
    """Whether vLLM's release has the flag; one that is not known may refuse to start with it."""
    image = vllm_image(server.image)
    return image is not None and FLAG in release(image.version).flags


def _own_flag(server: ModelServer) -> bool:
    command = server.vllm_command
    return command is not None and FLAG in command.flags
