"""Rights of a service account in the cloud, without an AccessKey."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pulumi

from ..args import Args, Fault, Input, child_options
from ..bindings import alicloud
from ..names import DNS_1123_LABEL, RAM_ROLE

_RRSA_DOCS: Final = "https://www.alibabacloud.com/help/doc-detail/356611.html"
_AUDIENCE: Final = "sts.aliyuncs.com"


class RamStatement(Args):
    """Actions that are allowed on resources."""

    actions: list[str]
    """Actions, e.g. `oss:GetObject`; neither `*` nor all of a service."""
    resources: list[Input[str]]
    """ARNs the actions are allowed on, e.g. `acs:oss:*:*:llm-models/*`; not `*`."""


class RrsaRoleArgs(Args):
    """Who may do what."""

    role_name: str
    """Name of the RAM role and of its policy, 1 to 64 letters, digits and hyphens."""
    oidc_issuer_url: Input[str]
    """Issuer of the cluster's tokens, output `rrsa_oidc_issuer_url` of the cluster."""
    oidc_provider_arn: Input[str]
    """ARN of the cluster's identity provider, output `rrsa_oidc_provider_arn` of the cluster."""
    namespace: str
    """Namespace of the service account."""
    service_account: str
    """Name of the one service account that may assume the role."""
    statements: list[RamStatement]
    """What it may do, one statement or more."""
    tags: dict[str, Input[str]] | None = None
    """Tags of the role and its policy."""

    def _faults(self) -> Iterator[Fault]:
        yield from role_name_faults(self.role_name)
        yield from account_faults(
            {"namespace": self.namespace, "service_account": self.service_account}
        )
        if not self.statements:
            why = "a role without rights serves nobody"
            yield Fault("statements", [], "one statement or more", why)
        for index, statement in enumerate(self.statements):
            yield from _statement_faults(f"statements[{index}]", statement)


class RrsaRole(pulumi.ComponentResource):
    """A RAM role that one service account of one cluster may assume."""

    role_name: pulumi.Output[str]
    """Name of the role, once it has its rights."""
    role_arn: pulumi.Output[str]
    """ARN of the role."""

    def __init__(
        self, name: str, args: RrsaRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = RrsaRoleArgs.of(args)

        super().__init__("ack-inference:index:RrsaRole", name, args.dump(), opts)

        subject = f"{args.namespace}:{args.service_account}"
        role = alicloud.ram.Role(
            f"{name}-role",
            role_name=args.role_name,
            description=f"For the service account {subject}.",
            assume_role_policy_document=pulumi.Output.json_dumps(
                render_trust(args.oidc_provider_arn, args.oidc_issuer_url, subject), sort_keys=True
            ),
            tags=args.tags,
            opts=child_options(self, opts),
        )
        policy = alicloud.ram.Policy(
            f"{name}-policy",
            policy_name=args.role_name,
            description=f"Rights of the service account {subject}.",
            policy_document=pulumi.Output.json_dumps(
                render_policy(args.statements), sort_keys=True
            ),
            # RAM keeps five versions, and refuses the sixth.
            rotate_strategy="DeleteOldestNonDefaultVersionWhenLimitExceeded",
            tags=args.tags,
            opts=child_options(self, opts),
        )
        attachment = alicloud.ram.RolePolicyAttachment(
            f"{name}-attachment",
            role_name=role.role_name,
            policy_name=policy.policy_name,
            policy_type="Custom",
            opts=child_options(self, opts),
        )

        self.role_name = attachment.role_name
        self.role_arn = role.arn
        self.register_outputs({"role_name": self.role_name, "role_arn": self.role_arn})


def render_trust(
    provider_arn: Input[str], issuer_url: Input[str], subject: str
) -> Mapping[str, Any]:
    """Renders who may assume a role: a token of this issuer, for STS, of this service account.

    Args:
        provider_arn: ARN of the identity provider.
        issuer_url: Issuer of its tokens.
        subject: Service account, as `<namespace>:<name>`.
    """
    return {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Federated": [provider_arn]},
                "Condition": {
                    "StringEquals": {
                        "oidc:iss": issuer_url,
                        "oidc:aud": _AUDIENCE,
                        "oidc:sub": f"system:serviceaccount:{subject}",
                    }
                },
            }
        ],
    }


def render_policy(statements: Sequence[RamStatement]) -> Mapping[str, Any]:
    """Renders what a role may do."""
    return {
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": statement.actions, "Resource": statement.resources}
            for statement in statements
        ],
    }


def account_faults(names: Mapping[str, str]) -> Iterator[Fault]:
    """Finds names that are not one namespace or one service account.

    Args:
        names: Field to name.
    """
    want = "lowercase letters, digits and hyphens, at most 63"
    why = "Kubernetes takes no other name, and a wildcard would let others in"
    for field, name in names.items():
        if not DNS_1123_LABEL.allows(name):
            yield Fault(field, name, want, why, _RRSA_DOCS)


def role_name_faults(role_name: str) -> Iterator[Fault]:
    """Finds what keeps a name from being that of a role and its policy."""
    why = "RAM takes no other name for a role and its policy"
    yield from RAM_ROLE.faults("role_name", role_name, why)


def _statement_faults(path: str, statement: RamStatement) -> Iterator[Fault]:
    why = "a role gets no more rights than it needs"
    for action in statement.actions:
        if action == "*" or action.endswith(":*") or ":" not in action:
            yield Fault(f"{path}.actions", action, "an action such as 'oss:GetObject'", why)
    for resource in statement.resources:
        if isinstance(resource, str) and not resource.startswith("acs:"):
            want = "an ARN such as 'acs:oss:*:*:llm-models/*'"
            yield Fault(f"{path}.resources", resource, want, why)
    for field, values in (("actions", statement.actions), ("resources", statement.resources)):
        if not values:
            yield Fault(f"{path}.{field}", [], "one or more", "an empty statement allows nothing")
