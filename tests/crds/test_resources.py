from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.crds import (
    DataLoad,
    DataLoadSpec,
    Dataset,
    DatasetSpec,
    JindoRuntime,
    JindoRuntimeSpec,
    KnativeService,
    KnativeServiceSpec,
    KnativeServing,
    KnativeServingSpec,
    ResourcePolicy,
    ResourcePolicySpec,
    ServingLimits,
)

from . import examples

POLICY = ResourcePolicySpec.of({"selector": {"a": "b"}, "units": [{"resource": "ecs"}]})
DATASET = DatasetSpec.of({"mounts": [{"mount_point": "pvc://qwen"}]})
LOAD = DataLoadSpec.of({"dataset": {"name": "qwen", "namespace": "default"}})
SERVICE = KnativeServiceSpec.of({"template": {"spec": {"containers": [{"image": "vllm"}]}}})
SERVING = KnativeServingSpec.of(
    {
        "version": "1.20",
        "ingress": {"kourier": {"enabled": True}},
        "config": {"network": {"ingress-class": "kourier.ingress.networking.knative.dev"}},
    }
)
NAMED = ObjectMetaArgs(name="qwen", namespace="default")


class Recorder(pulumi.runtime.Mocks):
    def __init__(self) -> None:
        self.registrations: list[tuple[str, str, dict[str, Any]]] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.registrations.append((args.typ, args.name, args.inputs))
        return args.name, args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(f"{args.token} is called")


def registrations(program: Callable[[], object]) -> list[tuple[str, str, dict[str, Any]]]:
    """What a program registers."""
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, preview=True)
    pulumi.runtime.test(program)()
    return recorder.registrations


@pytest.mark.parametrize(
    ("resource", "spec", "token"),
    [
        (ResourcePolicy, POLICY, "kubernetes:scheduling.alibabacloud.com/v1alpha1:ResourcePolicy"),
        (Dataset, DATASET, "kubernetes:data.fluid.io/v1alpha1:Dataset"),
        (
            JindoRuntime,
            JindoRuntimeSpec.of(examples.JINDO_RUNTIME_IN_MEMORY),
            "kubernetes:data.fluid.io/v1alpha1:JindoRuntime",
        ),
        (DataLoad, LOAD, "kubernetes:data.fluid.io/v1alpha1:DataLoad"),
        (KnativeService, SERVICE, "kubernetes:serving.knative.dev/v1:Service"),
        (KnativeServing, SERVING, "kubernetes:operator.knative.dev/v1beta1:KnativeServing"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_resource_is_registered_as_the_kind_it_is(resource: Any, spec: Any, token: str):
    [(kind, name, inputs)] = registrations(lambda: resource("qwen", spec, NAMED))
    assert (kind, name) == (token, "qwen")
    assert f"kubernetes:{inputs['apiVersion']}:{inputs['kind']}" == token
    assert inputs["spec"] == spec.manifest()
    assert inputs["metadata"] == {"name": "qwen", "namespace": "default"}


@pytest.mark.parametrize(
    ("resource", "spec", "metadata", "sentence"),
    [
        (Dataset, DATASET, {"name": "7b"}, "metadata.name is '7b'"),
        (Dataset, DATASET, {}, "metadata.name is missing"),
        (DataLoad, LOAD, {"namespace": "models"}, "dataset.namespace is 'default'"),
        (KnativeService, SERVICE, {"name": "Qwen"}, "metadata.name is 'Qwen'"),
    ],
)
def test_a_resource_that_its_controller_would_fail_is_never_registered(
    resource: Any, spec: Any, metadata: dict[str, str], sentence: str
):
    def program() -> None:
        with pytest.raises(pulumi.RunError, match=f"is refused:\n{sentence}"):
            resource("qwen", spec, ObjectMetaArgs(**metadata))

    assert registrations(program) == []


def test_a_service_is_judged_by_what_the_cluster_allows():
    pod = {"containers": [{"image": "vllm"}], "timeout_seconds": 900}
    spec = KnativeServiceSpec.of(
        {"template": {"spec": pod | {"response_start_timeout_seconds": 900}}}
    )
    with pytest.raises(pulumi.RunError, match="timeout_seconds is 900, but it must be 0 to 600"):
        KnativeService("qwen", spec, NAMED)
    limits = ServingLimits(max_revision_timeout_seconds=900)
    assert len(registrations(lambda: KnativeService("qwen", spec, NAMED, limits=limits))) == 1
