"""The parts of a cold start, as the cluster's own conditions, events and logs have them."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from kubernetes.client import ApiClient, CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, new_client_from_config
from urllib3.exceptions import HTTPError

from .results import Phase

Json = Mapping[str, Any]
Name = Literal["scheduled", "node added", "image pulled", "model loaded", "ready", "first token"]

LABELS: Final = ("serving.knative.dev/service", "serving.kserve.io/inferenceservice", "release")
"""Labels that name the model of a pod: Knative's, KServe's, and that of this library."""
CONTAINERS: Final = ("user-container", "kserve-container")
"""Containers that serve, in pods of Knative and KServe that have others beside."""
RESERVED: Final = "-deployment-reserve-"
"""In names of pods that ACK Knative keeps at zero, small and warm, where a reserve is asked for:
https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/reserved-instances
"""
ASKED: Final = ("ProvisionNode", "TriggeredScaleUp")
"""Events of a pod for which a node is added: by GOATScaler, by cluster-autoscaler.

https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/instant-elasticity
https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
"""
LOADED: Final = "Application startup complete"
"""What uvicorn, the web server of vLLM, logs once the model is loaded and before it listens:
https://github.com/encode/uvicorn/blob/master/uvicorn/lifespan/on.py
"""

POLL_SECONDS: Final = 2
TIMEOUT_SECONDS: Final = 30
LOG_BYTES: Final = 2_000_000
RESOLUTION: Final = timedelta(seconds=1)
"""Most times of the API server are whole seconds, with the rest cut off."""


class ClusterError(Exception):
    """The cluster cannot be asked; the message says why in a sentence."""


@dataclass(frozen=True)
class Clock:
    """The cluster's clock against that of this machine."""

    ahead: timedelta
    """By how much it is later."""
    doubt: timedelta
    """By how much `ahead` may be wrong, either way."""

    @property
    def known_ahead(self) -> timedelta:
        """What to take off its times: nothing where both clocks may well agree."""
        return self.ahead if abs(self.ahead) > self.doubt else timedelta()


@dataclass(frozen=True)
class Start:
    """How one pod started: objects as the API server has them, None where it did not give them."""

    pod: Json
    node: Json | None = None
    events: Sequence[Json] | None = None
    """Events of the pod."""
    log: str | None = None
    """Log of the container that serves; each line begins with its time."""


class PodWatcher:
    """Sees the pods of a model, with the rights of a kubeconfig: pods, logs, events and nodes."""

    def __init__(self, kubeconfig: Path, context: str | None, namespace: str, model: str) -> None:
        """Says whose pods to see; asks nothing yet.

        Args:
            kubeconfig: File with the address of the cluster; it may run a program for a token.
            context: Context of the file; None for its current one.
            namespace: Namespace of the model.
            model: Name of the Knative Service or InferenceService.
        """
        self._kubeconfig = kubeconfig
        self._context = context
        self._namespace = namespace
        self._model = model
        self._client: ApiClient | None = None

    async def wait_until_zero(self, seconds: float) -> None:
        """Waits until the model has no pods but reserved ones.

        Args:
            seconds: Longest wait.

        Raises:
            TimeoutError: It still has pods; the message names them.
            ClusterError: The cluster cannot be asked.
        """
        until = time.monotonic() + seconds
        standing = await self._standing()
        while standing:
            if time.monotonic() >= until:
                raise TimeoutError(_still_there(self._model, self._namespace, standing, seconds))
            await asyncio.sleep(min(POLL_SECONDS, max(0.0, until - time.monotonic())))
            # It could be asked before: one answer that fails does not end a wait of half an hour.
            with contextlib.suppress(ClusterError):
                standing = await self._standing()

    async def phases(
        self, sent: datetime, first_token: datetime | None
    ) -> tuple[tuple[Phase, ...], tuple[str, ...]]:
        """Tells the parts of the start that a request brought about, once it is answered.

        Args:
            sent: When the request was sent, by this machine's clock.
            first_token: When its first token was there; None where none came.

        Returns:
            The parts that could be seen, in the order in which they ended, and sentences about the
            others. What cannot be asked is such a sentence too.
        """
        answer = _first_token(sent, first_token)
        try:
            pods, clock = await self._pods()
        except ClusterError as error:
            return answer, (str(error),)
        pod = first_started(pods, sent + clock.known_ahead)
        if pod is None:
            where = f"in namespace {self._namespace}"
            why = f"No pod of {self._model} {where} started after the request, so that its time to"
            nothing = f"{why} first token is not that of a pod's start."
            return answer, (*_reserved_notes(pods), nothing)
        start, unread = await asyncio.to_thread(self._start, pod)
        timeline, notes = phases_of(start, sent, first_token, clock)
        return timeline, (*_pod_notes(pods, pod), *notes, *unread)

    async def _standing(self) -> list[Json]:
        """Pods that are not reserved."""
        return [pod for pod in (await self._pods())[0] if not _reserved(pod)]

    async def _pods(self) -> tuple[list[Json], Clock]:
        return await asyncio.to_thread(self._list_pods)

    def _list_pods(self) -> tuple[list[Json], Clock]:
        before = datetime.now(UTC)
        document, headers = self._ask(
            "pods",
            lambda core: core.list_namespaced_pod_with_http_info(
                self._namespace, _request_timeout=TIMEOUT_SECONDS
            ),
        )
        clock = clock_of(headers["Date"], before, datetime.now(UTC))
        return [pod for pod in document["items"] if serves(pod, self._model)], clock

    def _start(self, pod: Json) -> tuple[Start, tuple[str, ...]]:
        """What else is known of a pod, and what may not be read."""
        about = pod["metadata"]
        unread: list[str] = []

        def read(what: str, call: Callable[[CoreV1Api], Any]) -> Any:
            try:
                return self._ask(what, call)[0]
            except ClusterError as error:
                unread.append(str(error))
                return None

        events = read(
            "events",
            lambda core: core.list_namespaced_event_with_http_info(
                self._namespace,
                field_selector=f"involvedObject.uid={about['uid']}",
                _request_timeout=TIMEOUT_SECONDS,
            ),
        )
        node_name = pod["spec"].get("nodeName")
        node = node_name and read(
            f"node {node_name}",
            lambda core: core.read_node_with_http_info(node_name, _request_timeout=TIMEOUT_SECONDS),
        )
        log = read(
            f"the log of pod {about['name']}",
            lambda core: core.read_namespaced_pod_log_with_http_info(
                about["name"],
                self._namespace,
                container=container_of(pod),
                timestamps=True,
                limit_bytes=LOG_BYTES,
                _request_timeout=TIMEOUT_SECONDS,
            ),
        )
        return Start(pod, node or None, None if events is None else events["items"], log), tuple(
            unread
        )

    def _ask(self, what: str, call: Callable[[CoreV1Api], Any]) -> tuple[Any, Mapping[str, str]]:
        """An answer as JSON, and its headers."""
        try:
            if self._client is None:
                self._client = new_client_from_config(  # type: ignore[no-untyped-call]
                    config_file=str(self._kubeconfig), context=self._context, persist_config=False
                )
            answer, _, headers = call(CoreV1Api(self._client))
        except (ConfigException, yaml.YAMLError, OSError) as error:
            problem = " ".join(str(error).split())
            raise ClusterError(f"Kubeconfig {self._kubeconfig} is of no use: {problem}") from None
        except ApiException as error:
            why = f"the API server says {error.status} {error.reason}"
            raise ClusterError(f"{_capital(what)} cannot be read: {why}.") from None
        except HTTPError as error:
            problem = " ".join(str(error).split())
            raise ClusterError(f"The API server cannot be reached: {problem}") from None
        return self._client.sanitize_for_serialization(answer), headers


def clock_of(date: str, before: datetime, after: datetime) -> Clock:
    """The cluster's clock, by an answer's Date header: a whole second, with the rest cut off.

    Args:
        date: The header.
        before: When the request was sent, by this machine's clock.
        after: When the answer was there.
    """
    half = RESOLUTION / 2
    return Clock(
        parsedate_to_datetime(date) + half - (before + (after - before) / 2),
        half + (after - before) / 2,
    )


def serves(pod: Json, model: str) -> bool:
    """Whether a pod is one of a model's."""
    labels = pod["metadata"].get("labels") or {}
    return any(labels.get(label) == model for label in LABELS)


def container_of(pod: Json) -> str:
    """Name of the container that serves."""
    names: list[str] = [container["name"] for container in pod["spec"]["containers"]]
    return next((name for name in CONTAINERS if name in names), names[0])


def first_started(pods: Sequence[Json], sent: datetime) -> Json | None:
    """The pod that was ready first after a request; else the first that was made after it.

    Args:
        pods: Pods of one model; reserved ones are passed over.
        sent: When the request was sent, by the cluster's clock.
    """
    since = sent - RESOLUTION
    pods_of_model = [pod for pod in pods if not _reserved(pod)]
    ready = [(at, pod) for pod in pods_of_model if (at := _since(pod, "Ready")) and at > since]
    created = [(at, pod) for pod in pods_of_model if (at := _creation_time(pod)) > since]
    candidates = ready or created
    return min(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def phases_of(
    start: Start, sent: datetime, first_token: datetime | None, clock: Clock
) -> tuple[tuple[Phase, ...], tuple[str, ...]]:
    """The parts of a start, in the order in which they ended, and sentences about the others.

    Args:
        start: What is known of the pod.
        sent: When the request was sent, by this machine's clock.
        first_token: When its first token was there, by the same; None where none came.
        clock: The cluster's clock.
    """
    origin = sent + clock.known_ahead
    sightings = [
        _scheduled(start),
        _node_added(start, origin),
        _image_pulled(start),
        _model_loaded(start),
        _ready(start),
    ]
    sighted = [
        Phase(
            name=sighting.name,
            ended=max(0.0, (sighting.at - origin).total_seconds()),
            source=sighting.words,
        )
        for sighting in sightings
        if sighting.at is not None and sighting.at > origin - RESOLUTION
    ]
    ordered = sorted([*sighted, *_first_token(sent, first_token)], key=lambda phase: phase.ended)
    notes = [
        sighting.words if sighting.at is None else f"{sighting.words} was before the request."
        for sighting in sightings
        if sighting.at is None or sighting.at <= origin - RESOLUTION
    ]
    early = first_token is not None and any(
        phase.name == "ready" and phase.ended > (first_token - sent + RESOLUTION).total_seconds()
        for phase in sighted
    )
    if early:
        notes.append("The first token came before the pod was ready: another pod answered.")
    return tuple(ordered), (*_scaling_notes(start, origin), *notes, *_clock_notes(clock))


@dataclass(frozen=True)
class _Sighting:
    name: Name
    at: datetime | None
    words: str
    """Where it was seen; where it was not, a sentence that says why."""


def _scheduled(start: Start) -> _Sighting:
    at = _since(start.pod, "PodScheduled")
    words = f"{_name(start.pod)}: condition PodScheduled"
    return _Sighting("scheduled", at, words if at else f"{_name(start.pod)} was not scheduled yet.")


def _node_added(start: Start, origin: datetime) -> _Sighting:
    name = start.pod["spec"].get("nodeName")
    if start.node is None:
        why = f"is not known, as node {name} was not read" if name else "did not matter: no node"
        return _Sighting("node added", None, f"Whether a node was added {why}.")
    if _creation_time(start.node) <= origin - RESOLUTION:
        return _Sighting("node added", None, f"No node was added: node {name} was there before.")
    at = _since(start.node, "Ready")
    return _Sighting(
        "node added",
        at,
        f"Node {name}: condition Ready" if at else f"Node {name} was not ready yet.",
    )


def _image_pulled(start: Start) -> _Sighting:
    pod, container = _name(start.pod), container_of(start.pod)
    if start.events is None:
        return _Sighting("image pulled", None, "When the image was pulled is not known.")
    pulled = sorted(
        (at, event.get("message") or "")
        for event in start.events
        if event.get("reason") == "Pulled"
        and _field(event) == f"spec.containers{{{container}}}"
        and (at := _event_time(event))
    )
    if not pulled:
        words = f"When the image was pulled is not known: {pod} has no event Pulled of {container}."
        return _Sighting("image pulled", None, words)
    at, message = pulled[0]
    took = re.search(r"\bin (\d[\w.]*)", message)
    if took:
        how = f"pulled in {took[1]}"
    else:
        how = "was on the node" if "already present" in message else "pulled"
    return _Sighting("image pulled", at, f"{pod}: event Pulled ({how})")


def _model_loaded(start: Start) -> _Sighting:
    match = re.search(rf"^(\S+) .*{LOADED}", start.log or "", re.MULTILINE)
    if match:
        words = f"{_name(start.pod)}: log line '{LOADED}'"
        return _Sighting("model loaded", datetime.fromisoformat(match[1]), words)
    log = "its log was not read" if start.log is None else f"its log does not say '{LOADED}'"
    words = f"When the model was loaded is not known: {log}. It was by the time the pod was ready."
    return _Sighting("model loaded", None, words)


def _ready(start: Start) -> _Sighting:
    at = _since(start.pod, "Ready")
    words = f"{_name(start.pod)}: condition Ready"
    return _Sighting("ready", at, words if at else f"{_name(start.pod)} was not ready yet.")


def _first_token(sent: datetime, first_token: datetime | None) -> tuple[Phase, ...]:
    if first_token is None:
        return ()
    ended = (first_token - sent).total_seconds()
    return (Phase(name="first token", ended=ended, source="the answer, as it came in here"),)


def _scaling_notes(start: Start, origin: datetime) -> list[str]:
    """Who was asked for a node, and when."""
    return [
        f"{_reporter(event)} was asked for a node {max(0.0, (at - origin).total_seconds()):.0f} s "
        f"after the request (event {event['reason']})."
        for event in start.events or ()
        if event.get("reason") in ASKED and (at := _event_time(event))
    ]


def _pod_notes(pods: Sequence[Json], chosen: Json) -> list[str]:
    notes = []
    further_pods = [pod for pod in pods if not _reserved(pod) and pod is not chosen]
    if further_pods:
        names = ", ".join(pod["metadata"]["name"] for pod in further_pods)
        notes.append(f"The phases are those of {_name(chosen)}; there were also {names}.")
    notes += _reserved_notes(pods)
    restarts = sum(
        status.get("restartCount") or 0
        for status in chosen.get("status", {}).get("containerStatuses") or ()
    )
    if restarts:
        notes.append(f"Containers of {_name(chosen)} started again {restarts} times.")
    return notes


def _reserved_notes(pods: Sequence[Json]) -> list[str]:
    names = ", ".join(pod["metadata"]["name"] for pod in pods if _reserved(pod))
    return [f"Reserved, so that it may have answered: {names}."] if names else []


def _clock_notes(clock: Clock) -> list[str]:
    notes = ["Times of conditions and most events are whole seconds, with the rest cut off."]
    if clock.known_ahead:
        seconds = clock.ahead.total_seconds()
        way = "ahead of" if seconds > 0 else "behind"
        notes.append(
            f"The cluster's clock is {abs(seconds):.1f} s {way} this machine's (to "
            f"{clock.doubt.total_seconds():.1f} s, by the Date header of its API server): that is "
            "taken off. Clocks of single nodes may differ."
        )
    return notes


def _still_there(model: str, namespace: str, pods: Sequence[Json], seconds: float) -> str:
    names = ", ".join(pod["metadata"]["name"] for pod in pods)
    return (
        f"Model {model} in namespace {namespace} still has pods after {seconds:g} s ({names}), but "
        "a cold start is measured from zero: set its least scale to 0, end what still sends "
        "requests, or wait longer (idle_seconds)."
    )


def _reserved(pod: Json) -> bool:
    return RESERVED in pod["metadata"]["name"]


def _name(pod: Json) -> str:
    return f"Pod {pod['metadata']['name']}"


def _creation_time(pod: Json) -> datetime:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"])


def _since(pod: Json, condition: str) -> datetime | None:
    """Since when a condition of a pod or a node is true; None where it is not."""
    for condition_ in pod.get("status", {}).get("conditions") or ():
        if condition_["type"] == condition and condition_["status"] == "True":
            at = condition_.get("lastTransitionTime")
            return datetime.fromisoformat(at) if at else None
    return None


def _event_time(event: Json) -> datetime | None:
    """Newer reporters give microseconds in `eventTime`, older ones seconds in the others."""
    at = event.get("eventTime") or event.get("firstTimestamp") or event.get("lastTimestamp")
    return datetime.fromisoformat(at) if at else None


def _field(event: Json) -> str:
    return str((event.get("involvedObject") or {}).get("fieldPath"))


def _reporter(event: Json) -> str:
    source = (event.get("source") or {}).get("component")
    return str(event.get("reportingComponent") or source or "An autoscaler")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
