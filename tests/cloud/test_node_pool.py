from typing import Any

import pytest

from components.cloud import NodePool, NodePoolArgs
from components.cloud.node_pool import has_gpu
from plan.model import Plan
from plan.record import record
from tests.provider_schema import errors_in, needs_schema

from .refusals import refusal, refusals

POOL = "alicloud:cs/nodePool:NodePool"
A10 = "ecs.gn7i-c32g1.8xlarge"
T4 = "ecs.gn6i-c24g1.6xlarge"
CPU = "ecs.g8i.24xlarge"


def pool(**changes: Any) -> dict[str, Any]:
    smallest = {
        "cluster_id": "c1",
        "node_pool_name": "a10",
        "vswitch_ids": ["vsw-h"],
        "instance_types": [A10],
        "size": 2,
    }
    return {key: value for key, value in {**smallest, **changes}.items() if value is not None}


def elastic(**changes: Any) -> dict[str, Any]:
    return pool(**{"size": None, "autoscale": {"min": 0, "max": 4}, **changes})


def planned(args: dict[str, Any]) -> Plan:
    return record(lambda: NodePool("a10", NodePoolArgs.of(args)))


def inputs(args: dict[str, Any]) -> Any:
    [resource] = planned(args).of(POOL)
    return resource.inputs


def test_a_pool_of_a_fixed_size_has_no_trace_of_scaling() -> None:
    [resource] = planned(pool()).of(POOL)
    assert resource.inputs["desiredSize"] == "2"
    assert "scalingConfig" not in resource.inputs
    assert resource.ignore_changes == ()


def test_the_size_of_an_elastic_pool_belongs_to_the_autoscaler() -> None:
    [resource] = planned(elastic()).of(POOL)
    assert "desiredSize" not in resource.inputs
    assert resource.ignore_changes == ("desiredSize",)
    assert resource.inputs["scalingConfig"] == {
        "enable": True,
        "type": "gpu",
        "minSize": 0,
        "maxSize": 4,
    }


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "gpu"),
        ({"instance_types": [CPU]}, "cpu"),
        ({"spot": {}}, "spot"),
    ],
)
def test_the_scaling_type_follows_from_what_is_bought(changes: dict[str, Any], kind: str) -> None:
    assert inputs(elastic(**changes))["scalingConfig"]["type"] == kind


def test_a_spot_pool_bids_the_market_price_and_buys_nothing_else() -> None:
    rendered = inputs(elastic(spot={}))
    expected = {
        "spotStrategy": "SpotAsPriceGo",
        "multiAzPolicy": "COST_OPTIMIZED",
        "spotInstanceRemedy": True,
        "compensateWithOnDemand": False,
        "onDemandBaseCapacity": "0",
        "onDemandPercentageAboveBaseCapacity": "0",
    }
    assert expected.items() <= rendered.items()
    assert "spotPriceLimits" not in rendered


def test_a_spot_pool_falls_back_on_demand_where_it_is_asked_to() -> None:
    assert inputs(elastic(spot={"compensate_with_on_demand": True}))["compensateWithOnDemand"]


def test_a_price_limit_changes_the_strategy() -> None:
    rendered = inputs(elastic(spot={"price_limits": {A10: 9.5}, "on_demand_base": 1}))
    assert rendered["spotStrategy"] == "SpotWithPriceLimit"
    assert rendered["spotPriceLimits"] == [{"instanceType": A10, "priceLimit": "9.5"}]
    assert rendered["onDemandBaseCapacity"] == "1"


def test_a_pool_without_spot_says_nothing_of_it() -> None:
    assert not [key for key in inputs(elastic()) if "spot" in key.lower() or "Demand" in key]


def test_nodes_are_hardened() -> None:
    rendered = inputs(pool(data_disk={"size_gib": 200}))
    assert rendered["instanceMetadataOptions"] == {"httpTokens": "required"}
    assert rendered["systemDiskEncrypted"] is True
    assert [disk["encrypted"] for disk in rendered["dataDisks"]] == ["true"]
    assert not {"password", "keyName"} & set(rendered)


def test_nodes_are_repaired_and_not_upgraded_by_surprise() -> None:
    management = inputs(pool())["management"]
    assert (management["autoRepair"], management["autoUpgrade"]) == (True, False)


def test_a_pool_that_nobody_rolls_says_nothing_of_it() -> None:
    rendered = inputs(pool())
    assert rendered["management"]["maxUnavailable"] == 1
    assert not {"rollingPolicy", "upgradePolicy", "runtimeName", "imageId"} & set(rendered)


def test_nodes_are_patched_and_restarted_as_far_as_somebody_says_so() -> None:
    rendered = inputs(
        pool(
            auto_repair_restart=True,
            auto_upgrade=True,
            auto_upgrade_kubelet=False,
            auto_vul_fix={"levels": ["asap", "later"], "restart_nodes": True},
            max_unavailable=2,
        )
    )
    assert rendered["management"] == {
        "enable": True,
        "autoRepair": True,
        "autoRepairPolicy": {"restartNode": True},
        "autoUpgrade": True,
        "autoUpgradePolicy": {"autoUpgradeKubelet": False},
        "autoVulFix": True,
        "autoVulFixPolicy": {"vulLevel": "asap,later", "restartNode": True},
        "maxUnavailable": 2,
    }


def test_nodes_are_rolled_in_batches() -> None:
    assert inputs(pool(rolling={}))["rollingPolicy"] == {
        "maxParallelism": 1,
        "pausePolicy": "NotPause",
    }
    rolling = {"max_parallelism": 4, "batch_interval_minutes": 0}
    assert inputs(pool(rolling=rolling))["rollingPolicy"]["batchInterval"] == "0"
    assert "upgradePolicy" not in inputs(pool(rolling=rolling))


def test_an_upgrade_asks_the_same_of_the_pool_and_of_its_nodes() -> None:
    """The provider refuses an upgrade to another image or runtime than the pool's own."""
    upgrade = {
        "kubernetes_version": "1.35.1-aliyun.1",
        "image_id": "aliyun_3_x64_20G_alibase_20260629.vhd",
        "runtime_version": "1.6.39",
        "use_replace": True,
        "node_names": ["cn-beijing.10.0.0.1"],
    }
    rendered = inputs(pool(upgrade=upgrade))
    assert rendered["upgradePolicy"] == {
        "kubernetesVersion": "1.35.1-aliyun.1",
        "imageId": rendered["imageId"],
        "runtime": rendered["runtimeName"],
        "runtimeVersion": rendered["runtimeVersion"],
        "useReplace": True,
    }
    assert rendered["runtimeName"] == "containerd"
    assert rendered["rollingPolicy"] == {"nodeNames": ["cn-beijing.10.0.0.1"]}


def test_an_upgrade_of_the_kubelet_leaves_image_and_runtime_alone() -> None:
    rendered = inputs(pool(rolling={}, upgrade={"kubernetes_version": "1.35.1-aliyun.1"}))
    assert rendered["upgradePolicy"] == {
        "kubernetesVersion": "1.35.1-aliyun.1",
        "useReplace": False,
    }
    assert not {"imageId", "runtimeName", "runtimeVersion"} & set(rendered)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"upgrade": {"use_replace": True}},
            "upgrade.kubernetes_version is missing, but it must be given, or image_id or "
            "runtime_version: nothing would be upgraded.",
        ),
        (
            {"upgrade": {"kubernetes_version": "v1.35.1"}},
            "upgrade.kubernetes_version is 'v1.35.1', but it must be a version of ACK",
        ),
        ({"upgrade": {"image_id": "m-1", "node_names": []}}, "upgrade.node_names"),
        ({"rolling": {"max_parallelism": 0}}, "rolling.max_parallelism is 0"),
        (
            {"rolling": {"pause_policy": "FirstBatch", "batch_interval_minutes": 5}},
            "rolling.batch_interval_minutes is 5, but it must be left out, or pause_policy "
            "NotPause: with pause_policy FirstBatch a person says when the next begins.",
        ),
        ({"rolling": {"pause_policy": "Never"}}, "rolling.pause_policy is 'Never'"),
        ({"max_unavailable": 0}, "max_unavailable is 0"),
        ({"auto_vul_fix": {"levels": []}}, "auto_vul_fix.levels"),
        (
            {"auto_repair": False, "auto_repair_restart": True},
            "auto_repair_restart is True, but it must be left out, or auto_repair true: "
            "auto_repair is false.",
        ),
        (
            {"auto_upgrade_kubelet": True},
            "auto_upgrade_kubelet is True, but it must be left out, or auto_upgrade true: "
            "auto_upgrade is false.",
        ),
    ],
)
def test_a_roll_that_nobody_can_do_is_refused(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in "\n".join(refusals(NodePoolArgs, pool(**changes)))


def test_a_driver_version_becomes_the_label_that_ack_reads() -> None:
    rendered = inputs(pool(nvidia_driver_version="550.144.03", labels={"pool": "a10"}))
    assert rendered["labels"] == [
        {"key": "ack.aliyun.com/nvidia-driver-version", "value": "550.144.03"},
        {"key": "pool", "value": "a10"},
    ]


def test_a_taint_keeps_away_what_does_not_tolerate_it() -> None:
    taint = {"key": "nvidia.com/gpu", "value": "present"}
    assert inputs(pool(taints=[taint]))["taints"] == [{**taint, "effect": "NoSchedule"}]


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        (A10, True),
        (T4, True),
        ("ecs.ebmgn7e.32xlarge", True),
        ("ecs.sgn7i-vws-m2.xlarge", True),
        ("ecs.vgn6i-m4-vws.xlarge", True),
        (CPU, False),
        ("ecs.g7.large", False),
    ],
)
def test_the_family_tells_whether_there_is_a_gpu(instance_type: str, expected: bool) -> None:
    assert has_gpu(instance_type) is expected


@needs_schema
@pytest.mark.parametrize(
    "args",
    [
        pool(),
        elastic(
            spot={"price_limits": {A10: 9.5}},
            labels={"a": "b"},
            taints=[{"key": "a"}],
            nvidia_driver_version="550.144.03",
            key_name="ops",
            worker_role_name="gpu-nodes",
            security_group_ids=["sg-1"],
            system_disk={"size_gib": 500, "performance_level": "PL2", "kms_key_id": "key-1"},
            data_disk={"size_gib": 100, "category": "cloud_auto", "kms_key_id": "key-1"},
            tags={"team": "ml"},
        ),
    ],
)
def test_the_provider_knows_every_input(args: dict[str, Any]) -> None:
    assert errors_in(planned(args)) == {}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (pool(size=None), "size is missing, but it must be given, or else autoscale"),
        (
            pool(autoscale={"min": 0, "max": 1}),
            "size is given beside autoscale, but it must be the only one of size, autoscale",
        ),
        (pool(size=1001), "size is 1001, but it must be 1000 or less"),
        (
            elastic(autoscale={"min": 5, "max": 3}),
            "autoscale.min is 5, but it must be less than autoscale.max (3): the autoscaler needs",
        ),
        (
            elastic(autoscale={"min": 3, "max": 3}),
            "autoscale.min is 3, but it must be less than autoscale.max (3), or size: 3 instead",
        ),
        (elastic(autoscale={"min": 0, "max": 0}), "autoscale.max is 0, but it must be 1 or more"),
        (pool(node_pool_name=""), "node_pool_name is '', but it must be 1 to 63 letters"),
        (pool(vswitch_ids=[]), "vswitch_ids is [], but it must be one vSwitch or more"),
        (pool(instance_types=[]), "instance_types is '0 types', but it must be 1 to 10"),
        (
            pool(instance_types=[f"ecs.gn7i-c{n}g1.large" for n in range(11)]),
            "instance_types is '11 types', but it must be 1 to 10",
        ),
        (pool(instance_types=[A10, A10]), f"instance_types is '{A10}', but it must be named once"),
        (
            pool(instance_types=["gn7i"]),
            "instance_types is 'gn7i', but it must be an ECS type such as",
        ),
        (
            pool(instance_types=[A10, CPU]),
            f"instance_types is '{CPU}', but it must be a type with GPUs, like the others",
        ),
        (
            elastic(instance_types=[A10, T4], spot={"price_limits": {A10: 1}}),
            f"spot.price_limits[{T4}] is missing, but it must be given",
        ),
        (
            elastic(spot={"price_limits": {A10: 1, T4: 1}}),
            f"spot.price_limits[{T4}] is 1.0, but it must be one of instance_types",
        ),
        (
            elastic(spot={"price_limits": {A10: 0}}),
            f"spot.price_limits[{A10}] is 0.0, but it must be more than 0",
        ),
        (
            elastic(spot={"on_demand_percentage": 101}),
            "spot.on_demand_percentage is 101, but it must be 100 or less",
        ),
        (
            pool(nvidia_driver_version="latest"),
            "nvidia_driver_version is 'latest', but it must be a version such as '550.144.03'",
        ),
        (
            pool(instance_types=[CPU], nvidia_driver_version="550.144.03"),
            "nvidia_driver_version is '550.144.03', but it must be left out",
        ),
        (
            pool(labels={"ack.aliyun.com/nvidia-driver-version": "1"}),
            "labels[ack.aliyun.com/nvidia-driver-version] is '1', but it must be left out, and",
        ),
        (pool(labels={"a b": "c"}), "labels[a b] is 'a b', but it must be a label key"),
        (pool(labels={"a": "b c"}), "labels[a] is 'b c', but it must be 63 letters"),
        (pool(taints=[{"key": "a b"}]), "taints[a b].key is 'a b', but it must be a key"),
        (
            pool(taints=[{"key": "a", "value": "b c"}]),
            "taints[a].value is 'b c', but it must be 63 letters",
        ),
        (
            pool(taints=[{"key": "a"}, {"key": "a", "value": "b"}]),
            "taints[a].effect is 'NoSchedule', but it must be named once for this key",
        ),
        (
            pool(taints=[{"key": "a", "effect": "Never"}]),
            "taints[0].effect is 'Never', but it must be one of 'NoSchedule'",
        ),
        (pool(image_type="CentOS"), "image_type is 'CentOS', but it must be one of"),
        (
            pool(system_disk={"size_gib": 460, "performance_level": "PL2"}),
            "system_disk.size_gib is 460, but it must be 461 or more: PL2 starts there.",
        ),
        (
            pool(data_disk={"size_gib": 100, "category": "cloud_auto", "performance_level": "PL1"}),
            "data_disk.performance_level is 'PL1', but it must be left out",
        ),
        *(
            (
                pool(**{disk: {"size_gib": 100, "category": "cloud_essd_entry"}}),
                f"{disk}.category is 'cloud_essd_entry', but it must be cloud_essd or cloud_auto: "
                "ECS attaches it to the families u and e alone, and not to",
            )
            for disk in ("system_disk", "data_disk")
        ),
        (
            pool(labels={"topology.kubernetes.io/zone": "cn-beijing-h"}),
            "labels[topology.kubernetes.io/zone] is 'cn-beijing-h', but it must be left out: "
            "Kubernetes sets it on each node",
        ),
        *(
            (
                pool(taints=[{"key": key}]),
                f"taints[{key}].key is '{key}', but it must be a key of your own: Kubernetes sets",
            )
            for key in (
                "node.kubernetes.io/unschedulable",
                "node.cloudprovider.kubernetes.io/uninitialized",
            )
        ),
        (
            pool(instance_types=["ecs.g8y.2xlarge"]),
            "image_type is 'AliyunLinux3', but it must be one of AliyunLinux3Arm64, "
            "AliyunLinux4Arm64, AliyunLinux4ContainerOptimizedArm64: ecs.g8y.2xlarge is arm64",
        ),
        (
            pool(instance_types=[CPU], image_type="AliyunLinux4Arm64"),
            "image_type is 'AliyunLinux4Arm64', but it must be one of AliyunLinux3, ",
        ),
        (
            pool(instance_types=[CPU, "ecs.c6r.2xlarge"]),
            "instance_types is 'ecs.c6r.2xlarge', but it must be a type of amd64, as the first",
        ),
        (
            pool(system_disk={"size_gib": 2049}),
            "system_disk.size_gib is 2049, but it must be 2048 or less: a system disk is not "
            "larger; a data_disk may be.",
        ),
        (pool(data_disk={"size_gib": 32768}), "data_disk.size_gib is 32768, but it must be 32767"),
        (pool(system_disk={"size_gib": 39}), "system_disk.size_gib is 39, but it must be 40 or"),
    ],
)
def test_a_pool_that_never_gets_a_node_is_refused(args: dict[str, Any], sentence: str) -> None:
    assert refusal(NodePoolArgs, args).startswith(sentence)


def test_all_faults_are_told_at_once() -> None:
    args = pool(size=None, node_pool_name="", instance_types=["gn7i"], labels={"a b": "c d"})
    assert len(refusals(NodePoolArgs, args)) == 5


@pytest.mark.parametrize(
    "args",
    [
        pool(size=0),
        pool(size=1000),
        elastic(autoscale={"min": 0, "max": 1}),
        elastic(autoscale={"min": 999, "max": 1000}),
        pool(instance_types=[f"ecs.gn7i-c{n}g1.large" for n in range(10)]),
        pool(labels={"a" * 63: "b" * 63, "example.com/pool": ""}),
        pool(taints=[{"key": "a"}, {"key": "a", "effect": "NoExecute"}]),
        pool(instance_types=["ecs.g8y.2xlarge"], image_type="AliyunLinux3Arm64"),
        # Whether a new family is one of ARM processors is not known here.
        pool(instance_types=["ecs.g11x.2xlarge"], image_type="AliyunLinux3Arm64"),
        pool(system_disk={"size_gib": 2048}, data_disk={"size_gib": 32767}),
        pool(system_disk={"size_gib": 461, "performance_level": "PL2"}),
        pool(system_disk={"size_gib": 1261, "performance_level": "PL3"}),
        *(
            pool(
                instance_types=[name], system_disk={"size_gib": 40, "category": "cloud_essd_entry"}
            )
            for name in ("ecs.u1-c1m2.large", "ecs.e-c1m2.large")
        ),
        pool(labels={"node.kubernetes.io/team": "ml"}, taints=[{"key": "node.kubernetes.io/ml"}]),
    ],
)
def test_the_edges_of_what_is_allowed_are_accepted(args: dict[str, Any]) -> None:
    assert NodePoolArgs.of(args)
