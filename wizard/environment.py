"""What a stack file says, from the answers of the wizard."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from components.catalog.instances import INSTANCES
from components.catalog.vllm import BFLOAT16_CAPABILITY, FLOAT16_BY_ITSELF_SINCE, vllm_image
from components.quantity import binary, parse
from components.serving.vllm import read_length

from .draft import KUBECONFIG, PLACEHOLDER, Draft
from .questions import MEASURED, NEW_NODES, PARTS, Answers, card_of, on

SHARE_OF_A_NODE: Final = 0.7
"""Part of a node's CPUs and memory that its replicas ask for: the rest is for the system."""
CACHE_NODES: Final = ("ecs.g7.2xlarge", "ecs.g7.4xlarge", "ecs.g8i.24xlarge")
"""Instance types for a cache, the smallest first."""
NODE_SECONDS: Final = 300
"""How long replicas are kept after a burst, so that nodes are not ordered in vain."""

Section = dict[str, Any]

GROUNDS: Final[Mapping[str, str]] = {
    "pro": "a new ACK Pro cluster",
    "edge": "a new ACK Edge cluster, on your own machines",
    "own-vpc": "a new ACK Pro cluster in a VPC that exists",
    "own-cluster": "an ACK cluster that exists",
    "existing": "any Kubernetes cluster, by kubeconfig",
}
PROMETHEUS: Final = """\
The HTTP API address of Managed Service for Prometheus lets in whoever has it. Put yours in:
  pulumi config set --secret ack-inference:prometheus_url -s {stack}"""


def draft(answers: Answers) -> Draft:
    """The stack file that some answers ask for.

    Args:
        answers: One of each question that applies, and `stack`, the name of the stack.
    """
    comments: dict[tuple[str, ...], str] = {}
    parts = (_cloud, _cluster, _platform, _nodes, _store, _metrics, _model)
    config: Section = {}
    for part in parts:
        config |= part(answers, lambda text, *path: comments.update({path: text}))
    title = (
        f"{answers['name']} on {answers['card']}, on {GROUNDS[answers['on']]}.\n"
        f"See what it creates: ack-inference plan {answers['stack']}"
    )
    return Draft(title, config, comments)


Say = Callable[..., None]
"""Keeps a comment for a path."""


def _cloud(answers: Answers, say: Say) -> Section:
    if answers["on"] == "existing":
        say(KUBECONFIG.format(stack=answers["stack"]), "kubeconfig")
        region = {"region": answers["bucket_region"]} if "bucket_region" in answers else {}
        return {"kubeconfig": PLACEHOLDER, **region}
    zone: Section = {"id": answers["zone"]}
    network: Section = {"cidr": "10.0.0.0/16"}
    if answers["on"] in ("pro", "edge"):
        zone["cidr"] = "10.0.0.0/20"
    if answers["on"] == "pro":
        zone["pod_cidr"] = "10.0.64.0/18"
        say(
            "Addresses stay for the life of the cluster. Each zone has some for pods too.",
            "network",
        )
    if answers["on"] == "edge":
        network |= {"plugin": "flannel", "pod_cidr": "172.20.0.0/16"}
        say("Addresses stay for the life of the cluster. Pods have an overlay's.", "network")
    if answers["on"] in ("own-vpc", "own-cluster"):
        network = {"vpc_id": answers["vpc_id"]}
        zone["vswitch_id"] = answers["vswitch_id"]
        if "pod_vswitch_id" in answers:
            zone["pod_vswitch_id"] = answers["pod_vswitch_id"]
        say("Nothing of the VPC is created, changed or destroyed.", "network")
        if answers["store"] == "nas":
            say("The range of your VPC: the file system lets it in.", "network", "cidr")
            network["cidr"] = "10.0.0.0/16"
    return {"region": answers["region"], "network": {**network, "zones": [zone]}}


def _cluster(answers: Answers, say: Say) -> Section:
    if answers["on"] == "existing":
        say("The version is for checks; nothing of the cluster is changed.", "cluster")
        return {"cluster": {"profile": "existing", "version": "1.34"}}
    if answers["on"] == "own-cluster":
        say("The cluster is there, and nothing of it is changed: pools are added.", "cluster")
        return {"cluster": {"profile": "pro", "id": answers["cluster_id"]}}
    say("Where the API server is to answer outside the VPC, add public_endpoint.", "cluster")
    return {"cluster": {"profile": "edge" if answers["on"] == "edge" else "pro"}}


def _platform(answers: Answers, say: Say) -> Section:
    """Parts that the cluster has already, as far as something is made of them."""
    words = {word.strip() for word in answers.get("present", "none").split(",")}
    present = [part for part in PARTS if part in words]
    config: Section = {part.replace("-", "_"): {"install": False} for part in present}
    if "kserve" in present:
        config["kserve"] |= {"ingress_controller": "present"}
    for part in present:
        say(
            "The cluster has it; say its domain and version, where it has one.",
            part.replace("-", "_"),
        )
    return config


def _nodes(answers: Answers, say: Say) -> Section:
    cards = answers["card"].lower()
    driver = {"driver": answers["driver"]} if "driver" in answers else {}
    if answers["on"] in NEW_NODES:
        gpu = {
            "name": cards,
            "gpu": answers["card"],
            "instance_types": [answers["instance_type"]],
            **driver,
            **_count(answers["nodes"]),
        }
        # KServe, cert-manager and what carries metrics run on nodes without cards.
        system = {"name": "system", "instance_types": ["ecs.g7.2xlarge"], "size": 3}
        say("Nodes with cards cost most of it: autoscale removes idle ones.", "pools")
        own = answers["on"] == "own-cluster"
        return {"pools": [*([] if own else [system]), gpu, *_cache_pool(answers)]}
    machines: Section = {
        "gpu": answers["card"],
        **driver,
        "allocatable": {
            "cpu": answers["node_cpu"],
            "memory": answers["node_memory"],
            "gpus": int(answers["node_gpus"]),
        },
    }
    if answers["on"] == "edge":
        say("Runs what the cluster itself needs.", "pools")
        say("Machines join by the command in the output machines_join_command.", "edge_pools")
        system = {"name": "system", "instance_types": ["ecs.g7.2xlarge"], "size": 3}
        pools = [system, *_cache_pool(answers)]
        return {"pools": pools, "edge_pools": [{"name": "machines", **machines}]}
    groups = [{"name": cards, **machines, "node_selector": _label(answers["node_label"])}]
    if answers.get("cache") == "yes":
        groups.append({"name": "cache", "node_selector": _label(answers["cache_label"])})
    say(
        "Nodes that are there, known by their labels. Say their taints and driver, if any.", "nodes"
    )
    return {"nodes": groups}


def _cache_pool(answers: Answers) -> list[Section]:
    if answers.get("cache") != "yes":
        return []
    workers, quota = _copy(answers)
    roomy = [name for name in CACHE_NODES if INSTANCES[name].memory_gib / 2 >= quota]
    kind = next(iter(roomy), CACHE_NODES[-1])
    return [{"name": "cache", "instance_types": [kind], "size": workers}]


def _copy(answers: Answers) -> tuple[int, int]:
    """Nodes that hold the files and a third together, and what each holds, in GiB."""
    whole = math.ceil(parse(answers["size"]) * 4 / 3 / 2**30)
    room = int(INSTANCES[CACHE_NODES[-1]].memory_gib / 2)
    workers = 1 if answers["on"] == "existing" else math.ceil(whole / room)
    return workers, math.ceil(whole / workers)


def _count(nodes: str) -> Section:
    low, dash, high = nodes.partition("-")
    if not dash:
        return {"size": int(low)}
    return {"autoscale": {"min": int(low), "max": int(high)}}


def _label(text: str) -> dict[str, str]:
    key, _, value = text.partition("=")
    return {key: value}


def _store(answers: Answers, say: Say) -> Section:
    kind = answers["store"]
    if kind == "claim":
        say("A claim that is there, in the namespace of the models.", "stores")
        return {"stores": [{"name": "models", "claim": {"name": answers["claim"]}}]}
    if kind == "nas":
        say("A new file system.", "stores")
        return {"stores": [{"name": "models", "nas": {"storage_type": "Capacity"}}]}
    bucket: Section = {"bucket": answers["bucket"]}
    if kind == "oss":
        say("A new bucket; its name is unique in all of OSS.", "stores")
    else:
        say("The bucket is there, and is never changed.", "stores")
        bucket["create"] = False
    if "bucket_secret" in answers:
        bucket |= {
            "secret": answers["bucket_secret"],
            "endpoint": f"oss-{answers['bucket_region']}.aliyuncs.com",
        }
    return {"stores": [{"name": "models", "oss": bucket}]}


def _metrics(answers: Answers, say: Say) -> Section:
    if answers["metric"] not in MEASURED:
        return {}
    if answers["on"] == "existing":
        say("Carries metrics of vLLM and of GPUs to the autoscaler.", "gpu_metrics")
        return {"gpu_metrics": {"url": answers["prometheus"]}}
    say(PROMETHEUS.format(stack=answers["stack"]), "prometheus_url")
    return {"prometheus_url": PLACEHOLDER, "gpu_metrics": {}}


def _model(answers: Answers, say: Say) -> Section:
    model: Section = {"name": answers["name"], **_files(answers, say)}
    if answers.get("cache") == "yes":
        workers, quota = _copy(answers)
        model["cache"] = {"pool": "cache", "workers": workers, "quota": f"{quota}Gi"}
        say("A copy in the memory of the nodes of pool cache.", "models", "0", "cache")
    model["server"] = _server(answers, say)
    pool = "machines" if answers["on"] == "edge" else answers["card"].lower()
    model["placement"] = {"pools": [pool]}
    target = float(answers["target"])
    scale: Section = {
        "metric": answers["metric"],
        "target": int(target) if target.is_integer() else target,
        "min": int(answers["min"]),
        "max": int(answers["max"]),
    }
    if answers["runtime"] == "knative" and "-" in answers.get("nodes", ""):
        # A replica that a burst asked for is still wanted once its node has come.
        scale["scale_down_delay_seconds"] = NODE_SECONDS
    model["serve"] = {answers["runtime"]: {"scale": scale}}
    say("Scaled between these bounds, on what one replica should have.", "models", "0", "serve")
    return {"models": [model]}


def _files(answers: Answers, say: Say) -> Section:
    if answers["files"] == "hub":
        say("Keeps what was downloaded for the next pod.", "models", "0", "volumes")
        volume = {
            "name": "downloads",
            "mount_path": "/hub",
            "store": "models",
            "size": answers["size"],
            "writable": True,
        }
        return {"volumes": [volume]}
    volume = {"store": "models", "path": answers["path"], "size": answers["size"]}
    if answers["files"] == "import":
        volume["source"] = {answers["hub"]: answers["model_id"], "revision": answers["revision"]}
        say("A Job loads the revision there before anything reads it.", "models", "0", "volume")
    else:
        say("Copy the files there before the model starts.", "models", "0", "volume")
    return {"volume": volume}


def _server(answers: Answers, say: Say) -> Section:
    gpus = int(answers["gpus"])
    vllm: Section = {}
    path = f"/mnt/models/{answers['name']}"
    if answers["files"] == "hub":
        vllm = {
            "model": answers["model_id"],
            "revision": answers["revision"],
            "hub": answers["hub"],
        }
        path = "/hub"
    vllm |= {
        "served_model_name": answers["name"],
        "max_model_len": read_length(answers["max_model_len"]),
    }
    image, card = vllm_image(answers["image"]), card_of(answers)
    is_old = image is not None and image.version < FLOAT16_BY_ITSELF_SINCE
    if is_old and card.compute_capability < BFLOAT16_CAPABILITY:
        # The card has no bfloat16, and the release does not see that by itself.
        vllm["dtype"] = "half"
    return {
        "image": answers["image"],
        "mount_path": path,
        "resources": {**_share(answers, gpus), "gpus": gpus},
        "vllm": vllm,
    }


def _share(answers: Answers, gpus: int) -> dict[str, str]:
    """What a replica asks for: its cards' part of a node, less what the system takes."""
    if on(*NEW_NODES)(answers):
        instance = INSTANCES[answers["instance_type"]]
        cpus, memory, cards = instance.vcpus, instance.memory_gib * 2**30, instance.gpus
    else:
        cpus, memory = int(answers["node_cpu"]), float(parse(answers["node_memory"]))
        cards = int(answers["node_gpus"])
    share = SHARE_OF_A_NODE * gpus / cards
    return {
        "cpu": str(max(1, math.floor(cpus * share))),
        "memory": binary(max(1, math.floor(memory * share / 2**30)) * 2**30),
    }
