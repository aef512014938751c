"""Has Knative's own webhook, controller and autoscaler work on what the stacks render for them.

They run beside a real API server and Kubernetes' own controllers. In place of kubelets, `Kubelet`
says that every pod is ready; what stands in for a gateway, an activator and the registries says
`sandbox.controllers.knative`. Requests are numbers that the autoscaler is told.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from components.crds.knative_annotations import AHPA, AUTOSCALING
from components.crds.knative_autoscaling import pod_autoscaling
from components.platform.knative import NAMESPACE
from components.serving.knative_model import RESERVE
from plan.model import Plan
from plan.run import plan
from sandbox.controllers.core import CONTROLLER_MANAGER
from sandbox.controllers.knative import KNATIVE, requests_in_hand
from sandbox.knative import configuration, served
from sandbox.kubernetes.client import ApiClient, Manifest, namespace_manifest
from sandbox.kubernetes.installs import ADDONS, KNATIVE_CORE
from stacks.needs import Needs
from stacks.platforms.present import present_knative
from stacks.runtimes import needs_of
from stacks.validation import validate
from tests.stacks.environments import NAMES, Raw, dev, merged, planned

from .cluster import MANAGER, Kubelet, cluster, refusal, until
from .plans import ROOT, accepted, without_unknown
from .step import Row, Say, Step

READY_SECONDS: Final = 120
SCALED_SECONDS: Final = 60
SEEN_SECONDS: Final = 20
"""Within which the webhook has seen a ConfigMap."""
QWEN: Final = "models[qwen].serve.knative"
TO_ZERO: Final[Raw] = {
    f"{QWEN}.scale.min": 0,
    f"{QWEN}.scale.max": 5,
    f"{QWEN}.scale.target": 2,
    f"{QWEN}.scale.window_seconds": 6,
    f"{QWEN}.reserve": {"type": "ecs"},
}
"""A model that scales to zero, in Knative's shortest window, with a reserve instance."""
SPREAD: Final[Raw] = {
    f"{QWEN}.scale.max": 1,
    "models[qwen].topology_spread": [{"topology": "zone", "required": True}],
}
"""A model whose replicas are kept apart."""
SKIPPED: Final[Raw] = {
    "knative": {"skip_tag_resolving": ["kube-ai-registry.cn-shanghai.cr.aliyuncs.com"]}
}
LOADS: Final = (1, 3, 7, 2, 0, 1)
"""Requests in hand, one number after another: from zero pods, and back to them."""
REFUSED_SETTINGS: Final[Sequence[tuple[str, Mapping[str, str], str]]] = (
    ("config-autoscaler", {"stable-window": "5s"}, "stable-window = 5s, must be in [6s; 1h0m0s]"),
    ("config-autoscaler", {"max-scale": "many"}, 'failed to parse "max-scale"'),
    ("config-defaults", {"max-revision-timeout-seconds": "200"}, "cannot be greater than"),
)
"""Data of a ConfigMap that Knative refuses, and what it says."""
_NOT_SET: Final = "must not set the field(s)"


def settings(
    of: Plan, present: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> Iterator[dict[str, Any]]:
    """What a platform tells Knative, as ConfigMaps, whoever writes them.

    Args:
        of: The plan of a stack.
        present: What the owner of the cluster has set in a Knative that the stack does not install.
    """
    told = {**configuration(of), **present}
    shipped = {} if list(of.manifests("KnativeServing")) else ADDONS["knative"].config
    for name in KNATIVE_CORE.config_maps:
        about = {"name": name, "namespace": NAMESPACE}
        short = name.removeprefix("config-")
        data = {**shipped.get(short, {}), **told.get(short, {})}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": data}


def prepare(client: ApiClient, of: Plan) -> list[dict[str, Any]]:
    """Makes what the services of a plan need of a cluster; returns the services."""
    services = [without_unknown(service) for service in served(of).services]
    for namespace in {service["metadata"]["namespace"] for service in services}:
        client.apply(namespace_manifest(namespace), MANAGER)
    for manifest in [*of.manifests("PriorityClass"), *settings(of)]:
        client.apply(manifest, MANAGER, force=True)
    return services


def answers(
    client: ApiClient, services: Sequence[Manifest], expected: Callable[[list[str]], bool]
) -> list[str]:
    """What is said of services once the webhook has seen a setting, which takes it a moment."""
    said: list[str] = []

    def as_expected() -> bool:
        said[:] = [refusal(client, service) for service in services]
        return expected(said)

    until(as_expected, SEEN_SECONDS)
    return said


def none_refused(said: Sequence[str]) -> bool:
    """Whether everything is taken."""
    return not any(said)


def all_lack_a_flag(said: Sequence[str]) -> bool:
    """Whether Knative refuses everything for a flag that nobody has set."""
    return all(_NOT_SET in answer for answer in said)


def all_lack_acks_class(said: Sequence[str]) -> bool:
    """Whether Knative refuses everything for the class of ACK's own autoscaler."""
    return all(AHPA in answer for answer in said)


def condition(live: Manifest | None) -> Mapping[str, Any]:
    """The condition Ready of an object of Knative, of its present generation."""
    status = (live or {}).get("status") or {}
    if live is None or status.get("observedGeneration") != live["metadata"]["generation"]:
        return {}
    conditions = status.get("conditions") or ()
    return next((entry for entry in conditions if entry["type"] == "Ready"), {})


def is_ready(client: ApiClient, service: Manifest) -> bool:
    """Whether Knative says that a service serves."""
    return condition(client.get(service)).get("status") == "True"


def pods_of(client: ApiClient, service: Manifest) -> list[dict[str, Any]]:
    """The pods of a service that are not about to end."""
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    return [
        pod
        for pod in client.list_objects("v1", "Pod")
        if pod["metadata"]["namespace"] == namespace
        and pod["metadata"]["labels"].get("serving.knative.dev/service") == name
        and "deletionTimestamp" not in pod["metadata"]
    ]


def has_pods(client: ApiClient, service: Manifest, count: int) -> bool:
    """Whether a service has so many pods."""
    return len(pods_of(client, service)) == count


def lost(service: Manifest, pod: Manifest) -> Iterator[str]:
    """What a pod lacks of the template that it was made of."""
    template = service["spec"]["template"]
    annotations = pod["metadata"]["annotations"]
    for name, value in template["metadata"]["annotations"].items():
        # Those of the autoscaler end at the Revision.
        if not name.startswith(AUTOSCALING) and annotations.get(name) != value:
            yield f"{pod['metadata']['name']} lacks the annotation {name}"
    wanted, actual = template["spec"], pod["spec"]
    for field in ("affinity", "priorityClassName", "schedulerName", "nodeSelector"):
        if field in wanted and actual.get(field) != wanted[field]:
            yield f"{pod['metadata']['name']} lacks its {field}"
    for field in ("tolerations", "topologySpreadConstraints", "volumes"):
        if any(entry not in actual.get(field, ()) for entry in wanted.get(field, ())):
            yield f"{pod['metadata']['name']} lacks one of its {field}"
    [container] = wanted["containers"]
    resources = actual["containers"][0]["resources"]
    if resources != container["resources"]:
        yield f"{pod['metadata']['name']} asks for {resources}, not {container['resources']}"


def ready_row(client: ApiClient, stack: str) -> Row | None:
    """Takes the services of a stack through Knative; None where it has none."""
    of = plan(stack, ROOT)
    services = prepare(client, of)
    if not services:
        return None
    if faults := list(filter(None, answers(client, services, none_refused))):
        return Row(f"{stack}: ready", "refused", tuple(faults))
    for service in services:
        client.apply(service, MANAGER)
    seconds = until(lambda: all(is_ready(client, service) for service in services), READY_SECONDS)
    pods = 0
    for service in services:
        live = client.get(service) or {}
        own = pods_of(client, service)
        pods += len(own)
        faults += service_faults(service, live, own, of.outputs)
    clear(client, services)
    figures = f"{len(services)} services, {pods} pods, {seconds or READY_SECONDS:.0f} s"
    return Row(f"{stack}: ready", figures, tuple(faults))


def service_faults(
    service: Manifest,
    live: Manifest,
    pods: Sequence[Manifest],
    outputs: Mapping[str, Any],
) -> Iterator[str]:
    """What is not as a plan has it of a service that Knative has had.

    Args:
        service: As it is declared.
        live: As it is in the cluster.
        pods: Its pods there.
        outputs: Those of the plan.
    """
    name = service["metadata"]["name"]
    if (ready := condition(live)).get("status") != "True":
        yield f"{name} is not ready: {ready.get('message', 'no reason given')}"
    host = f"http://{outputs[f'{name}_host']}"
    if (url := (live.get("status") or {}).get("url")) != host:
        yield f"{name} is reached at {url}, but the stack says {host}"
    template = service["spec"]["template"]
    least = int(template["metadata"]["annotations"][f"{AUTOSCALING}min-scale"])
    if len(pods) < least:
        yield f"{name} has {len(pods)} pods, but min-scale is {least}"
    for pod in pods:
        yield from lost(service, pod)


def clear(client: ApiClient, services: Iterable[Manifest]) -> None:
    """Removes services, and waits until their pods are gone."""
    for service in services:
        client.remove(service)
        until(partial(has_pods, client, service, 0), READY_SECONDS)


def flag_row(client: ApiClient, stack: str) -> Row | None:
    """Turns each flag off that a stack sets; None where it serves nothing by Knative."""
    of = plan(stack, ROOT)
    services = prepare(client, of)
    if not services:
        return None
    faults = []
    [features] = [item for item in settings(of) if item["metadata"]["name"] == "config-features"]
    for flag in features["data"]:
        off = {**features, "data": {**features["data"], flag: "disabled"}}
        client.apply(off, MANAGER, force=True)
        if none_refused(answers(client, services, lambda said: _NOT_SET in "".join(said))):
            faults.append(f"without {flag} everything is taken")
        client.apply(features, MANAGER, force=True)
        faults += filter(None, answers(client, services, none_refused))
    return Row(f"{stack}: no flag is spare", f"{len(features['data'])} flags", tuple(faults))


def tag_row(client: ApiClient) -> Row:
    """A tag is resolved to a digest, but for registries that are to be skipped."""
    faults = []
    for skipped, raw in {False: dev(), True: merged(dev(), SKIPPED)}.items():
        [service] = prepare(client, planned(raw))
        client.apply(service, MANAGER)
        until(partial(is_ready, client, service), READY_SECONDS)
        [image] = {pod["spec"]["containers"][0]["image"] for pod in pods_of(client, service)} or {
            ""
        }
        if ("@sha256:" not in image) is not skipped:
            faults.append(f"the pods run {image}, {'with' if skipped else 'without'} skipping")
        clear(client, [service])
    return Row("skip_tag_resolving", "without it a digest, with it the tag", tuple(faults))


def setting_rows(client: ApiClient) -> Iterator[Row]:
    """Settings that Knative refuses."""
    for name, data, sentence in REFUSED_SETTINGS:
        about = {"name": name, "namespace": NAMESPACE}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": dict(data)}
        answer = refusal(client, manifest)
        [(key, value)] = data.items()
        faults = () if sentence in answer else (f"Knative says {answer or 'nothing'}",)
        yield Row(f"refused: {key} {value}", sentence, faults)


def scaling_row(client: ApiClient) -> Row:
    """From no pod to as many as the requests in hand ask for, and back."""
    [service] = prepare(client, planned(merged(dev(), TO_ZERO)))
    client.apply(service, MANAGER)
    faults, steps = [], []
    if until(lambda: is_ready(client, service), READY_SECONDS) is None:
        return Row("scaling", "not ready", (str(condition(client.get(service))),))
    key = "{namespace}.{name}".format(**service["metadata"])
    for load, pods in [(0, 0), *((load, wanted(service, load)) for load in LOADS)]:
        client.apply(requests_in_hand({key: load}), MANAGER, force=True)
        seconds = until(partial(has_pods, client, service, pods), SCALED_SECONDS)
        if seconds is None:
            count = len(pods_of(client, service))
            faults.append(f"{load} requests in hand give {count} pods, not {pods}")
        steps.append(f"{load}->{pods} ({seconds or SCALED_SECONDS:.0f} s)")
    reserved = pods_of(client, service)[0]["metadata"]["annotations"] if not faults else {}
    if not faults and reserved.get(RESERVE) != "enable":
        faults.append("the pods lack the annotation of a reserve instance")
    clear(client, [service])
    return Row("requests in hand -> pods", ", ".join(steps), tuple(faults))


def canary_row(client: ApiClient, kubelet: Kubelet) -> Row:
    """A new version gets its share once it is ready, and none where the share is taken back."""
    raw = merged(dev(), SPREAD)
    [before] = prepare(client, planned(raw))
    client.apply(before, MANAGER)
    until(lambda: is_ready(client, before), READY_SECONDS)
    steps, faults = [], []

    def shares(live: Manifest | None) -> dict[str, int]:
        traffic = ((live or {}).get("status") or {}).get("traffic") or ()
        found: dict[str, int] = defaultdict(int)
        for target in traffic:
            found[target["revisionName"]] += target.get("percent") or 0
        return dict(found)

    def step(title: str, changes: Raw, wanted_shares: Mapping[str, int], *, ready: bool) -> None:
        [service] = prepare(client, planned(merged(raw, changes)))
        client.apply(service, MANAGER)

        def is_shared() -> bool:
            live = client.get(service)
            status = (live or {}).get("status") or {}
            has_begun = status.get("latestCreatedRevisionName") == "qwen-00002"
            is_there = is_ready(client, service) if ready else has_pods(client, service, 2)
            return has_begun and is_there and shares(live) == wanted_shares

        seconds = until(is_shared, READY_SECONDS)
        if seconds is None:
            faults.append(f"{title}: {shares(client.get(service))}, not {dict(wanted_shares)}")
        steps.append(f"{title} ({seconds or READY_SECONDS:.0f} s)")

    image = {"models[qwen].server.image": f"{raw['models'][0]['server']['image']}.post1"}
    traffic = f"{QWEN}.traffic"
    tenth = {
        **image,
        traffic: [{"revision": "qwen-00001"}, {"latest": True, "percent": 10, "tag": "next"}],
    }
    kubelet.held.add(("serving.knative.dev/revision", "qwen-00002"))
    step("held until ready", tenth, {"qwen-00001": 100}, ready=False)
    kubelet.held.clear()
    step("a tenth", tenth, {"qwen-00001": 90, "qwen-00002": 10}, ready=True)
    back = {**image, traffic: [{"revision": "qwen-00001"}, {"latest": True, "percent": 0}]}
    step("taken back", back, {"qwen-00001": 100, "qwen-00002": 0}, ready=True)
    step("given all", image, {"qwen-00002": 100}, ready=True)
    clear(client, [before])
    return Row("shares of requests", ", ".join(steps), tuple(faults))


def wanted(service: Manifest, load: int) -> int:
    """Replicas that our model of the autoscaler has for a number of requests in hand."""
    template = service["spec"]["template"]
    annotations = template["metadata"]["annotations"]
    scaling = pod_autoscaling(annotations, template["spec"].get("containerConcurrency"))
    if scaling is None:
        raise ValueError(f"{service['metadata']['name']} is not scaled by Knative's own autoscaler")
    bounds = [int(annotations[f"{AUTOSCALING}{bound}-scale"]) for bound in ("min", "max")]
    return max(bounds[0], min(bounds[1], math.ceil(Decimal(load) / scaling.per_pod)))


def there_before(services: Iterable[Manifest]) -> Iterator[Manifest]:
    """What a webhook asks for that tries a pod: the namespaces and priorities of services."""
    for service in services:
        yield namespace_manifest(service["metadata"]["namespace"])
        if priority := service["spec"]["template"]["spec"].get("priorityClassName"):
            yield {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": priority},
                "value": 1000,
            }


BySettings = dict[str, dict[str, str]]
"""By settings, as text, services, as text, and the first case that has them."""


def accepted_rows(client: ApiClient) -> Iterator[Row]:
    """Every distinct service of a case that the checks accept, through the webhook.

    A Knative that the stack does not install is set as the plan warns that it has to be: then all
    is taken. As it comes, it refuses what needs those settings. What AHPA scales, only ACK's
    takes.
    """
    configured: BySettings = defaultdict(dict)
    bare: BySettings = defaultdict(dict)
    of_ack: BySettings = defaultdict(dict)
    for where, raw in accepted():
        environment = validate(raw).environment
        if environment is None or all("knative" not in model["serve"] for model in raw["models"]):
            continue
        of = planned(raw)
        present = present_knative(environment, Needs(needs_of(environment)))
        for service in served(of).services:
            text = json.dumps(without_unknown(service))
            if AHPA in text:
                of_ack[_text(settings(of, present))].setdefault(text, where)
                continue
            configured[_text(settings(of, present))].setdefault(text, where)
            if present.get("features"):
                bare[_text(settings(of))].setdefault(text, where)
    faults = [
        f"{where}: {answer}"
        for where, answer in _replies(client, configured, none_refused)
        if answer
    ]
    count = sum(map(len, configured.values()))
    yield Row("accepted cases", f"{count} services, {len(configured)} settings", tuple(faults))
    refusals = [*_replies(client, bare, all_lack_a_flag)]
    faults = [
        f"{where}: the plan warns of flags that nobody sets, and Knative says {answer or 'nothing'}"
        for where, answer in refusals
        if _NOT_SET not in answer
    ]
    yield Row(
        "warned of: a Knative without flags", f"{len(refusals)} services refused", tuple(faults)
    )
    refusals = [*_replies(client, of_ack, all_lack_acks_class)]
    faults = [
        f"{where}: its class is ACK's alone, and Knative says {answer or 'nothing'}"
        for where, answer in refusals
        if AHPA not in answer
    ]
    yield Row("warned of: AHPA", f"{len(refusals)} services refused", tuple(faults))


def _text(manifests: Iterable[Manifest]) -> str:
    return json.dumps(list(manifests), sort_keys=True)


def _replies(
    client: ApiClient, services_by_settings: BySettings, expected: Callable[[list[str]], bool]
) -> Iterator[tuple[str, str]]:
    """By case, what Knative says of its service; "" where it takes it."""
    for configured, cases in services_by_settings.items():
        for manifest in json.loads(configured):
            client.apply(manifest, MANAGER, force=True)
        services = [json.loads(text) for text in cases]
        for needed in there_before(services):
            if client.get(needed) is None:
                client.apply(needed, MANAGER)
        yield from zip(cases.values(), answers(client, services, expected), strict=True)


def run(say: Say) -> Iterator[Row]:
    """Runs Knative once, and everything on it; raises Skipped where it cannot be had."""
    with cluster(say, (CONTROLLER_MANAGER, KNATIVE)) as plane, Kubelet(plane.client) as kubelet:
        client = plane.client
        for stack in NAMES:
            for row in (ready_row(client, stack), flag_row(client, stack)):
                if row is not None:
                    yield row
        yield tag_row(client)
        yield scaling_row(client)
        yield canary_row(client, kubelet)
        yield from setting_rows(client)
        say("Planning the accepted cases; this takes minutes.")
        yield from accepted_rows(client)


STEP: Final = Step("knative", run, seconds=400)
