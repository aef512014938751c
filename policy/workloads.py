"""Rules over Kubernetes objects: what they may hold, which images they run, where GPU pods go."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, TypeGuard

from components.args import MISSING, Fault, Words
from components.catalog.labels import GPU_RESOURCE
from components.secret_forms import is_secret, is_secret_name, is_secret_value
from components.serving.secrets import secret_word_faults
from plan.model import SECRET, UNKNOWN, Marker, Plan, Resource
from plan.objects import Objects, items, kind_of, section, text_of, texts_of
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


_MODERATION: Final = "ACKTrafficFilter"


def _key_in(resource: Resource, path: str, name: str, text: str) -> str | None:
    """What of an AccessKey a text is."""
    if text == UNKNOWN or not text:
        return None
    if resource.inputs.get("kind") == _MODERATION and path.startswith("spec.aiContentSecurity."):
        # The pack is sent secrets in clear, so that it cannot tell; one that is no secret of the
        # engine's is refused when the object is made. ACK reads them nowhere else.
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


def plain_secrets(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Keys and passwords that stand in a pod or a ConfigMap, whose values no sentence shows."""
    want = "in a Secret, which secretKeyRef or a volume names"
    why = "whoever may read the object can use it"
    pods = pods_in(plan)
    for resource in _kubernetes(plan):
        places = [
            place
            for group in pods.get(resource.urn, ())
            for path, container in containers(group)
            for place in _secrets_of(path, container)
        ]
        if resource.inputs.get("kind") == "ConfigMap":
            data = section(resource.inputs, "data")
            places += [
                (f"data.{key}", key, text)
                for key, text in data.items()
                if isinstance(text, str) and _is_plain_secret(key, text)
            ]
        for path, name, text in places:
            if _key_in(resource, path, name, text) is None:  # Another rule says that.
                yield resource, Fault(path, Words("a secret in plain"), want, why)


def _secrets_of(path: str, container: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Secrets of a container, each with its path, its name and its value."""
    for variable in items(container, "env"):
        name, value = str(variable.get("name")), variable.get("value")
        if isinstance(value, str) and _is_plain_secret(name, value):
            yield f"{path}.env[{name}].value", name, value
    for part in ("command", "args"):
        words = texts_of(container, part)
        for number, word in enumerate(words):
            if _is_program(word) and is_secret_value(word):
                yield f"{path}.{part}[{number}]", "", word
        read = ["" if _is_program(word) else word for word in words]
        for fault in secret_word_faults(f"{path}.{part}", read):
            number = int(fault.field.rpartition("[")[2].rstrip("]"))
            yield fault.field, "", words[number]


def _is_program(word: str) -> bool:
    """Whether a word is a program of several lines, whose names are not those of flags."""
    return "\nimport " in word or word.startswith("import ")


def _is_plain_secret(name: str, value: str) -> bool:
    if isinstance(value, Marker):
        return value == SECRET and is_secret_name(name)
    return is_secret(name, value) or is_secret_value(value)


# https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline, read 2026-11
_CAPABILITIES: Final = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
    *("NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
_OF_THE_NODE: Final = ("hostNetwork", "hostPID", "hostIPC")


class ContainerCapabilities(Settings):
    """What containers may be given beyond the standard."""

    capabilities: list[str] = ["IPC_LOCK"]
    """Capabilities beside those of the baseline. Default IPC_LOCK, which RDMA needs to pin memory.
    """


def pods_on_the_node(plan: Plan, settings: ContainerCapabilities) -> Iterator[Finding]:
    """Pods that reach beyond their containers: what the baseline of Kubernetes refuses."""
    why = "whoever gets into the container has the node, and all pods on it"
    pods = pods_in(plan)
    for resource in plan.resources:
        for group in pods.get(resource.urn, ()):
            for field in _OF_THE_NODE:
                if group.spec.get(field) is True:
                    yield resource, Fault(f"{group.path}.{field}", True, "left out", why)
            for volume in items(group.spec, "volumes"):
                if "hostPath" in volume:
                    field = f"{group.path}.volumes[{volume.get('name')}].hostPath"
                    want = "left out, and another kind of volume"
                    yield resource, Fault(field, Words("given"), want, why)
            for path, container in containers(group):
                for fault in _beyond(path, container, settings):
                    yield resource, Fault(*fault, why)


def _beyond(
    path: str, container: Mapping[str, Any], settings: ContainerCapabilities
) -> Iterator[tuple[str, object, str]]:
    context = section(container, "securityContext")
    if context.get("privileged") is True:
        yield f"{path}.securityContext.privileged", True, "left out"
    if context.get("procMount") == "Unmasked":
        yield f"{path}.securityContext.procMount", "Unmasked", "left out"
    allowed = {*_CAPABILITIES, *settings.capabilities, UNKNOWN}
    added = texts_of(section(context, "capabilities"), "add")
    beyond = [name for name in added if name not in allowed]
    if beyond:
        want = f"some of {', '.join(sorted({*_CAPABILITIES, *settings.capabilities}))}"
        yield f"{path}.securityContext.capabilities.add", beyond, want
    for port in items(container, "ports"):
        if port.get("hostPort"):
            yield f"{path}.ports[{port.get('name', 0)}].hostPort", port["hostPort"], "left out"


def root_by_choice(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Containers that are told to run as root, or that may become it.

    What an image does by itself is not seen: those of vLLM run as root.
    """
    why = "what gets out of the container is root on the node"
    pods = pods_in(plan)
    for resource in plan.resources:
        for group in pods.get(resource.urn, ()):
            for path, holder in [(group.path, group.spec), *containers(group)]:
                context = section(holder, "securityContext")
                for field, bad in (("runAsUser", 0), ("allowPrivilegeEscalation", True)):
                    if context.get(field) is not None and context[field] == bad:
                        place = f"{path}.securityContext.{field}"
                        want = "left out, or another user" if bad == 0 else "False"
                        yield resource, Fault(place, context[field], want, why)


_ROLES: Final = ("Role", "ClusterRole")
_BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
_ANYBODY: Final = ("system:anonymous", "system:unauthenticated", "system:authenticated")


def open_roles(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Roles that grant everything, and bindings that hand one to whoever asks."""
    for resource in plan.resources:
        manifest = resource.manifest
        if manifest is None or kind_of(manifest)[0] != "rbac.authorization.k8s.io":
            continue
        for number, rule in enumerate(items(manifest, "rules")):
            for field in ("verbs", "resources"):
                if manifest["kind"] in _ROLES and "*" in texts_of(rule, field):
                    want = f"the {field} that are needed"
                    why = "whoever has the role reads every Secret, or does anything to what it has"
                    yield resource, Fault(f"rules[{number}].{field}", "*", want, why)
        if manifest["kind"] not in _BINDINGS:
            continue
        if text_of(section(manifest, "roleRef"), "name") == "cluster-admin":
            why = "cluster-admin may do everything"
            yield resource, Fault("roleRef.name", "cluster-admin", "a role of its own", why)
        for number, subject in enumerate(items(manifest, "subjects")):
            if (name := text_of(subject, "name")) in _ANYBODY:
                field = f"subjects[{number}].name"
                yield resource, Fault(field, name, "who needs it", "everybody would have the role")
