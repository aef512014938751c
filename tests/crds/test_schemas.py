import copy
from typing import Any

import pytest

from components.crds import (
    CrdModel,
    DataLoadSpec,
    DatasetSpec,
    InferenceServiceSpec,
    JindoRuntimeSpec,
    KnativeServiceSpec,
    ResourcePolicySpec,
    ServingRuntimeSpec,
    fluid,
    knative,
    kserve,
    scheduling,
)
from tests.crd_schemas import errors, needs_crds, spec_schema, strict, unmodelled, unset

from . import examples

KINDS: dict[str, tuple[str, type[CrdModel], list[dict[str, Any]]]] = {
    "ResourcePolicy": (scheduling.API_VERSION, ResourcePolicySpec, [examples.RESOURCE_POLICY]),
    "Dataset": (fluid.API_VERSION, DatasetSpec, [examples.DATASET]),
    "JindoRuntime": (
        fluid.API_VERSION,
        JindoRuntimeSpec,
        [examples.JINDO_RUNTIME, examples.JINDO_RUNTIME_IN_MEMORY],
    ),
    "DataLoad": (
        fluid.API_VERSION,
        DataLoadSpec,
        [examples.DATA_LOAD, examples.DATA_LOAD_ONCE],
    ),
    "Service": (
        knative.API_VERSION,
        KnativeServiceSpec,
        [examples.KNATIVE_SERVICE, examples.KNATIVE_SERVICE_WITH_GRPC],
    ),
    "InferenceService": (
        kserve.API_VERSION,
        InferenceServiceSpec,
        [examples.INFERENCE_SERVICE, examples.INFERENCE_SERVICE_WITH_MODEL],
    ),
    "ServingRuntime": (kserve.RUNTIME_API_VERSION, ServingRuntimeSpec, [examples.SERVING_RUNTIME]),
}

CLAIMS = "dynamic resource allocation; GPUs of ACK are counted, and Knative refuses claims"
OLD_LABELS = "podMetadata has labels too, and annotations"
OLD_VOLUMES = "volumes of other clouds and of the past; what is in the cluster is a claim"
OLD_VOLUME_KINDS = (
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "iscsi",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
)
EPHEMERAL = "volumes[].ephemeral.volumeClaimTemplate"
FRAMEWORKS = (
    "huggingface",
    "lightgbm",
    "onnx",
    "paddle",
    "pmml",
    "pytorch",
    "sklearn",
    "tensorflow",
    "triton",
    "xgboost",
)
FRAMEWORK = "superseded by model, with the framework as its format"
HOST = "requests come in by a Service"
LINUX = "GPU nodes of ACK run Linux"
LOGS = "logs go to a URL"
MESH = "for ModelMesh, which is not installed"
NODES = "who runs as what on a node is the platform's to say"
PRIORITY = "the PriorityClass has it"
RESTART = "the pods of a Deployment restart always"
SCHEDULING = "a pod that serves waits for nothing but a node"
TERMINAL = "nobody types into a server"
IN_A_CONTAINER: dict[str, str] = {
    "env[].valueFrom.fileKeyRef": "needs an alpha API",
    "lifecycle.stopSignal": "servers of models wait for SIGTERM",
    "livenessProbe.terminationGracePeriodSeconds": "the pod has one",
    "ports[].hostIP": HOST,
    "ports[].hostPort": HOST,
    "readinessProbe.terminationGracePeriodSeconds": "the API refuses it",
    "resizePolicy": "GPUs are not resized in place",
    "resources.claims": CLAIMS,
    "restartPolicy": RESTART,
    "restartPolicyRules": RESTART,
    "securityContext.appArmorProfile": NODES,
    "securityContext.procMount": NODES,
    "securityContext.seLinuxOptions": NODES,
    "securityContext.windowsOptions": LINUX,
    "startupProbe.terminationGracePeriodSeconds": "the pod has one",
    "stdin": TERMINAL,
    "stdinOnce": TERMINAL,
    "tty": TERMINAL,
    "volumeDevices": "models are files",
    "volumeMounts[].recursiveReadOnly": "a model has no mounts below it",
}
IN_VOLUMES: dict[str, str] = {
    f"{EPHEMERAL}.metadata": "the CRD prunes all that is in it",
    f"{EPHEMERAL}.spec.dataSource": "scratch space starts empty",
    f"{EPHEMERAL}.spec.dataSourceRef": "scratch space starts empty",
    f"{EPHEMERAL}.spec.selector": "volume_name says which",
    f"{EPHEMERAL}.spec.volumeAttributesClassName": "needs beta API",
    "volumes[].projected.sources[].clusterTrustBundle": "needs a beta API",
    "volumes[].projected.sources[].podCertificate": "needs a beta API",
} | {f"volumes[].{kind}": OLD_VOLUMES for kind in OLD_VOLUME_KINDS}
OMITTED: dict[str, dict[str, str]] = {
    "ResourcePolicy": {},
    "Dataset": {"runtimes": "Fluid fills it in"},
    "JindoRuntime": {
        "fuse.labels": OLD_LABELS,
        "fuse.resources.claims": CLAIMS,
        "labels": OLD_LABELS,
        "master.labels": OLD_LABELS,
        "master.resources.claims": CLAIMS,
        "tieredstore.levels[].volumeSource": "the cache lies on hostPath or emptyDir",
        "volumes[].ephemeral.volumeClaimTemplate.metadata": "the CRD prunes all that is in it",
        "volumes[].ephemeral.volumeClaimTemplate.spec.dataSource": "a cache starts empty",
        "volumes[].ephemeral.volumeClaimTemplate.spec.dataSourceRef": "a cache starts empty",
        "volumes[].ephemeral.volumeClaimTemplate.spec.selector": "volume_name says which",
        "volumes[].ephemeral.volumeClaimTemplate.spec.volumeAttributesClassName": "needs beta API",
        "volumes[].projected.sources[].clusterTrustBundle": "needs a beta API",
        "worker.labels": OLD_LABELS,
        "worker.resources.claims": CLAIMS,
    }
    | {f"volumes[].{kind}": OLD_VOLUMES for kind in OLD_VOLUME_KINDS},
    "DataLoad": {"resources.claims": CLAIMS},
    "Service": {
        "template.metadata.finalizers": "Knative makes the revisions",
        "template.metadata.namespace": "a revision lies beside its Service",
        "traffic[].configurationName": "the webhook refuses it in a Service",
        "traffic[].url": "the webhook refuses it in a spec",
    },
    "InferenceService": {
        "canary": "new in KServe, and not in ack-kserve",
        "explainer": "no explainer of KServe explains a language model",
        "transformer": "an LLM server templates prompts itself; a proxy is a second container",
        "predictor.activeDeadlineSeconds": "a server does not end",
        "predictor.autoScaling.behavior.scaleDown.tolerance": "needs a beta API",
        "predictor.autoScaling.behavior.scaleUp.tolerance": "needs a beta API",
        "predictor.autoScaling.metrics[].podmetric": "needs KServe's OpenTelemetry add-on",
        "predictor.hostUsers": NODES,
        "predictor.hostname": HOST,
        "predictor.hostnameOverride": HOST,
        "predictor.logger.batchInterval": LOGS,
        "predictor.logger.batchSize": LOGS,
        "predictor.logger.marshallerUrl": LOGS,
        "predictor.logger.storage": LOGS,
        "predictor.model.confidential": "needs a confidential container runtime",
        "predictor.name": "it renames the Deployment, which pod_label and an HPA refer to",
        "predictor.nodeName": SCHEDULING,
        "predictor.os": LINUX,
        "predictor.overhead": "the RuntimeClass has it",
        "predictor.preemptionPolicy": PRIORITY,
        "predictor.priority": PRIORITY,
        "predictor.readinessGates": SCHEDULING,
        "predictor.resourceClaims": CLAIMS,
        "predictor.resources": "containers have theirs",
        "predictor.restartPolicy": RESTART,
        "predictor.scaleMetricType": "no controller of KServe reads it",
        "predictor.schedulingGates": SCHEDULING,
        "predictor.securityContext.appArmorProfile": NODES,
        "predictor.securityContext.fsGroupChangePolicy": "a model is mounted read-only",
        "predictor.securityContext.seLinuxChangePolicy": NODES,
        "predictor.securityContext.seLinuxOptions": NODES,
        "predictor.securityContext.supplementalGroupsPolicy": NODES,
        "predictor.securityContext.sysctls": NODES,
        "predictor.securityContext.windowsOptions": LINUX,
        "predictor.serviceAccount": "the old name of serviceAccountName",
        "predictor.setHostnameAsFQDN": HOST,
        "predictor.storageUris": "a model has one storageUri, and more are volumes",
        "predictor.subdomain": HOST,
        "predictor.workerSpec": "one model on several nodes is not offered",
    }
    | {f"predictor.{framework}": FRAMEWORK for framework in FRAMEWORKS}
    | {f"predictor.{path}": reason for path, reason in IN_VOLUMES.items()}
    | {
        f"predictor.{place}.{path}": reason
        for place in ("containers[]", "initContainers[]", "model")
        for path, reason in IN_A_CONTAINER.items()
    },
    "ServingRuntime": {
        "builtInAdapter": MESH,
        "grpcDataEndpoint": MESH,
        "grpcEndpoint": MESH,
        "httpDataEndpoint": MESH,
        "replicas": MESH,
        "resourceClaims": CLAIMS,
        "storageHelper": MESH,
        "workerSpec": "one model on several nodes is not offered",
    }
    | {f"containers[].{path}": reason for path, reason in IN_A_CONTAINER.items()}
    | IN_VOLUMES,
}
REFUSED_BY_A_RULE = {
    "Service": {
        "DownwardVolume",
        "Lifecycle",
        "NfsVolume",
        "SleepAction",
        "Volume.downward_api",
        "Volume.nfs",
        "lifecycle",
        "sub_path_expr",
    },
    "JindoRuntime": {"ImageVolume", "Volume.image"},
    "InferenceService": {"ModelSpec.name"},
}
"""Fields of shared models that this kind's CRD does not know and a rule of the kind refuses."""

pytestmark = needs_crds


def manifest(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    version, model, _ = KINDS[kind]
    rendered = model.of(copy.deepcopy(spec)).manifest()
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "qwen"}, "spec": rendered}


@pytest.mark.parametrize("kind", KINDS)
def test_the_crd_accepts_every_field_of_a_model(kind: str):
    """Does not prove that a webhook accepts them together."""
    for example in KINDS[kind][2]:
        assert errors(manifest(kind, example)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_leave_no_field_of_a_model_out(kind: str):
    _, model, specs = KINDS[kind]
    missing = unset([model.of(copy.deepcopy(spec)) for spec in specs], model)
    ruled_out = REFUSED_BY_A_RULE.get(kind, set())
    assert {name for name in missing if not any(rule in name for rule in ruled_out)} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_every_property_of_the_crd_is_modelled_or_left_out_for_a_reason(kind: str):
    version, model, _ = KINDS[kind]
    assert sorted(unmodelled(spec_schema(version, kind), model)) == sorted(OMITTED[kind])


def test_a_field_that_the_crd_does_not_know_is_an_error():
    broken = manifest("ResourcePolicy", examples.RESOURCE_POLICY)
    broken["spec"]["units"][0]["maxResources"] = {"cpu": "1"}
    [line] = errors(broken)
    assert line.startswith("spec.units[0]: Additional properties are not allowed ('maxResources'")


def test_a_number_beyond_its_format_is_an_error():
    broken = manifest("ResourcePolicy", examples.RESOURCE_POLICY)
    broken["spec"]["units"][0]["max"] = 2**31
    [line] = errors(broken)
    assert line == "spec.units[0].max: 2147483648 is greater than the maximum of 2147483647"


def test_a_value_that_the_enum_does_not_have_is_an_error():
    broken = manifest("ResourcePolicy", examples.RESOURCE_POLICY)
    broken["spec"]["preemptPolicy"] = "Never"
    [line] = errors(broken)
    assert line.startswith("spec.preemptPolicy: 'Never' is not one of")


def test_a_quantity_is_a_number_or_a_text_that_fits():
    quantity = {"x-kubernetes-int-or-string": True, "pattern": "^[0-9]+$", "anyOf": []}
    assert strict(quantity) == {"type": ["integer", "string"], "pattern": "^[0-9]+$"}


def test_a_part_that_is_kept_as_it_is_may_have_any_field():
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    assert strict(schema)["additionalProperties"] is True
    assert strict({"type": "object"})["additionalProperties"] is False
