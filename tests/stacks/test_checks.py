"""Every rule refuses what cannot work, and takes what just can.

What the design asks for, and the cases or tests below that prove it:

- a placement names a pool that exists and has GPUs: `placements_name_pools`
- requests fit the allocatable of every pool: `requests_fit_every_pool`
- pods per node under Terway: `pods_fit_the_network_plugin`
- vLLM against the card, CUDA against the driver: `vllm_runs_on_the_cards`, `drivers_run_the_image`
- GPU memory against the model: the warning `models_fill_their_cards`
- what shares nodes fits them together: `lowest_sums_fit`, and the warning `highest_sums_fit`
- cards are handed out whole: `pools_offer_whole_cards`
- ARM nodes: `pools_have_one_architecture`, `platform_has_x86_nodes`, `arm_nodes_are_tainted`,
  `caches_are_on_x86`, and the warning `images_suit_the_architecture`
- registries can be reached: `vpc_registries_are_of_the_region`, and `registries_are_in_reach`
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
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import pytest

from components.args import Args, Fault
from components.catalog.vllm.table import table_date
from components.serving.training_job import GENERATION
from stacks import checks, environment, runtimes
from stacks.checks.architecture import ARM_DOCS
from stacks.checks.rules import Check
from stacks.environment import stack_schema
from stacks.judge import CHECKS, WARNINGS, judge

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
QWEN: Final = "models[qwen].serve.knative.scale"
NEW_IMAGE: Raw = {
    "models[qwen-queue].server.image": "registry/vllm:0.18.0",
    "models[qwen-queue].placement.pools": ["elastic"],
    "pools[elastic].gpu": "T4",
    "pools[elastic].instance_types": ["ecs.gn6i-c24g1.6xlarge"],
}
BIG_NODES: Raw = {
    "models[qwen].placement.pools": ["a10"],
    "pools[a10].instance_types": ["ecs.gn7i-c32g1.32xlarge"],
}
ALONE: Raw = {"models[qwen-queue]": GONE}
ASKED: Raw = {
    "metric": "prometheus",
    "target": 2,
    "max": 3,
    "query": {"server": "http://prometheus.monitoring:9090", "query": "sum(up)"},
}
PROMETHEUS: Raw = {"url": "http://prometheus.monitoring.svc:9090"}
ON_ELASTIC: Raw = {"priority": None, "placement": {"pools": ["elastic"]}}
COPY: Raw = {"pool": "default", "workers": 2, "quota": "20Gi"}
ACK_KSERVE: Raw = {"flavor": "ack", "chart": "oci://registry/ack-kserve", "version": "1.0.0"}
CONTRACT: Raw = {"currency": "CNY", "source": "framework contract", "date": "2026-10-01"}
AUTOSCALER: Final = "serving.kserve.io/autoscalerClass"
LORA: Final = "/mnt/models/Qwen-7B-Chat-Int8/lora/sql"
COUNTED: Raw = {"min": 0, "max": 2, "metric": "concurrency", "target": 2}
ONE: Raw = {"max": 1, "target": 1}
BASE_MODEL: Raw = {"store": "models", "path": "/qwen", "size": "15Gi", "mount_path": "/models"}
CONNECTED: Raw = {"name": "idc", "gpu": "V100", "interconnected": True}
LOW: Raw = {"priorities": [{"name": "low", "value": -1, "preempts": False}]}
SMALL: Raw = {
    "name": "ecs.gn6x.large",
    "vcpus": 32,
    "memory_gib": 128,
    "gpus": 1,
    "gpu": "T4",
    "enis": 2,
}

ON_DISK: Raw = {"models[qwen].cache.medium": "SSD", "models[qwen].cache.path": "/var/lib/fluid"}
SECOND: Raw = {
    "pool": "cache",
    "workers": 2,
    "quota": "60Gi",
    "medium": "SSD",
    "path": "/var/lib/fluid",
}
ARM: Raw = {"name": "ecs.g8y.2xlarge", "vcpus": 8, "memory_gib": 32, "enis": 4, "ips_per_eni": 15}
ARM_POOL: Raw = {
    "instance_types": [ARM],
    "pools[+]": {
        "name": "arm",
        "instance_types": ["ecs.g8y.2xlarge"],
        "size": 3,
        "image_type": "AliyunLinux3Arm64",
        "taints": [{"key": "kubernetes.io/arch", "value": "arm64"}],
    },
}


def scale(metric: str, target: float = 50, **more: Any) -> Raw:
    """How KServe scales a model."""
    return {"metric": metric, "target": target, "max": 3, **more}


def started(folder: str, *more: str) -> list[str]:
    """A command of the vLLM that hybrid has."""
    module = "vllm.entrypoints.openai.api_server"
    flags = ("--model", folder, "--port", "8080", "--dtype", "half")
    return ["python3", "-m", module, *flags, *more]


def at_port(port: int) -> Raw:
    """A server of hybrid at another port, by a command that says none."""
    server = "models[qwen-chat].server"
    return {f"{server}.port": port, f"{server}.command": ["serve"]}


def load_test(**changes: Any) -> Raw:
    return {"name": "spike", "model": "qwen", "scenario": {"spike": {}}, **changes}


def pair(**changes: Any) -> Raw:
    """A training of two pods, for a stack that has none."""
    smallest = {
        "name": "pair",
        "image": "registry/train:1",
        "command": ["train"],
        "resources": {"cpu": "2", "memory": "8Gi"},
        "placement": {"pools": ["idc"]},
        "priority": "low",
        "checkpoint": {"store": "shared", "size": "1Gi", "mount_path": "/checkpoints"},
        "parallelism": 2,
    }
    return {**smallest, **changes}


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
        "claims_are_unique",
        "a model with the name of the claim that training starts from",
        dev,
        {"models[+]": {**MODEL, "name": "finetune-model"}, "training[finetune].volume": BASE_MODEL},
        (
            "models[finetune-model].name is 'finetune-model', but it must be no name of a "
            "training job with -model behind it: the job's base model is a claim of that name."
        ),
        {"models[+]": {**MODEL, "name": "finetune-model"}},
    ),
    Case(
        "paths_are_mounted",
        "an adapter in a folder that nothing is mounted at",
        dev,
        {"models[qwen].server.vllm.extra_args": ["--lora-modules", "sql=/mnt/lora/sql"]},
        (
            "models[qwen].server.vllm.extra_args is '/mnt/lora/sql', but it must be below "
            "/mnt/models/Qwen-7B-Chat-Int8: --lora-modules reads it, and nothing else is mounted."
        ),
        {"models[qwen].server.vllm.extra_args": ["--lora-modules", f"sql={LORA}", "b=hub/lora"]},
    ),
    Case(
        "paths_are_mounted",
        "a model in another folder than its own",
        hybrid,
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen2")},
        (
            "models[qwen-chat].server.command is '/mnt/models/Qwen2', but it must be below "
            "/mnt/models/Qwen: --model reads it, and nothing else is mounted."
        ),
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen/2")},
    ),
    Case(
        "ModelServer",
        "a command for more cards than the pod has",
        hybrid,
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen", "-tp=2")},
        (
            "models[qwen-chat].server.command is one that takes 2 cards (tensor 2), but it must be "
            "resources.gpus (1): vLLM starts one worker per card."
        ),
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen", "-tp=1")},
    ),
    Case(
        "KServeServe",
        "a rollout of what Knative serves",
        hybrid,
        {
            "models[qwen-chat].serve.kserve": {"scale": COUNTED, "rollout": {"type": "Recreate"}},
        },
        (
            "models[qwen-chat].serve.kserve.rollout is given, but it must be left out with "
            "concurrency: Knative starts the new revision beside the old one, and knows no other "
            "way."
        ),
        {"models[qwen-chat].serve.kserve.rollout": {"type": "Recreate"}},
    ),
    Case(
        "rendezvous_names_are_free",
        "a job whose pods would meet at the Service of a model",
        hybrid,
        {"training": [pair(name="qwen-chat-predictor")], **LOW, "edge_pools[idc]": CONNECTED},
        (
            "training[qwen-chat-predictor].name is 'qwen-chat-predictor', but it must be another "
            "one than qwen-chat-predictor: KServe makes a Service of that name for "
            "models[qwen-chat]."
        ),
        {
            "training": [pair(name="qwen-chat-predictor", parallelism=1)],
            **LOW,
            "edge_pools[idc]": CONNECTED,
        },
    ),
    Case(
        "pods_of_a_job_reach_each_other",
        "a job of two pods on machines that cannot reach each other",
        hybrid,
        {"training": [pair()], **LOW},
        (
            "training[pair].parallelism is 2, but it must be 1, or "
            "edge_pools[idc].interconnected true where it is so: pods of the job talk to each "
            "other, and those on idc cannot."
        ),
        {"training": [pair()], **LOW, "edge_pools[idc]": CONNECTED},
    ),
    Case(
        "stores_are_known",
        "a base model in a store that is not there",
        dev,
        {"training[finetune].volume": {**BASE_MODEL, "store": "model"}},
        (
            "training[finetune].volume.store is 'model', but it must be one of models, "
            "checkpoints (did you mean 'models'?): the files are mounted from it."
        ),
        {"training[finetune].volume": BASE_MODEL},
    ),
    Case(
        "TrainingJobArgs",
        "a base model mounted over the checkpoint",
        dev,
        {"training[finetune].volume": {**BASE_MODEL, "mount_path": "/checkpoints"}},
        (
            "training[finetune].volume.mount_path is '/checkpoints', but it must be unique: "
            "another volume is mounted there."
        ),
        {"training[finetune].volume": {**BASE_MODEL, "mount_path": "/checkpoints/base"}},
    ),
    Case(
        "TrainingJobArgs",
        "a hub token of a job in plain",
        dev,
        {"training[finetune].env": {"HF_TOKEN": "anything"}},
        (
            "training[finetune].env[HF_TOKEN] is set in plain, but it must be left out, and the "
            "key HF_TOKEN of a Secret that secret_env names: whoever may read the stack file, its "
            "state or the pods could use it."
        ),
        {"training[finetune].secret_env": ["hub"]},
    ),
    Case(
        "TrainingJobArgs",
        "a job name that leaves no room for that of a pod",
        existing,
        {"training[finetune].name": "f" * 58},
        (
            f"training[{'f' * 58}].name is '{'f' * 58}', but it must be 57 long at most, which "
            "leaves room for an index: pods are called after the job."
        ),
        {"training[finetune].name": "f" * 57},
    ),
    Case(
        "ModelServer",
        "a hub token of a model in plain",
        dev,
        {"models[qwen].server.env": {"HF_TOKEN": "anything"}},
        (
            "models[qwen].server.env[HF_TOKEN] is set in plain, but it must be left out, and the "
            "key HF_TOKEN of a Secret that secret_env names: whoever may read the stack file, its "
            "state or the pods could use it."
        ),
        {"models[qwen].server.secret_env": ["hub"]},
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
        "CacheTier",
        "a cache on a disk that is memory",
        dev,
        {"models[qwen].cache.medium": "SSD"},
        (
            "models[qwen].cache.path is '/dev/shm', but it must be a folder on a disk with medium "
            "SSD, e.g. /var/lib/fluid: /dev/shm is memory, which no pod has asked for."
        ),
        {**ON_DISK, "models[qwen].cache.path": "/data/dev/shm"},
    ),
    Case(
        "lowest_sums_fit",
        "two models that always want more cards than there are",
        dev,
        {
            "models[qwen].placement.pools": ["a10"],
            "models[+]": MODEL,
            "models[llama].serve.knative.scale": {"min": 2, "max": 2, "target": 1},
        },
        (
            "models[llama].serve.knative.scale.min is 2, but it must be less, or its pools larger: "
            "with models[qwen].serve.knative.scale.min (1) it needs 3 GPUs, and pool a10 has 2 at "
            "the most."
        ),
        # One of the two may go elsewhere.
        {
            "models[+]": MODEL,
            "models[llama].serve.knative.scale": {"min": 2, "max": 2, "target": 1},
        },
    ),
    Case(
        "lowest_sums_fit",
        "a model that always wants more replicas than there are cards",
        dev,
        {"models[qwen].serve.knative.scale": {"min": 7, "max": 7, "target": 2}},
        (
            "models[qwen].serve.knative.scale.min is 7, but it must be less, or its pools larger: "
            "it needs 7 GPUs, and pools a10, t4 have 6 at the most."
        ),
        {"models[qwen].serve.knative.scale": {"min": 6, "max": 6, "target": 2}},
    ),
    Case(
        "lowest_sums_fit",
        "replicas by KServe without a lowest number, of which there is always one",
        hybrid,
        {
            "pools[elastic]": {
                "name": "elastic",
                "gpu": "V100",
                "instance_types": ["ecs.gn6v-c8g1.2xlarge"],
                "size": 1,
            },
            "models[qwen-chat].placement.pools": ["elastic"],
            "models[qwen-queue].placement.pools": ["elastic"],
            "models[qwen-queue].serve.kserve.scale.min": GONE,
        },
        (
            "models[qwen-queue].serve.kserve.scale.min is 1, but it must be less, or its pools "
            "larger: with models[qwen-chat].serve.kserve.scale.min (1) it needs 2 GPUs, and pool "
            "elastic has 1 at the most."
        ),
        # How many machines an IDC has is not known.
        {"models[qwen-chat].placement.pools": ["elastic"]},
    ),
    Case(
        "lowest_sums_fit",
        "pods of which a node holds one, though two would hold three by the sum",
        dev,
        {
            "models[qwen].server.resources.gpus": 0,
            "models[qwen].server.resources.memory": "100Gi",
            "models[qwen].placement.pools": ["a10"],
            "models[qwen].serve.knative.scale": {"min": 3, "max": 3, "target": 2},
        },
        (
            "models[qwen].serve.knative.scale.min is 3, but it must be less, or its pools larger: "
            "it needs 3 times 100 GiB of memory or more, and pool a10 holds 2 of these."
        ),
        {
            "models[qwen].server.resources.gpus": 0,
            "models[qwen].server.resources.cpu": "8",
            "models[qwen].server.resources.memory": "89Gi",
            "models[qwen].placement.pools": ["a10"],
            "models[qwen].serve.knative.scale": {"min": 3, "max": 3, "target": 2},
        },
    ),
    Case(
        "lowest_sums_fit",
        "a reserve instance beside a model that always has a pod",
        prod,
        {
            "pools[a10].size": 1,
            "models[qwen-int8].placement.pools": ["a10"],
            "models[qwen-chat].placement.pools": ["a10"],
            "models[qwen-chat].serve.knative.scale.min": 1,
            "models[embed].placement.pools": ["t4"],
            "training[finetune].parallelism": 1,
        },
        (
            "models[qwen-int8].serve.knative.reserve.replicas is 1, but it must be less, or its "
            "pools larger: with models[qwen-chat].serve.knative.scale.min (1) it needs 2 GPUs, and "
            "pool a10 has 1 at the most."
        ),
        {
            "pools[a10].size": 1,
            "models[qwen-int8].placement.pools": ["a10"],
            "models[qwen-int8].serve.knative.reserve": GONE,
            "models[qwen-chat].placement.pools": ["a10"],
            "models[qwen-chat].serve.knative.scale.min": 1,
            "models[embed].placement.pools": ["t4"],
            "training[finetune].parallelism": 1,
        },
    ),
    Case(
        "lowest_sums_fit",
        "two caches that share nodes",
        dev,
        {
            "models[qwen].cache.quota": "200Gi",
            "models[+]": {**MODEL, "cache": {"pool": "cache", "workers": 2, "quota": "168Gi"}},
        },
        (
            "models[llama].cache.workers is 2, but it must be less, or its pools larger: with "
            "models[qwen].cache.workers (2) it needs 744 GiB of memory, and pool cache has 737.9 "
            "at the most."
        ),
        {
            "models[qwen].cache.quota": "200Gi",
            "models[+]": {**MODEL, "cache": {"pool": "cache", "workers": 2, "quota": "164Gi"}},
        },
    ),
    Case(
        "lowest_sums_fit",
        "a cache that its disk has no room for",
        dev,
        {**ON_DISK, "models[qwen].cache.quota": "50Gi", "models[+]": {**MODEL, "cache": SECOND}},
        (
            "models[llama].cache.workers is 2, but it must be less, or its pools larger: with "
            "models[qwen].cache.workers (2) it needs 220 GiB of system disk, and pool cache has "
            "216 at the most."
        ),
        {
            **ON_DISK,
            "models[qwen].cache.quota": "50Gi",
            "models[+]": {**MODEL, "cache": {**SECOND, "quota": "58Gi"}},
        },
    ),
    Case(
        "cache_nodes_have_room",
        "a cache larger than the disk of a node",
        dev,
        {**ON_DISK, "models[qwen].cache.quota": "109Gi"},
        (
            "models[qwen].cache.quota is '109Gi', but it must be at most 108Gi on pool cache: its "
            "system disk has 120 GiB, and the kubelet evicts pods above 90 % of it."
        ),
        {**ON_DISK, "models[qwen].cache.quota": "108Gi"},
    ),
    Case(
        "lowest_sums_fit",
        "training whose pods have no room at the same time",
        dev,
        {"training[finetune].parallelism": 7},
        (
            "training[finetune].parallelism is 7, but it must be less, or its pools larger: it "
            "needs 7 GPUs, and pools a10, t4 have 6 at the most."
        ),
        {"training[finetune].parallelism": 6},
    ),
    Case(
        "pools_offer_whole_cards",
        "cards that are shared, for pods that ask for whole ones",
        dev,
        {"pools[a10].labels": {"ack.node.gpu.schedule": "cgpu"}},
        (
            "pools[a10].labels[ack.node.gpu.schedule] is 'cgpu', but it must be 'default', or left "
            "out: nodes of any other mode have no nvidia.com/gpu, which models[qwen], "
            "training[finetune] ask for; sharing a card is not offered yet. See "
            "https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {"pools[a10].labels": {"ack.node.gpu.schedule": "default"}},
    ),
    Case(
        "pools_offer_whole_cards",
        "nodes of an existing cluster that share cards",
        existing,
        {"nodes[gpu].node_selector": {"ack.node.gpu.schedule": "topology"}, "training": []},
        (
            "nodes[gpu].node_selector[ack.node.gpu.schedule] is 'topology', but it must be "
            "'default', or left out: nodes of any other mode have no nvidia.com/gpu, which "
            "models[qwen] asks for; sharing a card is not offered yet. See "
            "https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {"nodes[gpu].node_selector": {"ack.node.gpu.placement": "spread"}, "training": []},
    ),
    Case(
        "InstanceType",
        "a family of ARM processors that is called x86",
        dev,
        {"instance_types": [{**ARM, "architecture": "amd64"}]},
        (
            "instance_types[ecs.g8y.2xlarge].architecture is 'amd64', but it must be arm64, or "
            "left out: the family is one of ARM processors."
        ),
        {"instance_types": [{**ARM, "architecture": "arm64"}]},
    ),
    Case(
        "pools_have_one_architecture",
        "types of two instruction sets in one pool",
        dev,
        {
            "instance_types": [{**ARM, "name": "ecs.g11x.xlarge", "architecture": "arm64"}],
            "pools[system].instance_types": ["ecs.g7.2xlarge", "ecs.g11x.xlarge"],
        },
        (
            "pools[system].instance_types is 'ecs.g11x.xlarge', but it must be a type of amd64, as "
            "the first one is: it is arm64, and the nodes of a pool start from one image. See "
            "https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families"
        ),
        {
            "instance_types": [{**ARM, "name": "ecs.g11x.xlarge"}],
            "pools[system].instance_types": ["ecs.g7.2xlarge", "ecs.g11x.xlarge"],
        },
    ),
    Case(
        "pools_have_one_architecture",
        "x86 nodes with an image for ARM",
        dev,
        {
            "instance_types": [{**ARM, "name": "ecs.g11x.xlarge"}],
            "pools[system].instance_types": ["ecs.g11x.xlarge"],
            "pools[system].image_type": "AliyunLinux3Arm64",
        },
        (
            "pools[system].image_type is 'AliyunLinux3Arm64', but it must be one of AliyunLinux3, "
            "AliyunLinux3ContainerOptimized, AliyunLinux4, AliyunLinux4ContainerOptimized, "
            "ContainerOS, Ubuntu: ecs.g11x.xlarge is amd64, and the image is for arm64. See "
            "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/"
            "cs_kubernetes_node_pool"
        ),
        {**ARM_POOL, "pools[arm].image_type": "AliyunLinux4ContainerOptimizedArm64"},
    ),
    Case(
        "platform_has_x86_nodes",
        "ARM nodes alone for the platform",
        dev,
        {**ARM_POOL, "pools[system]": GONE, "pools[cache]": GONE, "models[qwen].cache": GONE},
        (
            "pools is ARM throughout, GPU pools aside, but it must be a pool of x86 types with a "
            "node at least that is not dedicated to GPU pods: ACK offers the platform's components "
            f"for x86 nodes only. See {ARM_DOCS}"
        ),
        ARM_POOL,
    ),
    Case(
        "arm_nodes_are_tainted",
        "ARM nodes on which pods of x86 images may land",
        dev,
        {**ARM_POOL, "pools[arm].taints": GONE},
        (
            "pools[arm].taints is missing, but it must be given, with {key: kubernetes.io/arch, "
            "value: arm64}: pods of images for x86, the platform's among them, would land there "
            f"and fail. See {ARM_DOCS}"
        ),
        ARM_POOL,
    ),
    Case(
        "caches_are_on_x86",
        "a cache on ARM nodes",
        dev,
        {**ARM_POOL, "models[qwen].cache": {"pool": "arm", "workers": 1, "quota": "12Gi"}},
        (
            "models[qwen].cache.pool is 'arm', but it must be a pool of x86 types, or models "
            "without a cache: Fluid and Jindo run there, which ACK offers for x86 nodes only. See "
            f"{ARM_DOCS}"
        ),
        {**ARM_POOL, "models[qwen].cache": {"pool": "system", "workers": 1, "quota": "12Gi"}},
    ),
    Case(
        "caches_are_on_x86",
        "a model that reads its cache from ARM nodes",
        dev,
        {
            **ARM_POOL,
            "models[+]": {
                **merged(MODEL, {"server.resources.gpus": 0, "placement.pools": ["arm"]}),
                "cache": {"pool": "cache", "workers": 1, "quota": "20Gi"},
            },
        },
        (
            "models[llama].placement.pools is 'arm', but it must be a pool of x86 types, or models "
            "without a cache: Fluid and Jindo run there, which ACK offers for x86 nodes only. See "
            f"{ARM_DOCS}"
        ),
        {
            **ARM_POOL,
            "models[+]": merged(MODEL, {"server.resources.gpus": 0, "placement.pools": ["arm"]}),
        },
    ),
    *(
        Case(
            "vpc_registries_are_of_the_region",
            f"an image at {host}, which answers in another region",
            dev,
            {"models[qwen].server.image": f"{host}/team/vllm:0.4.1"},
            (
                f"models[qwen].server.image is '{host}/team/vllm:0.4.1', but it must be at {here}, "
                f"or at a public address: {host} answers in VPCs of cn-hangzhou only."
            ),
            {"models[qwen].server.image": f"{here}/team/vllm:0.4.1"},
        )
        for host, here in (
            ("registry-vpc.cn-hangzhou.aliyuncs.com", "registry-vpc.cn-beijing.aliyuncs.com"),
            (
                "team-registry-vpc.cn-hangzhou.cr.aliyuncs.com",
                "team-registry-vpc.cn-beijing.cr.aliyuncs.com",
            ),
            (
                "crpi-x1-vpc.cn-hangzhou.personal.cr.aliyuncs.com",
                "crpi-x1-vpc.cn-beijing.personal.cr.aliyuncs.com",
            ),
        )
    ),
    Case(
        "vpc_registries_are_of_the_region",
        "a chart's images that answer in another region",
        dev,
        {"fluid": {"image_prefix": "registry-vpc.cn-shanghai.aliyuncs.com/team"}},
        (
            "fluid.image_prefix is 'registry-vpc.cn-shanghai.aliyuncs.com/team', but it must be at "
            "registry-vpc.cn-beijing.aliyuncs.com, or at a public address: "
            "registry-vpc.cn-shanghai.aliyuncs.com answers in VPCs of cn-shanghai only."
        ),
        {"fluid": {"image_prefix": "registry.cn-shanghai.aliyuncs.com/team"}},
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
        {
            "nodes[gpu].gpu": "V100",
            "models[qwen].server.image": "registry/vllm:0.8.5",
            "models[qwen].server.vllm.dtype": "half",
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a format of Turing on Volta, whatever the release",
        existing,
        {
            "nodes[gpu].gpu": "V100",
            "models[qwen].server.image": "registry/vllm:latest",
            "models[qwen].server.vllm.quantization": "awq",
        },
        (
            "models[qwen].server.vllm.quantization is 'awq', but it must be another format, or "
            "placed without pool gpu: awq needs compute capability 7.5, V100 has 7.0."
        ),
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].server.image": "registry/vllm:latest",
            "models[qwen].server.vllm.quantization": "awq",
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a card before Ampere under a release that does not choose float16 by itself",
        existing,
        {"nodes[gpu].gpu": "T4", "models[qwen].server.image": "registry/vllm:0.8.5"},
        (
            "models[qwen].server.vllm.dtype is missing, but it must be half: most models are "
            "stored as bfloat16, which T4 does not have; half loads any of them, and vLLM 0.8.5 "
            "does not choose it by itself, as 0.9.0 and later do."
        ),
        {"nodes[gpu].gpu": "T4", "models[qwen].server.image": "registry/vllm:0.9.0"},
    ),
    Case(
        "first_qwen_runs_on_the_release",
        "the articles' model under a release that no longer loads it",
        existing,
        {
            "models[qwen].volume.path": "/models/Qwen-7B-Chat",
            "models[qwen].server.image": "registry/vllm:0.24.0-cu129",
        },
        (
            "models[qwen].server.image is 'registry/vllm:0.24.0-cu129', but it must be vLLM "
            "0.23.0 or earlier, or a newer model, e.g. Qwen2.5: models[qwen].volume.path ends in "
            "Qwen-7B-Chat, which is taken for Qwen of the first generation, and vLLM 0.23.0 was "
            "the last release to load that. See docs/guides/upgrade.md"
        ),
        {
            "models[qwen].volume.path": "/models/Qwen-7B-Chat",
            "models[qwen].server.image": "registry/vllm:0.23.0-cu129",
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a weight format that the card has no kernels for",
        dev,
        {
            "models[qwen].server.vllm.quantization": "gptq_marlin",
            "models[qwen].server.image": "registry/vllm:0.13.0",
        },
        (
            "models[qwen].server.vllm.quantization is 'gptq_marlin', but it must be another "
            "format, or placed without pool t4: gptq_marlin needs compute capability 8.0 in vLLM "
            "0.13.0, T4 has 7.5."
        ),
        {
            "models[qwen].server.vllm.quantization": "gptq_marlin",
            "models[qwen].server.image": "registry/vllm:0.14.0",
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
        {CHAT: scale("concurrency", 2), **at_port(8012)},
        (
            "models[qwen-chat].server.port is 8012, but it must be none of 8008, 8012, 8013, 8022,"
            " 9090, 9091: Knative's queue-proxy has it."
        ),
        {**at_port(8012)},
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
        {CHAT: scale("vllm_kv_cache_usage", 1), **at_port(8081)},
        (
            "models[qwen-chat].server.port is 8081, but it must be 8080, as of the other models "
            "that are scaled on vLLM's metrics: these are collected at one port, and a model "
            "without them never scales."
        ),
        {**at_port(8081)},
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
        "OssStore",
        "an endpoint with a scheme",
        dev,
        {"stores[models].oss.endpoint": "https://oss-cn-beijing-internal.aliyuncs.com"},
        (
            "stores[models].oss.endpoint is 'https://oss-cn-beijing-internal.aliyuncs.com', but "
            "it must be a host name such as oss-cn-beijing-internal.aliyuncs.com: lower-case "
            "letters, digits, '-' and '.', at most 63 between dots and 253 in all, without "
            "scheme, port or path (did you mean 'oss-cn-beijing-internal.aliyuncs.com'?): the "
            "bucket is reached by it."
        ),
        {"stores[models].oss.endpoint": "oss-cn-beijing-internal.aliyuncs.com"},
    ),
    Case(
        "NasStore",
        "a mount target with a path",
        dev,
        {"stores[checkpoints].nas": {"server": "0a1b2c-x.cn-hangzhou.nas.aliyuncs.com:/share"}},
        (
            "stores[checkpoints].nas.server is '0a1b2c-x.cn-hangzhou.nas.aliyuncs.com:/share', "
            "but it must be a host name such as 0a1b2c-xyz.cn-beijing.nas.aliyuncs.com: "
            "lower-case letters, digits, '-' and '.', at most 63 between dots and 253 in all, "
            "without scheme, port or path (did you mean "
            "'0a1b2c-x.cn-hangzhou.nas.aliyuncs.com'?): nodes mount the files from it."
        ),
        {"stores[checkpoints].nas": {"server": "10.0.0.7"}},
    ),
    Case(
        "NasStore",
        "a zone of a mount target that exists",
        dev,
        {"stores[checkpoints].nas": {"server": "10.0.0.7", "zone": "cn-beijing-h"}},
        (
            "stores[checkpoints].nas.zone is 'cn-beijing-h', but it must be left out, or server "
            "left out: the mount target exists, in a zone of its own."
        ),
        {"stores[checkpoints].nas": {"zone": "cn-beijing-h"}},
    ),
    Case(
        "ClaimStore",
        "a claim that no cluster has",
        existing,
        {"stores[models].claim.name": "Shared_Models"},
        (
            "stores[models].claim.name is 'Shared_Models', but it must be lower-case letters, "
            "digits, '-' and '.', a letter or digit at both ends of each part, at most 253: no "
            "claim is called otherwise. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"stores[models].claim.name": "shared.models"},
    ),
    Case(
        "Knative",
        "a domain that is a URL",
        dev,
        {"knative": {"domain": "https://LLM.example.org:443/v1"}},
        (
            "knative.domain is 'https://LLM.example.org:443/v1', but it must be a host name such "
            "as models.example.com: lower-case letters, digits, '-' and '.', at most 63 between "
            "dots and 253 in all, without scheme, port or path (did you mean "
            "'llm.example.org'?): services are hosts below it."
        ),
        {"knative": {"domain": "llm.example.org"}},
    ),
    Case(
        "Knative",
        "a domain that is an address",
        dev,
        {"knative": {"domain": "203.0.113.7"}},
        (
            "knative.domain is '203.0.113.7', but it must be a domain, such as "
            "203.0.113.7.sslip.io: there are no hosts below an address."
        ),
        {"knative": {"domain": "203.0.113.7.sslip.io"}},
    ),
    Case(
        "Knative",
        "a registry that no image reference names",
        dev,
        {"knative": {"skip_tag_resolving": ["https://docker.io"]}},
        (
            "knative.skip_tag_resolving[0] is 'https://docker.io', but it must be a registry as "
            "image references name it, such as docker.io or registry.local:5000: Knative "
            "compares it with the registry of each image."
        ),
        {"knative": {"skip_tag_resolving": ["docker.io", "registry.local:5000"]}},
    ),
    Case(
        "KServe",
        "an IngressClass that no cluster has",
        hybrid,
        {"kserve": {"ingress_class": "Nginx"}},
        (
            "kserve.ingress_class is 'Nginx', but it must be lower-case letters, digits, '-' and "
            "'.', a letter or digit at both ends of each part, at most 253: each model's Ingress "
            "names its class. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"kserve": {"ingress_class": "alb", "ingress_controller": "present"}},
    ),
    Case(
        "Cluster",
        "a version that ACK does not number so",
        prod,
        {"cluster.version": "1.34.1"},
        (
            "cluster.version is '1.34.1', but it must be a version of ACK such as "
            "1.34.1-aliyun.1, or left out: ACK numbers its own builds of a release, and knows no "
            "other names for them. See https://registry.terraform.io/providers/aliyun/alicloud/"
            "latest/docs/data-sources/cs_kubernetes_version"
        ),
        {"cluster.version": "1.34.1-aliyun.2"},
    ),
    Case(
        "priorities_are_known",
        "a priority where there are none",
        dev,
        {"priorities": GONE, "training": GONE},
        (
            "models[qwen].priority is 'inference-high-priority', but it must be the name of an "
            "entry of priorities, which has none: the API server refuses pods of an unknown "
            "PriorityClass."
        ),
        {"priorities": GONE, "training": GONE, "models[qwen].priority": GONE},
    ),
    Case(
        "services_have_their_own_names",
        "a model of Knative that has the name of another one's predictor",
        hybrid,
        {"models[+]": {**MODEL, "name": "qwen-chat-predictor", **ON_ELASTIC}},
        (
            "models[qwen-chat-predictor].name is 'qwen-chat-predictor', but it must be another "
            "one: KServe makes a Service of that name for models[qwen-chat]."
        ),
        {"models[+]": {**MODEL, "name": "qwen-chat-2", **ON_ELASTIC}},
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
        "KServe",
        "a domain that no Ingress may have",
        hybrid,
        {"kserve": {"domain": "a_b"}},
        (
            "kserve.domain is 'a_b', but it must be a host name such as models.example.com: "
            "lower-case letters, digits, '-' and '.', at most 63 between dots and 253 in all, "
            "without scheme, port or path: models are hosts below it."
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
        "GpuMetricsSection",
        "an address of Prometheus that is none",
        existing,
        {"gpu_metrics": {"url": "prometheus:9090"}},
        (
            "gpu_metrics.url is 'prometheus:9090', but it must be an address such as "
            "http://prometheus.monitoring.svc:9090: http or https, a host, and no user or "
            "password: the adapter connects to it."
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
            "ECS type such as 'ecs.gn7i-c32g1.8xlarge': nodes are priced by their type. See "
            "https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families"
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

EMBED: Final = "models[embed].serve.knative"
VAIN: Final = (
    "models[embed].serve.knative may order nodes in vain: one busy second (169 requests, with 1 "
    "ready) wants more replicas for 66 s, and a node of t4, a10-spot takes about 170 s. Give "
    "scale.scale_down_delay_seconds 106 or more to wait for it, or scale.panic_threshold_percent "
    "300 or more to pass over short bursts."
)
SURPRISES = [
    Case(
        "nodes_come_while_they_are_wanted",
        "a node that a burst orders, which comes when the burst is over",
        prod,
        {},
        VAIN,
        {f"{EMBED}.scale.scale_down_delay_seconds": 106},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a threshold that is the same for one replica",
        prod,
        {f"{EMBED}.scale.panic_threshold_percent": 200},
        VAIN,
        {f"{EMBED}.scale.panic_threshold_percent": 201},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a burst for which there are not enough nodes at all times",
        prod,
        {},
        VAIN,
        {"pools[t4].autoscale.min": 2},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a burst with a replica more to be had",
        prod,
        {},
        VAIN,
        {f"{EMBED}.scale.max": 1},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a burst with a short window",
        prod,
        {f"{EMBED}.scale.window_seconds": 154},
        VAIN.replace("169", "421").replace("66 s", "169 s").replace("106", "3"),
        {f"{EMBED}.scale.window_seconds": 155},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a node that a burst orders by KServe",
        hybrid,
        {CHAT: scale("concurrency", 2), "models[qwen-chat].placement.pools": ["elastic"]},
        (
            "models[qwen-chat].serve.kserve may order nodes in vain: one busy second (9 requests "
            "in hand, with 1 ready) wants more replicas for 66 s, and a node of elastic takes "
            "about 170 s. Give the annotation autoscaling.knative.dev/scale-down-delay 106s or "
            "more to wait for it, or the annotation "
            "autoscaling.knative.dev/panic-threshold-percentage 300 or more to pass over short "
            "bursts."
        ),
        # How many machines an IDC has is not known.
        {CHAT: scale("concurrency", 2)},
    ),
    Case(
        "bursts_are_seen",
        "a window of which a tenth is rounded to a second",
        dev,
        {"models[qwen].serve.knative.scale.window_seconds": 14},
        (
            "models[qwen].serve.knative averages over 14 s, and sees bursts in 10 % of that, "
            "rounded to 1 s: Knative looks every 2 s, so it misses the bursts of every other "
            "second. Give scale.window_seconds 15 or more, or scale.panic_window_percent 11 or "
            "more."
        ),
        {"models[qwen].serve.knative.scale.window_seconds": 15},
    ),
    Case(
        "bursts_are_seen",
        "a share of the window that is rounded to a second",
        dev,
        {"models[qwen].serve.knative.scale.panic_window_percent": 2},
        (
            "models[qwen].serve.knative averages over 60 s, and sees bursts in 2 % of that, "
            "rounded to 1 s: Knative looks every 2 s, so it misses the bursts of every other "
            "second. Give scale.window_seconds 75 or more, or scale.panic_window_percent 3 or "
            "more."
        ),
        {"models[qwen].serve.knative.scale.panic_window_percent": 3},
    ),
    Case(
        "updates_wait_for_all_replicas",
        "an update that waits for one start of three",
        dev,
        {
            "waits": {"service_seconds": 5399},
            "models[qwen].serve.knative.scale": {"min": 3, "max": 3, "target": 2},
        },
        (
            "waits.service_seconds is 5399, but models[qwen] may take 5400 s: 3 starts of "
            "models[qwen].serve.knative.startup_seconds (1800), since it is ready only with all "
            "of scale.min and nodes may come one after another. An update would give up on a "
            "model that comes up."
        ),
        {
            "waits": {"service_seconds": 5400},
            "models[qwen].serve.knative.scale": {"min": 3, "max": 3, "target": 2},
        },
    ),
    Case(
        "updates_wait_for_all_replicas",
        "an update that waits for less than one start",
        dev,
        {"waits": {"service_seconds": 1799}, "models[qwen].serve.knative.scale.min": 2},
        (
            "waits.service_seconds is 1799, but models[qwen] may take 1800 s: "
            "models[qwen].serve.knative.startup_seconds allows a start 1800. An update would give "
            "up on a model that comes up."
        ),
        {"waits": {"service_seconds": 1800}, "models[qwen].serve.knative.scale.min": 2},
    ),
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
        "highest_sums_fit",
        "more replicas and training than the pools have cards",
        dev,
        {"models[qwen].serve.knative.scale.max": 6},
        (
            "models[qwen].serve.knative.scale.max (6), training[finetune].parallelism (1) may need "
            "7 GPUs at the same time, and pools a10, t4 have 6 at the most: what comes last waits."
        ),
        {"models[qwen].serve.knative.scale.max": 5},
    ),
    Case(
        "highest_sums_fit",
        "nodes of two types, of which the autoscaler may take the smaller",
        prod,
        {
            "training": [],
            "models[qwen-chat].placement.pools": ["a10-spot"],
            "models[qwen-chat].serve.knative.scale.max": 13,
        },
        (
            "models[qwen-chat].serve.knative.scale.max (13) may need 13 GPUs at the same time, and "
            "pool a10-spot has 12 at the most: what comes last waits."
        ),
        {
            "training": [],
            "models[qwen-chat].placement.pools": ["a10-spot"],
            "models[qwen-chat].serve.knative.scale.max": 12,
            "models[embed].placement.pools": ["t4"],
        },
    ),
    Case(
        "highest_sums_fit",
        "load tests without a node of their own",
        dev,
        {
            "pools[cache].taints": [{"key": "cache"}],
            "load_tests": [load_test(name=f"spike{n}", run="1") for n in range(13)],
        },
        (
            f"{', '.join(f'load_tests[spike{n}].run (1)' for n in range(13))} may need 13 "
            "times 1 CPUs or more at the same time, and pool system holds 12 of these: what comes "
            "last waits."
        ),
        {
            "pools[cache].taints": [{"key": "cache"}],
            "load_tests": [load_test(name=f"spike{n}", run="1") for n in range(2)],
        },
    ),
    Case(
        "pods_are_sure_of_a_new_node",
        "a pod that takes more of a new node than is sure",
        dev,
        {"models[qwen].server.resources.cpu": "17"},
        (
            "models[qwen].server.resources.cpu is 17, 71% of ecs.gn6i-c24g1.6xlarge in pool t4: "
            "GOATScaler guesses what a new node will offer, and is sure of 70% only. Try whether "
            "it adds a node for such a pod, or ask for less."
        ),
        # 16.8 is 70 %; and no node is added to a pool of a fixed size.
        {"models[qwen].server.resources.cpu": "16800m"},
    ),
    Case(
        "pods_are_sure_of_a_new_node",
        "training that takes more memory of a new node than is sure",
        dev,
        {"training[finetune].resources.memory": "66Gi"},
        (
            "training[finetune].resources.memory is 66Gi, 71% of ecs.gn6i-c24g1.6xlarge in pool "
            "t4: GOATScaler guesses what a new node will offer, and is sure of 70% only. Try "
            "whether it adds a node for such a pod, or ask for less."
        ),
        {
            "training[finetune].resources.memory": "66Gi",
            "training[finetune].placement.pools": ["a10"],
        },
    ),
    Case(
        "spot_pools_buy_spot",
        "a spot pool that buys on demand",
        prod,
        {"pools[a10-spot].spot.compensate_with_on_demand": True},
        (
            "pools[a10-spot].spot.compensate_with_on_demand is true: GOATScaler does not look at "
            "the stock of spot instances, and buys on demand even where there are some. The plan "
            "prices the pool on demand."
        ),
        {},
    ),
    Case(
        "images_suit_the_architecture",
        "a model on ARM nodes, whose image nobody looks into",
        dev,
        {
            **ARM_POOL,
            "models[+]": merged(
                MODEL, {"server.resources.gpus": 0, "placement.pools": ["arm", "system"]}
            ),
        },
        (
            "models[llama].server.image runs on the ARM nodes of arm: it needs variants for arm64 "
            "and amd64, or its pods end with `exec format error`."
        ),
        {
            **ARM_POOL,
            "models[+]": merged(MODEL, {"server.resources.gpus": 0, "placement.pools": ["system"]}),
        },
    ),
    Case(
        "images_suit_the_architecture",
        "a cache on ARM nodes of an existing cluster",
        existing,
        {"nodes[cache].node_selector": {"kubernetes.io/arch": "arm64"}},
        (
            "models[qwen].cache.pool is cache, whose nodes are ARM: the images of Fluid and Jindo "
            "need variants for arm64, or its pods end with `exec format error`."
        ),
        {"nodes[cache].node_selector": {"kubernetes.io/arch": "amd64"}},
    ),
    Case(
        "registries_are_in_reach",
        "images abroad, for nodes in the mainland",
        dev,
        {"models[qwen].server.image": "vllm/vllm-openai:v0.4.1", "models[qwen].cache": GONE},
        (
            "docker.io is outside mainland China, and pulls from cn-beijing are slow or fail: "
            "models[qwen].server.image, training[finetune].image. Copy the images to a registry of "
            "the region, which ACR does by artifact subscription, and name that. Where nodes have "
            "a mirror for docker.io, Knative's controller has none: knative.skip_tag_resolving: "
            "[docker.io] keeps it from asking there."
        ),
        {
            "models[qwen].server.image": "registry.example.com/vllm/vllm-openai:v0.4.1",
            "training": [],
            "fluid": {"image_prefix": "registry.example.com/fluid"},
        },
    ),
    Case(
        "registries_are_in_reach",
        "images abroad that a load test brings",
        dev,
        {"load_tests": [load_test()]},
        (
            "quay.io is outside mainland China, and pulls from cn-beijing are slow or fail: "
            "load_tests[spike].image. Copy the images to a registry of the region, which ACR does "
            "by artifact subscription, and name that."
        ),
        {"load_tests": [load_test(image="registry.example.com/inference-perf:v0.7.0")]},
    ),
    Case(
        "registries_are_in_reach",
        "images abroad that charts bring",
        hybrid,
        {},
        (
            "quay.io is outside mainland China, and pulls from cn-hangzhou are slow or fail: "
            "kserve.chart.image_prefix, cert_manager. Copy the images to a registry of the region, "
            "which ACR does by artifact subscription, and name that."
        ),
        {
            "kserve": {"chart": {"image_prefix": "registry.example.com/kserve"}},
            "cert_manager": "present",
        },
    ),
    Case(
        "updates_have_a_spare_card",
        "an update that waits for the card of the pod that it replaces",
        dev,
        {"models[qwen].placement.pools": ["a10"], f"{QWEN}.min": 2, f"{QWEN}.max": 2},
        (
            "models[qwen].serve.knative: an update needs room for 2 more replicas before it ends "
            "an old one, and the pools a10 hold 2: with scale.min 2 it never ends. Give a pool one "
            "more node for each (an autoscaled pool that is empty costs nothing), or scale.min 0 "
            "where a cold start will do: Knative ends no old revision before."
        ),
        {"models[qwen].placement.pools": ["a10"], f"{QWEN}.max": 1},
    ),
    Case(
        "updates_have_a_spare_card",
        "an update that waits for a card which another model always has",
        dev,
        {
            "models[qwen].placement.pools": ["a10"],
            f"{QWEN}.max": 1,
            "models[+]": MODEL,
        },
        (
            "models[qwen].serve.knative: an update needs room for 1 more replica before it ends "
            "an old one, and the pools a10 hold 1, cards for the fewest pods of other models "
            "left aside: with scale.min 1 it never ends. Give a pool one more node for each (an "
            "autoscaled pool that is empty costs nothing), or scale.min 0 where a cold start will "
            "do: Knative ends no old revision before."
        ),
        {
            "models[qwen].placement.pools": ["a10"],
            f"{QWEN}.max": 1,
            "models[+]": {**MODEL, "serve": {"knative": {"scale": {**ONE, "min": 0}}}},
        },
    ),
    Case(
        "updates_have_a_spare_card",
        "an update that has no room while all replicas run",
        dev,
        {f"{QWEN}.max": 6},
        (
            "models[qwen].serve.knative: an update needs room for 1 more replica before it ends "
            "an old one, and the pools a10, t4 hold 6: with 6 replicas or more it waits until "
            "load falls. Give a pool one more node for each (an autoscaled pool that is empty "
            "costs nothing), or scale.min 0 where a cold start will do: Knative ends no old "
            "revision before."
        ),
        {f"{QWEN}.max": 5},
    ),
    Case(
        "updates_have_a_spare_card",
        "an update by KServe that waits for the card of the pod that it replaces",
        hybrid,
        {"models[qwen-chat].placement.pools": ["elastic"], f"{CHAT}.min": 3},
        (
            "models[qwen-chat].serve.kserve: an update needs room for 1 more replica before it "
            "ends an old one, and the pools elastic hold 3: with scale.min 3 it never ends. Set "
            "rollout to type Recreate, or to max_surge 0 with max_unavailable 1, or give a pool "
            "one more node."
        ),
        {
            "models[qwen-chat].placement.pools": ["elastic"],
            f"{CHAT}.min": 3,
            "models[qwen-chat].serve.kserve.rollout": {"max_surge": 0, "max_unavailable": 1},
        },
    ),
    Case(
        "requests_end_before_their_pod",
        "requests that a release cuts off when their pod ends",
        hybrid,
        {"models[qwen-queue].serve.kserve.request_seconds": 26},
        (
            "models[qwen-queue].serve.kserve.request_seconds is 26, but when a pod ends, its "
            "requests have 25 s left, and longer ones are cut off: grace_seconds 31 would do. This "
            "server aborts at SIGTERM what it has in hand (vLLM finishes it from 0.18 on), so "
            "requests have the pause before SIGTERM alone."
        ),
        {
            "models[qwen-queue].serve.kserve.request_seconds": 26,
            "models[qwen-queue].serve.kserve.grace_seconds": 31,
        },
    ),
    Case(
        "requests_end_before_their_pod",
        "requests that outlive the pause and the drain of their pod",
        hybrid,
        {**NEW_IMAGE, "models[qwen-queue].serve.kserve.request_seconds": 100},
        (
            "models[qwen-queue].serve.kserve.request_seconds is 100, but when a pod ends, its "
            "requests have 25 s left, and longer ones are cut off: grace_seconds 115 would do."
        ),
        {
            **NEW_IMAGE,
            "models[qwen-queue].serve.kserve.request_seconds": 100,
            "models[qwen-queue].serve.kserve.grace_seconds": 115,
        },
    ),
    Case(
        "tensor_parallel_divides_the_heads",
        "layers split over a number that few models have heads for",
        dev,
        {**BIG_NODES, "models[qwen].server.resources.gpus": 3},
        (
            "models[qwen].server splits each layer over 3 cards: vLLM starts only if 3 divides the "
            "attention heads of the model, and those of most are 28, 32, 40 or 64. 1, 2, 4 or 8 "
            "cards do; --pipeline-parallel-size splits by layers instead."
        ),
        {**BIG_NODES, "models[qwen].server.resources.gpus": 4},
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
        "new_releases_are_judged_by_an_older_one",
        "a vLLM that is newer than the table",
        existing,
        {"models[qwen].server.image": "registry/vllm:0.99.0-cu129"},
        (
            "models[qwen].server.image is vLLM 0.99.0, which is newer than what is known here: "
            f"its flags and formats are judged by 0.33.0, read {table_date()}."
        ),
        {"models[qwen].server.image": "registry/vllm:0.33.0-cu129"},
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
        "highest_sums_fit",
        "more replicas by KServe than the pools have cards",
        hybrid,
        {f"{CHAT}.max": 4, "models[qwen-chat].placement.pools": ["elastic"]},
        (
            "models[qwen-chat].serve.kserve.scale.max (4) may need 4 GPUs at the same time, and "
            "pool elastic has 3 at the most: what comes last waits."
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
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [case for case in CASES if case.rule == check.find.__name__]
    monkeypatch.setattr("stacks.judge.CHECKS", [one for one in CHECKS if one is not check])
    assert cases
    for case in cases:
        left = judge(merged(case.base(), case.changes)).faults
        assert case.sentence not in map(str, left)


def test_every_warning_has_a_case() -> None:
    assert {rule.find.__name__ for rule in WARNINGS} == {case.rule for case in SURPRISES}


def test_every_function_that_looks_like_a_rule_is_asked() -> None:
    """One that lacks its decorator, or stands in a module that no list names, is never asked."""
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for package in (checks, runtimes)
        for module in pkgutil.iter_modules(package.__path__)
    ]
    asked = {rule.find for rule in (*CHECKS, *WARNINGS)}
    values = [getattr(value, "find", value) for one in modules for value in vars(one).values()]
    forgotten = [
        function
        for function in filter(inspect.isfunction, values)
        if function not in asked
        and not function.__name__.startswith("_")
        and function.__annotations__.get("return") in (Iterator[Fault], Iterator[str])
        and list(inspect.signature(function).parameters) == ["environment"]
    ]
    assert forgotten == []


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
        if one["kind"] in ("Service", "Job") and "template" in one["spec"]
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
