import json
from typing import Any

import pulumi
import pytest

from components.cloud import RrsaRole, RrsaRoleArgs
from components.cloud.identity import render_trust
from plan.model import UNKNOWN, Plan
from plan.record import record
from tests.provider_schema import errors_in, needs_schema

from .refusals import refusal, refusals

ROLE = "alicloud:ram/role:Role"
POLICY = "alicloud:ram/policy:Policy"
ATTACHMENT = "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment"

READ = {"actions": ["oss:GetObject"], "resources": ["acs:oss:*:*:llm-models/*"]}


def identity(**changes: Any) -> dict[str, Any]:
    return {
        "role_name": "qwen",
        "oidc_issuer_url": "https://issuer/c1",
        "oidc_provider_arn": "acs:ram::1:oidc-provider/ack-rrsa-c1",
        "namespace": "serving",
        "service_account": "reader",
        "statements": [READ],
        **changes,
    }


def planned(*, preview: bool = True, **changes: Any) -> Plan:
    return record(lambda: RrsaRole("qwen", RrsaRoleArgs.of(identity(**changes))), preview=preview)


def test_one_service_account_of_one_cluster_may_assume_the_role() -> None:
    [role] = planned().of(ROLE)
    [statement] = json.loads(role.inputs["assumeRolePolicyDocument"])["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Federated": ["acs:ram::1:oidc-provider/ack-rrsa-c1"]},
        "Condition": {
            "StringEquals": {
                "oidc:iss": "https://issuer/c1",
                "oidc:aud": "sts.aliyuncs.com",
                "oidc:sub": "system:serviceaccount:serving:reader",
            }
        },
    }


def test_the_role_may_do_what_is_stated_and_nothing_else() -> None:
    plan = planned()
    [policy], [attachment] = plan.of(POLICY), plan.of(ATTACHMENT)
    assert json.loads(policy.inputs["policyDocument"]) == {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["oss:GetObject"],
                "Resource": ["acs:oss:*:*:llm-models/*"],
            }
        ],
    }
    assert attachment.inputs == {
        "roleName": "qwen",
        "policyName": "qwen",
        "policyType": "Custom",
    }


def test_a_cluster_that_does_not_exist_yet_leaves_the_trust_unknown() -> None:
    def program() -> None:
        arn = pulumi.Output.from_input(pulumi.UNKNOWN)
        RrsaRole("qwen", RrsaRoleArgs.of(identity(oidc_provider_arn=arn)))

    [role] = record(program).of(ROLE)
    assert role.inputs["assumeRolePolicyDocument"] == UNKNOWN


def test_trust_is_rendered_without_an_engine() -> None:
    assert render_trust("arn", "issuer", "a:b")["Version"] == "1"


@needs_schema
def test_the_provider_knows_every_input() -> None:
    assert errors_in(planned()) == {}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"role_name": "a.b"}, "role_name is 'a.b', but it must be 1 to 64 letters, digits and"),
        ({"role_name": "a" * 65}, f"role_name is '{'a' * 65}', but it must be 1 to 64 letters"),
        ({"namespace": "*"}, "namespace is '*', but it must be lowercase letters"),
        ({"service_account": ""}, "service_account is '', but it must be lowercase letters"),
        ({"statements": []}, "statements is [], but it must be one statement or more"),
        (
            {"statements": [{**READ, "actions": ["*"]}]},
            "statements[0].actions is '*', but it must be an action such as 'oss:GetObject'",
        ),
        (
            {"statements": [{**READ, "actions": ["oss:*"]}]},
            "statements[0].actions is 'oss:*', but it must be an action such as",
        ),
        (
            {"statements": [READ, {**READ, "resources": ["*"]}]},
            "statements[1].resources is '*', but it must be an ARN such as",
        ),
        (
            {"statements": [{**READ, "resources": []}]},
            "statements[0].resources is [], but it must be one or more",
        ),
    ],
)
def test_a_role_wider_than_a_need_is_refused(changes: dict[str, Any], sentence: str) -> None:
    assert refusal(RrsaRoleArgs, identity(**changes)).startswith(sentence)


def test_all_faults_are_told_at_once() -> None:
    changes = {"role_name": "", "namespace": "", "service_account": "", "statements": []}
    assert len(refusals(RrsaRoleArgs, identity(**changes))) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"role_name": "a" * 64},
        {"statements": [{**READ, "actions": ["oss:Get*"]}]},
    ],
)
def test_the_edges_of_what_is_allowed_are_accepted(changes: dict[str, Any]) -> None:
    assert RrsaRoleArgs.of(identity(**changes))
