"""What the wizard asks: one row per question, which is a flag of the command line too.

A row says when it is asked, what may be answered, and what is taken by default, from the answers
before it. Tables of the catalogue say which cards, instance types and regions there are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.catalog.gpus import GPUS, Gpu
from components.catalog.instances import INSTANCES
from components.catalog.prices import NODES
from components.catalog.regions import is_mainland
from components.catalog.vllm import LEAST_CAPABILITY, V100_CAPABILITY, vllm_image
from components.names import dashed

Answers = Mapping[str, str]
"""By question, what was answered."""

NEW_NODES: Final = ("pro", "own-vpc", "own-cluster")
"""Grounds on which the stack creates nodes with cards."""
OWN_NODES: Final = ("edge", "existing")
"""Grounds on which the nodes with cards are there."""
COUNT: Final = r"[1-9]\d{0,2}"
QUANTITY: Final = r"\d+(\.\d+)?(Mi|Gi|Ti)"
PARTS: Final = ("knative", "kserve", "cert-manager", "fluid")
"""Parts of the platform that a cluster may have already."""
SCALED_ON: Final[Mapping[str, Mapping[str, str]]] = {
    "knative": {"concurrency": "8", "rps": "2"},
    "kserve": {
        "vllm_num_requests_waiting": "2",
        "gpu_utilization": "70",
        "cpu": "80",
        "concurrency": "8",
    },
}
"""By runtime what a model can be scaled on, the first by default, with a target to begin with."""
MEASURED: Final = ("vllm_num_requests_waiting", "gpu_utilization")
"""Metrics that Prometheus carries to the autoscaler."""
OLD_IMAGE: Final = "docker.io/vllm/vllm-openai:v0.8.5"
"""The last line of vLLM that runs on a V100: `V100_DROPPED`."""
IMAGE: Final = "docker.io/vllm/vllm-openai:v0.19.0"
"""The last release on CUDA 12, whose driver ACK installs by default: `CUDA_13_SINCE`."""


@dataclass(frozen=True)
class WizardQuestion:
    """A question, and the flag that answers it."""

    name: str
    """What the answer is called; the flag is that with dashes."""
    text: str
    """The question, and the help of the flag."""
    default: Callable[[Answers], str] = lambda _: ""
    """What is taken where nothing is said; empty where something has to be."""
    applies: Callable[[Answers], bool] = lambda _: True
    """Whether it is asked."""
    choices: Callable[[Answers], Sequence[str]] = lambda _: ()
    """What may be answered; nothing where the pattern alone says."""
    pattern: str = r"\S+"
    """What an answer looks like."""
    like: str = ""
    """An answer that the pattern takes, for the sentence about another one."""
    is_open: bool = False
    """Whether other answers than the choices are taken too, if the pattern takes them."""

    @property
    def flag(self) -> str:
        """The flag."""
        return "--" + self.name.replace("_", "-")

    def fault(self, answer: str, answers: Answers) -> str:
        """What is wrong with an answer, as a sentence; empty if nothing is."""
        choices = self.choices(answers)
        if answer in choices:
            return ""
        if choices and not self.is_open:
            return f"{self.flag} is {answer!r}, but it must be one of {', '.join(choices)}."
        if not re.fullmatch(self.pattern, answer):
            want = f"such as {self.like}" if self.like else "one word"
            return f"{self.flag} is {answer!r}, but it must be {want}."
        return ""


def on(*grounds: str) -> Callable[[Answers], bool]:
    """Whether the models run on one of some grounds."""
    return lambda answers: answers["on"] in grounds


def _constant(answer: str) -> Callable[[Answers], str]:
    return lambda _: answer


def card_of(answers: Answers) -> Gpu:
    """The card that was chosen."""
    return GPUS[answers["card"]]


def served_cards(answers: Answers) -> Sequence[str]:
    """Cards that vLLM runs on, and that the ground can have."""
    sold = {instance.gpu for instance in INSTANCES.values()}
    return [
        name
        for name, card in GPUS.items()
        if card.compute_capability >= LEAST_CAPABILITY and (name in sold or on(*OWN_NODES)(answers))
    ]


def instance_types(answers: Answers) -> Sequence[str]:
    """Types that have the card: those that the price list of the region has, or else all."""
    types = [name for name, instance in INSTANCES.items() if instance.gpu == answers["card"]]
    listed = [name for name in types if name in NODES.get(answers["region"], {})]
    return listed or types


def _usual_type(answers: Answers) -> str:
    """The smallest with memory for twice the card's; else the largest of those with one card."""
    types, need = instance_types(answers), 2 * card_of(answers).memory_gib
    fewest = min(INSTANCES[name].gpus for name in types)
    few = [name for name in types if INSTANCES[name].gpus == fewest]
    roomy = [name for name in few if INSTANCES[name].memory_gib >= need]
    if roomy:
        return min(roomy, key=lambda name: INSTANCES[name].memory_gib)
    return max(few, key=lambda name: INSTANCES[name].memory_gib)


def _cards_of_a_node(answers: Answers) -> int:
    if answers["on"] in OWN_NODES:
        return int(answers["node_gpus"])
    return INSTANCES[answers["instance_type"]].gpus


def _cards_of_a_replica(answers: Answers) -> Sequence[str]:
    most = _cards_of_a_node(answers)
    return [str(count) for count in (1, 2, 4, 8) if count <= most]


def _stores(answers: Answers) -> Sequence[str]:
    """Kinds of stores, by ground and by what is kept in them."""
    if answers["on"] == "existing":
        return ["claim"] if answers["files"] == "hub" else ["claim", "oss-existing"]
    kinds = ["nas"] if answers["files"] == "hub" else ["oss", "oss-existing", "nas"]
    return [*kinds, "claim"] if answers["on"] == "own-cluster" else kinds


def _usual_model(answers: Answers) -> tuple[str, str]:
    """A model that fits the cards of a replica, and the size of its files."""
    room = card_of(answers).memory_gib * int(answers["gpus"])
    for least, name, size in ((90, "Qwen2.5-32B-Instruct", "66Gi"), (20, _SEVEN, "15Gi")):
        if room >= least:
            return name, size
    return "Qwen2.5-3B-Instruct", "6Gi"


_SEVEN: Final = "Qwen2.5-7B-Instruct"


def _usual_zone(answers: Answers) -> str:
    """The first zone of a region, by how zones are called; Beijing's and Hangzhou's have GPUs."""
    region = answers["region"]
    usual = {"cn-beijing": "cn-beijing-h", "cn-hangzhou": "cn-hangzhou-i"}
    return usual.get(region, f"{region}a" if region[-1].isdigit() else f"{region}-a")


def _usual_hub(answers: Answers) -> str:
    region = answers.get("region", "")
    return "modelscope" if not region or is_mainland(region) else "huggingface"


def _usual_name(answers: Answers) -> str:
    """The model's own name, as a Service can be called."""
    source = answers.get("model_id") or answers.get("path", "")
    name = dashed(source.rpartition("/")[2], 40)
    return name if re.match("[a-z]", name) else "model"


def _usual_bucket(answers: Answers) -> str:
    """Made of the stack's name where the bucket is new."""
    stack = dashed(answers["stack"], 40)
    return f"ack-inference-{stack}-models" if answers["store"] == "oss" and stack else ""


def _usual_label(answers: Answers) -> str:
    return f"nvidia.com/gpu.product={card_of(answers).label or answers['card']}"


def _usual_image(answers: Answers) -> str:
    return OLD_IMAGE if card_of(answers).compute_capability <= V100_CAPABILITY else IMAGE


QUESTIONS: Final = (
    WizardQuestion(
        "on",
        "What it runs on: pro, a new ACK Pro cluster; edge, a new ACK Edge cluster with your own "
        "machines; own-vpc, a new cluster in your VPC; own-cluster, an ACK cluster by its id; "
        "existing, any Kubernetes by kubeconfig",
        _constant("pro"),
        choices=lambda _: ("pro", "edge", "own-vpc", "own-cluster", "existing"),
    ),
    WizardQuestion(
        "region",
        "Region of Alibaba Cloud",
        _constant("cn-beijing"),
        on("edge", *NEW_NODES),
        lambda _: [*NODES],
        r"[a-z]{2}(-[a-z0-9]+)+",
        "cn-beijing",
        is_open=True,
    ),
    WizardQuestion(
        "zone",
        "Zone of the nodes, which has to have the instance type in stock",
        _usual_zone,
        on("edge", *NEW_NODES),
        pattern=r"[a-z]{2}(-[a-z0-9]+)+",
        like="cn-beijing-h",
    ),
    WizardQuestion(
        "vpc_id",
        "ID of the VPC",
        applies=on("own-vpc", "own-cluster"),
        pattern=r"vpc-[a-z0-9]+",
        like="vpc-2ze0a1b2c3d4e5f6g7h8i",
    ),
    WizardQuestion(
        "vswitch_id",
        "ID of its vSwitch for nodes, in the zone",
        applies=on("own-vpc", "own-cluster"),
        pattern=r"vsw-[a-z0-9]+",
        like="vsw-2ze0a1b2c3d4e5f6g7h8i",
    ),
    WizardQuestion(
        "pod_vswitch_id",
        "ID of its vSwitch for pods, in the zone",
        applies=on("own-vpc"),
        pattern=r"vsw-[a-z0-9]+",
        like="vsw-2ze0a1b2c3d4e5f6g7h8i",
    ),
    WizardQuestion(
        "cluster_id",
        "ID of the ACK cluster",
        applies=on("own-cluster"),
        pattern=r"c[a-z0-9]+",
        like="c0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    ),
    WizardQuestion(
        "present",
        "What the cluster has already, with commas between: knative, kserve, cert-manager, fluid; "
        "or none",
        _constant("none"),
        on("existing", "own-cluster"),
        pattern=rf"none|({'|'.join(PARTS)})(,({'|'.join(PARTS)}))*",
        like="knative,fluid or none",
    ),
    WizardQuestion(
        "card",
        "GPU card",
        lambda answers: "V100" if answers["on"] == "edge" else "A10",
        choices=served_cards,
    ),
    WizardQuestion(
        "instance_type",
        "ECS instance type of the nodes",
        _usual_type,
        on(*NEW_NODES),
        instance_types,
    ),
    WizardQuestion(
        "nodes",
        "Nodes with cards: a number, or bounds such as 0-4 between which they are added and "
        "removed",
        _constant("1-3"),
        on(*NEW_NODES),
        pattern=rf"{COUNT}|\d{{1,3}}-{COUNT}",
        like="2 or 0-4",
    ),
    WizardQuestion(
        "node_label",
        "Label that the nodes with cards, and no others, carry",
        _usual_label,
        on("existing"),
        pattern=r"[\w./-]+=[\w.-]+",
        like="nvidia.com/gpu.product=NVIDIA-A10",
    ),
    WizardQuestion(
        "node_gpus",
        "Cards of each of them",
        _constant("1"),
        on(*OWN_NODES),
        pattern=COUNT,
        like="1",
    ),
    WizardQuestion(
        "node_cpu",
        "CPUs that each of them offers to pods",
        _constant("30"),
        on(*OWN_NODES),
        pattern=COUNT,
        like="30",
    ),
    WizardQuestion(
        "node_memory",
        "Memory that each of them offers to pods",
        _constant("110Gi"),
        on(*OWN_NODES),
        pattern=QUANTITY,
        like="110Gi",
    ),
    WizardQuestion(
        "gpus",
        "Cards of one replica",
        _constant("1"),
        choices=_cards_of_a_replica,
    ),
    WizardQuestion(
        "files",
        "Whence the model comes: store, its files are in a bucket or file system; import, a Job "
        "loads them there from a hub; hub, each pod loads them from a hub",
        _constant("store"),
        choices=lambda _: ("store", "import", "hub"),
    ),
    WizardQuestion(
        "store",
        "Where files are kept: oss, a new bucket; oss-existing, a bucket that is there; nas, a new "
        "file system; claim, a PersistentVolumeClaim that is there",
        lambda answers: _stores(answers)[0],
        choices=_stores,
    ),
    WizardQuestion(
        "bucket",
        "Name of the bucket",
        _usual_bucket,
        lambda answers: answers["store"] in ("oss", "oss-existing"),
        pattern=r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        like="my-models",
    ),
    WizardQuestion(
        "bucket_region",
        "Region of the bucket",
        _constant("cn-beijing"),
        lambda answers: answers["on"] == "existing" and answers["store"] == "oss-existing",
        lambda _: [*NODES],
        r"[a-z]{2}(-[a-z0-9]+)+",
        "cn-beijing",
        is_open=True,
    ),
    WizardQuestion(
        "bucket_secret",
        "Name of the Secret with an AccessKey for the bucket, under akId and akSecret",
        _constant("oss-reader"),
        lambda answers: answers["on"] == "existing" and answers["store"] == "oss-existing",
        pattern=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?",
        like="oss-reader",
    ),
    WizardQuestion(
        "claim",
        "Name of the claim, in the models' namespace",
        _constant("llm-models"),
        lambda answers: answers["store"] == "claim",
        pattern=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?",
        like="llm-models",
    ),
    WizardQuestion(
        "hub",
        "Hub of the model",
        _usual_hub,
        lambda answers: answers["files"] != "store",
        lambda _: ("modelscope", "huggingface"),
    ),
    WizardQuestion(
        "model_id",
        "Model in the hub, owner and name",
        lambda answers: f"Qwen/{_usual_model(answers)[0]}",
        lambda answers: answers["files"] != "store",
        pattern=r"[\w.-]+/[\w.-]+",
        like=f"Qwen/{_SEVEN}",
    ),
    WizardQuestion(
        "revision",
        "Its revision: a commit stays the same, a branch does not",
        lambda answers: "master" if answers["hub"] == "modelscope" else "main",
        lambda answers: answers["files"] != "store",
        pattern=r"[\w./-]+",
        like="main",
    ),
    WizardQuestion(
        "path",
        "Folder of the model in the store",
        lambda answers: "/" + (answers.get("model_id") or _usual_model(answers)[0]).split("/")[-1],
        lambda answers: answers["files"] != "hub",
        pattern=r"/[^:\s]*",
        like=f"/{_SEVEN}",
    ),
    WizardQuestion(
        "size",
        "Size of its files",
        lambda answers: _usual_model(answers)[1],
        pattern=QUANTITY,
        like="15Gi",
    ),
    WizardQuestion(
        "cache",
        "Whether a copy is kept in the memory of nodes near the GPUs, by Fluid; not on edge, where "
        "machines do not reach each other",
        _constant("no"),
        lambda answers: answers["files"] != "hub" and answers["on"] != "edge",
        lambda _: ("no", "yes"),
    ),
    WizardQuestion(
        "cache_label",
        "Label that the nodes for the copy, and no others, carry",
        _constant("node-role.example.com/cache=true"),
        lambda answers: answers["on"] == "existing" and answers.get("cache") == "yes",
        pattern=r"[\w./-]+=[\w.-]+",
        like="node-role.example.com/cache=true",
    ),
    WizardQuestion(
        "name",
        "Name of the model, and of its service",
        _usual_name,
        pattern=r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        like="qwen",
    ),
    WizardQuestion(
        "image",
        "Image of vLLM, with a tag",
        _usual_image,
        pattern=r"[\w.-]+(:\d+)?(/[\w.-]+)*(:[\w.-]+)(@sha256:[0-9a-f]{64})?",
        like=IMAGE,
    ),
    WizardQuestion(
        "driver",
        "NVIDIA driver of the nodes, which the image's CUDA has to find",
        _constant("580.126.09"),
        lambda answers: (image := vllm_image(answers["image"])) is not None and image.cuda > 12,
        pattern=r"\d+\.\d+(\.\d+)?",
        like="580.126.09",
    ),
    WizardQuestion(
        "max_model_len",
        "Longest prompt and answer together, in tokens",
        _constant("8192"),
        pattern=r"[1-9]\d*",
        like="8192",
    ),
    WizardQuestion(
        "runtime",
        "What serves it: knative, scaled on requests and to zero; kserve, scaled on its queue or "
        "its GPU",
        lambda answers: "kserve" if answers["on"] == "edge" else "knative",
        choices=lambda _: [*SCALED_ON],
    ),
    WizardQuestion(
        "metric",
        "What it is scaled on",
        lambda answers: next(iter(SCALED_ON[answers["runtime"]])),
        choices=lambda answers: [*SCALED_ON[answers["runtime"]]],
    ),
    WizardQuestion(
        "target",
        "What one replica should have of it",
        lambda answers: SCALED_ON[answers["runtime"]][answers["metric"]],
        pattern=r"\d+(\.\d+)?",
        like="8",
    ),
    WizardQuestion(
        "prometheus",
        "Address of the Prometheus in the cluster",
        _constant("http://prometheus.monitoring.svc:9090"),
        lambda answers: answers["on"] == "existing" and answers["metric"] in MEASURED,
        pattern=r"https?://[^\s@]+",
        like="http://prometheus.monitoring.svc:9090",
    ),
    WizardQuestion("min", "Fewest replicas", _constant("1"), pattern=r"\d{1,3}", like="1"),
    WizardQuestion("max", "Most replicas", _constant("2"), pattern=COUNT, like="2"),
)
"""In the order in which they are asked."""
