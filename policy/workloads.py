"""Rules over Kubernetes objects: what they may hold, which images they run, where GPU pods go."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, TypeGuard

from components.args import MISSING, Fault, Words
from components.catalog.labels import GPU_RESOURCE
from plan.model import UNKNOWN, Marker, Plan, Resource
from plan.objects import Objects, section
from plan.pods import Pods, containers, pods_in, policies_of

from .cloud import Production
from .model import Finding, Settings

GPU_RESOURCES: Final = (GPU_RESOURCE, "nvidia.com/mig-*", "aliyun.com/gpu-*")
"""Patterns of what a container asks for to get a GPU, a slice of one, or a share of one."""

_RRSA_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "use-rrsa-to-authorize-pods-to-access-different-cloud-services"
)
_KEY_ID: Final = re.compile(r"(?<![A-Za-z0-9])LTAI[A-Za-z0-9]{12,26}(?![A-Za-z0-9])")
_KEY_NAME: Final = re.compile(
    r"(.*accesskey(id|secret)?|ak(id|secret)|(alicloud|alibabacloud)secretkey)"
)
"""Names of fields that hold a key, without punctuation: `akSecret`, `fs.oss.accessKeyId`."""
_KEY_IN_TEXT: Final = re.compile(
    r"""\b(access[-_.]?key[-_.]?(id|secret)|ak[-_.]?(id|secret))["']?\s*[:=]\s*["']?[^\s"'$<{%]""",
    re.IGNORECASE,
)
"""A key given in a file or on a command line, but no reference such as `${KEY}`."""
_TAG_KEYS: Final = ("tag", "imageTag")
_RUNTIMES: Final = ("ServingRuntime", "ClusterServingRuntime")
"""Templates of KServe: a model that uses one says where its pods go."""


class Images(Settings):
    """Which tags of images move."""

    moving_tags: list[str] = [
        *("latest", "*-latest", "latest-*", "nightly*", "*-nightly", "stable", "edge", "canary"),
        *("main", "master", "head", "dev", "develop", "snapshot"),
    ]
    """Patterns of tags that stand for another image later. Default: those of branches and days."""

    def moves(self, tag: str) -> bool:
        """Whether a tag may stand for another image tomorrow; none is `latest`."""
        return not tag or any(fnmatchcase(tag.lower(), pattern) for pattern in self.moving_tags)


def access_keys(plan: Plan, _: Settings) -> Iterator[Finding]:
    """AccessKeys in objects, whose values no sentence shows."""
    why = "whoever may read the object can use it; RRSA gives pods their rights without a key"
    for resource in _kubernetes(plan):
        for path, name, text in _texts(resource.inputs):
            if (what := _key_in(resource, path, name, text)) is not None:
                yield resource, Fault(path, Words(what), "left out", why, _RRSA_DOCS)


def _key_in(resource: Resource, path: str, name: str, text: str) -> str | None:
    """What of an AccessKey a text is."""
    if text == UNKNOWN or not text:
        return None
    encoded = resource.inputs.get("kind") == "Secret" and path.startswith("data.")
    if _KEY_ID.search(_decoded(text) if encoded else text):
        return "an AccessKey ID"
    if _KEY_NAME.fullmatch(re.sub(r"[^a-z]", "", name.lower())):
        return "an AccessKey"
    return "a text with an AccessKey" if _KEY_IN_TEXT.search(text) else None


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode(errors="replace")
    except (binascii.Error, ValueError):
        return text


def moving_images(plan: Plan, settings: Images) -> Iterator[Finding]:
    """Images that may be others tomorrow."""
    want = "one that stays: a digest (@sha256:...) or the tag of a release"
    why = "replicas would differ by the day they start, and a rollback would bring nothing back"
    pods = pods_in(plan)
    for resource in _kubernetes(plan):
        for path, got, tag in _tags(resource, pods.get(resource.urn, ())):
            if settings.moves(tag):
                yield resource, Fault(path, got, want, why)


def _tags(resource: Resource, pods: Sequence[Pods]) -> Iterator[tuple[str, str, str]]:
    """What names an image without a digest: its path, what stands there, and the tag in it.

    Containers name one by itself; charts and custom resources often keep the tag beside it.
    """
    images = [
        (f"{path}.image", container.get("image"))
        for group in pods
        for path, container in containers(group)
    ]
    for path, image in images:
        if _is_by_tag(image):
            yield path, image, _tag_of(image)
    for path, name, text in () if pods else _texts(resource.inputs):
        if name == "image" and _is_by_tag(text) and _tag_of(text):
            yield path, text, _tag_of(text)
        elif name in _TAG_KEYS and _is_by_tag(text) and text:
            yield path, text, text


def _is_by_tag(image: object) -> TypeGuard[str]:
    return isinstance(image, str) and not isinstance(image, Marker) and "@" not in image


def _tag_of(image: str) -> str:
    return image.rpartition("/")[2].partition(":")[2]


def gpu_pods_without_priority(plan: Plan, settings: Production) -> Iterator[Finding]:
    """Pods that compete for GPUs without a priority.

    Only where somebody has one: in production, or in a stack that declares PriorityClasses.
    """
    if not settings.covers(plan.stack) and not plan.manifests("PriorityClass"):
        return
    for resource, pods in _gpu_pods(plan):
        if not pods.spec.get("priorityClassName"):
            want = "the name of a PriorityClass"
            why = "pods with a priority preempt those without, and GPUs are what they compete for"
            yield resource, Fault(f"{pods.path}.priorityClassName", MISSING, want, why)


def gpu_pods_without_placement(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Pods that may land on any GPU."""
    objects = Objects(plan.manifests())
    for resource, pods in _gpu_pods(plan):
        if not _names_its_nodes(pods) and not policies_of(objects, pods):
            want = "given, or required node affinity, or a ResourcePolicy that selects the pods"
            why = "otherwise they land on any GPU, the dearest or one that cannot hold the model"
            yield resource, Fault(f"{pods.path}.nodeSelector", MISSING, want, why)


def _names_its_nodes(pods: Pods) -> bool:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = section(pods.spec, "affinity", "nodeAffinity")
    return bool(
        pods.spec.get("nodeSelector") or pods.spec.get("nodeName") or affinity.get(required)
    )


def _gpu_pods(plan: Plan) -> Iterator[tuple[Resource, Pods]]:
    all_pods = pods_in(plan)
    for resource in plan.resources:
        if resource.inputs.get("kind") not in _RUNTIMES:
            for pods in all_pods.get(resource.urn, ()):
                if any(_asks_for_gpu(container) for _, container in containers(pods)):
                    yield resource, pods


def _asks_for_gpu(container: Mapping[str, Any]) -> bool:
    return any(
        fnmatchcase(name, pattern) and not isinstance(amount, Marker) and str(amount) != "0"
        for part in ("limits", "requests")
        for name, amount in section(container, "resources", part).items()
        for pattern in GPU_RESOURCES
    )


def _kubernetes(plan: Plan) -> Iterator[Resource]:
    """Objects and Helm releases."""
    return (resource for resource in plan.resources if resource.type.startswith("kubernetes:"))


def _texts(value: object, path: str = "", name: str = "") -> Iterator[tuple[str, str, str]]:
    """Every text with its path and its name: its key, or the `name` beside a `value`."""
    if isinstance(value, str):
        yield path, name, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            called = item.get("name", number) if isinstance(item, Mapping) else number
            yield from _texts(item, f"{path}[{called}]", name)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            called = value.get("name", key) if key == "value" else key
            yield from _texts(inner, f"{path}.{key}" if path else key, str(called))
