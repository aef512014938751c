"""A live cluster at one moment, read with `list` alone: one request per kind, however many models.

A kind that the API server does not serve is `absent`; one that the kubeconfig may not list is
`unread`, with what the API server says, after each namespace of the stack was tried by itself.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import requests
import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_kube_config
from requests import codes

from plan.objects import Manifest, Objects, grouped, items, section, texts_of
from plan.refused import Refused

from .messages import text

TIMEOUT_SECONDS: Final = 20
LOG_LINES: Final = 200
AT_ONCE: Final = 8
"""Requests that run side by side."""


class Unanswered(Exception):
    """The API server's answer to a request that it did not carry out."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}" if code else reason)
        self.code = code
        self.reason = reason


class Kind(NamedTuple):
    """A kind of object that says something of a model."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def key(self) -> tuple[str, str]:
        """Group and kind."""
        return self.group, self.kind

    @property
    def path(self) -> str:
        """Path of the API server below which its objects are."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


KINDS: Final[Sequence[Kind]] = (
    Kind("", "v1", "namespaces", "Namespace", False),
    Kind("", "v1", "nodes", "Node", False),
    Kind("", "v1", "persistentvolumes", "PersistentVolume", False),
    Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Kind("", "v1", "pods", "Pod"),
    Kind("", "v1", "events", "Event"),
    Kind("apps", "v1", "deployments", "Deployment"),
    Kind("apps", "v1", "replicasets", "ReplicaSet"),
    Kind("apps", "v1", "statefulsets", "StatefulSet"),
    Kind("batch", "v1", "jobs", "Job"),
    Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Kind("autoscaling.k8s.io", "v1", "verticalpodautoscalers", "VerticalPodAutoscaler"),
    Kind("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject"),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress"),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    Kind("gateway.networking.k8s.io", "v1", "gateways", "Gateway"),
    Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute"),
    Kind("inference.networking.k8s.io", "v1", "inferencepools", "InferencePool"),
    Kind("inference.networking.x-k8s.io", "v1alpha2", "inferencepools", "InferencePool"),
    Kind("cert-manager.io", "v1", "certificates", "Certificate"),
    Kind("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False),
    Kind("scheduling.alibabacloud.com", "v1alpha1", "resourcepolicies", "ResourcePolicy"),
    Kind("data.fluid.io", "v1alpha1", "datasets", "Dataset"),
    Kind("data.fluid.io", "v1alpha1", "jindoruntimes", "JindoRuntime"),
    Kind("data.fluid.io", "v1alpha1", "dataloads", "DataLoad"),
    Kind("serving.knative.dev", "v1", "services", "Service"),
    Kind("serving.knative.dev", "v1", "revisions", "Revision"),
    Kind("autoscaling.internal.knative.dev", "v1alpha1", "podautoscalers", "PodAutoscaler"),
    Kind("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService"),
    Kind("serving.kserve.io", "v1alpha2", "llminferenceservices", "LLMInferenceService"),
    Kind("kueue.x-k8s.io", "v1beta2", "localqueues", "LocalQueue"),
    Kind("leaderworkerset.x-k8s.io", "v1", "leaderworkersets", "LeaderWorkerSet"),
    Kind("workloads.x-k8s.io", "v1alpha2", "rolebasedgroups", "RoleBasedGroup"),
)
"""Everything that is read; `doctor --rbac` prints the rights for it."""
ADOPTED: Final = (
    Kind("", "v1", "services", "Service"),
    Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"),
)
"""What `adopt` reads beside; `doctor --rbac` prints the rights for it too."""


@dataclass(frozen=True)
class LiveCluster:
    """What a cluster has."""

    objects: Objects
    now: datetime
    """By the clock of its API server."""
    absent: frozenset[tuple[str, str]] = frozenset()
    """Group and kind of what it does not know."""
    unread: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Group and kind of what may not be listed, and what the API server says."""
    hidden: frozenset[tuple[str, str, str]] = frozenset()
    """Group, kind and namespace of the same; the namespace is empty where it is all of them."""
    partly: frozenset[tuple[str, str]] = frozenset()
    """Group and kind of what was listed in the stack's namespaces alone."""

    def sees(self, group: str, kind: str, namespace: str = "") -> bool:
        """Whether an object that is not there would have been seen."""
        return self.hidden.isdisjoint({(group, kind, ""), (group, kind, namespace)})

    @cached_property
    def _events(self) -> Mapping[tuple[str, str, str], Sequence[Manifest]]:
        return grouped(self.objects.of("", "Event"), _about)

    def events(self, kind: str, namespace: str, name: str) -> Sequence[Manifest]:
        """Events of an object, the latest first."""
        return sorted(self._events.get((kind, namespace, name), ()), key=last_seen, reverse=True)

    def warning(self, kind: str, namespace: str, name: str, *reasons: str) -> Manifest | None:
        """The latest warning of an object, for one of some reasons if any are named."""
        for event in self.events(kind, namespace, name):
            if event.get("type") == "Warning" and (not reasons or event.get("reason") in reasons):
                return event
        return None

    @cached_property
    def certificates(self) -> Mapping[str, Sequence[Manifest]]:
        """Certificates by the hosts that they are for."""
        hosts: dict[str, list[Manifest]] = {}
        for certificate in self.objects.of("cert-manager.io", "Certificate"):
            for host in texts_of(section(certificate, "spec"), "dnsNames"):
                hosts.setdefault(host, []).append(certificate)
        return hosts

    @cached_property
    def _owned(self) -> Mapping[str, Sequence[Manifest]]:
        owners: dict[str, list[Manifest]] = {}
        for manifest in self.objects:
            for owner in section(manifest, "metadata").get("ownerReferences") or ():
                owners.setdefault(str(owner.get("uid")), []).append(manifest)
        return owners

    def owned(self, manifest: Manifest, kind: str) -> Sequence[Manifest]:
        """Objects of a kind that another one has made."""
        uid = str(section(manifest, "metadata").get("uid"))
        return [child for child in self._owned.get(uid, ()) if child["kind"] == kind]


def _about(event: Manifest) -> tuple[str, str, str]:
    about = section(event, "involvedObject")
    return str(about.get("kind")), str(about.get("namespace", "")), str(about.get("name"))


def last_seen(event: Manifest) -> str:
    """When an event was last seen; a time as text, which sorts as it passes."""
    series = section(event, "series").get("lastObservedTime")
    first = section(event, "metadata").get("creationTimestamp")
    return str(series or event.get("lastTimestamp") or event.get("eventTime") or first or "")


class Connection:
    """Asks an API server as a kubeconfig says it; nothing is ever written."""

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        """Reads a kubeconfig; asks nothing yet.

        Args:
            kubeconfig: File with the address of the cluster; it may run a program for a token.
            context: Context of the file; None for its current one.

        Raises:
            Refused: The file is of no use.
        """
        self.kubeconfig = kubeconfig
        if not kubeconfig.is_file():
            raise Refused("The kubeconfig", f"{kubeconfig} does not exist.")
        if context and (names := _contexts(kubeconfig)) and context not in names:
            has = ", ".join(names)
            raise Refused(
                "The kubeconfig", f"{kubeconfig}: it has no context {context}, but {has}."
            )
        options = Configuration()
        words = _Words()
        logging.getLogger().addHandler(words)
        try:
            load_kube_config(  # type: ignore[no-untyped-call]
                str(kubeconfig), context, options, persist_config=False
            )
        except (ConfigException, yaml.YAMLError, OSError) as error:
            raise Refused("The kubeconfig", f"{kubeconfig} is of no use: {_line(error)}") from None
        except (ValueError, TypeError, AttributeError, KeyError):
            why = (
                f"{kubeconfig} has not the form of a kubeconfig: clusters, contexts and users, "
                "each a list of a name and what it stands for. A user has a token, a certificate "
                "or exec; auth-provider is of no use any more."
            )
            raise Refused("The kubeconfig", why) from None
        finally:
            logging.getLogger().removeHandler(words)
        if words.said:
            why = f"{kubeconfig}: the program that it runs for a token gives none: {words.said[0]}."
            raise Refused("The kubeconfig", why)
        self.address = str(options.host)
        self._has_answered = False
        """Once it has, silence means that it is slow, and before that it is away."""
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = options.ssl_ca_cert or bool(options.verify_ssl)
        if options.cert_file and options.key_file:
            self._session.cert = (options.cert_file, options.key_file)
        if options.proxy:
            self._session.proxies = {"https": options.proxy}
        settings: Mapping[str, Any] = options.auth_settings()
        for setting in settings.values():
            self._session.headers[setting["key"]] = setting["value"]

    def get(self, path: str) -> requests.Response:
        """An answer.

        Raises:
            Unanswered: The API server answers, but not with that.
            Refused: It cannot be reached, or does not accept who asks.
        """
        try:
            answer = self._session.get(
                f"{self.address}{path}", timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except (requests.RequestException, OSError) as error:
            is_slow = isinstance(error, requests.Timeout) or _is_silence(error)
            if self._has_answered and is_slow:
                raise Unanswered(0, f"nothing for {TIMEOUT_SECONDS} s") from None
            raise Refused("The cluster", _unreachable(self.address, error)) from None
        self._has_answered = True
        if answer.status_code == codes.unauthorized:
            why = (
                f"{self.address} does not accept the credentials of {self.kubeconfig}: they have "
                "expired, or belong to another cluster. Fetch the kubeconfig anew."
            )
            raise Refused("The cluster", why)
        if not answer.ok:
            raise Unanswered(answer.status_code, answer.reason)
        return answer

    def list(self, kind: Kind, namespace: str | None = None) -> tuple[list[Manifest], datetime]:
        """All objects of a kind, and the time by the API server's clock."""
        where = f"/namespaces/{namespace}" if namespace else ""
        answer = self.get(f"{kind.path}{where}/{kind.plural}")
        version = f"{kind.group}/{kind.version}" if kind.group else kind.version
        typed = {"apiVersion": version, "kind": kind.kind}
        try:
            manifests: list[Manifest] = [
                {**typed, **entry} for entry in answer.json().get("items") or ()
            ]
        except (ValueError, AttributeError, TypeError):
            why = f"{not_an_api_server(self.address)}."
            raise Refused("The cluster", why) from None
        return manifests, _time(answer)

    def log(self, pod: Manifest, container: str) -> str:
        """The last words of a container that has ended; empty if they cannot be had.

        One that was started anew has its own by now: asked for are those before.
        """
        about = section(pod, "metadata")
        again = any(
            entry.get("name") == container and entry.get("restartCount")
            for key in ("initContainerStatuses", "containerStatuses")
            for entry in items(section(pod, "status"), key)
        )
        where = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}/log"
        try:
            return self.get(
                f"{where}?container={container}&previous={str(again).lower()}&tailLines={LOG_LINES}"
            ).text
        except (Unanswered, Refused):
            return ""


class _Words(logging.Handler):
    """What the library for kubeconfigs says of a program that fails: it logs it, and goes on."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a sentence, without what looks like a credential."""
        self.said.append(text(record.getMessage()))


@dataclass
class _Answer:
    kind: Kind
    manifests: list[Manifest] = field(default_factory=list)
    now: datetime | None = None
    absent: bool = False
    unread: str = ""
    partly: bool = False
    hidden: Sequence[str] = ()
    """Namespaces in which it may not be listed; an empty one stands for all."""


def read(
    connection: Connection, namespaces: Sequence[str], kinds: Sequence[Kind] = KINDS
) -> LiveCluster:
    """Reads a cluster.

    Args:
        connection: Asks its API server.
        namespaces: Those of the stack; listed one by one where the whole cluster may not be.
        kinds: What is listed, in this order.

    Raises:
        Refused: The cluster cannot be reached, or does not accept who asks.
    """
    first, *others = kinds
    # One alone first, so that a cluster which is away is told once.
    answers = [_ask(connection, first, namespaces)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers += pool.map(lambda kind: _ask(connection, kind, namespaces), others)
    times = [answer.now for answer in answers if answer.now]
    return LiveCluster(
        Objects(manifest for answer in answers for manifest in answer.manifests),
        max(times, default=datetime.now(UTC)),
        absent=frozenset(answer.kind.key for answer in answers if answer.absent),
        unread={answer.kind.key: answer.unread for answer in answers if answer.unread},
        hidden=frozenset((*answer.kind.key, name) for answer in answers for name in answer.hidden),
        partly=frozenset(answer.kind.key for answer in answers if answer.partly),
    )


def _ask(connection: Connection, kind: Kind, namespaces: Sequence[str]) -> _Answer:
    answer = _Answer(kind)
    try:
        answer.manifests, answer.now = connection.list(kind)
    except Unanswered as error:
        if error.code == codes.not_found:
            answer.absent = True
        elif error.code == codes.forbidden and kind.namespaced and namespaces:
            _ask_by_namespace(connection, answer, namespaces)
        else:
            answer.unread = f"the API server says {error}"
            answer.hidden = [""]
    return answer


def _ask_by_namespace(connection: Connection, answer: _Answer, namespaces: Sequence[str]) -> None:
    refused = {}
    for namespace in namespaces:
        try:
            manifests, answer.now = connection.list(answer.kind, namespace)
            answer.manifests += manifests
        except Unanswered as error:
            if error.code == codes.not_found:
                answer.absent = True
                return
            refused[namespace] = f"the API server says {error} in {namespace}"
    answer.hidden = [*refused]
    answer.unread = "; ".join(refused.values())
    answer.partly = len(refused) < len(namespaces)


def not_an_api_server(address: str) -> str:
    """What is said of an address that answers something else."""
    return (
        f"{address} answers, and not as an API server does: it is the address of something else, "
        "or a proxy asks who you are before it lets you through"
    )


def _time(answer: requests.Response) -> datetime:
    """When something was answered, by the clock of who did."""
    try:
        return parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return datetime.now(UTC)


def _contexts(kubeconfig: Path) -> list[str]:
    """Names of the contexts of a kubeconfig; none where it cannot be read as one."""
    try:
        document = yaml.safe_load(kubeconfig.read_text())
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        return []
    return [str(entry.get("name")) for entry in items(section(document), "contexts")]


_UNREADABLE: Final = re.compile(r"PEM|BAD_BASE64|NO_CERTIFICATE|NO_START_LINE|\[X509")
"""What OpenSSL says of files that are no certificates or keys."""


def _unreachable(address: str, error: Exception) -> str:
    """Why an API server does not answer, with what to do."""
    says = _line(error)
    if "CERTIFICATE_VERIFY_FAILED" in says:
        return (
            f"{address} shows a certificate that the kubeconfig does not trust: it is another "
            "cluster's, or the kubeconfig is an old one. Fetch it anew."
        )
    if _UNREADABLE.search(says) or not isinstance(error, requests.RequestException):
        return (
            f"{address} is not asked: a certificate or key of the kubeconfig cannot be read. Fetch "
            "it anew, or mend the paths in it."
        )
    if isinstance(error, requests.exceptions.SSLError):
        return (
            f"{address} does not speak TLS as an API server does: it is the address of something "
            "else, or a proxy stands before it."
        )
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{address} breaks off its answer, or what stands before it does: try again."
    if isinstance(error, requests.ConnectionError) and "NameResolutionError" in says:
        return f"{address} has no address that is known here: is the kubeconfig that of the stack?"
    if "Connection refused" in says:
        return (
            f"{address} refuses connections: the cluster is gone, or the kubeconfig is an old one."
        )
    if _is_silence(error):
        return (
            f"{address} takes the connection, and then says nothing for {TIMEOUT_SECONDS} s: the "
            "API server starts or has too much to do, or a proxy before it does not reach it. Try "
            "again; if it stays so, look at the cluster in the console."
        )
    return (
        f"{address} does not answer: a private API server is reached from inside its VPC or over "
        "a VPN alone. Run this there, or open a public endpoint to your address."
    )


def _is_silence(error: Exception) -> bool:
    """Whether somebody took the connection, and did not answer in time."""
    silence = isinstance(error, requests.exceptions.ReadTimeout)
    return silence or "Read timed out" in _line(error)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
