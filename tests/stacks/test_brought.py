"""What an operator brings is used, and nothing of it is created."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from components import cloud
from components.args import Args
from plan.cost import bill
from plan.diff.compare import compare
from plan.model import Plan
from plan.providers.alicloud import resources
from stacks.sections.cluster import ClusterSection
from stacks.sections.environment import Environment
from stacks.sections.network import NetworkSection
from stacks.sections.pools import EdgePoolSection, PoolSection
from stacks.sections.stores import NasSection, OssSection, StoreSection, VolumeSection
from tests.provider_schema import errors_in, needs_schema

from .checks.parts import own_ack_cluster, own_bucket, own_keys, own_vpc
from .environments import GONE, dev, hybrid, merged, planned, prod

CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
POOL: Final = "alicloud:cs/nodePool:NodePool"
NETWORK: Final = "alicloud:vpc/"
BASES: Final = {base.__name__: base for base in (own_vpc, own_ack_cluster, own_keys, own_bucket)}

REACHED: Final[Mapping[type[Args], tuple[list[type[Args]], Mapping[str, str]]]] = {
    cloud.NetworkArgs: ([NetworkSection, Environment], {}),
    cloud.AckClusterArgs: (
        [ClusterSection, NetworkSection, Environment],
        {
            "cluster_name": "made of the names of project and stack",
            "vswitch_ids": "zones",
            "pod_vswitch_ids": "zones",
            "vpc_cidr": "cidr",
            "log_project_name": "log_project",
            "protect": "deletion_protection",
        },
    ),
    cloud.ExistingAckClusterArgs: (
        [ClusterSection, Environment],
        {"cluster_id": "id", "rrsa": "stores, by whether a role reads one"},
    ),
    cloud.NodePoolArgs: (
        [PoolSection, Environment],
        {
            "cluster_id": "cluster",
            "node_pool_name": "name",
            "vswitch_ids": "zones",
            "nvidia_driver_version": "driver",
        },
    ),
    cloud.EdgePoolArgs: (
        [EdgePoolSection, Environment],
        {"cluster_id": "cluster", "node_pool_name": "name"},
    ),
    cloud.ModelBucketArgs: ([OssSection, Environment], {"protect": "cluster.deletion_protection"}),
    cloud.ModelFileSystemArgs: (
        [NasSection, Environment],
        {
            "access_group_name": "made of the names of stack and store",
            "vpc_id": "network",
            "vswitch_id": "network",
            "zone_id": "zone",
            "writer_cidr": "network.cidr",
            "reader_cidr": "network.cidr, which may write as well",
            "protect": "cluster.deletion_protection",
        },
    ),
    cloud.ModelStoreArgs: (
        [StoreSection, VolumeSection, Environment],
        {"claim_name": "made of what it is of", "writable": "whether it is a model's or a job's"},
    ),
    cloud.OssStore: (
        [OssSection, VolumeSection, Environment],
        {
            "role_name": "made of the names of stack and model",
            "oidc_issuer_url": "cluster",
            "oidc_provider_arn": "cluster",
            "kms_key_arn": "kms_key_id",
            "written_path": "the folder that an import fills",
            "fuse_namespace": "that of the CSI release which the cluster installs",
            "fuse_service_account": "each volume has a role of its own already",
        },
    ),
    cloud.NasStore: ([NasSection, VolumeSection], {}),
}
"""Arguments of components of the cloud: sections that call them as the component does, and whence
those come that are called otherwise."""


@pytest.mark.parametrize("args", REACHED, ids=lambda args: args.__name__)
def test_each_argument_of_a_component_comes_from_the_stack_file(args: type[Args]) -> None:
    """Or is listed, with what it is made of; what is listed is called otherwise."""
    sections, otherwise = REACHED[args]
    same = {name for section in sections for name in section.model_fields}
    assert args.model_fields.keys() - same == otherwise.keys() - same
    assert otherwise.keys() <= args.model_fields.keys()


def test_no_component_of_the_cloud_is_forgotten() -> None:
    """An existing cluster has a kubeconfig and a context, a role is made by a volume."""
    takers = {getattr(cloud, name) for name in cloud.__all__ if name.endswith("Args")}
    assert takers - REACHED.keys() == {cloud.ExistingClusterArgs, cloud.RrsaRoleArgs}


@needs_schema
@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_the_provider_takes_what_is_declared(base: Any) -> None:
    assert errors_in(planned(base())) == {}


def types(plan: Plan) -> set[str]:
    return {resource.type for resource in plan.resources}


def test_nothing_is_created_of_a_network_that_exists() -> None:
    plan = planned(own_vpc())
    assert [type_ for type_ in types(plan) if type_.startswith((NETWORK, "alicloud:ecs/"))] == []
    [cluster] = plan.of(CLUSTER)
    assert cluster.inputs["vswitchIds"] == [
        "vsw-2ze0nodes0in0zone0h00",
        "vsw-2ze0nodes0in0zone0k00",
    ]
    assert cluster.inputs["podVswitchIds"] == [
        "vsw-2ze0pods00in0zone0h00",
        "vsw-2ze0pods00in0zone0k00",
    ]
    assert cluster.inputs["securityGroupId"] == "sg-2ze0a1b2c3d4e5f6g7h8i"
    assert "isEnterpriseSecurityGroup" not in cluster.inputs
    pools = {pool.name: pool.inputs["vswitchIds"] for pool in plan.of(POOL)}
    assert pools["a10-pool"] == cluster.inputs["vswitchIds"]


def test_a_vpc_without_a_way_out_gets_one() -> None:
    plan = planned(merged(own_vpc(), {"network.nat": "create", "network.egress_mbps": 50}))
    created = {
        type_ for type_ in types(plan) if type_.startswith(("alicloud:vpc/", "alicloud:ecs"))
    }
    assert created == {
        "alicloud:vpc/natGateway:NatGateway",
        "alicloud:vpc/snatEntry:SnatEntry",
        "alicloud:ecs/eipAddress:EipAddress",
        "alicloud:ecs/eipAssociation:EipAssociation",
    }
    [gateway] = plan.of("alicloud:vpc/natGateway:NatGateway")
    assert gateway.inputs["vpcId"] == "vpc-2ze0a1b2c3d4e5f6g7h8i"
    assert len(plan.of("alicloud:vpc/snatEntry:SnatEntry")) == 4


def test_a_pool_of_one_zone_stands_in_its_vswitch() -> None:
    plan = planned(merged(own_vpc(), {"pools[a10].zones": ["cn-beijing-k"]}))
    [pool] = [pool for pool in plan.of(POOL) if pool.name == "a10-pool"]
    assert pool.inputs["vswitchIds"] == ["vsw-2ze0nodes0in0zone0k00"]


@pytest.mark.parametrize("profile", ["pro", "edge"])
def test_nothing_is_created_of_an_ack_cluster_but_pools(profile: str) -> None:
    raw = merged(own_ack_cluster(), {"cluster.profile": profile, "network.plugin": "flannel"})
    plan = planned(raw)
    created = {type_ for type_ in types(plan) if type_.startswith("alicloud:c")}
    assert created == {POOL, "alicloud:cs/kubernetesAddon:KubernetesAddon"}
    assert [addon.name for addon in plan.of("alicloud:cs/kubernetesAddon:KubernetesAddon")] == [
        "knative-addon"
    ]
    assert plan.manifests("ResourcePolicy")


def test_an_edge_cluster_that_exists_takes_in_machines() -> None:
    changes = {
        "cluster.profile": "edge",
        "network.plugin": "flannel",
        "edge_pools": [{"name": "idc", "labels": {"rack": "a"}, "join_hours": 8}],
    }
    plan = planned(merged(own_ack_cluster(), changes))
    [idc] = [pool for pool in plan.of(POOL) if pool.inputs.get("type") == "edge"]
    assert idc.inputs["labels"] == [{"key": "rack", "value": "a"}]


def test_what_is_asked_of_an_ack_cluster_is_added_to_it() -> None:
    changes = {"cluster.autoscaling": {}, "cluster.addons": [{"name": "ack-virtual-node"}]}
    plan = planned(merged(own_ack_cluster(), changes))
    assert {resource.name for resource in plan.resources} >= {
        "cluster-autoscaling",
        "cluster-addon-ack-virtual-node",
    }


def test_a_secret_kubeconfig_reaches_an_ack_cluster() -> None:
    secret = {"kubeconfig": {"secure": "v1:A:B"}, "cluster.context": "prod"}
    [provider] = planned(merged(own_ack_cluster(), secret)).of("pulumi:providers:kubernetes")
    assert provider.inputs["context"] == "prod"
    assert "v1:A:B" not in str(provider.inputs)


def test_stores_of_an_ack_cluster_that_exists_are_created_on_demand() -> None:
    bucket = planned(merged(own_ack_cluster(), {"stores[models].oss.create": True}))
    assert bucket.of("alicloud:oss/bucket:Bucket")
    nas = {"stores[models]": {"name": "models", "nas": {}}, "network.cidr": "10.0.0.0/16"}
    target = planned(merged(own_ack_cluster(), nas)).of("alicloud:nas/mountTarget:MountTarget")[0]
    assert target.inputs["vpcId"] == "vpc-2ze0a1b2c3d4e5f6g7h8i"
    assert target.inputs["vswitchId"] == "vsw-2ze0nodes0in0zone0h00"


@pytest.mark.parametrize("base", [dev, prod, hybrid, own_keys], ids=lambda base: base.__name__)
def test_tags_are_on_everything_that_takes_tags(base: Any) -> None:
    plan = planned(base(tags={"team": "llm"}) if base is not own_keys else own_keys())
    team = {"team": "llm"} if base is not own_keys else own_keys()["tags"]
    takers = [
        resource
        for resource in plan.resources
        if "tags" in resources().get(resource.type, {}) and resource.inputs.get("type") != "edge"
    ]
    assert takers
    assert [
        taker.name for taker in takers if not team.items() <= taker.inputs["tags"].items()
    ] == []


def test_a_pool_s_own_tags_come_first() -> None:
    raw = merged(own_keys(), {"pools[a10].tags": {"gpu": "a10", "environment": "gpu"}})
    [pool] = [pool for pool in planned(raw).of(POOL) if pool.name == "a10-pool"]
    assert pool.inputs["tags"] == {"cost-center": "llm", "environment": "gpu", "gpu": "a10"}


@pytest.mark.parametrize("base", [dev, prod, hybrid], ids=lambda base: base.__name__)
def test_a_resource_group_holds_everything_that_can_be_in_one(base: Any) -> None:
    plan = planned(base(resource_group_id="rg-acfm0a1b2c3d4e5"))
    takers = [
        resource
        for resource in plan.resources
        if "resourceGroupId" in resources().get(resource.type, {})
    ]
    assert takers
    assert {taker.inputs["resourceGroupId"] for taker in takers} == {"rg-acfm0a1b2c3d4e5"}


def test_keys_encrypt_what_they_are_given_for() -> None:
    plan = planned(own_keys())
    key = "key-bjj0a1b2c3d4e5f6g7h8i"
    [cluster] = plan.of(CLUSTER)
    assert cluster.inputs["encryptionProviderKey"] == key
    [a10] = [pool for pool in plan.of(POOL) if pool.name == "a10-pool"]
    assert a10.inputs["systemDiskKmsKey"] == key
    assert [(disk["kmsKeyId"], disk["encrypted"]) for disk in a10.inputs["dataDisks"]] == [
        (key, "true")
    ]
    [encryption] = plan.of("alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption")
    assert (encryption.inputs["sseAlgorithm"], encryption.inputs["kmsMasterKeyId"]) == ("KMS", key)
    [policy] = plan.of("alicloud:ram/policy:Policy")
    assert f"acs:kms:cn-beijing:*:key/{key}" in policy.inputs["policyDocument"]


def test_a_disk_s_own_key_comes_first() -> None:
    raw = merged(own_keys(), {"pools[a10].data_disk.kms_key_id": "key-data"})
    [a10] = [pool for pool in planned(raw).of(POOL) if pool.name == "a10-pool"]
    assert a10.inputs["dataDisks"][0]["kmsKeyId"] == "key-data"
    assert a10.inputs["systemDiskKmsKey"] == "key-bjj0a1b2c3d4e5f6g7h8i"


def test_a_key_of_a_file_system_is_one_of_kms() -> None:
    raw = merged(own_keys(), {"stores[models]": {"name": "models", "nas": {"kms_key_id": "key-a"}}})
    [file_system] = planned(raw).of("alicloud:nas/fileSystem:FileSystem")
    assert (file_system.inputs["encryptType"], file_system.inputs["kmsKeyId"]) == (2, "key-a")


def test_a_secret_reads_a_bucket_where_no_role_can() -> None:
    plan = planned(own_bucket())
    [volume] = plan.manifests("PersistentVolume")
    csi = volume["spec"]["csi"]
    assert csi["nodePublishSecretRef"] == {"name": "oss-reader", "namespace": "inference"}
    assert csi["volumeAttributes"]["url"] == "https://oss-cn-beijing.aliyuncs.com"
    assert not {"authType", "roleName"} & csi["volumeAttributes"].keys()
    assert [resource for resource in plan.resources if resource.type.startswith("alicloud:")] == []
    namespaces = {manifest["metadata"]["name"] for manifest in plan.manifests("Namespace")}
    assert "inference" not in namespaces  # The Secret is in it.


def test_a_secret_reads_a_bucket_of_an_ack_cluster_without_rrsa() -> None:
    plan = planned(merged(own_ack_cluster(), {"stores[models].oss.secret": "oss-reader"}))
    assert plan.of("alicloud:ram/role:Role") == []
    [component] = plan.of("ack-inference:index:ExistingAckCluster")
    assert component.inputs["rrsa"] is False


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("pools[a10].deployment_set_id", "ds-2zea"),
        ("pools[a10].security_group_ids", ["sg-2zea"]),
        ("pools[a10].worker_role_name", "Worker"),
    ],
)
def test_what_replaces_a_pool_says_so(path: str, value: Any) -> None:
    [change] = changes_of(own_keys(), path, value)
    assert change.kind.name == "REPLACED"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("pools[a10].key_name", "other"),
        ("pools[a10].data_disk.size_gib", 600),
        ("pools[a10].containerd", GONE),
        ("pools[a10].user_data", "#!/bin/sh"),
        ("cluster.encryption_key_id", "key-other"),
        ("cluster.security_group_id", "sg-2zea"),
        ("resource_group_id", "rg-other"),
        ("tags", {"team": "other"}),
    ],
)
def test_what_is_changed_in_place_replaces_nothing(path: str, value: Any) -> None:
    changed = changes_of(own_keys(), path, value)
    assert changed
    assert "REPLACED" not in {change.kind.name for change in changed}


def changes_of(raw: dict[str, Any], path: str, value: Any) -> list[Any]:
    """What a change of one value comes to, components left out."""
    diff = compare(planned(raw), planned(merged(raw, {path: value})))
    return [change for change in diff.resources if change.resource.type.startswith("alicloud:")]


def test_a_pool_of_patterns_has_no_price() -> None:
    """Nobody knows which types are bought."""
    [system] = [pool for pool in bill(planned(own_keys())).pools if pool.name == "system"]
    assert system.money is None
    assert "patterns" in str(system.cost.gap)


def test_every_field_that_was_only_in_the_library_is_handed_over() -> None:
    changes: dict[str, Any] = {
        "pools[a10].auto_repair": False,
        "pools[a10].auto_upgrade": True,
        "pools[a10].cloud_monitor": False,
        "cluster.proxy_mode": "iptables",
        "cluster.log_retention_days": 7,
    }
    plan = planned(merged(own_keys(), changes))
    [a10] = [pool for pool in plan.of(POOL) if pool.name == "a10-pool"]
    assert (a10.inputs["management"]["autoRepair"], a10.inputs["management"]["autoUpgrade"]) == (
        False,
        True,
    )
    assert a10.inputs["installCloudMonitor"] is False
    assert a10.inputs["containerdConfig"] == {
        "maxConcurrentDownloads": 10,
        "registryMirrors": ["docker.io=https://mirror.example.com"],
    }
    [cluster] = plan.of(CLUSTER)
    assert (cluster.inputs["proxyMode"], cluster.inputs["controlPlaneLogTtl"]) == ("iptables", "7")
