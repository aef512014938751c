"""Every command line of vLLM's server that something of this repository renders.

The containers in the manifests of all plans are what is read, with their variables filled in as a
kubelet does.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import Version
from components.crds.leader_worker_labels import GROUP_SIZE, LEADER_ADDRESS, POD_INDEX
from components.serving.roles_model import LEADER_ADDRESS as ROLE_LEADER
from components.serving.roles_model import POD_INDEX as ROLE_POD_INDEX
from components.serving.vllm_command import server_arguments
from plan.model import Plan
from plan.pods import leader_template
from tests.stacks.environments import Raw

from . import plans

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_INDEX: Final = MappingProxyType({"leaderTemplate": "0", "workerTemplate": "1", "worker": "1"})
"""By field of a LeaderWorkerSet, and of an LLMInferenceService of which KServe makes some, the
number that the first pod made of it has in its group."""
_PATTERN: Final = "leaderWorkerPattern"
"""Field of a role of a RoleBasedGroup that has instances of several pods."""
# A variable may name an earlier one; $$ is a dollar: kubernetes v1.34.1,
# third_party/forked/golang/expansion.
_REFERENCE: Final = r"\$(?:(?P<dollar>\$)|\((?P<name>[^)]*)\))"
_IN_PLACE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fieldRef": "10.0.0.1",
        "resourceFieldRef": "1",
        "secretKeyRef": "text",
        "configMapKeyRef": "text",
        "fileKeyRef": "text",
    }
)
"""By source of a variable, a value in place of what a cluster has there."""


@dataclass(frozen=True)
class CommandLine:
    """What a container hands to vLLM's server."""

    where: str
    """What renders it; the first, where several do."""
    release: Version | None
    """Release of vLLM; None where the image's tag does not tell."""
    words: tuple[str, ...]
    """The words after the server's name."""
    answers: bool = True
    """Whether requests come to it: the container has a port. Workers of a group have none."""


def command_lines() -> list[CommandLine]:
    """Every command line, each once."""
    distinct: dict[tuple[Version | None, tuple[str, ...]], CommandLine] = {}
    for group in (plans.stacks(), plans.examples(), plans.pages(), plans.cases(_servers)):
        for case in group:
            for line in lines_of(*case):
                distinct.setdefault((line.release, line.words), line)
    return list(distinct.values())


def lines_of(where: str, of: Plan) -> Iterator[CommandLine]:
    """The command lines of vLLM in the containers of a plan."""
    for container, variables in _containers([*of.manifests()]):
        words = server_arguments(filled(container, variables))
        if words is not None:
            words = tuple(_expanded(word, variables) for word in words)
            image = vllm_image(container["image"])
            release = image.version if image else None
            yield CommandLine(where, release, words, answers=bool(container.get("ports")))


def filled(container: Mapping[str, Any], variables: Mapping[str, str] = _NONE) -> list[str]:
    """The command of a container as a kubelet runs it.

    Args:
        container: Its manifest. What only a cluster can tell has a value in its place.
        variables: What the webhook of a controller adds, by name.
    """
    env = dict(variables)
    for entry in container.get("env") or ():
        source = entry.get("valueFrom")
        env[entry["name"]] = (
            _IN_PLACE[next(iter(source))] if source else _filled(entry.get("value") or "", env)
        )
    return [_filled(word, env) for word in container["command"]]


def _expanded(word: str, variables: Mapping[str, str]) -> str:
    """A word as a shell expands what our scripts have: an address of the leader, and a product."""

    def product(match: re.Match[str]) -> str:
        return str(int(variables[match[1]]) * int(match[2]))

    return re.sub(r"\$\(\((\w+) \* (\d+)\)\)", product, word.replace("${host%% *}", "10.0.0.1"))


def _filled(word: str, env: Mapping[str, str]) -> str:
    """A word with what `$(NAME)` stands for; what no variable is called stays as it is."""

    def value(reference: re.Match[str]) -> str:
        return reference["dollar"] or env.get(reference["name"], reference[0])

    return re.sub(_REFERENCE, value, word)


def _containers(
    value: Any, variables: Mapping[str, str] = _NONE
) -> Iterator[tuple[dict[str, Any], Mapping[str, str]]]:
    """Whatever has an image and a command, wherever it stands, and what a webhook adds to it."""
    if isinstance(value, dict):
        if isinstance(value.get("image"), str) and isinstance(value.get("command"), list):
            yield value, variables
        for field, item in value.items():
            yield from _containers(item, _added(field, value) or variables)
        if _PATTERN in value:
            yield from _containers(leader_template(value), _of_role("0"))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _containers(item, variables)


def _added(field: str, group: Mapping[str, Any]) -> Mapping[str, str]:
    """What controllers and their webhooks add to the containers of a template.

    github.com/kubernetes-sigs/lws v0.9.0, pkg/utils/pod/pod_utils.go, AddLWSVariables; a role's
    template without the leader's patch is that of its workers.
    """
    if field == _PATTERN:
        return _of_role("1")
    if field not in _INDEX:
        return {}
    size = str(group.get("size", 2))
    return {LEADER_ADDRESS: "group-0.group.inference", GROUP_SIZE: size, POD_INDEX: _INDEX[field]}


def _of_role(index: str) -> Mapping[str, str]:
    return {ROLE_LEADER: "group-role-0.inference", ROLE_POD_INDEX: index}


def _servers(raw: Raw) -> object:
    """What command lines come of: models, but not how many pods they have."""
    return [(model["server"], _unscaled(model["serve"])) for model in raw["models"]]


def _unscaled(serve: Raw) -> Raw:
    return {
        runtime: {key: value for key, value in section.items() if key != "scale"}
        for runtime, section in serve.items()
    }
