"""A model whose prompts are read by some servers and whose answers are written by others.

Prefill, decode and the router before them are roles of one RoleBasedGroup. Prefill is bound by
compute and decode by memory, so that each has its own cards, sizes and scale.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from .. import crds
from ..args import Refusal, child_options, once, validated
from ..crds.core import Container
from ..crds.role_based_group_labels import (
    ADAPTER,
    API_VERSION,
    GANG,
    GANG_TIMEOUT,
    GROUP_NAME,
    ROLE_NAME,
)
from ..crds.role_based_group_rules import name_faults
from .autoscaler import declare_autoscaler, hpa_spec
from .kv_transfer import SIDE_CHANNEL
from .pod import model_pod
from .pod_group import (
    POD_GROUP,
    POD_GROUP_SIZE,
    declare_service,
    group_flags,
    serve_words,
    with_server,
)
from .roles_router import declare_rights, router_role
from .roles_serve import (
    BOOTSTRAP_PORT,
    MASTER_PORT,
    TENSOR,
    UPSTREAM_POD_GROUP,
    Gang,
    RolesEngine,
    RolesModelArgs,
    RolesServe,
    engine_of,
    flags,
    is_told_address,
    role_server,
    transfer_of,
)
from .server import ModelServer
from .shutdown import standard_shutdown
from .waiting import metadata

LEADER_ADDRESS: Final = "RBG_LWP_LEADER_ADDRESS"
"""Variable of pods of an instance on several nodes: DNS name of its leader."""
POD_INDEX: Final = "RBG_LWP_WORKER_INDEX"
"""Variable of them: number of the pod, 0 for the leader."""

BOOTSTRAP_ANNOTATION: Final = "sglang.ai/bootstrap-port"
"""Annotation by which sglang-router 0.3.2 learns it of pods that it finds."""


class RolesModel(pulumi.ComponentResource):
    """A RoleBasedGroup with prefill, decode and router, and the Service of its routers.

    Each instance costs what the nodes of its pods cost.
    """

    host: pulumi.Output[str]
    """Host name of the routers' Service inside the cluster."""

    def __init__(
        self, name: str, args: RolesModelArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = RolesModelArgs.of(args)
        group, policy, scalers = validated(f"RolesModel {name}", lambda: render(name, args))

        super().__init__("ack-inference:index:RolesModel", name, args.dump(), opts)

        options = child_options(self, opts)
        before = declare_rights(name, args, options)
        if policy is not None:
            # The controller reads it by the group's name, and makes all at once without.
            about = metadata(name, args.namespace, labels=args.labels)
            before.append(crds.CoordinatedPolicy(f"{name}-coordination", policy, about, options))
        first = child_options(self, opts, depends_on=before)
        deployed = crds.RoleBasedGroup(f"{name}-group", group, group_metadata(name, args), first)
        after = child_options(self, opts, depends_on=[deployed])
        routers = {GROUP_NAME: name, ROLE_NAME: "router"}
        declare_service(name, name, args, routers, args.serve.router.port, after)
        for role, scaler in scalers.items():
            called = f"{name}-{role}"
            declare_autoscaler(called, scaler, args.namespace, args.labels, after, hpa=called)

        self.host = pulumi.Output.format("{0}.{1}.svc.cluster.local", name, args.namespace)
        self.register_outputs({"host": self.host})


Rendered: TypeAlias = (
    "tuple[crds.RoleBasedGroupSpec, crds.CoordinatedPolicySpec | None, "
    "Mapping[str, crds.HorizontalPodAutoscalerSpec]]"
)
"""The group, its policy, and an HPA per role that scales."""


@once
def render(name: str, args: RolesModelArgs) -> "Rendered":
    """What serves a model of a name.

    Raises:
        ValidationError: The API server, or the controller, takes no such objects.
        Refusal: Of the name others are made that nobody takes.
    """
    rendered = group_spec(name, args), policy_spec(args.serve), autoscalers(name, args.serve)
    sizes = {role: (part.scale.max, part.nodes) for role, part in args.serve.engines.items()}
    sizes["router"] = (args.serve.router.replicas, 1)
    faults = [
        fault
        for role, (instances, pods) in sizes.items()
        for fault in name_faults(name, role, instances, pods)
    ]
    if faults:
        raise Refusal(max(faults, key=lambda fault: len(str(fault.why))))
    return rendered


def group_metadata(name: str, args: RolesModelArgs) -> ObjectMetaArgs:
    """Metadata of the group, for whose roles an update waits."""
    serve = args.serve
    gang = {GANG: "true"} if serve.gang is Gang.POD_GROUP else {}
    if serve.gang_seconds is not None:
        gang[GANG_TIMEOUT] = str(serve.gang_seconds)
    return metadata(
        name,
        args.namespace,
        wait_for="condition=Ready",
        seconds=args.wait_seconds,
        labels=args.labels,
        annotations=gang or None,
    )


def group_spec(name: str, args: RolesModelArgs) -> "crds.RoleBasedGroupSpec":
    """The RoleBasedGroup; of a role that scales, its HPA alone says how many instances it has."""
    roles = [engine_role(name, args, role) for role in args.serve.engines]
    return crds.RoleBasedGroupSpec.model_validate({"roles": [*roles, router_role(name, args)]})


def engine_role(name: str, args: RolesModelArgs, role: str) -> dict[str, Any]:
    """The RoleSpec of prefill or decode, under its Python names."""
    part = args.serve.engines[role]
    scales = part.scale.metric is not None
    about = {"labels": _pod_labels(name, args), "annotations": _notes(args, role)}
    pod_spec = engine_pod(name, args, role)
    pattern: dict[str, Any] = {"template": {"metadata": about, "spec": pod_spec}}
    if part.nodes > 1:
        # A worker answers nobody, so that what a leader has beside it comes as its patch.
        leader, *sidecars = pod_spec["containers"]
        leader_keys = ("ports", "startup_probe", "readiness_probe", "lifecycle", "command")
        worker = {key: value for key, value in leader.items() if key not in leader_keys}
        worker["command"] = server_words(args, role, is_worker=True)
        pattern["template"]["spec"] = {**pod_spec, "containers": [worker, *sidecars]}
        patch = {
            "name": leader["name"],
            **{key: leader[key] for key in leader_keys if leader.get(key)},
        }
        pattern |= {
            "size": part.nodes,
            "leader_template_patch": {"spec": {"containers": [_wire(patch)]}},
        }
    return {
        "name": role,
        "replicas": None if scales else part.scale.max,
        "dependencies": part.depends_on,
        "rollout_strategy": {"rolling_update": part.update.spec()} if part.update else None,
        "scaling_adapter": {"enable": True} if scales else None,
        "leader_worker_pattern" if part.nodes > 1 else "standalone_pattern": pattern,
    }


def _wire(container: dict[str, Any]) -> dict[str, Any]:
    """Fields of a container as the API spells them."""
    wire = Container.model_validate({"image": "", **container}).manifest()
    return {key: value for key, value in wire.items() if key != "image"}


def engine_pod(name: str, args: RolesModelArgs, role: str) -> dict[str, Any]:
    """Fields of the PodSpec of a server that is a leader or alone."""
    part, placed = args.serve.engines[role], (args.placed or {}).get(role)
    server = role_server(args, role)
    update: dict[str, Any] = {"server": server}
    if placed is not None:
        update |= {"node_affinity": placed.node_affinity, "tolerations": placed.tolerations}
    role_args = args.model_copy(update=update)
    end = standard_shutdown(server, part.grace_seconds)
    pod = model_pod(role_args, part.startup_seconds, container="server", shutdown=end)
    fields: dict[str, Any] = {"command": server_words(args, role, end.drain_seconds)}
    if is_told_address(args):
        fields["env"] = [*(pod["containers"][0]["env"] or []), SIDE_CHANNEL]
    affinity = {**(pod["affinity"] or {}), **_exclusive(name, args.serve.exclusive_topology)}
    return with_server(pod, fields) | {
        "affinity": affinity or None,
        "termination_grace_period_seconds": part.grace_seconds,
    }


def _exclusive(name: str, topology: str | None) -> dict[str, Any]:
    """Near all servers of the group, and far from those of others.

    Not by the controller's annotation: of what it makes of that, no pod finds a node
    (`EXCLUSIVE_TOPOLOGY` of crds/role_based_group_labels.py).
    """
    if topology is None:
        return {}

    def term(*groups: Mapping[str, Any]) -> dict[str, Any]:
        selector = {"match_expressions": [*groups, _SERVERS]}
        required = [{"topology_key": topology, "label_selector": selector}]
        return {"required_during_scheduling_ignored_during_execution": required}

    own = {"key": GROUP_NAME, "operator": "In", "values": [name]}
    any_group, not_own = {"key": GROUP_NAME, "operator": "Exists"}, {**own, "operator": "NotIn"}
    return {"pod_affinity": term(own), "pod_anti_affinity": term(any_group, not_own)}


_SERVERS: Final = {"key": ROLE_NAME, "operator": "NotIn", "values": ["router"]}


def _pod_labels(name: str, args: RolesModelArgs) -> dict[str, str]:
    """Labels of the pods of prefill and decode: what a scheduler knows the gang by, too."""
    gang = {
        Gang.LABELS: {POD_GROUP: name, POD_GROUP_SIZE: str(args.serve.fewest_pods)},
        Gang.POD_GROUP: {UPSTREAM_POD_GROUP: name},
        None: {},
    }
    return {**args.labels, **gang[args.serve.gang]}


def _notes(args: RolesModelArgs, role: str) -> dict[str, str] | None:
    notes = args.serve.engines[role].annotations or {}
    is_found = role == "prefill" and engine_of(args.server) is RolesEngine.SGLANG
    return {**({BOOTSTRAP_ANNOTATION: str(BOOTSTRAP_PORT)} if is_found else {}), **notes} or None


def server_words(
    args: RolesModelArgs, role: str, drain_seconds: int = 0, *, is_worker: bool = False
) -> list[str]:
    """What a server of a role runs."""
    server, part = role_server(args, role), args.serve.engines[role]
    if server.vllm is None:
        return _sglang_words(args, role, server)
    if part.nodes == 1:
        return server.command_line(drain_seconds)
    group = group_flags(part.nodes, POD_INDEX, LEADER_ADDRESS, server, part.startup_seconds)
    words = [*serve_words(server, 0 if is_worker else drain_seconds), *group]
    return [*words, "--headless"] if is_worker else words


def _sglang_words(args: RolesModelArgs, role: str, server: ModelServer) -> list[str]:
    """What a server of SGLang runs: its command, and what of its role that does not say."""
    part = args.serve.engines[role]
    words = [*(server.command or []), *(part.extra_args or [])]
    own = {*flags(words)}
    options: dict[str, object] = {
        "--host": "0.0.0.0",  # noqa: S104  SGLang's default is 127.0.0.1, which nobody else reaches
        "--port": server.port,
        "--disaggregation-mode": role,
        "--disaggregation-transfer-backend": transfer_of(args).value,
    }
    if part.nodes > 1:
        options |= {
            "--tp-size": server.gpus * part.nodes,
            "--dist-init-addr": f"$({LEADER_ADDRESS}):{MASTER_PORT}",
            "--nnodes": part.nodes,
            "--node-rank": f"$({POD_INDEX})",
        }
    elif server.gpus > 1:
        options["--tp-size"] = server.gpus
    if not own.isdisjoint(TENSOR):
        options.pop("--tp-size", None)
    further = ((flag, str(value)) for flag, value in options.items() if flag not in own)
    return [*words, *(word for pair in further for word in pair)]


def policy_spec(serve: RolesServe) -> "crds.CoordinatedPolicySpec | None":
    """What prefill and decode do together; None where each goes its own way."""
    together = serve.coordination
    if together is None:
        return None
    scaling = {"max_skew": together.max_skew, "progression": together.progression}
    update = {
        "max_skew": together.update_max_skew,
        "max_unavailable": together.update_max_unavailable,
    }
    strategy = {
        "scaling": scaling,
        "rolling_update": update if any(value is not None for value in update.values()) else None,
    }
    rule = {"name": "prefill-decode", "roles": [*serve.engines], "strategy": strategy}
    return crds.CoordinatedPolicySpec.model_validate({"policies": [rule]})


def autoscalers(name: str, serve: RolesServe) -> "dict[str, crds.HorizontalPodAutoscalerSpec]":
    """The HPA over each role that scales, by the adapter that the controller makes of it."""
    target = {"api_version": API_VERSION, "kind": ADAPTER}
    return {
        role: scaler
        for role, part in serve.engines.items()
        if (scaler := hpa_spec({**target, "name": f"{name}-{role}"}, part.scale)) is not None
    }
