"""What the wizard asks: one row per question, which is a flag of the command line too.

A row says when it is asked, what may be answered, and what is taken by default, from the answers
before it. Tables of the catalogue say which cards, instance types and regions there are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.catalog.gpus import GPUS, Gpu, same_card
from components.catalog.instances import INSTANCES
from components.catalog.model_shapes import known_length
from components.catalog.prices import NODES
from components.catalog.regions import is_mainland
from components.catalog.vllm import LEAST_CAPABILITY, V100_CAPABILITY, vllm_image
from components.names import (
    CLUSTER_ID,
    DNS_1035_LABEL,
    DNS_1123_SUBDOMAIN,
    DRIVER_VERSION,
    OSS_BUCKET,
    VPC,
    VSWITCH,
    Form,
    dashed,
)

Answers = Mapping[str, str]
"""By question, what was answered."""

NEW_NODES: Final = ("pro", "own-vpc", "own-cluster")
"""Grounds on which the stack creates nodes with cards."""
OWN_NODES: Final = ("edge", "existing")
"""Grounds on which the nodes with cards are there."""
_COUNT: Final = r"[1-9]\d{0,2}"
COUNT: Final = Form(_COUNT, "a number from 1 to 999", 3)
COUNT_OR_ZERO: Final = Form(rf"0|{_COUNT}", "a number from 0 to 999", 3)
NODES_OR_BOUNDS: Final = Form(
    rf"{_COUNT}|(0|{_COUNT})-{_COUNT}",
    "a number from 1 to 999, or two with '-' between, such as 0-4",
    7,
)
TOKENS: Final = Form(
    r"[1-9]\d{0,8}|[1-9]\d{0,4}[kKmM]",
    "a number of at most nine digits, 1 or more, or one such as 8k (8000) or 8K (8192)",
    9,
)
USUAL_LENGTH: Final = 8192
"""Longest sequence of a model, unless it has fewer by its name."""
NUMBER: Final = Form(r"\d{1,6}(\.\d{1,6})?", "a number such as 8 or 0.5", 13)
SIZE: Final = Form(r"\d{1,6}(\.\d{1,3})?(Mi|Gi|Ti)", "a size with its unit, such as 15Gi", 12)
LABEL: Final = Form(r"[\w./-]+=[\w.-]+", "a label and its value, such as example.com/pool=gpu", 380)
REGION_OR_ZONE: Final = Form(
    r"[a-z]{2}(-[a-z0-9]+)+", "an ID such as cn-beijing, or of a zone, such as cn-beijing-h", 40
)
FOLDER: Final = Form(r"/[^:\s]*", "a folder from the root, such as /Qwen2.5-7B-Instruct", 1000)
HUB_MODEL: Final = Form(
    r"[\w.-]+/[\w.-]+", "its owner and its name, such as Qwen/Qwen2.5-7B-Instruct", 200
)
REVISION: Final = Form(r"[\w./-]+", "a branch, a tag or a commit, such as main", 200)
IMAGE_WITH_TAG: Final = Form(
    r"[\w.-]+(:\d+)?(/[\w.-]+)*(:[\w.-]+)(@sha256:[0-9a-f]{64})?",
    "an image with a tag, such as docker.io/vllm/vllm-openai:v0.19.0",
    500,
)
HTTP_ADDRESS: Final = Form(
    r"https?://[^\s@]+", "an address such as http://prometheus.monitoring.svc:9090", 500
)
WORD: Final = Form(r"\S+", "one word", 500)
PARTS: Final = ("knative", "kserve", "cert-manager", "fluid")
"""Parts of the platform that a cluster may have already."""
PRESENT: Final = Form(
    rf"none|({'|'.join(PARTS)})( *, *({'|'.join(PARTS)}))*",
    f"none, or some of {', '.join(PARTS)} with commas between",
    60,
)
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
    form: Form = WORD
    """Which answers there are; not where all are choices."""
    like: str = ""
    """An answer of the form, where there is no default: it stands for one that is not there yet."""
    is_open: bool = False
    """Whether other answers of the form are taken beside the choices."""
    meant: Callable[[str, Sequence[str]], str | None] = lambda answer, _: answer
    """What an answer means of some choices, where people write it otherwise too; None if nothing
    does."""

    @property
    def flag(self) -> str:
        """The flag."""
        return "--" + self.name.replace("_", "-")

    def spelled(self, answer: str, answers: Answers) -> str:
        """An answer as the choice or the form is written that it means; any other as it is."""
        choices = self.choices(answers)
        same = (choice for choice in choices if choice.lower() == answer.lower())
        return next(same, None) or self.meant(answer, choices) or answer

    def fault(self, answer: str, answers: Answers) -> str:
        """What is wrong with an answer, as a sentence; empty if nothing is."""
        choices = self.choices(answers)
        if answer in choices:
            return ""
        if choices and not self.is_open:
            return f"{self.flag} is {answer!r}, but it must be one of {', '.join(choices)}."
        if not answer:
            return f"{self.flag} is missing, but it must be given: {self.text}."
        if not self.form.allows(answer):
            return f"{self.flag} is {answer!r}, but it must be {self.form.want}."
        return ""

    def prompt(self, answers: Answers) -> str:
        """The question with what may be answered, a line for each choice that is explained."""
        choices = self.choices(answers)
        title, _, kinds = self.text.partition(": ")
        if not choices:
            return self.text
        if not kinds:
            more = ", or another" if self.is_open else ""
            return f"{self.text} ({', '.join(choices)}{more})"
        lines = [kind for kind in kinds.split("; ") if kind.partition(",")[0] in choices]
        return "\n".join([f"{title}:", *(f"  {line}" for line in lines)])


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


def _types_of_the_card(answers: Answers) -> list[str]:
    return [name for name, instance in INSTANCES.items() if instance.gpu == answers["card"]]


def instance_types(answers: Answers) -> Sequence[str]:
    """Types that have the cards: those that the price list of the region has, or else all."""
    cards = int(answers["gpus"])
    types = [name for name in _types_of_the_card(answers) if INSTANCES[name].gpus >= cards]
    listed = [name for name in types if name in NODES.get(answers["region"], {})]
    return listed or types


def _usual_type(answers: Answers) -> str:
    """The smallest with memory for twice the cards'; else the largest of those with the fewest."""
    types = instance_types(answers)
    need = 2 * card_of(answers).memory_gib * int(answers["gpus"])
    fewest = min(INSTANCES[name].gpus for name in types)
    few = [name for name in types if INSTANCES[name].gpus == fewest]
    roomy = [name for name in few if INSTANCES[name].memory_gib >= need]
    if roomy:
        return min(roomy, key=lambda name: INSTANCES[name].memory_gib)
    return max(few, key=lambda name: INSTANCES[name].memory_gib)


def _cards_of_a_node(answers: Answers) -> int:
    """The most that a node can have."""
    if answers["on"] in OWN_NODES:
        return int(answers["node_gpus"])
    return max(INSTANCES[name].gpus for name in _types_of_the_card(answers))


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


def _usual_max(answers: Answers) -> str:
    return str(max(2, int(answers["min"])))


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
        REGION_OR_ZONE,
        is_open=True,
    ),
    WizardQuestion(
        "zone",
        "Zone of the nodes, which has to have the instance type in stock",
        _usual_zone,
        on("edge", *NEW_NODES),
        form=REGION_OR_ZONE,
    ),
    WizardQuestion(
        "vpc_id",
        "ID of the VPC",
        applies=on("own-vpc", "own-cluster"),
        form=VPC,
        like="vpc-2ze0a1b2c3d4e5f6g7h8i",
    ),
    WizardQuestion(
        "vswitch_id",
        "ID of its vSwitch for nodes, in the zone",
        applies=on("own-vpc", "own-cluster"),
        form=VSWITCH,
        like="vsw-2ze0a1b2c3d4e5f6g7h8i",
    ),
    WizardQuestion(
        "pod_vswitch_id",
        "ID of its vSwitch for pods, in the zone",
        applies=on("own-vpc"),
        form=VSWITCH,
        like="vsw-2ze0a1b2c3d4e5f6g7h8i",
    ),
    WizardQuestion(
        "cluster_id",
        "ID of the ACK cluster",
        applies=on("own-cluster"),
        form=CLUSTER_ID,
        like="c0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    ),
    WizardQuestion(
        "present",
        "What the cluster has already, with commas between: knative, kserve, cert-manager, fluid; "
        "or none",
        _constant("none"),
        on("existing", "own-cluster"),
        form=PRESENT,
        meant=lambda answer, _: answer.lower(),
    ),
    WizardQuestion(
        "card",
        "GPU card",
        lambda answers: "V100" if answers["on"] == "edge" else "A10",
        choices=served_cards,
        meant=lambda answer, cards: same_card(answer, {name: GPUS[name] for name in cards}),
    ),
    WizardQuestion(
        "node_label",
        "Label that the nodes with cards, and no others, carry",
        _usual_label,
        on("existing"),
        form=LABEL,
    ),
    WizardQuestion(
        "node_gpus",
        "Cards of each of them",
        _constant("1"),
        on(*OWN_NODES),
        form=COUNT,
    ),
    WizardQuestion(
        "node_cpu",
        "CPUs that each of them offers to pods",
        _constant("30"),
        on(*OWN_NODES),
        form=COUNT,
    ),
    WizardQuestion(
        "node_memory",
        "Memory that each of them offers to pods",
        _constant("110Gi"),
        on(*OWN_NODES),
        form=SIZE,
    ),
    WizardQuestion(
        "gpus",
        "Cards of one replica",
        _constant("1"),
        choices=_cards_of_a_replica,
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
        form=NODES_OR_BOUNDS,
        # A plan has 0..4.
        meant=lambda answer, _: re.sub(r"\s*(\.\.|~|-)\s*", "-", answer),
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
        form=OSS_BUCKET,
        like="my-models",
    ),
    WizardQuestion(
        "bucket_region",
        "Region of the bucket",
        _constant("cn-beijing"),
        lambda answers: answers["on"] == "existing" and answers["store"] == "oss-existing",
        lambda _: [*NODES],
        REGION_OR_ZONE,
        is_open=True,
    ),
    WizardQuestion(
        "bucket_secret",
        "Name of the Secret with an AccessKey for the bucket, under akId and akSecret",
        _constant("oss-reader"),
        lambda answers: answers["on"] == "existing" and answers["store"] == "oss-existing",
        form=DNS_1123_SUBDOMAIN,
    ),
    WizardQuestion(
        "claim",
        "Name of the claim, in the models' namespace",
        _constant("llm-models"),
        lambda answers: answers["store"] == "claim",
        form=DNS_1123_SUBDOMAIN,
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
        form=HUB_MODEL,
    ),
    WizardQuestion(
        "revision",
        "Its revision: a commit stays the same, a branch does not",
        lambda answers: "master" if answers["hub"] == "modelscope" else "main",
        lambda answers: answers["files"] != "store",
        form=REVISION,
    ),
    WizardQuestion(
        "path",
        "Folder of the model in the store",
        lambda answers: "/" + (answers.get("model_id") or _usual_model(answers)[0]).split("/")[-1],
        lambda answers: answers["files"] != "hub",
        form=FOLDER,
    ),
    WizardQuestion(
        "size",
        "Size of its files",
        lambda answers: _usual_model(answers)[1],
        form=SIZE,
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
        form=LABEL,
    ),
    WizardQuestion(
        "name",
        "Name of the model, and of its service",
        _usual_name,
        form=DNS_1035_LABEL,
    ),
    WizardQuestion(
        "image",
        "Image of vLLM, with a tag",
        _usual_image,
        form=IMAGE_WITH_TAG,
    ),
    WizardQuestion(
        "driver",
        "NVIDIA driver of the nodes, which the image's CUDA has to find",
        _constant("580.126.09"),
        lambda answers: (image := vllm_image(answers["image"])) is not None and image.cuda > 12,
        form=DRIVER_VERSION,
    ),
    WizardQuestion(
        "max_model_len",
        "Longest prompt and answer together, in tokens",
        lambda answers: str(
            min(USUAL_LENGTH, known_length(answers.get("model_id", "")) or USUAL_LENGTH)
        ),
        form=TOKENS,
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
        form=NUMBER,
    ),
    WizardQuestion(
        "prometheus",
        "Address of the Prometheus in the cluster",
        _constant("http://prometheus.monitoring.svc:9090"),
        lambda answers: answers["on"] == "existing" and answers["metric"] in MEASURED,
        form=HTTP_ADDRESS,
    ),
    WizardQuestion("min", "Fewest replicas", _constant("1"), form=COUNT_OR_ZERO),
    WizardQuestion("max", "Most replicas", _usual_max, form=COUNT),
)
"""In the order in which they are asked."""
