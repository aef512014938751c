"""What stands before prefill and decode, and what it may see."""

from typing import Any

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from ..bindings import kubernetes
from ..crds.role_based_group_labels import COMPONENT_INDEX, GROUP_NAME, ROLE_NAME
from .roles_serve import (
    NAMESPACE,
    UPSTREAM_POD_GROUP,
    Gang,
    RolesEngine,
    RolesModelArgs,
    engine_of,
    transfer_of,
)
from .variables import in_order
from .waiting import metadata


def router_role(name: str, args: RolesModelArgs) -> dict[str, Any]:
    """The RoleSpec of the router, under its Python names."""
    router = args.serve.router
    health = {"path": "/health", "port": router.port}
    container = {
        "name": "router",
        "image": router.image,
        "image_pull_policy": "IfNotPresent",
        "command": router_words(name, args),
        "ports": [{"container_port": router.port}],
        "resources": router.resources.manifest(),
        "readiness_probe": {"http_get": health, "period_seconds": 5, "timeout_seconds": 5},
        "env": [
            {"name": NAMESPACE, "value_from": {"field_ref": {"field_path": "metadata.namespace"}}},
            *({"name": key, "value": value} for key, value in in_order(router.env or {}).items()),
        ],
        "security_context": {"allow_privilege_escalation": False},
    }
    secrets = args.server.image_pull_secrets
    spec = {
        "containers": [container],
        "service_account_name": router_account(name),
        "enable_service_links": False,
        "image_pull_secrets": [{"name": secret} for secret in secrets] if secrets else None,
    }
    gang = {UPSTREAM_POD_GROUP: name} if args.serve.gang is Gang.POD_GROUP else {}
    labels = {"release": router_account(name), **gang}
    return {
        "name": "router",
        "replicas": router.replicas,
        "dependencies": router.depends_on,
        "standalone_pattern": {"template": {"metadata": {"labels": labels}, "spec": spec}},
    }


def router_words(name: str, args: RolesModelArgs) -> list[str]:
    """What a router runs: it watches the pods of both roles, of an instance its leader.

    Flags read off sglang-router 0.3.2 and vllm-router 0.1.17, 2026-11-29.
    """
    serve, router = args.serve, args.serve.router
    program, mode = ["python3", "-m", "sglang_router.launch_router"], ["--pd-disaggregation"]
    if engine_of(args.server) is RolesEngine.VLLM:
        program = ["vllm-router"]
        mode = ["--vllm-pd-disaggregation", "--kv-connector", transfer_of(args).value]
    words = [*(router.command or program), *mode]
    words += ["--host", "0.0.0.0", "--port", str(router.port)]  # noqa: S104
    words += ["--service-discovery", "--service-discovery-namespace", f"$({NAMESPACE})"]
    words += ["--service-discovery-port", str(args.server.port)]
    for role, part in serve.engines.items():
        leader = [f"{COMPONENT_INDEX}=0"] if part.nodes > 1 else []
        words += [f"--{role}-selector", f"{GROUP_NAME}={name}", f"{ROLE_NAME}={role}", *leader]
    return [*words, *(router.extra_args or [])]


def router_account(name: str) -> str:
    """Name of the routers' ServiceAccount, and of what binds its rights."""
    return f"{name}-router"


def declare_rights(
    name: str, args: RolesModelArgs, options: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """What lets routers see the pods of their namespace, and nothing else."""
    account = router_account(name)

    def about() -> ObjectMetaArgs:
        return metadata(account, args.namespace, labels=args.labels)

    rules: Any = [{"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    subject: Any = {"kind": "ServiceAccount", "name": account, "namespace": args.namespace}
    role: Any = {"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": account}
    rbac = kubernetes.rbac.v1
    return [
        kubernetes.core.v1.ServiceAccount(f"{name}-account", metadata=about(), opts=options),
        rbac.Role(f"{name}-rights", metadata=about(), rules=rules, opts=options),
        rbac.RoleBinding(
            f"{name}-binding", metadata=about(), role_ref=role, subjects=[subject], opts=options
        ),
    ]
