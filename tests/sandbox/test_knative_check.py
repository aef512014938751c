"""Knative's own validation, on the Services of every stack and on what our rules refuse.

Does not prove it of the release that a cluster runs, which may be another one than the code's here,
nor of the Services that KServe makes.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import pulumi
import pytest
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.crds.knative import KnativeServiceSpec, RevisionTemplate, service_faults
from components.crds.knative_features import features
from plan.model import UNKNOWN
from plan.run import plan
from plan.stack_file import stack_names
from sandbox import binaries
from sandbox.knative import KnativeInputs, served, validate
from tests.stacks.environments import (
    GONE,
    ROOT,
    Raw,
    changed,
    dev,
    existing,
    merged,
    planned,
    prod,
    raw_of,
)

missing: Final = binaries.why_unavailable()
pytestmark = pytest.mark.skipif(missing is not None, reason=missing or "")

STACKS: Final = stack_names(ROOT)
QWEN: Final = "models[qwen].server"
RICHER: Final[Mapping[str, Raw]] = {
    "a pod with everything": merged(
        dev(),
        {
            f"{QWEN}.shared_memory": "8Gi",
            f"{QWEN}.image_pull_secrets": ["acr"],
            f"{QWEN}.env": {"HF_HUB_OFFLINE": "1"},
            f"{QWEN}.secret_env": ["hub"],
            f"{QWEN}.port": 9000,
            "pools[a10].taints": [{"key": "team", "value": "chat", "effect": "NoExecute"}],
            "models[qwen].serve.knative.concurrency_limit": 4,
            "models[qwen].serve.knative.reserve": {"type": "ecs"},
        },
    ),
    "shared memory and no toleration": merged(
        existing(),
        {"nodes[gpu].taints": [], f"{QWEN}.shared_memory": "8Gi", "models[qwen].cache": GONE},
    ),
    "a model without priority and toleration": merged(
        prod(),
        {
            "models[embed].priority": GONE,
            "models[embed].placement.pools": ["t4"],
            "pools[t4].dedicated": False,
        },
    ),
}
FIELDS: Final = {
    "kubernetes.podspec-affinity": "affinity",
    "kubernetes.podspec-persistent-volume-claim": "volumes[].persistentVolumeClaim",
    "kubernetes.podspec-priorityclassname": "priorityClassName",
    "kubernetes.podspec-tolerations": "tolerations",
    "kubernetes.podspec-volumes-emptydir": "volumes[].emptyDir",
}
"""Fields of a pod by the flags without which Knative refuses them."""
SHIPPED_ENABLED: Final = {"kubernetes.podspec-volumes-emptydir"}

LONG: Final[Mapping[str, Any]] = {
    "knative": {"max_request_seconds": 900},
    "models[qwen].serve.knative.request_seconds": 900,
}

POD: Final = "spec.template.spec"
CONTAINER: Final = f"{POD}.containers[0]"
ANNOTATIONS: Final = "spec.template.metadata.annotations"
SCALING: Final = "autoscaling.knative.dev/"
HEALTH: Final = {"httpGet": {"path": "/health", "port": 8080}, "failureThreshold": 3}
MOUNT: Final = {"name": "model", "mountPath": "/mnt/model", "readOnly": True}
SERVICE: Final[Raw] = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "qwen", "namespace": "inference"},
    "spec": {
        "template": {
            "metadata": {"annotations": {}},
            "spec": {
                "containers": [
                    {
                        "image": "registry/vllm:0.4.1",
                        "ports": [{"containerPort": 8080}],
                        "env": [{"name": "A", "value": "1"}],
                        "volumeMounts": [MOUNT],
                    }
                ],
                "volumes": [{"name": "model", "secret": {"secretName": "weights"}}],
                "responseStartTimeoutSeconds": 60,
            },
        }
    },
}
"""The smallest of all: it needs no flag."""
RULES: Final = [
    # where, a value that is refused, one that is accepted, what we name, what Knative says
    (
        f"{CONTAINER}.ports[0].containerPort",
        8012,
        8011,
        "ports[8012].container_port",
        "8012 is a reserved port",
    ),
    (f"{CONTAINER}.ports[0].name", "grpc", "h2c", "ports[8080].name", "grpc is not allowed"),
    (f"{CONTAINER}.ports[0].protocol", "UDP", "TCP", "ports[8080].protocol", "ports.protocol"),
    (f"{CONTAINER}.env[0].name", "K_SERVICE", "K_SERVICES", "env[K_SERVICE]", "env[0].name"),
    (f"{CONTAINER}.env[0].name", "PORT", "PORTS", "env[PORT]", "env[0].name"),
    (
        f"{CONTAINER}.volumeMounts[0].mountPath",
        "/dev/",
        "/dev/model",
        "volume_mounts[model].mount_path",
        "volumeMounts[0].mountPath",
    ),
    (
        f"{CONTAINER}.volumeMounts[+]",
        MOUNT,
        {**MOUNT, "mountPath": "/mnt"},
        "volume_mounts[model].mount_path",
        "volumeMounts[1].mountPath",
    ),
    (f"{CONTAINER}.volumeMounts", [], [MOUNT], "volumes[model]", 'name "model" not mounted'),
    (f"{CONTAINER}.name", "queue-proxy", "proxy", "containers[queue-proxy].name", "reserved"),
    (
        f"{CONTAINER}.readinessProbe",
        HEALTH,
        {**HEALTH, "periodSeconds": 1},
        "readiness_probe.failure_threshold",
        "readinessProbe.failureThreshold",
    ),
    (
        f"{POD}.automountServiceAccountToken",
        True,
        False,
        "automount_service_account_token",
        "automountServiceAccountToken",
    ),
    (f"{POD}.timeoutSeconds", 601, 600, "timeout_seconds", "timeoutSeconds"),
    (f"{POD}.containerConcurrency", 1001, 1000, "container_concurrency", "containerConcurrency"),
    (f"{ANNOTATIONS}[{SCALING}initial-scale]", "0", "1", "initial-scale]", "initial-scale=0"),
    ("spec.traffic", [{"percent": 90}], [{"percent": 100}], "traffic", "sum to 90"),
    ("metadata.name", "Qwen", "qwen-2", "metadata.name", "metadata.name"),
]


@cache
def served_by(case: str) -> KnativeInputs:
    """What a stack of the repository serves, or a richer one."""
    return served(plan(case, ROOT) if case in STACKS else planned(RICHER[case]))


def answers(inputs: KnativeInputs, **changes: Mapping[str, str]) -> list[str]:
    """What Knative answers to all Services of a plan, under other settings than the plan's."""
    settings = {"features": inputs.features, "defaults": inputs.defaults, **changes}
    return validate(inputs.services, **settings)


def needed(service: Mapping[str, Any]) -> set[str]:
    return set(features(RevisionTemplate.model_validate(service["spec"]["template"])))


def fields(answer: str) -> set[str]:
    """Fields of the pod that must not be set, as Knative says, without the numbers of entries."""
    match = re.search(r"must not set the field\(s\): (.+)", answer)
    named = match[1].split(", ") if match else []
    return {re.sub(r"\[\d+\]", "[]", path.removeprefix(f"{POD}.")) for path in named}


def our_refusals(manifest: Mapping[str, Any]) -> list[str]:
    try:
        spec = KnativeServiceSpec.of(manifest["spec"])
    except pulumi.RunError as error:
        return str(error).splitlines()[1:]
    return [str(fault) for fault in service_faults(spec, ObjectMetaArgs(**manifest["metadata"]))]


@pytest.mark.parametrize("stack", STACKS)
def test_knative_accepts_every_service_of_a_stack_under_its_own_flags(stack: str):
    inputs = served_by(stack)
    models = [model["name"] for model in raw_of(stack)["models"] if "knative" in model["serve"]]
    assert sorted(service["metadata"]["name"] for service in inputs.services) == sorted(models)
    assert answers(inputs) == [""] * len(models)


@pytest.mark.parametrize("case", RICHER)
def test_knative_accepts_richer_pods_than_those_of_the_stacks(case: str):
    assert set(answers(served_by(case))) == {""}


def test_richer_pods_have_what_those_of_the_stacks_have_not():
    text, shipped = (
        json.dumps([served_by(case).services for case in cases]) for cases in (RICHER, STACKS)
    )
    for field in ("imagePullSecrets", "envFrom", "containerConcurrency", "NoExecute", "subPath"):
        assert field in text
        assert field not in shipped


@pytest.mark.parametrize("case", [*STACKS, *RICHER])
def test_without_a_flag_exactly_the_services_that_need_it_are_refused_for_its_field(case: str):
    inputs = served_by(case)
    for flag in inputs.features:
        refusals = answers(inputs, features={**inputs.features, flag: "disabled"})
        assert any(refusals), f"{flag} is superfluous"
        for service, refusal in zip(inputs.services, refusals, strict=True):
            assert bool(refusal) == (flag in needed(service)), refusal
            assert fields(refusal) == ({FIELDS[flag]} if refusal else set())


@pytest.mark.parametrize("case", [*STACKS, *RICHER])
def test_only_a_flag_that_knative_ships_enabled_could_be_left_out(case: str):
    inputs = served_by(case)
    remainders = {
        flag: {key: value for key, value in inputs.features.items() if key != flag}
        for flag in inputs.features
    }
    spare = {flag for flag, rest in remainders.items() if not any(answers(inputs, features=rest))}
    assert spare == SHIPPED_ENABLED & inputs.features.keys()


@pytest.mark.parametrize("case", [*STACKS, *RICHER])
def test_the_flags_are_enough_where_what_knative_ships_enabled_is_off(case: str):
    inputs = served_by(case)
    off = dict.fromkeys(SHIPPED_ENABLED, "disabled")
    assert set(answers(inputs, features={**off, **inputs.features})) <= {""}


def test_some_services_of_a_stack_need_a_flag_that_others_do_not():
    """Or else nobody would see a flag that refuses too much."""
    flags = [
        {flag for service in inputs.services for flag in inputs.features.keys() - needed(service)}
        for inputs in map(served_by, [*STACKS, *RICHER])
    ]
    assert set().union(*flags) == {
        "kubernetes.podspec-priorityclassname",
        "kubernetes.podspec-tolerations",
        "kubernetes.podspec-volumes-emptydir",
    }


def test_what_only_the_cloud_can_decide_is_in_no_field_that_knative_reads():
    unknown = [service for service in served_by("prod").services if UNKNOWN in json.dumps(service)]
    assert unknown
    assert set(answers(KnativeInputs(unknown, served_by("prod").features, {}))) == {""}


@pytest.mark.parametrize("stack", ["dev", "existing"])
def test_a_long_request_is_accepted_only_by_what_the_platform_tells_knative(stack: str):
    inputs = served(planned(merged(raw_of(stack), LONG)))
    assert answers(inputs) == [""]
    assert answers(inputs, defaults={}) == [f"expected 0 <= 900 <= 600: {POD}.timeoutSeconds"]


@pytest.mark.parametrize(
    ("where", "bad", "good", "field", "answer"),
    RULES,
    ids=[rule[3] for rule in RULES],
)
def test_what_we_refuse_knative_refuses_and_accepts_what_we_accept(
    where: str, bad: Any, good: Any, field: str, answer: str
):
    refused, accepted = (changed(SERVICE, where, value) for value in (bad, good))
    refusal, acceptance = validate([refused, accepted], {}, {})
    [sentence] = our_refusals(refused)
    assert f"{field} is " in sentence
    assert answer in refusal
    assert our_refusals(accepted) == []
    assert acceptance == ""


def test_a_misspelt_annotation_is_refused_by_us_alone_since_knative_ignores_it():
    misspelt = changed(SERVICE, f"{ANNOTATIONS}[{SCALING}maxscale]", "3")
    [sentence] = our_refusals(misspelt)
    assert "is not a known annotation" in sentence
    assert validate([misspelt], {}, {}) == [""]


def test_a_manifest_that_knative_cannot_read_is_an_error():
    with pytest.raises(ValueError, match='unknown field "contaners"'):
        validate([changed(SERVICE, f"{POD}.contaners", [])], {}, {})
