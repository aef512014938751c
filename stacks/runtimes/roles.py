"""RoleBasedGroups: models with prefill and decode apart."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Final

from components.args import Fault
from components.catalog.sharing import ERDMA
from components.serving import Gang, ModelArgs, PlacedRole, RolesModel, RolesModelArgs
from components.serving.placement import distinct_tolerations, node_affinity
from components.serving.pod_group import PORT
from components.serving.roles_model import render

from ..arguments.base import required
from ..arguments.placement import enforcer, placement_pools
from ..checks.rules import check, warning
from ..checks.views import commands, served
from ..platforms import ROLE_BASED_GROUPS
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .runtime import Endpoints, Runtime


def model_args(environment: Environment, model: ModelSection, args: ModelArgs) -> RolesModelArgs:
    """The roles of a model, each on its pools."""
    serve = required(model.serve.roles)
    placed = {}
    for name, role in serve.engines.items():
        if role.placement is not None:
            pools = placement_pools(environment, role)
            affinity = node_affinity(pools, enforcer(environment))
            tolerations = distinct_tolerations(pools) or None
            placed[name] = PlacedRole(node_affinity=affinity, tolerations=tolerations)
    return args.completed(partial(RolesModelArgs, serve=serve, placed=placed or None))


def endpoints(model: ModelSection) -> Endpoints:
    """The Service of its routers, each of which asks one pod of prefill and one of decode."""
    return Endpoints(None, model.name, PORT)


# --- checks --------------------------------------------------------------------------------------


@check
def gangs_have_who_reads_them(environment: Environment) -> Iterator[Fault]:
    """ACK's scheduler reads labels, and the PodGroup that the controller makes is another's."""
    for path, _, roles in served(environment, lambda serve: serve.roles):
        if roles.gang is Gang.POD_GROUP and not environment.existing:
            want = "labels, on a cluster of ACK"
            why = (
                "ACK's scheduler knows no PodGroup of scheduling.x-k8s.io, and without that "
                "resource type the controller makes no pod at all"
            )
            yield Fault(f"{path}.serve.roles.gang", roles.gang, want, why)


@warning
def caches_go_by_rdma(environment: Environment) -> Iterator[str]:
    """By TCP, the first token of a long prompt waits for its KV cache."""
    for path, model, roles in served(environment, lambda serve: serve.roles):
        for name, role in roles.engines.items():
            if ERDMA not in (model.resources_of(role).extended or {}) and not environment.existing:
                yield (
                    f"{path}.serve.roles.{name} asks for no {ERDMA}: the KV cache of each prompt "
                    "goes by TCP, and the first token waits for it."
                )


@warning
def routers_have_their_program(environment: Environment) -> Iterator[str]:
    """The router of one engine is not in the image of the other's."""
    for path, model, roles in served(environment, lambda serve: serve.roles):
        engine, stranger = ROUTERS if model.server.vllm is not None else ROUTERS[::-1]
        name = roles.router.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        if roles.router.command is None and stranger in name and engine not in name:
            yield (
                f"{path}.serve.roles.router.image is {roles.router.image}, by its name one with "
                f"{stranger}-router, and a model of this server is asked by {engine}-router: its "
                "pods do not start. Name an image that has it, or its program in router.command."
            )


@warning
def caches_are_read_by_like_cards(environment: Environment) -> Iterator[str]:
    """By another kernel for attention a KV cache lies otherwise, and decode refuses it."""
    for path, model, command in commands(environment):
        field = f"{path}.serve.{model.serve.kind}"
        if not model.serve.is_split or _says_attention(model, command.flags):
            continue
        chosen: dict[str, str] = {}
        for pool in environment.placed(model.reach):
            if (card := environment.card(pool)) is not None:
                chosen.setdefault(_attention(card.compute_capability), pool.name)
        if len(chosen) > 1:
            kinds = " and ".join(f"{kernel} on pool {pool}" for kernel, pool in chosen.items())
            yield (
                f"{field}: by itself vLLM takes {kinds}, and decode refuses a KV cache that was "
                f"written by another one. Give {ATTENTION_FLAG} in server.vllm.extra_args, or "
                "pools of like cards."
            )


ROUTERS: Final = ("vllm", "sglang")
"""Engines that have a router of their name."""
ATTENTION_FLAG: Final = "--attention-backend"


def _says_attention(model: ModelSection, flags: Collection[str]) -> bool:
    serve, variable = model.serve.roles, "VLLM_ATTENTION_BACKEND"
    own = [role.extra_args or [] for role in serve.engines.values()] if serve else []
    words = [word.partition("=")[0] for line in own for word in line]
    sections = model.serve.sections.values()
    return ATTENTION_FLAG in {*flags, *words} or all(
        variable in model.env_of(section) for section in sections
    )


def _attention(capability: float) -> str:
    """What vLLM computes attention by: vllm/platforms/cuda.py, v0.23.0, of models without MLA."""
    if capability < FLASHINFER_SINCE:
        return "TRITON_ATTN"
    is_flashinfer = capability < FLASH_ATTN_SINCE or int(capability) == BLACKWELL
    return "FLASHINFER" if is_flashinfer else "FLASH_ATTN"


FLASHINFER_SINCE: Final = 7.5
FLASH_ATTN_SINCE: Final = 8.0
BLACKWELL: Final = 10
"""Compute capabilities at which vLLM chooses otherwise."""


@warning
def roles_that_scale_alone_have_no_ratio(environment: Environment) -> Iterator[str]:
    """Coordination holds how far roles got, and not how many there are."""
    for path, _, roles in served(environment, lambda serve: serve.roles):
        if roles.coordination is None:
            continue
        scaled = [name for name, role in roles.engines.items() if role.scale.metric is not None]
        if scaled:
            yield (
                f"{path}.serve.roles.coordination holds {' and '.join(scaled)} only on the way to "
                "what each HPA asks for: bounds of scale alone keep the ratio of prefill to decode."
            )


RUNTIME: Final = Runtime(
    args=model_args,
    component=RolesModel,
    render=render,
    fields={
        "metadata.name": "name",
        "disruption_budget": "pod_disruption_budget",
        "serve": "serve.roles",
        "roles[prefill]": "serve.roles.prefill",
        "roles[decode]": "serve.roles.decode",
        "roles[router]": "serve.roles.router",
    },
    needs=lambda _model: (ROLE_BASED_GROUPS,),
    endpoints=endpoints,
)
