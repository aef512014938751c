"""Every rule refuses what cannot work, and takes what just can.

What the design asks for, and the cases or tests below that prove it:

- a placement names a pool that exists and has GPUs: `placements_name_pools`
- requests fit the allocatable of every pool: `requests_fit_every_pool`
- pods per node under Terway: `pods_fit_the_network_plugin`
- vLLM against the card, CUDA against the driver: `vllm_runs_on_the_cards`, `drivers_run_the_image`
- GPU memory against the model: the warning `models_fill_their_cards`
- quota times workers holds the model: `caches_hold_their_models`
- the cache's pool exists and is not ContainerOS: `caches_name_pools`, `fluid_runs_on_the_image`
- selector and labels agree: test_a_policy_selects_exactly_the_pods_of_its_workload
- an autoscaled pool's unit has no max: test_no_unit_has_a_max_because_no_stack_file_can_give_one
- min <= max, and 0 is refused for an HPA of KServe: `Scale`, `KServeScale`
- time-outs and deadline agree: test_one_setting_makes_both_request_timeouts and
  test_one_setting_makes_probe_and_progress_deadline
- names are DNS-1035 and unique: `Pool`, `Nodes`, `Store`, `Model`, `Training`, `names_are_unique`,
  `claims_are_unique`, `load_tests_have_their_own_jobs`
- a load test: `load_tests_name_models`, `cold_starts_begin_without_a_pod`, `Scenario`, `Steady`,
  `Tide`, `LoadTest`, `LoadTestArgs`
- reserved ports and variables: `reserved_names_are_free`
- what the profile cannot give: `fluid_runs_on_the_image`, `kubernetes_is_new_enough`,
  `knative_runs_on_the_kubernetes`, `kserve_runs_on_the_kubernetes`,
  `enough_nodes_carry_knative`, `reserve_instances_are_offered`, `stores_suit_the_profile`; there is
  no Standard cluster to choose and so no ResourcePolicy without its scheduler:
  test_a_cluster_without_the_scheduler_cannot_be_asked_for
- the OSS endpoint is internal: `oss_endpoints_are_internal`
- address ranges: `address_ranges_are_apart`
- what KServe needs: `metrics_have_an_adapter`, `metrics_have_a_source`, `kserve_has_cert_manager`,
  `metrics_come_from_one_port`
- what an IDC cannot give: `plugins_suit_the_profile`, `Network`, `caches_reach_their_readers`
- immutable fields are marked: test_what_replaces_a_cluster_is_marked
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

from components.args import Args
from components.serving.training_job import GENERATION
from stacks import checks, environment, runtimes
from stacks.checks import WARNINGS
from stacks.environment import stack_schema
from stacks.judge import CHECKS, judge

from .environments import (
    GONE,
    Raw,
    accepted,
    changed,
    dev,
    existing,
    hybrid,
    merged,
    planned,
    prod,
    refusal,
    sentences,
    warnings,
)

MODEL: Raw = {
    "name": "llama",
    "volume": {"store": "models", "path": "/llama", "size": "11Gi"},
    "server": {
        "image": "registry/server:1",
        "command": ["serve"],
        "mount_path": "/mnt/llama",
        "resources": {"cpu": "1", "memory": "8Gi"},
    },
    "placement": {"pools": ["a10"]},
    "priority": "inference-high-priority",
    "serve": {"knative": {"scale": {"max": 1, "target": 1}}},
}
NETWORK: Raw = dev()["network"]
TERWAY: Raw = {
    "network.plugin": "terway",
    "network.pod_cidr": GONE,
    "network.zones[cn-hangzhou-i].pod_cidr": "10.16.64.0/18",
}
TERWAY_EDGE: Raw = {**TERWAY, "network.plugin": "terway-edge", "network.dedicated_line": True}
CHAT: Final = "models[qwen-chat].serve.kserve.scale"
ALONE: Raw = {"models[qwen-queue]": GONE}
ASKED: Raw = {
    "metric": "prometheus",
    "target": 2,
    "max": 3,
    "query": {"server": "http://prometheus.monitoring:9090", "query": "sum(up)"},
}
PROMETHEUS: Raw = {"url": "http://prometheus.monitoring.svc:9090"}
COPY: Raw = {"pool": "default", "workers": 2, "quota": "20Gi"}
ACK_KSERVE: Raw = {"flavor": "ack", "chart": "oci://registry/ack-kserve", "version": "1.0.0"}
CONTRACT: Raw = {"currency": "CNY", "source": "framework contract", "date": "2026-10-01"}
AUTOSCALER: Final = "serving.kserve.io/autoscalerClass"
SMALL: Raw = {
    "name": "ecs.gn6x.large",
    "vcpus": 32,
    "memory_gib": 128,
    "gpus": 1,
    "gpu": "T4",
    "enis": 2,
}


def scale(metric: str, target: float = 50, **more: Any) -> Raw:
    """How KServe scales a model."""
    return {"metric": metric, "target": target, "max": 3, **more}


def load_test(**changes: Any) -> Raw:
    return {"name": "spike", "model": "qwen", "scenario": {"spike": {}}, **changes}


ON_KSERVE = {"kserve": {"scale": {"metric": "cpu", "target": 80, "max": 2}}}
LIMITS_2 = {"kserve": {"inferenceservice": {"resources": {"limits": {"cpu": "2"}}}}}


class Case(NamedTuple):
    """One way to break a rule, and the value just inside of it."""

    rule: str
    """Name of a check, or of the model whose rule it is."""
    title: str
    base: Callable[..., Raw]
    changes: dict[str, Any]
    sentence: str
    edge: dict[str, Any]

    def __str__(self) -> str:
        return self.title


CASES = [
    Case(
        "ingress_controllers_are_installed_once",
        "ACK's add-on for a class that it does not answer to",
        hybrid,
        {"kserve": {"ingress_controller": "addon", "ingress_class": "alb"}},
        (
            "kserve.ingress_controller is 'addon', but it must be 'present': the add-on answers to "
            "nginx, and kserve.ingress_class is another."
        ),
        {"kserve": {"ingress_controller": "present", "ingress_class": "alb"}},
    ),
    Case(
        "ingresses_have_a_controller",
        "a class that nobody answers to in a new cluster",
        hybrid,
        {"kserve": {"ingress_class": "alb"}},
        (
            "kserve.ingress_controller is missing, but it must be 'present', or "
            "kserve.ingress_class nginx: cluster.addons names no add-on that could answer to alb, "
            "and without one the models are reached inside the cluster alone."
        ),
        {
            "kserve": {"ingress_class": "alb"},
            "cluster.addons": [{"name": "alb-ingress-controller"}],
        },
    ),
    Case(
        "default_limits_leave_room",
        "a default limit of KServe below a request",
        hybrid,
        {"kserve": {"chart": {"values": LIMITS_2}}},
        (
            "models[qwen-queue].server.resources.cpu_limit is left out, but it must be 4 or more: "
            "by kserve.chart.values a container without one is given 2, below the request, and the "
            "API server refuses the Deployment."
        ),
        {"kserve": {"chart": {"values": LIMITS_2}}, "models[qwen-queue].server.resources.cpu": "2"},
    ),
    Case(
        "names_are_unique",
        "an entry with the name of another",
        dev,
        {"priorities[+]": {"name": "training-low-priority", "value": 5}},
        (
            "priorities[training-low-priority].name is 'training-low-priority', but it must be "
            "given to one entry only: an entry is known by its name."
        ),
        {"priorities[+]": {"name": "training-lowest", "value": 5}},
    ),
    Case(
        "names_are_unique",
        "a training job with the name of a model",
        dev,
        {"training[finetune].name": "qwen"},
        (
            "training[qwen].name is 'qwen', but it must be different from the model of that "
            "name: each gets a ResourcePolicy and labels of its name in the same namespace."
        ),
        {"training[finetune].name": "qwen-job"},
    ),
    Case(
        "names_are_unique",
        "an edge pool with the name of a pool",
        hybrid,
        {"edge_pools[+]": {"name": "default"}},
        (
            "edge_pools[default].name is 'default', but it must be different from the pool of that"
            " name: placements know pools of both kinds by their names."
        ),
        {"edge_pools[+]": {"name": "default-idc"}},
    ),
    Case(
        "names_are_unique",
        "two edge pools of one name",
        hybrid,
        {"edge_pools[+]": {"name": "idc", "gpu": "V100"}},
        (
            "edge_pools[idc].name is 'idc', but it must be given to one entry only: an entry is "
            "known by its name."
        ),
        {"edge_pools[+]": {"name": "idc2", "gpu": "V100"}},
    ),
    Case(
        "claims_are_unique",
        "a model with the name of a checkpoint's claim",
        dev,
        {"models[+]": {**MODEL, "name": "finetune-checkpoint"}},
        (
            "models[finetune-checkpoint].name is 'finetune-checkpoint', but it must be no name "
            "of a training job with -checkpoint behind it: the job's checkpoint is a claim of "
            "that name."
        ),
        {"models[+]": {**MODEL, "name": "finetune-check"}},
    ),
    Case(
        "sections_suit_the_profile",
        "a cluster of ours without a region",
        dev,
        {"region": GONE},
        ("region is missing, but it must be given: profile pro creates a cluster."),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "a cluster of ours without a network",
        dev,
        {"network": GONE},
        ("network is missing, but it must be given: profile pro creates a cluster."),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "a cluster of ours without pools",
        dev,
        {"pools": GONE},
        ("pools is missing, but it must be given: profile pro creates a cluster."),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "a kubeconfig for a cluster of ours",
        dev,
        {"kubeconfig": {"secure": "v1:A:B"}},
        (
            "kubeconfig is given, but it must be left out: profile pro creates its cluster and "
            "its pools."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "nodes for a cluster of ours",
        dev,
        {"nodes": [{"name": "gpu", "node_selector": {"a": "b"}}]},
        ("nodes is given, but it must be left out: profile pro creates its cluster and its pools."),
        {"nodes": []},
    ),
    Case(
        "sections_suit_the_profile",
        "an existing cluster without a kubeconfig",
        existing,
        {"kubeconfig": GONE},
        (
            "kubeconfig is missing, but it must be set, by `pulumi config set --secret "
            "ack-inference:kubeconfig`: profile existing reaches a cluster by kubeconfig and "
            "knows nodes by label."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "an existing cluster without nodes",
        existing,
        {"nodes": GONE},
        (
            "nodes is missing, but it must be given: profile existing reaches a cluster by "
            "kubeconfig and knows nodes by label."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "a network for an existing cluster",
        existing,
        {"network": NETWORK},
        (
            "network is given, but it must be left out: an existing cluster is used as it is; "
            "name its nodes under nodes."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "pools for an existing cluster",
        existing,
        {"pools": [{"name": "system", "instance_types": ["ecs.g7.2xlarge"], "size": 1}]},
        (
            "pools is given, but it must be left out: an existing cluster is used as it is; name "
            "its nodes under nodes."
        ),
        {"pools": []},
    ),
    Case(
        "sections_suit_the_profile",
        "machines of an IDC for a cluster in the cloud alone",
        dev,
        {"edge_pools": [{"name": "idc"}]},
        (
            "edge_pools is given, but it must be left out, or cluster.profile edge: only an ACK "
            "Edge cluster takes in machines of an IDC."
        ),
        {"edge_pools": []},
    ),
    Case(
        "sections_suit_the_profile",
        "edge pools for an existing cluster",
        existing,
        {"edge_pools": [{"name": "idc"}]},
        (
            "edge_pools is given, but it must be left out: an existing cluster is used as it is; "
            "name its nodes under nodes."
        ),
        {"edge_pools": []},
    ),
    Case(
        "plugins_suit_the_profile",
        "Terway in an IDC",
        hybrid,
        TERWAY,
        (
            "network.plugin is 'terway', but it must be 'flannel' or 'terway-edge': a cluster of "
            "profile edge has no other."
        ),
        TERWAY_EDGE,
    ),
    Case(
        "plugins_suit_the_profile",
        "a plugin for IDCs in a cluster in the cloud alone",
        dev,
        {"network.plugin": "terway-edge", "network.dedicated_line": True},
        (
            "network.plugin is 'terway-edge', but it must be 'terway' or 'flannel': a cluster of "
            "profile pro has no other."
        ),
        {"network.dedicated_line": True},
    ),
    Case(
        "zones_lie_in_the_region",
        "a zone of another region",
        dev,
        {"region": "cn-shanghai"},
        (
            "network.zones[cn-beijing-h].id is 'cn-beijing-h', but it must be a zone of "
            "cn-shanghai: the VPC lies in that region."
        ),
        {"region": "ap-southeast-1", "network.zones[cn-beijing-h].id": "ap-southeast-1a"},
    ),
    Case(
        "address_ranges_are_apart",
        "Services on the addresses of the VPC",
        dev,
        {"network.service_cidr": "10.0.240.0/20"},
        (
            "network.service_cidr is '10.0.240.0/20', but it must be apart from network.cidr "
            "(10.0.0.0/16): an address can belong to one range only."
        ),
        {"network.service_cidr": "10.1.0.0/20"},
    ),
    Case(
        "address_ranges_are_apart",
        "a vSwitch outside of the VPC",
        dev,
        {"network.zones[cn-beijing-h].cidr": "10.1.0.0/20"},
        (
            "network.zones[cn-beijing-h].cidr is '10.1.0.0/20', but it must be inside the VPC "
            "(10.0.0.0/16): a vSwitch is a part of its VPC."
        ),
        {"network.zones[cn-beijing-h].cidr": "10.0.240.0/20"},
    ),
    Case(
        "address_ranges_are_apart",
        "pods on the addresses of nodes",
        dev,
        {"network.zones[cn-beijing-h].pod_cidr": "10.0.0.0/18"},
        (
            "network.zones[cn-beijing-h].pod_cidr is '10.0.0.0/18', but it must be apart from "
            "zones[cn-beijing-h].cidr (10.0.0.0/20): an address can belong to one range only."
        ),
        {"network.zones[cn-beijing-h].pod_cidr": "10.0.16.0/20"},
    ),
    Case(
        "pools_use_zones_of_the_network",
        "a pool in a zone that the network has not",
        dev,
        {"pools[a10].zones": ["cn-beijing-k"]},
        (
            "pools[a10].zones is 'cn-beijing-k', but it must be one of cn-beijing-h: a pool's "
            "nodes stand in a vSwitch of the network."
        ),
        {"pools[a10].zones": ["cn-beijing-h"]},
    ),
    Case(
        "kubernetes_is_new_enough",
        "a Kubernetes that mounts no bucket without an AccessKey",
        hybrid,
        {"cluster.version": "1.25.9-aliyun.1", "kserve": {"chart": ACK_KSERVE}},
        (
            "cluster.version is '1.25.9-aliyun.1', but it must be 1.26 or later: OSS volumes "
            "without an AccessKey need it."
        ),
        {"cluster.version": "1.26.3-aliyun.1", "kserve": {"chart": ACK_KSERVE}},
    ),
    Case(
        "knative_runs_on_the_kubernetes",
        "a Kubernetes that ACK's Knative does not run on",
        dev,
        {"cluster.version": "1.27.8-aliyun.1"},
        (
            "cluster.version is '1.27.8-aliyun.1', but it must be 1.28 or later: ACK's Knative "
            "add-on needs it."
        ),
        {"cluster.version": "1.28.3-aliyun.1"},
    ),
    Case(
        "knative_runs_on_the_kubernetes",
        "a Kubernetes that Knative's release does not run on",
        existing,
        {"cluster.version": "1.33"},
        ("cluster.version is '1.33', but it must be 1.34 or later: Knative Serving 1.23 needs it."),
        {"cluster.version": "1.33", "knative": {"version": "1.21"}},
    ),
    Case(
        "kserve_runs_on_the_kubernetes",
        "a Kubernetes that KServe does not run on",
        hybrid,
        {"cluster.version": "1.31.9-aliyun.1"},
        (
            "cluster.version is '1.31.9-aliyun.1', but it must be 1.32 or later: the pinned KServe"
            " needs it."
        ),
        {"cluster.version": "1.32.1-aliyun.1"},
    ),
    Case(
        "kserve_runs_on_the_kubernetes",
        "a Kubernetes that only a KServe of other charts runs on",
        hybrid,
        {"cluster.version": "1.31"},
        "cluster.version is '1.31', but it must be 1.32 or later: the pinned KServe needs it.",
        {"cluster.version": "1.31", "kserve": {"chart": ACK_KSERVE}},
    ),
    Case(
        "knative_release_is_served",
        "a Knative release that the operator does not install",
        existing,
        {"knative": {"version": "1.19"}},
        (
            "knative.version is '1.19', but it must be one of 1.20, 1.21, 1.22, 1.23: these are "
            "the releases that the pinned Knative operator installs."
        ),
        {"knative": {"version": "1.20"}},
    ),
    Case(
        "enough_nodes_carry_knative",
        "fewer nodes than Knative wants",
        dev,
        {"pools[system].size": 0, "pools[a10].size": 0},
        (
            "pools is 2 nodes at the least, but it must be 3 nodes or more, over all pools: ACK "
            "installs Knative only on that many."
        ),
        {"pools[system].size": 1, "pools[a10].size": 0},
    ),
    Case(
        "enough_nodes_carry_the_platform",
        "no node for controllers",
        dev,
        {"pools[system].size": 0, "pools[cache].dedicated": True},
        (
            "pools is dedicated or empty throughout, but it must be a pool with at least one "
            "node that is not dedicated to GPU pods: the controllers of the platform have "
            "nowhere to run."
        ),
        {"pools[system].size": 1, "pools[cache].dedicated": True},
    ),
    Case(
        "instance_types_are_known",
        "an instance type that nobody knows",
        dev,
        {"pools[system].instance_types": ["ecs.g7.2xlarg"]},
        (
            "pools[system].instance_types is 'ecs.g7.2xlarg', but it must be a type of the "
            "catalogue (did you mean 'ecs.g7.2xlarge'?), or described under instance_types: "
            "whether pods fit depends on its size."
        ),
        {
            "pools[system].instance_types": ["ecs.g9.2xlarge"],
            "instance_types": [{"name": "ecs.g9.2xlarge", "vcpus": 8, "memory_gib": 32}],
        },
    ),
    Case(
        "instance_types_are_known",
        "a described instance type with a card that nobody knows",
        dev,
        {
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": "H20"}
            ]
        },
        (
            "instance_types[ecs.gn9.large].gpu is 'H20', but it must be one of A10, T4, V100, "
            "L20: its node label and memory stand in the catalogue."
        ),
        {
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": "L20"}
            ]
        },
    ),
    Case(
        "instance_types_have_the_card",
        "a pool that claims another card",
        dev,
        {"pools[a10].gpu": "L20"},
        ("pools[a10].gpu is 'L20', but it must be A10: ecs.gn7i-c32g1.8xlarge has A10."),
        {},
    ),
    Case(
        "instance_types_have_the_card",
        "a pool that hides its card",
        dev,
        {"pools[+]": {"name": "hidden", "instance_types": ["ecs.gn6i-c24g1.6xlarge"], "size": 0}},
        ("pools[hidden].gpu is missing, but it must be T4: ecs.gn6i-c24g1.6xlarge has T4."),
        {
            "pools[+]": {
                "name": "hidden",
                "instance_types": ["ecs.gn6i-c24g1.6xlarge"],
                "size": 0,
                "gpu": "T4",
            }
        },
    ),
    Case(
        "placements_name_pools",
        "a pool that is not there",
        dev,
        {"models[qwen].placement.pools": ["a10", "t5"]},
        (
            "models[qwen].placement.pools is 't5', but it must be one of system, a10, t4, cache: "
            "pods cannot be placed on it."
        ),
        {"models[qwen].placement.pools": ["t4", "a10"]},
    ),
    Case(
        "placements_name_pools",
        "a pool without cards for a pod with GPUs",
        dev,
        {"models[qwen].placement.pools": ["a10", "cache"]},
        (
            "models[qwen].placement.pools is 'cache', but it must be a pool with a gpu: the pod "
            "asks for GPUs and would stay pending."
        ),
        {"models[qwen].placement.pools": ["cache"], "models[qwen].server.resources.gpus": 0},
    ),
    Case(
        "placements_name_pools",
        "a pool that is named twice",
        dev,
        {"models[qwen].placement.pools": ["a10", "a10"]},
        ("models[qwen].placement.pools is 'a10', but it must be named once: a pool is tried once."),
        {"models[qwen].placement.pools": ["a10"]},
    ),
    Case(
        "placements_name_pools",
        "a job on a pool that is not there",
        dev,
        {"training[finetune].placement.pools": ["spot"]},
        (
            "training[finetune].placement.pools is 'spot', but it must be one of system, a10, "
            "t4, cache: pods cannot be placed on it."
        ),
        {"training[finetune].placement.pools": ["t4"]},
    ),
    Case(
        "caches_name_pools",
        "a cache on a pool that is not there",
        dev,
        {"models[qwen].cache.pool": "cash"},
        (
            "models[qwen].cache.pool is 'cash', but it must be one of system, a10, t4, cache "
            "(did you mean 'cache'?): the copy of the model is kept on its nodes."
        ),
        {"models[qwen].cache.pool": "cache"},
    ),
    Case(
        "stores_are_known",
        "a model on a store that is not there",
        dev,
        {"models[qwen].volume.store": "model"},
        (
            "models[qwen].volume.store is 'model', but it must be one of models, checkpoints "
            "(did you mean 'models'?): the files are mounted from it."
        ),
        {"models[qwen].volume.store": "checkpoints"},
    ),
    Case(
        "stores_are_known",
        "a checkpoint on a store that is not there",
        dev,
        {"training[finetune].checkpoint.store": "nas"},
        (
            "training[finetune].checkpoint.store is 'nas', but it must be one of models, "
            "checkpoints: the files are mounted from it."
        ),
        {"training[finetune].checkpoint.store": "models"},
    ),
    Case(
        "stores_suit_the_profile",
        "a bucket beside an existing cluster",
        existing,
        {"stores[models]": {"name": "models", "oss": {"bucket": "llm-models"}}},
        (
            "stores[models].oss is given, but it must be a claim that exists: profile existing "
            "creates nothing in a cloud."
        ),
        {"stores[models]": {"name": "models", "nas": {"server": "nas.example.com"}}},
    ),
    Case(
        "stores_suit_the_profile",
        "a file system to be made beside an existing cluster",
        existing,
        {"stores[models]": {"name": "models", "nas": {}}},
        (
            "stores[models].nas.server is missing, but it must be given: profile existing "
            "creates nothing in a cloud."
        ),
        {"stores[models]": {"name": "models", "nas": {"server": "nas.example.com"}}},
    ),
    Case(
        "oss_endpoints_are_internal",
        "a public endpoint of OSS",
        dev,
        {"stores[models].oss.endpoint": "oss-cn-beijing.aliyuncs.com"},
        (
            "stores[models].oss.endpoint is 'oss-cn-beijing.aliyuncs.com', but it must be "
            "oss-cn-beijing-internal.aliyuncs.com: traffic over another endpoint leaves the VPC, "
            "is billed and slower."
        ),
        {"stores[models].oss.endpoint": "oss-cn-beijing-internal.aliyuncs.com"},
    ),
    Case(
        "nas_zones_are_known",
        "a mount target in a zone that the network has not",
        dev,
        {"stores[checkpoints].nas.zone": "cn-beijing-k"},
        (
            "stores[checkpoints].nas.zone is 'cn-beijing-k', but it must be one of cn-beijing-h "
            "(did you mean 'cn-beijing-h'?): the mount target stands in a vSwitch of the "
            "network."
        ),
        {"stores[checkpoints].nas.zone": "cn-beijing-h"},
    ),
    Case(
        "priorities_are_known",
        "a priority that is not there",
        dev,
        {"models[qwen].priority": "infrence-with-high-priority"},
        (
            "models[qwen].priority is 'infrence-with-high-priority', but it must be one of "
            "inference-high-priority, training-low-priority (did you mean "
            "'inference-high-priority'?): the API server refuses pods of an unknown "
            "PriorityClass."
        ),
        {"models[qwen].priority": "inference-high-priority"},
    ),
    Case(
        "training_gives_way",
        "training that is worth as much as a model it shares pools with",
        dev,
        {"priorities[training-low-priority].value": 1000000},
        (
            "training[finetune].priority is 'training-low-priority', but it must be of a value "
            "below 1000000, the priority of models[qwen]: they share a10, t4, and only lower "
            "pods are preempted."
        ),
        {"priorities[training-low-priority].value": 999999},
    ),
    Case(
        "requests_fit_every_pool",
        "more CPU than a node of one pool has",
        dev,
        {"models[qwen].server.resources.cpu": "23"},
        (
            "models[qwen].server.resources.cpu is '23', but it must be at most 22870m on pool "
            "t4: ecs.gn6i-c24g1.6xlarge offers no more to pods beside its own agents."
        ),
        {"models[qwen].server.resources.cpu": "22"},
    ),
    Case(
        "requests_fit_every_pool",
        "more memory than a node of one pool has",
        dev,
        {"models[qwen].server.resources.memory": "88Gi"},
        (
            "models[qwen].server.resources.memory is '88Gi', but it must be at most 90061Mi on "
            "pool t4: ecs.gn6i-c24g1.6xlarge offers no more to pods beside its own agents."
        ),
        {"models[qwen].server.resources.memory": "87Gi"},
    ),
    Case(
        "requests_fit_every_pool",
        "more cards than a node has",
        dev,
        {"training[finetune].resources.gpus": 2, "training[finetune].placement.pools": ["a10"]},
        (
            "training[finetune].resources.gpus is 2, but it must be at most 1 on pool a10: "
            "ecs.gn7i-c32g1.8xlarge offers no more to pods beside its own agents."
        ),
        {"training[finetune].resources.gpus": 1},
    ),
    Case(
        "requests_fit_every_pool",
        "more than the nodes of an existing cluster are said to have",
        existing,
        {"models[qwen].server.resources.memory": "121Gi"},
        (
            "models[qwen].server.resources.memory is '121Gi', but it must be at most 122880Mi on "
            "pool gpu: the node offers no more to pods beside its own agents."
        ),
        {"models[qwen].server.resources.memory": "120Gi"},
    ),
    Case(
        "pods_fit_the_network_plugin",
        "a node with too few addresses",
        dev,
        {
            "instance_types": [{**SMALL, "ips_per_eni": 7}],
            "pools[t4].instance_types": ["ecs.gn6x.large"],
            "training[finetune].placement.pools": ["a10"],
        },
        (
            "models[qwen].placement.pools is t4 with room for 10 pods a node, but it must be a "
            "pool with room for 11 pods a node: ecs.gn6x.large has no more addresses, and its "
            "agents take 10."
        ),
        {
            "instance_types": [{**SMALL, "ips_per_eni": 8}],
            "pools[t4].instance_types": ["ecs.gn6x.large"],
            "training[finetune].placement.pools": ["a10"],
        },
    ),
    Case(
        "caches_hold_their_models",
        "a cache that is smaller than its model",
        dev,
        {"models[qwen].cache.quota": "5Gi"},
        (
            "models[qwen].cache.quota is '5Gi', but it must be at least 6Gi with 2 workers: the "
            "model has 11Gi, and what does not fit is read again each time."
        ),
        {"models[qwen].cache.quota": "6Gi"},
    ),
    Case(
        "cache_nodes_have_room",
        "more workers than nodes",
        dev,
        {"models[qwen].cache.workers": 3},
        (
            "models[qwen].cache.workers is 3, but it must be at most 2, the nodes of pool cache: "
            "a node holds one worker of a cache, and the Dataset waits for all of them."
        ),
        {"models[qwen].cache.workers": 1},
    ),
    Case(
        "cache_nodes_have_room",
        "more cache than memory",
        dev,
        {"models[qwen].cache.quota": "367Gi"},
        (
            "models[qwen].cache.quota is '367Gi', but it must be at most 366Gi on pool cache: "
            "ecs.g8i.24xlarge has no more memory beside the worker and the node's agents."
        ),
        {"models[qwen].cache.quota": "366Gi"},
    ),
    Case(
        "fluid_runs_on_the_image",
        "cache nodes without Fluid's plugin",
        dev,
        {"pools[cache].image_type": "ContainerOS"},
        (
            "pools[cache].image_type is 'ContainerOS', but it must be AliyunLinux3 or another "
            "image than ContainerOS: Fluid does not support ContainerOS."
        ),
        {"pools[cache].image_type": "AliyunLinux4ContainerOptimized"},
    ),
    Case(
        "fluid_runs_on_the_image",
        "GPU nodes without Fluid's plugin",
        dev,
        {"pools[t4].image_type": "ContainerOS"},
        (
            "pools[t4].image_type is 'ContainerOS', but it must be AliyunLinux3 or another image "
            "than ContainerOS: Fluid does not support ContainerOS."
        ),
        {"pools[system].image_type": "ContainerOS"},
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a vLLM that has dropped the card",
        existing,
        {"nodes[gpu].gpu": "V100", "models[qwen].server.image": "registry/vllm:0.9.0"},
        (
            "models[qwen].server.image is 'registry/vllm:0.9.0', but it must be a vLLM below "
            "0.9.0, or placed without pool gpu: vLLM 0.9.0 has no kernels for V100."
        ),
        {"nodes[gpu].gpu": "V100", "models[qwen].server.image": "registry/vllm:0.8.5"},
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a weight format that the card has no kernels for",
        dev,
        {"models[qwen].server.vllm.quantization": "gptq_marlin"},
        (
            "models[qwen].server.vllm.quantization is 'gptq_marlin', but it must be another "
            "format, or placed without pool t4: gptq_marlin needs compute capability 8.0, T4 has "
            "7.5."
        ),
        {
            "models[qwen].server.vllm.quantization": "gptq_marlin",
            "models[qwen].placement.pools": ["a10"],
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a number format that the card does not have",
        dev,
        {"models[qwen].server.vllm.dtype": "bfloat16"},
        (
            "models[qwen].server.vllm.dtype is 'bfloat16', but it must be another format, or "
            "placed without pool t4: bfloat16 needs compute capability 8.0, T4 has 7.5."
        ),
        {"models[qwen].server.vllm.dtype": "half"},
    ),
    Case(
        "drivers_run_the_image",
        "a driver that is too old for the image's CUDA",
        dev,
        {"pools[t4].driver": "515.105.01"},
        (
            "pools[t4].driver is '515.105.01', but it must be 525 or later, or the image one "
            "with -cu129 in its tag: models[qwen].server.image is vLLM 0.4.1 with CUDA 12."
        ),
        {"pools[t4].driver": "525.105.17"},
    ),
    Case(
        "drivers_run_the_image",
        "an image with CUDA 13 on nodes whose driver nobody has chosen",
        existing,
        {"nodes[gpu].driver": GONE},
        (
            "nodes[gpu].driver is missing, but it must be given, at 580 or later: "
            "models[qwen].server.image is vLLM 0.28.0 with CUDA 13."
        ),
        {
            "nodes[gpu].driver": GONE,
            "models[qwen].server.image": "docker.io/vllm/vllm-openai:v0.28.0-cu129",
        },
    ),
    Case(
        "requests_end_in_time",
        "longer requests than the cluster allows",
        dev,
        {"models[qwen].serve.knative.request_seconds": 601},
        (
            "models[qwen].serve.knative.request_seconds is 601, but it must be at most "
            "knative.max_request_seconds (600): Knative's webhook refuses longer requests."
        ),
        {
            "models[qwen].serve.knative.request_seconds": 900,
            "knative": {"max_request_seconds": 900},
        },
    ),
    Case(
        "reserved_names_are_free",
        "a port of Knative's own",
        dev,
        {"models[qwen].server.port": 8012},
        (
            "models[qwen].server.port is 8012, but it must be none of 8008, 8012, 8013, 8022, "
            "9090, 9091: Knative's queue-proxy has it."
        ),
        {"models[qwen].server.port": 8000},
    ),
    Case(
        "reserved_names_are_free",
        "a variable that Knative sets",
        dev,
        {"models[qwen].server.env": {"PORT": "80"}},
        (
            "models[qwen].server.env.PORT is set, but it must be left out: Knative sets this "
            "variable itself."
        ),
        {"models[qwen].server.env": {"PORTS": "80"}},
    ),
    Case(
        "reserved_names_are_free",
        "a port of Knative's own below KServe",
        hybrid,
        {CHAT: scale("concurrency", 2), "models[qwen-chat].server.port": 8012},
        (
            "models[qwen-chat].server.port is 8012, but it must be none of 8008, 8012, 8013, 8022,"
            " 9090, 9091: Knative's queue-proxy has it."
        ),
        {"models[qwen-chat].server.port": 8012},
    ),
    Case(
        "reserved_names_are_free",
        "a variable that Knative sets below KServe",
        hybrid,
        {CHAT: scale("concurrency", 2), "models[qwen-chat].server.env": {"PORT": "80"}},
        (
            "models[qwen-chat].server.env.PORT is set, but it must be left out: Knative sets this "
            "variable itself."
        ),
        {"models[qwen-chat].server.env": {"PORT": "80"}},
    ),
    Case(
        "reserve_instances_are_offered",
        "a reserve instance where ACK's Knative is not",
        existing,
        {"models[qwen].serve.knative.reserve": {}},
        (
            "models[qwen].serve.knative.reserve is given, but it must be left out; scale.min of "
            "1 keeps a replica instead: only ACK's Knative has reserve instances."
        ),
        {"models[qwen].serve.knative.scale.min": 1},
    ),
    Case(
        "reserve_instances_are_offered",
        "a reserve instance on a virtual node that is not there",
        dev,
        {"models[qwen].serve.knative.reserve": {"type": "eci"}},
        (
            "models[qwen].serve.knative.reserve.type is 'eci', but it must be 'ecs', or "
            "ack-virtual-node added under cluster.addons: ECI and ACS run on a virtual node."
        ),
        {
            "models[qwen].serve.knative.reserve": {"type": "eci"},
            "cluster.addons": [{"name": "ack-virtual-node"}],
        },
    ),
    Case(
        "metrics_have_an_adapter",
        "a metric without the adapter that serves it",
        hybrid,
        {**ALONE, "gpu_metrics": GONE},
        (
            "gpu_metrics is missing, but it must be given, for models[qwen-"
            "chat].serve.kserve.scale.metric: without its adapter nobody tells the autoscaler "
            "DCGM_CUSTOM_PROCESS_SM_UTIL."
        ),
        {**ALONE, "gpu_metrics": GONE, CHAT: scale("cpu", 80)},
    ),
    Case(
        "metrics_have_an_adapter",
        "a metric of ACK's exporter where it is not",
        existing,
        {
            "gpu_metrics": PROMETHEUS,
            "models[qwen].serve": {"kserve": {"scale": scale("DCGM_CUSTOM_PROCESS_SM_UTIL")}},
        },
        (
            "models[qwen].serve.kserve.scale.metric is 'DCGM_CUSTOM_PROCESS_SM_UTIL', but it must "
            "be one of vllm_num_requests_waiting, vllm_kv_cache_usage, vllm_num_requests_running, "
            "gpu_utilization: only ACK's GPU exporter reports it."
        ),
        {
            "gpu_metrics": PROMETHEUS,
            "models[qwen].serve": {"kserve": {"scale": scale("gpu_utilization")}},
        },
    ),
    Case(
        "metrics_have_a_source",
        "Managed Service for Prometheus without its address",
        hybrid,
        {"prometheus_url": GONE},
        (
            "prometheus_url is missing, but it must be set, by `pulumi config set --secret ack-"
            "inference:prometheus_url`: the adapter asks Managed Service for Prometheus, whose "
            "address opens it."
        ),
        {"prometheus_token": {"secure": "v1:A:B"}},
    ),
    Case(
        "metrics_have_a_source",
        "an address in plain beside the secret one",
        hybrid,
        {"gpu_metrics.url": "http://prometheus:9090"},
        (
            "gpu_metrics.url is given, but it must be left out: the adapter asks Managed Service "
            "for Prometheus, at the secret prometheus_url."
        ),
        {},
    ),
    Case(
        "metrics_have_a_source",
        "metrics of an existing cluster without its Prometheus",
        existing,
        {"gpu_metrics": {}},
        (
            "gpu_metrics.url is missing, but it must be given: the adapter asks the Prometheus of "
            "the cluster."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "metrics_have_a_source",
        "a secret address for an existing cluster",
        existing,
        {"gpu_metrics": PROMETHEUS, "prometheus_url": {"secure": "v1:A:B"}},
        (
            "prometheus_url is given, but it must be left out: the adapter asks the Prometheus of "
            "the cluster, at gpu_metrics.url."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "metrics_have_a_source",
        "a token for an existing cluster",
        existing,
        {"gpu_metrics": PROMETHEUS, "prometheus_token": {"secure": "v1:A:B"}},
        (
            "prometheus_token is given, but it must be left out: the adapter asks the Prometheus "
            "of the cluster, at gpu_metrics.url."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "keda_is_there",
        "a query that nobody asks",
        hybrid,
        {CHAT: ASKED},
        (
            "keda is False, but it must be true, once KEDA is installed: "
            "models[qwen-chat].serve.kserve.scale.metric is prometheus, which KEDA asks for."
        ),
        {CHAT: ASKED, "keda": True},
    ),
    Case(
        "KServeScale",
        "KEDA without a query",
        hybrid,
        {CHAT: {**ASKED, "query": None}, "keda": True},
        (
            "models[qwen-chat].serve.kserve.scale.query is missing, but it must be given with "
            "metric prometheus: KEDA asks for it, and for nothing else."
        ),
        {CHAT: ASKED, "keda": True},
    ),
    Case(
        "KServeScale",
        "a query that nothing asks",
        hybrid,
        {CHAT: {**ASKED, "metric": "gpu_utilization"}},
        (
            "models[qwen-chat].serve.kserve.scale.query is given with metric gpu_utilization, but "
            "it must be left out, or metric prometheus: KEDA asks for it, and for nothing else."
        ),
        {CHAT: scale("gpu_utilization", 4)},
    ),
    Case(
        "metrics_come_from_one_port",
        "vLLM's metrics at a port where nobody looks",
        hybrid,
        {CHAT: scale("vllm_kv_cache_usage", 1), "models[qwen-chat].server.port": 8081},
        (
            "models[qwen-chat].server.port is 8081, but it must be 8080, as of the other models "
            "that are scaled on vLLM's metrics: these are collected at one port, and a model "
            "without them never scales."
        ),
        {"models[qwen-chat].server.port": 8081},
    ),
    Case(
        "kserve_has_cert_manager",
        "KServe without cert-manager",
        hybrid,
        {"cert_manager": "absent"},
        (
            "cert_manager is 'absent', but it must be 'install' or 'present': KServe's webhooks "
            "get their certificate from it."
        ),
        {"cert_manager": "present"},
    ),
    Case(
        "caches_reach_their_readers",
        "a cache whose readers in an IDC cannot reach it",
        hybrid,
        {"models[qwen-chat].cache": COPY},
        (
            "models[qwen-chat].cache is given, but it must be left out, or "
            "edge_pools[idc].interconnected true where it is so: machines of idc cannot reach the "
            "pods that hold the copy."
        ),
        {"models[qwen-chat].cache": COPY, "edge_pools[idc].interconnected": True},
    ),
    Case(
        "caches_reach_their_readers",
        "a cache on machines of an IDC that cannot be reached",
        hybrid,
        {
            "models[qwen-chat].cache": {**COPY, "pool": "idc"},
            "models[qwen-chat].placement.pools": ["elastic"],
        },
        (
            "models[qwen-chat].cache is given, but it must be left out, or "
            "edge_pools[idc].interconnected true where it is so: machines of idc cannot reach the "
            "pods that hold the copy."
        ),
        {"models[qwen-chat].cache": COPY, "models[qwen-chat].placement.pools": ["elastic"]},
    ),
    Case(
        "Environment",
        "a namespace that Kubernetes does not take",
        dev,
        {"namespace": "Inference"},
        (
            "namespace is 'Inference', but it must be lower-case letters, digits and '-', '-' "
            "neither first nor last, at most 63: it names a Namespace. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"namespace": "0-inference"},
    ),
    Case(
        "Network",
        "Flannel without a range for pods",
        dev,
        {"network.plugin": "flannel", "network.zones[cn-beijing-h].pod_cidr": GONE},
        (
            "network.pod_cidr is missing, but it must be given: Flannel gives each node a part "
            "of it."
        ),
        {
            "network.plugin": "flannel",
            "network.zones[cn-beijing-h].pod_cidr": GONE,
            "network.pod_cidr": "172.20.0.0/16",
        },
    ),
    Case(
        "Network",
        "Terway with Flannel's range",
        dev,
        {"network.pod_cidr": "172.20.0.0/16"},
        (
            "network.pod_cidr is '172.20.0.0/16', but it must be left out: Terway takes pod "
            "addresses from zones[].pod_cidr."
        ),
        {},
    ),
    Case(
        "Network",
        "Terway without a range for pods",
        dev,
        {"network.zones[cn-beijing-h].pod_cidr": GONE},
        (
            "network.zones[cn-beijing-h].pod_cidr is missing, but it must be given: Terway gives "
            "each pod an address of it."
        ),
        {},
    ),
    Case(
        "Network",
        "Flannel with Terway's range",
        dev,
        {"network.plugin": "flannel", "network.pod_cidr": "172.20.0.0/16"},
        (
            "network.zones[cn-beijing-h].pod_cidr is '10.0.64.0/18', but it must be left out: "
            "Flannel uses network.pod_cidr."
        ),
        {},
    ),
    Case(
        "Network",
        "Terway in an IDC without a leased line",
        hybrid,
        {**TERWAY, "network.plugin": "terway-edge"},
        (
            "network.dedicated_line is False, but it must be true, once a leased line with BGP "
            "stands: terway-edge routes pod addresses over it, and a cluster keeps its plugin. See"
            " https://www.alibabacloud.com/help/en/ack/ack-edge/user-guide/network-management"
        ),
        TERWAY_EDGE,
    ),
    Case(
        "Cluster",
        "a size for an existing cluster",
        existing,
        {"cluster.spec": "ack.pro.xlarge"},
        (
            "cluster.spec is 'ack.pro.xlarge', but it must be left out: an existing cluster is "
            "used as it is."
        ),
        {},
    ),
    Case(
        "Cluster",
        "a context for a cluster of ours",
        dev,
        {"cluster.context": "home"},
        (
            "cluster.context is 'home', but it must be left out: the kubeconfig of a cluster of "
            "this stack comes from ACK."
        ),
        {},
    ),
    Case(
        "Pool",
        "a pool name that no resource may have",
        dev,
        {"pools[system].name": "sys_tem"},
        (
            "pools[sys_tem].name is 'sys_tem', but it must be lower-case letters, digits and "
            "'-', from a letter to a letter or digit, at most 63: it becomes part of resource "
            "names. See https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"pools[system].name": "sys-tem"},
    ),
    Case(
        "Pool",
        "a pool of two sizes",
        dev,
        {"pools[a10].autoscale": {"min": 0, "max": 4}},
        (
            "pools[a10].size is 2, but it must be given, or else autoscale, but not both: a pool "
            "has a fixed size or is autoscaled."
        ),
        {"pools[a10].autoscale": {"min": 1, "max": 4}, "pools[a10].size": GONE},
    ),
    Case(
        "Pool",
        "a pool of no size",
        dev,
        {"pools[t4].autoscale": GONE},
        (
            "pools[t4].size is left out, as is autoscale, but it must be given, or else "
            "autoscale, but not both: a pool has a fixed size or is autoscaled."
        ),
        {"pools[t4].autoscale": GONE, "pools[t4].size": 0},
    ),
    Case(
        "Pool",
        "a card that nobody knows",
        dev,
        {
            "pools[+]": {
                "name": "x",
                "gpu": "A100",
                "instance_types": ["ecs.gn9.large"],
                "size": 0,
            },
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": "L20"}
            ],
        },
        (
            "pools[x].gpu is 'A100', but it must be one of A10, T4, V100, L20: its node label "
            "and memory stand in the catalogue."
        ),
        {
            "pools[+]": {"name": "x", "gpu": "L20", "instance_types": ["ecs.gn9.large"], "size": 0},
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": "L20"}
            ],
        },
    ),
    Case(
        "Pool",
        "a driver for nodes without cards",
        dev,
        {"pools[system].driver": "550.144.03"},
        ("pools[system].driver is '550.144.03', but it must be left out: the pool has no gpu."),
        {"pools[a10].driver": "550.144.03"},
    ),
    Case(
        "EdgePool",
        "an edge pool name that no resource may have",
        hybrid,
        {"edge_pools[+]": {"name": "i_dc"}},
        (
            "edge_pools[i_dc].name is 'i_dc', but it must be lower-case letters, digits and '-', "
            "from a letter to a letter or digit, at most 63: it becomes part of resource names. "
            "See https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"edge_pools[+]": {"name": "i-dc"}},
    ),
    Case(
        "Machines",
        "machines with a card that nobody knows",
        hybrid,
        {"edge_pools[idc].gpu": "H100"},
        (
            "edge_pools[idc].gpu is 'H100', but it must be one of A10, T4, V100, L20: its memory "
            "stands in the catalogue."
        ),
        {"edge_pools[idc].gpu": "A10"},
    ),
    Case(
        "EdgePool",
        "a pool ID that is none",
        hybrid,
        {"edge_pools[idc].node_pool_id": "idc"},
        (
            "edge_pools[idc].node_pool_id is 'idc', but it must be text such as np1a2b3c: ID of an"
            " edge pool that exists."
        ),
        {"edge_pools[idc].node_pool_id": "np1a2b3c"},
    ),
    Case(
        "Nodes",
        "a name of nodes that is no label",
        existing,
        {"nodes[cache].name": "Cache", "models[qwen].cache.pool": "Cache"},
        (
            "nodes[Cache].name is 'Cache', but it must be lower-case letters, digits and '-', "
            "from a letter to a letter or digit, at most 63: pools and models refer to it. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"nodes[cache].name": "c", "models[qwen].cache.pool": "c"},
    ),
    Case(
        "Machines",
        "nodes with a card that nobody knows",
        existing,
        {"nodes[gpu].gpu": "H100"},
        (
            "nodes[gpu].gpu is 'H100', but it must be one of A10, T4, V100, L20: its memory "
            "stands in the catalogue."
        ),
        {"nodes[gpu].gpu": "L20"},
    ),
    Case(
        "Store",
        "a store name that no resource may have",
        dev,
        {
            "stores[checkpoints].name": "check.points",
            "training[finetune].checkpoint.store": "check.points",
        },
        (
            "stores[check.points].name is 'check.points', but it must be lower-case letters, "
            "digits and '-', from a letter to a letter or digit, at most 63: it becomes part of "
            "resource names. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"stores[checkpoints].name": "c", "training[finetune].checkpoint.store": "c"},
    ),
    Case(
        "Store",
        "a store in two places",
        dev,
        {"stores[checkpoints].oss": {"bucket": "ack-checkpoints"}},
        (
            "stores[checkpoints].oss is given beside nas, but it must be the only one of oss, "
            "nas and claim: a store is in one place."
        ),
        {},
    ),
    Case(
        "Store",
        "a store in no place",
        dev,
        {"stores[checkpoints].nas": GONE},
        (
            "stores[checkpoints].oss is missing, but it must be given, or else nas or claim: a "
            "store is in one place."
        ),
        {"stores[checkpoints].nas": {}},
    ),
    Case(
        "Serve",
        "a model that is not served",
        dev,
        {"models[qwen].serve": {}},
        (
            "models[qwen].serve.knative is missing, but it must be given, or else kserve: a model "
            "is served in one way."
        ),
        {},
    ),
    Case(
        "Serve",
        "a model that is served twice",
        dev,
        {"models[qwen].serve.kserve": {"scale": scale("cpu", 80)}},
        (
            "models[qwen].serve.knative is given beside kserve, but it must be the only one of the"
            " two: a model is served in one way."
        ),
        {"models[qwen].serve": {"kserve": {"scale": scale("cpu", 80)}}},
    ),
    Case(
        "Model",
        "a model name that no Service may have",
        dev,
        {"models[qwen].name": "1qwen"},
        (
            "models[1qwen].name is '1qwen', but it must be lower-case letters, digits and '-', "
            "from a letter to a letter or digit, at most 63: it names a Service. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"models[qwen].name": "qwen1"},
    ),
    Case(
        "Training",
        "a job name that no Job may have",
        dev,
        {"training[finetune].name": "fine_tune"},
        (
            "training[fine_tune].name is 'fine_tune', but it must be lower-case letters, digits "
            "and '-', from a letter to a letter or digit, at most 63: it names a Job. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"training[finetune].name": "fine-tune"},
    ),
    Case(
        "Scale",
        "fewer replicas at most than at least",
        dev,
        {"models[qwen].serve.knative.scale.min": 4},
        (
            "models[qwen].serve.knative.scale.min is 4, but it must be at most max (3): the "
            "autoscaler needs an ordered range."
        ),
        {"models[qwen].serve.knative.scale.min": 3},
    ),
    Case(
        "KnativeServe",
        "a target above what a replica is given",
        dev,
        {"models[qwen].serve.knative.concurrency_limit": 1},
        (
            "models[qwen].serve.knative.scale.target is 2.0, but it must be at most "
            "concurrency_limit (1): a replica is never given more, so the model would not scale."
        ),
        {"models[qwen].serve.knative.concurrency_limit": 2},
    ),
    Case(
        "KServeScale",
        "no replica for an HPA to measure",
        hybrid,
        {f"{CHAT}.min": 0},
        (
            "models[qwen-chat].serve.kserve.scale.min is 0, but it must be 1 or more, or metric "
            "concurrency or prometheus: an HPA cannot scale to 0, since no pod is left to measure."
        ),
        {CHAT: scale("concurrency", 2, min=0)},
    ),
    Case(
        "KServeScale",
        "no replica for KServe's own HPA to measure",
        hybrid,
        {CHAT: scale("cpu", 80, min=0)},
        (
            "models[qwen-chat].serve.kserve.scale.min is 0, but it must be 1 or more, or metric "
            "concurrency or prometheus: an HPA cannot scale to 0, since no pod is left to measure."
        ),
        {CHAT: scale("cpu", 80, min=1)},
    ),
    Case(
        "KServeScale",
        "fewer replicas at most than at least, by KServe",
        hybrid,
        {f"{CHAT}.min": 4},
        (
            "models[qwen-chat].serve.kserve.scale.min is 4, but it must be at most max (3): the "
            "autoscaler needs an ordered range."
        ),
        {f"{CHAT}.min": 3},
    ),
    Case(
        "KServeScale",
        "more than all of a CPU",
        hybrid,
        {CHAT: scale("cpu", 101)},
        (
            "models[qwen-chat].serve.kserve.scale.target is 101.0, but it must be 100 or less: it "
            "is a percentage of the request."
        ),
        {CHAT: scale("cpu", 100)},
    ),
    Case(
        "KServeScale",
        "a part of a percent of a CPU",
        hybrid,
        {CHAT: scale("cpu", 80.5)},
        (
            "models[qwen-chat].serve.kserve.scale.target is 80.5, but it must be a whole number: "
            "KServe takes no other for cpu."
        ),
        {f"{CHAT}.target": 80.5},
    ),
    Case(
        "KServeScale",
        "more than all of a KV cache",
        hybrid,
        {CHAT: scale("vllm_kv_cache_usage", 1.1)},
        (
            "models[qwen-chat].serve.kserve.scale.target is 1.1, but it must be 1 or less: a "
            "replica never reports more, so the model would not scale."
        ),
        {CHAT: scale("vllm_kv_cache_usage", 1)},
    ),
    Case(
        "KServeScale",
        "a window that no autoscaler is told",
        hybrid,
        {CHAT: scale("cpu", 80, scale_down_seconds=60)},
        (
            "models[qwen-chat].serve.kserve.scale.scale_down_seconds is 60, but it must be left "
            "out with cpu: KServe hands it to no autoscaler."
        ),
        {f"{CHAT}.scale_down_seconds": 60},
    ),
    Case(
        "KServeServe",
        "a grace period that Knative does not take",
        hybrid,
        {CHAT: scale("concurrency", 2), "models[qwen-chat].serve.kserve.grace_seconds": 60},
        (
            "models[qwen-chat].serve.kserve.grace_seconds is 60, but it must be left out with "
            "concurrency: Knative gives pods as long as a request may take."
        ),
        {"models[qwen-chat].serve.kserve.grace_seconds": 60},
    ),
    Case(
        "KServeServe",
        "an annotation that says who else scales",
        hybrid,
        {"models[qwen-chat].serve.kserve.annotations": {AUTOSCALER: "hpa"}},
        (
            "models[qwen-chat].serve.kserve.annotations[serving.kserve.io/autoscalerClass] is "
            "'hpa', but it must be left out: scale.metric decides who scales."
        ),
        {"models[qwen-chat].serve.kserve.annotations": {AUTOSCALER: "external"}},
    ),
    Case(
        "KServeArgs",
        "a domain that no Ingress may have",
        hybrid,
        {"kserve": {"domain": "a_b"}},
        (
            "kserve.domain is 'a_b', but it must be lower-case letters, digits, '-' and '.', such "
            "as models.example.com: it becomes part of each model's Ingress."
        ),
        {"kserve": {"domain": "a-b"}},
    ),
    Case(
        "KServeChart",
        "ack-kserve without its address",
        hybrid,
        {"kserve": {"chart": {"flavor": "ack", "version": "1.0.0"}}},
        (
            "kserve.chart.chart is missing, but it must be given with flavor ack: ack-kserve has "
            "no address that we could know."
        ),
        {"kserve": {"chart": ACK_KSERVE}},
    ),
    Case(
        "GpuLabels",
        "a label that Prometheus does not have",
        hybrid,
        {"gpu_metrics.labels": {"namespace": "NamespaceName", "pod": "pod-name"}},
        (
            "gpu_metrics.labels.pod is 'pod-name', but it must be letters, digits and '_', no "
            "digit first: Prometheus has no other labels."
        ),
        {"gpu_metrics.labels": {"namespace": "NamespaceName", "pod": "pod_name"}},
    ),
    Case(
        "GpuMetricsArgs",
        "a setting of NVIDIA's exporter for ACK's",
        hybrid,
        {"gpu_metrics.gpu_node_label": "gpu"},
        (
            "gpu_metrics.gpu_node_label is 'gpu', but it must be left out with flavor arms: ACK "
            "chooses exporter and images."
        ),
        {"gpu_metrics.labels": {"namespace": "namespace", "pod": "pod"}},
    ),
    Case(
        "PrometheusEndpoint",
        "an address of Prometheus that is none",
        existing,
        {"gpu_metrics": {"url": "prometheus:9090"}},
        (
            "gpu_metrics.url is 'prometheus:9090', but it must be an http(s):// address: the "
            "adapter connects to it."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "PrometheusEndpoint",
        "an address of Prometheus with a password in it",
        existing,
        {"gpu_metrics": {"url": "http://me:CANARY@prometheus:9090"}},
        (
            "gpu_metrics.url is given with a password in it, but it must be an address alone: it "
            "ends up in the state in plain."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "DashboardsArgs",
        "a namespace for dashboards that Kubernetes does not take",
        hybrid,
        {"gpu_metrics.dashboards_namespace": "Grafana"},
        (
            "gpu_metrics.dashboards_namespace is 'Grafana', but it must be lower-case letters, "
            "digits and '-', '-' neither first nor last, at most 63: it names a namespace. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"gpu_metrics.dashboards_namespace": "grafana"},
    ),
    Case(
        "Resources",
        "a CPU limit below the request",
        dev,
        {"models[qwen].server.resources.cpu_limit": "15999m"},
        (
            "models[qwen].server.resources.cpu_limit is '15999m', but it must be at least cpu "
            "(16): Kubernetes refuses a limit below the request."
        ),
        {"models[qwen].server.resources.cpu_limit": "16"},
    ),
    Case(
        "ModelServer",
        "a server of two command lines",
        dev,
        {"models[qwen].server.command": ["serve"]},
        (
            "models[qwen].server.vllm is given beside command, but it must be given, or else "
            "command: the server has one command line."
        ),
        {"models[qwen].server.command": ["serve"], "models[qwen].server.vllm": GONE},
    ),
    Case(
        "ModelServer",
        "shared memory that leaves no memory",
        dev,
        {"models[qwen].server.shared_memory": "64Gi"},
        (
            "models[qwen].server.shared_memory is '64Gi', but it must be less than "
            "resources.memory (64Gi): what a program writes to /dev/shm counts against its "
            "memory limit."
        ),
        {"models[qwen].server.shared_memory": "63Gi"},
    ),
    Case(
        "ModelServer",
        "more workers of vLLM than cards",
        dev,
        {"models[qwen].server.vllm.tensor_parallel_size": 2},
        (
            "models[qwen].server.vllm.tensor_parallel_size is 2, but it must be resources.gpus "
            "(1): vLLM starts one worker per card."
        ),
        {"models[qwen].server.vllm.tensor_parallel_size": 1},
    ),
    Case(
        "PriorityClass",
        "a priority that Kubernetes keeps for itself",
        dev,
        {"priorities[+]": {"name": "system-high", "value": 1}},
        (
            "priorities[system-high].name is 'system-high', but it must be without system- in "
            "front: Kubernetes reserves it."
        ),
        {"priorities[+]": {"name": "our-system-high", "value": 1}},
    ),
    Case(
        "FluidChart",
        "ack-fluid without its address",
        dev,
        {"fluid": {"flavor": "ack", "version": "1.0.11"}},
        (
            "fluid.chart is missing, but it must be given with flavor ack: ack-fluid has no "
            "address that we could know."
        ),
        {"fluid": {"flavor": "ack", "version": "1.0.11", "chart": "oci://registry/ack-fluid"}},
    ),
    Case(
        "Prices",
        "a price below zero",
        dev,
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.g7.2xlarge": -0.01}}},
        (
            "prices.nodes_hourly[ecs.g7.2xlarge] is -0.01, but it must be 0 or more: it is what a "
            "node costs."
        ),
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.g7.2xlarge": 0}}},
    ),
    Case(
        "Prices",
        "a spot price below zero",
        dev,
        {"prices": {**CONTRACT, "spot_hourly": {"ecs.g7.2xlarge": -1}}},
        (
            "prices.spot_hourly[ecs.g7.2xlarge] is -1.0, but it must be 0 or more: it is what a "
            "node costs."
        ),
        {"prices": {**CONTRACT, "spot_hourly": {"ecs.g7.2xlarge": 0.2}}},
    ),
    Case(
        "Prices",
        "a fee below zero",
        dev,
        {"prices": {**CONTRACT, "control_plane_hourly": -1}},
        (
            "prices.control_plane_hourly is -1, but it must be 0.0 or more: fee of the cluster "
            "per hour."
        ),
        {"prices": {**CONTRACT, "control_plane_hourly": 0}},
    ),
    Case(
        "Prices",
        "a price of what is no instance type",
        dev,
        {"prices": {**CONTRACT, "nodes_hourly": {"gn7i-c32g1.8xlarge": 10}}},
        (
            "prices.nodes_hourly[gn7i-c32g1.8xlarge] is 'gn7i-c32g1.8xlarge', but it must be an "
            "ECS instance type such as ecs.gn7i-c32g1.8xlarge: nodes are priced by their type."
        ),
        # Of a contract that serves other stacks too.
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.no.pool": 10}}},
    ),
    Case(
        "Prices",
        "a price that is no number",
        dev,
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.g7.2xlarge": "2.09"}}},
        (
            "prices.nodes_hourly.ecs.g7.2xlarge is '2.09', but it must be a number: price of a "
            "node per hour on demand, by instance type."
        ),
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.g7.2xlarge": 2.09}}},
    ),
    Case(
        "Prices",
        "a key that is none",
        dev,
        {"prices": {**CONTRACT, "node_hourly": {}}},
        (
            "prices.node_hourly is not a known key, but it must be left out (did you mean "
            "'nodes_hourly'?): the keys here are currency, source, date, nodes_hourly, spot_hourly,"
            " control_plane_hourly."
        ),
        {"prices": {**CONTRACT, "nodes_hourly": {}, "spot_hourly": {}}},
    ),
    Case(
        "Prices",
        "prices of no date",
        dev,
        {"prices": {"currency": "CNY", "source": "framework contract"}},
        ("prices.date is missing, but it must be given: day from which they hold."),
        {"prices": CONTRACT},
    ),
    Case(
        "Prices",
        "a date that is none",
        dev,
        {"prices": {**CONTRACT, "date": "October"}},
        (
            "prices.date is 'October', but it must be text such as 2026-10-01: day from which they "
            "hold."
        ),
        {"prices": {**CONTRACT, "date": "2026-10-31"}},
    ),
    Case(
        "Prices",
        "a currency by its sign",
        dev,
        {"prices": {**CONTRACT, "currency": "¥"}},
        ("prices.currency is '¥', but it must be text such as CNY: currency of the prices."),
        {"prices": {**CONTRACT, "currency": "USD"}},
    ),
    Case(
        "load_tests_name_models",
        "a load test of a model that is not there",
        dev,
        {"load_tests": [load_test(model="qwem")]},
        (
            "load_tests[spike].model is 'qwem', but it must be one of qwen (did you mean 'qwen'?): "
            "it is the one that is loaded."
        ),
        {"load_tests": [load_test()]},
    ),
    Case(
        "names_are_unique",
        "two load tests of one name",
        dev,
        {"load_tests": [load_test(), load_test(run="first")]},
        (
            "load_tests[spike].name is 'spike', but it must be given to one entry only: an entry "
            "is known by its name."
        ),
        {"load_tests": [load_test(), load_test(name="spike2", run="first")]},
    ),
    Case(
        "stores_are_known",
        "reports in a store that is not there",
        dev,
        {"load_tests": [load_test(results={"store": "report", "size": "1Gi"})]},
        (
            "load_tests[spike].results.store is 'report', but it must be one of models, "
            "checkpoints: the files are mounted from it."
        ),
        {"load_tests": [load_test(results={"store": "checkpoints", "size": "1Gi"})]},
    ),
    Case(
        "load_tests_have_their_own_jobs",
        "a run with the name of a training job",
        dev,
        {
            "load_tests": [load_test(name="fine", run="tune")],
            "training[finetune].name": "fine-tune",
        },
        (
            "load_tests[fine].run is 'tune', but it must be another one, since fine-tune is the "
            "Job of training[fine-tune]: a run is a Job of both names."
        ),
        {"load_tests": [load_test(name="fine", run="tune")]},
    ),
    Case(
        "load_tests_have_their_own_jobs",
        "two tests whose runs are called alike",
        dev,
        {"load_tests": [load_test(run="a-b"), load_test(name="spike-a", run="b")]},
        (
            "load_tests[spike-a].run is 'b', but it must be another one, since spike-a-b is the "
            "Job of load_tests[spike]: a run is a Job of both names."
        ),
        {"load_tests": [load_test(run="a-b"), load_test(name="spike-a", run="c")]},
    ),
    Case(
        "load_tests_have_their_own_jobs",
        "reports with the name of a model's claim",
        dev,
        {
            "load_tests": [load_test(results={"store": "checkpoints", "size": "1Gi"})],
            "models[+]": {**MODEL, "name": "spike-results"},
        },
        (
            "load_tests[spike].name is 'spike', but it must be different, as its reports are a "
            "claim of the name of models[spike-results]: both are made in the same namespace."
        ),
        {"load_tests": [load_test()], "models[+]": {**MODEL, "name": "spike-results"}},
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model that keeps a pod",
        dev,
        {"load_tests": [load_test(scenario={"cold_start": {}})]},
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen].serve.knative.scale.min 0: with 1 it always keeps a pod."
        ),
        {
            "load_tests": [load_test(scenario={"cold_start": {}})],
            "models[qwen].serve.knative.scale.min": 0,
        },
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model with a reserve instance",
        dev,
        {
            "load_tests": [load_test(scenario={"cold_start": {}})],
            "models[qwen].serve.knative.scale.min": 0,
            "models[qwen].serve.knative.reserve": {},
        },
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen].serve.knative.reserve: a reserve instance answers as long as there is "
            "no replica."
        ),
        {
            "load_tests": [load_test()],
            "models[qwen].serve.knative.scale.min": 0,
            "models[qwen].serve.knative.reserve": {},
        },
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model that no Knative serves",
        hybrid,
        {"load_tests": [load_test(model="qwen-chat", scenario={"cold_start": {}})]},
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen-chat].serve.kserve served by Knative: while there is no pod, only Knative "
            "keeps a request waiting."
        ),
        {
            "load_tests": [load_test(model="qwen-chat", scenario={"cold_start": {}})],
            "models[qwen-chat].serve.kserve": {
                "scale": {"min": 0, "max": 2, "metric": "concurrency", "target": 2}
            },
            "knative": {},
        },
    ),
    Case(
        "LoadTest",
        "a name that leaves no room for that of a pod",
        dev,
        {"load_tests": [load_test(name="s" * 52, run="first")]},
        (
            f"load_tests[{'s' * 52}].name is '{'s' * 52}-first', but it must be 57 long at most, "
            "which leaves room for an index: pods are called after the job."
        ),
        {"load_tests": [load_test(name="s" * 51, run="first")]},
    ),
    Case(
        "Scenario",
        "two ways to load at once",
        dev,
        {"load_tests": [load_test(scenario={"spike": {}, "tide": {"peak_rate": 2}})]},
        (
            "load_tests[spike].scenario.spike is given beside tide, but it must be the only "
            "one: a test loads a model in one way."
        ),
        {"load_tests": [load_test(scenario={"spike": {"clients": 1}})]},
    ),
    Case(
        "Steady",
        "neither a rate nor clients",
        dev,
        {"load_tests": [load_test(scenario={"steady": {}})]},
        (
            "load_tests[spike].scenario.steady.rate is left out, as is clients, but it must be "
            "given, or else clients, but not both: arrivals follow the clock or the answers."
        ),
        {"load_tests": [load_test(scenario={"steady": {"rate": 1}})]},
    ),
    Case(
        "Tide",
        "an hour above the highest load",
        dev,
        {"load_tests": [load_test(scenario={"tide": {"peak_rate": 2, "hours": [0.5, 1.1]}})]},
        (
            "load_tests[spike].scenario.tide.hours[1] is 1.1, but it must be between 0 and 1: "
            "peak_rate is the highest load."
        ),
        {"load_tests": [load_test(scenario={"tide": {"peak_rate": 2, "hours": [0.5, 1]}})]},
    ),
    Case(
        "LoadTestArgs",
        "an hour without a request",
        dev,
        {"load_tests": [load_test(scenario={"tide": {"peak_rate": 2, "hours": [0, 1]}})]},
        (
            "load_tests[spike].scenario.tide.hours[0] is 0 requests in 720 s, but it must be 1 "
            "request or more: inference-perf passes over what has none, and the rest would come "
            "too early."
        ),
        {"load_tests": [load_test(scenario={"tide": {"peak_rate": 2, "hours": [0.01, 1]}})]},
    ),
    Case(
        "LoadTestArgs",
        "hey without an image",
        dev,
        {"load_tests": [load_test(generator="hey")]},
        (
            "load_tests[spike].image is missing, but it must be given: nobody publishes an image "
            "of hey."
        ),
        {"load_tests": [load_test(generator="hey", image="registry/hey:1")]},
    ),
]

SURPRISES = [
    Case(
        "existing_clusters_have_a_controller",
        "an existing cluster of which nobody says that it has an ingress controller",
        existing,
        {"models[qwen].serve": ON_KSERVE},
        (
            "KServe makes Ingresses of class nginx, and calls them ready also where nobody answers "
            "to them: have a controller for it, and say kserve.ingress_controller: present."
        ),
        {"models[qwen].serve": ON_KSERVE, "kserve": {"ingress_controller": "present"}},
    ),
    Case(
        "one_adapter_serves_external_metrics",
        "two adapters for one API",
        hybrid,
        {"keda": True},
        (
            "keda is true and gpu_metrics is given: ack-alibaba-cloud-metrics-adapter registers "
            "external.metrics.k8s.io as KEDA does, and the last one to be installed has it."
        ),
        {},
    ),
    Case(
        "models_fill_their_cards",
        "weights that leave no room in a card's memory",
        dev,
        {"models[qwen].volume.size": "15Gi"},
        (
            "models[qwen].volume.size is 15Gi, and a replica on pool t4 has 14.2 GiB of GPU "
            "memory for weights and KV cache together: it may fail to load."
        ),
        {"models[qwen].volume.size": "14Gi"},
    ),
    Case(
        "replicas_have_cards",
        "more replicas than the pools have cards",
        dev,
        {"models[qwen].serve.knative.scale.max": 7},
        (
            "models[qwen].serve.knative.scale.max is 7, but the pools a10, t4 hold 6 replicas at "
            "most: the rest would stay pending."
        ),
        {"models[qwen].serve.knative.scale.max": 6},
    ),
    Case(
        "starts_take_their_time",
        "a start that is cut off before it is done",
        dev,
        {"models[qwen].cache": GONE, "models[qwen].serve.knative.startup_seconds": 238},
        (
            "models[qwen].serve.knative.startup_seconds is 238, but without a cache a start is "
            "estimated at 239 s (11Gi at 0.16 GiB/s, and a new node): it may never finish."
        ),
        {"models[qwen].cache": GONE, "models[qwen].serve.knative.startup_seconds": 239},
    ),
    Case(
        "machines_reach_the_stores",
        "files in the VPC for machines that may not reach it",
        hybrid,
        {},
        (
            "models[qwen-chat].volume is read over the VPC's own network, and "
            "network.dedicated_line is false: machines of idc read it only over a leased line or "
            "a VPN."
        ),
        {"network.dedicated_line": True},
    ),
    Case(
        "machines_reach_the_stores",
        "files in the VPC for machines that may not reach it, in spite of an elastic pool",
        hybrid,
        {},
        (
            "models[qwen-queue].volume is read over the VPC's own network, and "
            "network.dedicated_line is false: machines of idc read it only over a leased line or "
            "a VPN."
        ),
        {"models[qwen-queue].placement.pools": ["elastic"]},
    ),
    Case(
        "replicas_have_cards",
        "more replicas by KServe than the pools have cards",
        hybrid,
        {f"{CHAT}.max": 4, "models[qwen-chat].placement.pools": ["elastic"]},
        (
            "models[qwen-chat].serve.kserve.scale.max is 4, but the pools elastic hold 3 replicas "
            "at most: the rest would stay pending."
        ),
        # How many machines an IDC has is not known.
        {f"{CHAT}.max": 4},
    ),
    Case(
        "starts_take_their_time",
        "a start by KServe that is cut off before it is done",
        hybrid,
        {"models[qwen-chat].serve.kserve.startup_seconds": 238},
        (
            "models[qwen-chat].serve.kserve.startup_seconds is 238, but without a cache a start "
            "is estimated at 239 s (11Gi at 0.16 GiB/s, and a new node): it may never finish."
        ),
        {"models[qwen-chat].serve.kserve.startup_seconds": 239},
    ),
    Case(
        "private_clusters_need_a_way_in",
        "an API server that answers inside the VPC alone",
        dev,
        {},
        (
            "The API server has a private address only: run `pulumi up` where it can be reached "
            "(a runner in the VPC, a VPN), or set cluster.public_endpoint.allowed_cidrs."
        ),
        {"cluster.public_endpoint": {"allowed_cidrs": ["203.0.113.7/32"]}},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_refused_in_one_sentence_with_field_value_remedy_and_reason(case: Case) -> None:
    assert refusal(merged(case.base(), case.changes)) == case.sentence


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_just_inside_the_rule_is_accepted(case: Case) -> None:
    accepted(merged(case.base(), case.edge))


@pytest.mark.parametrize("case", SURPRISES, ids=str)
def test_what_works_but_will_surprise_is_a_warning(case: Case) -> None:
    assert case.sentence in warnings(merged(case.base(), case.changes))


@pytest.mark.parametrize("case", SURPRISES, ids=str)
def test_what_will_not_surprise_is_no_warning(case: Case) -> None:
    assert case.sentence not in warnings(merged(case.base(), case.edge))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.find.__name__)
def test_a_check_that_is_taken_out_fails_a_test(
    check: checks.Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [case for case in CASES if case.rule == check.find.__name__]
    monkeypatch.setattr("stacks.judge.CHECKS", [one for one in CHECKS if one is not check])
    assert cases
    for case in cases:
        left = judge(merged(case.base(), case.changes)).faults
        assert case.sentence not in map(str, left)


def test_every_warning_has_a_case() -> None:
    assert {find.__name__ for find in WARNINGS} == {case.rule for case in SURPRISES}


def test_every_check_of_the_packages_is_in_a_table() -> None:
    kinds = (checks.Finder.__args__[-1], WARNINGS[0].__annotations__["return"])
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for package in (checks, runtimes)
        for module in pkgutil.iter_modules(package.__path__)
    ]
    found = {
        name
        for module in modules
        for name, one in vars(module).items()
        if getattr(one, "__annotations__", {}).get("return") in kinds
        and not name.startswith("_")
        and len(inspect.signature(one).parameters) == 1
        and one.__module__ == module.__name__
    }
    assert found == {one.__name__ for one in [*(check.find for check in CHECKS), *WARNINGS]}


def test_every_rule_of_a_section_has_a_case() -> None:
    sections = {
        name
        for name, one in vars(environment).items()
        if isinstance(one, type) and issubclass(one, Args) and one is not Args
        if "_faults" in vars(one)
    }
    assert sections <= {case.rule for case in CASES}


def test_a_check_that_reads_a_refused_section_is_not_asked() -> None:
    """A fault of the section itself is all that can be said of it."""
    raw = merged(dev(), {"region": ["cn-beijing"], "models[qwen].volume.store": "x"})
    assert [sentence.split(" is ")[0] for sentence in sentences(raw)] == [
        "region",
        "models[qwen].volume.store",
    ]


@pytest.mark.parametrize("field", ["pools", "stores", "instance_types"])
def test_names_are_unique_in_every_section(field: str) -> None:
    raw = dev(instance_types=[{"name": "ecs.g9.large", "vcpus": 2, "memory_gib": 8}])
    entry = raw[field][0]
    found = sentences(changed(raw, f"{field}[+]", entry))
    want = f"{field}[{entry['name']}].name is {entry['name']!r}, but it must be given to one entry"
    assert [sentence for sentence in found if sentence.startswith(want)]


def test_a_pod_that_fits_no_pool_is_told_so_for_each() -> None:
    found = sentences(changed(dev(), "models[qwen].server.resources.memory", "200Gi"))
    assert [sentence.split(" on pool ")[1][:3] for sentence in found] == ["a10", "t4:"]


# --- by construction -----------------------------------------------------------------------------


@pytest.mark.parametrize("base", [dev, prod])
def test_a_policy_selects_exactly_the_pods_of_its_workload(base: Callable[..., Raw]) -> None:
    plan = planned(base())
    pods = [
        {k: v for k, v in one["spec"]["template"]["metadata"]["labels"].items() if k != GENERATION}
        for one in plan.manifests()
        if one["kind"] in ("Service", "Job")
    ]
    selectors = [one["spec"]["selector"] for one in plan.manifests("ResourcePolicy")]
    assert sorted(map(str, selectors)) == sorted(map(str, pods))


def test_no_unit_has_a_max_because_no_stack_file_can_give_one() -> None:
    units = [
        unit for one in planned(prod()).manifests("ResourcePolicy") for unit in one["spec"]["units"]
    ]
    assert any("podLabels" in unit for unit in units)
    assert not any("max" in unit for unit in units)
    assert "not a known key" in refusal(changed(dev(), "models[qwen].placement.max", 2))


@pytest.mark.parametrize("seconds", [60, 600])
def test_one_setting_makes_both_request_timeouts(seconds: int) -> None:
    raw = changed(dev(), "models[qwen].serve.knative.request_seconds", seconds)
    [service] = planned(raw).manifests("Service")
    spec = service["spec"]["template"]["spec"]
    assert spec["timeoutSeconds"] == spec["responseStartTimeoutSeconds"] == seconds


@pytest.mark.parametrize("seconds", [65, 1800])
def test_one_setting_makes_probe_and_progress_deadline(seconds: int) -> None:
    raw = changed(dev(), "models[qwen].serve.knative.startup_seconds", seconds)
    [service] = planned(raw).manifests("Service")
    template = service["spec"]["template"]
    probe = template["spec"]["containers"][0]["startupProbe"]
    deadline = template["metadata"]["annotations"]["serving.knative.dev/progress-deadline"]
    assert deadline == f"{seconds}s"
    assert probe["failureThreshold"] * probe["periodSeconds"] == -(-seconds // 10) * 10


def test_a_cluster_without_the_scheduler_cannot_be_asked_for() -> None:
    assert "cluster.spec is 'ack.standard', but it must be one of 'ack.pro.small'" in refusal(
        changed(dev(), "cluster.spec", "ack.standard")
    )


def test_what_replaces_a_cluster_is_marked() -> None:
    definitions = stack_schema()["$defs"]
    marked = {
        f"{name}.{key}"
        for name, section in definitions.items()
        for key, field in section.get("properties", {}).items()
        if field.get("immutable")
    }
    assert marked == {
        "Cluster.profile",
        "NasStore.storage_type",
        "NasStore.zone",
        "Network.cidr",
        "Network.plugin",
        "Network.pod_cidr",
        "Network.service_cidr",
        "Network.zones",
        "OssStore.bucket",
    }
    [region] = [
        v
        for k, v in stack_schema()["properties"]["config"]["properties"].items()
        if k.endswith(":region")
    ]
    assert region["immutable"]
