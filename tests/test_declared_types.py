"""Each type of resource that is declared has all that a type has to have.

Its schema is an official one; what replaces it is known; its create and its update fail once in the
sandbox; secrets in it are known; a rule validates it, or nothing of it can hurt; it has a price, is
billed by use, or costs nothing. A type that is declared anew fails here until it has each.
"""

import importlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest

from components import bindings, crds
from components.crds.custom_resource import CustomResource
from plan.changes import Change
from plan.cost import BY_USE, PROXIES
from plan.kinds import ADDON, CLUSTER, HELM_RELEASE, KNATIVE_SERVING, NAT_GATEWAY, NODE_POOL
from plan.model import SECRET, Plan
from plan.objects import kind_of
from plan.providers import alicloud, kubernetes
from plan.run import plan
from policy.configuration import configure
from policy.validation import validate
from sandbox.cloud import behaviour
from sandbox.kubernetes.crds import KINDS, UPSTREAM, api_group
from tests import crd_schemas, provider_schema
from tests.policy.object_cases import REFUSED
from tests.sandbox.failing import WITHOUT_UPDATE, touched, types_of
from tests.stacks.environments import NAMES, ROOT
from tests.stacks.example_stacks import EXAMPLE_STACKS, project

PROVIDERS: Final = "pulumi:providers:"
PATCHES: Final = "Patch"


def of_the_sdks() -> Iterator[str]:
    """Types of the SDKs that components declare: rows of `components/bindings.json`."""
    table = json.loads(Path(bindings.__file__).with_name("bindings.json").read_text())
    for package in table.values():
        yield from (row["type"] for row in package["resources"].values())


def of_crds() -> Iterator[str]:
    """Custom resources: each class of `components/crds`."""
    for path in Path(crds.__file__).parent.glob("*.py"):
        for member in vars(importlib.import_module(f"components.crds.{path.stem}")).values():
            if isinstance(member, type) and issubclass(member, CustomResource):
                yield from () if member is CustomResource else [member.token]


FOR_PROGRAMS: Final = {"kubernetes:serving.kserve.io/v1alpha1:ServingRuntime"}
"""Custom resources that programs of the library may declare, and no component does."""
CUSTOM: Final = sorted({*of_crds()} - FOR_PROGRAMS)
TYPES: Final = sorted({*of_the_sdks(), *CUSTOM} - {f"{PROVIDERS}alicloud"})
OF_THE_CLOUD: Final = [type_ for type_ in TYPES if type_.startswith("alicloud:")]
OF_KUBERNETES: Final = [type_ for type_ in TYPES if type_.startswith("kubernetes:")]


@cache
def plans() -> Mapping[str, Plan]:
    """Every stack of the repository and of the examples, planned by its program."""
    all_plans = {name: plan(name, ROOT) for name in NAMES}
    for name in EXAMPLE_STACKS:
        with tempfile.TemporaryDirectory() as folder:
            all_plans[name] = plan(name, project(name, Path(folder)))
    return all_plans


def kind(type_: str) -> tuple[str, str, str]:
    """Group, version and kind of a type of Kubernetes; the core group is empty."""
    _, api, name = type_.split(":")
    group, _, version = api.rpartition("/")
    return group.removeprefix("core"), version, name.removesuffix(PATCHES)


def test_there_are_types_of_each_origin() -> None:
    assert len(OF_THE_CLOUD) > 20
    assert len(OF_KUBERNETES) > 25
    assert len(CUSTOM) > 10


# --- schemas -------------------------------------------------------------------------------------

NO_DEFINITION: Final = {
    "cert-manager.io": "its chart has it, and `proof charts` installs that",
    "inferenceextension.alibabacloud.com": "ACK's gateway brings it, and none is published",
    "scheduling.alibabacloud.com": "ACK's scheduler brings it; shared/crds has it",
    "workloads.x-k8s.io": "its module cannot be had: sandbox/kubernetes/structural.py makes it",
    "scheduling.sigs.k8s.io": "ACK's scheduler brings it, and none is published",
}
"""Groups whose definition is in no Go module, and where it is."""


@pytest.mark.parametrize("type_", OF_THE_CLOUD)
def test_a_type_of_the_cloud_has_the_schema_of_its_provider(type_: str) -> None:
    """`tests/sandbox/test_cloud_schema.py` holds the row against the facts."""
    assert alicloud.resources()[type_]


@pytest.mark.parametrize("type_", CUSTOM)
def test_a_custom_type_has_a_definition_for_the_api_server(type_: str) -> None:
    group, version, name = kind(type_)
    kinds = [definition for key, definition in KINDS.items() if api_group(key) == group]
    assert (version, name) in [
        (definition.version, definition.kind) for definition in chain(*kinds)
    ]
    assert (group in UPSTREAM) != (group in NO_DEFINITION)


@crd_schemas.needs_crds
@pytest.mark.parametrize("stack", EXAMPLE_STACKS)
def test_custom_resources_of_the_examples_pass_their_definition(stack: str) -> None:
    published = crd_schemas._schemas()
    validated = [
        manifest
        for manifest in plans()[stack].manifests()
        if (manifest["apiVersion"], manifest["kind"]) in published
    ]
    assert [crd_schemas.errors(manifest) for manifest in validated] == [[]] * len(validated)


@provider_schema.needs_schema
@pytest.mark.parametrize("stack", EXAMPLE_STACKS)
def test_cloud_resources_of_the_examples_pass_the_schema_of_their_provider(stack: str) -> None:
    assert provider_schema.errors_in(plans()[stack]) == {}


# --- what replaces it ----------------------------------------------------------------------------

# pulumi-kubernetes, provider/pkg/provider/diff.go at 9497796 of 2026-07-01: of kinds that are
# declared.
OFFICIAL: Final = {
    "kubernetes:batch/v1:Job": (
        *("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ),
    "kubernetes:core/v1:ConfigMap": ("binaryData", "data"),
    "kubernetes:core/v1:PersistentVolume": ("spec.csi", "spec.hostPath", "spec.local", "spec.nfs"),
    "kubernetes:core/v1:PersistentVolumeClaim": (
        *("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    ),
    "kubernetes:core/v1:ResourceQuota": ("spec.scopes",),
    "kubernetes:core/v1:Service": ("spec.clusterIP",),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ("roleRef",),
}


def about(type_: str) -> dict[str, Any]:
    group, version, name = kind(type_)
    return {"apiVersion": f"{group}/{version}" if group else version, "kind": name}


@pytest.mark.parametrize("type_", OF_KUBERNETES)
def test_what_replaces_an_object_is_what_its_provider_replaces(type_: str) -> None:
    keeps = ["name"] if type_ == HELM_RELEASE else ["metadata.name", "metadata.namespace"]
    replaced = {*keeps, *OFFICIAL.get(type_, ())}
    rest = {"metadata.labels", "spec.replicas", "spec.resources", "rules", "data", "value"}
    for path in replaced | rest:
        change = Change(tuple(path.split(".")), "UPDATE")
        inside = any(f"{path}.".startswith(f"{field}.") for field in replaced)
        assert kubernetes.replaces(type_, about(type_), change) == inside, path


@pytest.mark.parametrize("type_", OF_THE_CLOUD)
def test_what_replaces_a_resource_of_the_cloud_is_known(type_: str) -> None:
    """Or all of it can be changed, but for what its ID is made of."""
    fixed = [name for name, row in alicloud.resources()[type_].items() if row.get("replaces")]
    assert fixed or alicloud.IDENTITIES.get(type_)


# --- faults in the sandbox -----------------------------------------------------------------------


@cache
def brought_up() -> set[str]:
    """Types that fail once in `tests/sandbox/test_faults.py` or in `proof stack-files`."""
    return {type_ for planned in plans().values() for type_ in types_of(planned.resources)}


@pytest.mark.parametrize("type_", TYPES)
def test_each_type_is_in_a_stack_that_the_sandbox_brings_up(type_: str) -> None:
    assert type_ in brought_up()


def test_no_other_type_is_in_a_stack() -> None:
    assert brought_up() == {*TYPES}


@pytest.mark.parametrize("type_", TYPES)
def test_each_type_has_an_update_that_can_fail(type_: str) -> None:
    """Two have none: each of their inputs is a part of their identity."""
    inputs = {**(about(type_) if type_ in OF_KUBERNETES else {}), "metadata": {"name": "a"}}
    assert (touched({"type": type_, "inputs": inputs}) is None) == (type_ in WITHOUT_UPDATE)


@pytest.mark.parametrize("type_", OF_THE_CLOUD)
def test_the_simulated_cloud_knows_the_id_of_each_type(type_: str) -> None:
    assert (type_ in alicloud.IDENTITIES) != (type_ in behaviour._PREFIXES)


# --- secrets -------------------------------------------------------------------------------------

MODERATION: Final = "kubernetes:inferenceextension.alibabacloud.com/v1alpha1:ACKTrafficFilter"
HOLDS_SECRETS: Final = {
    HELM_RELEASE: "prometheus_url and prometheus_token",
    f"{PROVIDERS}kubernetes": "kubeconfig",
    MODERATION: "content_safety_access_key and content_safety_secret_key",
}
"""Types that hold a secret of the engine: entries of `tests/stacks/test_secrets.py`."""


def test_no_other_type_holds_a_secret() -> None:
    holders = {
        resource.type
        for planned in plans().values()
        for resource in planned.resources
        if resource.custom and SECRET in repr(resource.inputs)
    }
    assert holders == HOLDS_SECRETS.keys()


@pytest.mark.parametrize("type_", OF_THE_CLOUD)
def test_no_secret_of_the_provider_is_set(type_: str) -> None:
    """Passwords of nodes and the like: who needs one has a key pair, or a RAM role."""
    secrets = {name for name, row in alicloud.resources()[type_].items() if row.get("secret")}
    inputs = {
        name
        for planned in plans().values()
        for resource in planned.of(type_)
        for name in resource.inputs
    }
    assert secrets & inputs == set()


# --- policies ------------------------------------------------------------------------------------

HARMLESS: Final = {
    "alicloud:cs/autoscalingConfig:AutoscalingConfig": "bounds stand in the pools",
    "alicloud:ecs/eipAddress:EipAddress": "an address for what leaves; nothing listens on it",
    "alicloud:ecs/eipAssociation:EipAssociation": "binds that address to the NAT gateway",
    "alicloud:log/project:Project": "nobody but the account reads it",
    "alicloud:nas/accessGroup:AccessGroup": "of a VPC alone, whose rules say who mounts",
    "alicloud:nas/accessRule:AccessRule": "of a VPC alone: addresses outside do not reach it",
    "alicloud:nas/mountTarget:MountTarget": "in a VPC, and its group says who mounts",
    "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig": "only narrows what a bucket answers to",
    "alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption": "only encrypts",
    "alicloud:oss/bucketVersioning:BucketVersioning": "only keeps",
    "alicloud:ram/policy:Policy": "of one bucket each, which its component writes and tests hold",
    "alicloud:ram/role:Role": "of one service account each, likewise",
    "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment": "ties the two together",
    "alicloud:vpc/natGateway:NatGateway": "lets out alone",
    "alicloud:vpc/network:Network": "addresses of its own",
    "alicloud:vpc/snatEntry:SnatEntry": "lets out alone",
    "alicloud:vpc/switch:Switch": "addresses of the VPC",
    "kubernetes:core/v1:ConfigMapPatch": "switches of Knative's features",
    "kubernetes:core/v1:PersistentVolumeClaim": "its volume says what it is",
    "kubernetes:core/v1:ServiceAccount": "roles are bound to it, which are validated",
    "kubernetes:networking.k8s.io/v1:IngressClass": "a name; the add-on behind it is validated",
    "kubernetes:scheduling.k8s.io/v1:PriorityClass": "pods name it, which is validated",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": "its bounds stand in the stack file",
    "kubernetes:cert-manager.io/v1:Certificate": "asks for a certificate, and holds none",
    "kubernetes:data.fluid.io/v1alpha1:DataLoad": "reads a model into its cache",
    "kubernetes:keda.sh/v1alpha1:ScaledObject": "its bounds stand in the stack file",
    "kubernetes:monitoring.coreos.com/v1:PodMonitor": "reads metrics",
    "kubernetes:monitoring.coreos.com/v1:PrometheusRule": "reads series",
    "kubernetes:networking.internal.knative.dev/v1alpha1:ClusterDomainClaim": "a host's owner",
    "kubernetes:operator.knative.dev/v1beta1:KnativeServing": "a gateway as ACK makes it: the "
    "costs and docs/policies.md name its public address",
    "kubernetes:scheduling.alibabacloud.com/v1alpha1:ResourcePolicy": "an order of pools",
    "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy": "bounds what clients get",
    "kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy": "takes headers away",
    "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyExtensionPolicy": "asks programs of the stack",
    "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy": "its gateway is validated",
    "kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy": "lets in fewer",
    "kubernetes:gateway.networking.k8s.io/v1:GatewayClass": "a name",
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": "its gateway is validated",
    "kubernetes:gateway.networking.k8s.io/v1beta1:ReferenceGrant": "names one Service of the stack",
    "kubernetes:inference.networking.k8s.io/v1:InferencePool": "selects pods, which are validated",
    "kubernetes:inferenceextension.alibabacloud.com/v1alpha1:ACKTrafficFilter": "its AccessKey, "
    "which has to stand in it, is refused where it is made unless it is a secret",
    "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferencePool": "likewise",
    "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferenceObjective": "an order",
    "kubernetes:workloads.x-k8s.io/v1alpha2:CoordinatedPolicy": "a pace of roles",
    "kubernetes:workloads.x-k8s.io/v1alpha2:RoleBasedGroup": "starts pods, which are validated "
    "wherever a kind has them",
    "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet": "starts pods, which are validated "
    "wherever a kind has them",
}
"""Types of which no rule says anything by itself, and why none has to."""


def test_each_type_is_validated_by_a_rule_or_cannot_hurt() -> None:
    verdicts = [validate(case.plan, configure({case.rule: case.settings})) for case in REFUSED]
    validated = {
        violation.resource.type
        for verdict in verdicts
        for violation in (*verdict.mandatory, *verdict.advisory)
        if violation.resource
    }
    assert {type_ for type_ in TYPES if type_ not in validated} == HARMLESS.keys()


# --- prices --------------------------------------------------------------------------------------

PRICED: Final = {ADDON, CLUSTER, KNATIVE_SERVING, NAT_GATEWAY, NODE_POOL, PROXIES}
"""Types of which `plan/cost.py` makes lines."""
FREE: Final = {
    "alicloud:cs/autoscalingConfig:AutoscalingConfig": "nodes cost, not their rules",
    "alicloud:ecs/eipAssociation:EipAssociation": "the address is billed, not its binding",
    "alicloud:nas/accessGroup:AccessGroup": "rules of access",
    "alicloud:nas/accessRule:AccessRule": "rules of access",
    "alicloud:nas/mountTarget:MountTarget": "the file system is billed by what it holds",
    "alicloud:oss/bucketAcl:BucketAcl": "the bucket is billed by what it holds",
    "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig": "likewise",
    "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock": "likewise",
    "alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption": "likewise",
    "alicloud:oss/bucketVersioning:BucketVersioning": "likewise",
    "alicloud:ram/policy:Policy": "RAM is free",
    "alicloud:ram/role:Role": "RAM is free",
    "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment": "RAM is free",
    "alicloud:vpc/network:Network": "a VPC is free",
    "alicloud:vpc/snatEntry:SnatEntry": "the NAT gateway is billed",
    "alicloud:vpc/switch:Switch": "a VPC is free",
}


def test_each_type_of_the_cloud_has_a_price_is_billed_by_use_or_is_free() -> None:
    """What stands in a cluster runs on its nodes, and costs what they do."""
    unpriced = {type_ for type_ in OF_THE_CLOUD if type_ not in PRICED | BY_USE.keys()}
    assert unpriced == FREE.keys()
    assert {KNATIVE_SERVING, PROXIES} == PRICED & {*OF_KUBERNETES}


def test_kinds_are_called_by_group_and_version() -> None:
    assert kind("kubernetes:core/v1:ConfigMapPatch") == ("", "v1", "ConfigMap")
    assert kind_of(about("kubernetes:policy/v1:PodDisruptionBudget")) == (
        "policy",
        "PodDisruptionBudget",
    )
