"""Has real gateways and routers choose between servers that pretend, as a stack sets them up.

Kubernetes' own controllers make the pods of what the example with Envoy Gateway renders, and each
runs as processes in a network of its own (`pods.py`): KServe's manager, Envoy Gateway's controller
and the Envoys that it sets up, the pickers of the inference extension under the rights that the
stack gives them, the rate limit service, and in place of models `loadtest/fake_vllm.py`. Where a
cluster has no Gateway API, vllm-router and sglang-router stand before the same servers.

Does not prove how fast a model is, nor that ACK's own add-on does the same.
"""

import asyncio
import base64
import copy
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import requests

from components.serving.model_route import ROUTER_PORT
from components.serving.route import RouterKind, RoutingStrategy
from components.serving.scenarios import Prompt, Scenario
from loadtest.client import Endpoint
from loadtest.fake_vllm import RECORDS, Behaviour
from loadtest.load import LoadRun
from loadtest.measure import MeasureSettings, measure
from loadtest.results import Run
from loadtest.servers import SETTLE_SECONDS, counters, shares
from loadtest.statistics import summary
from sandbox import binaries
from sandbox.controllers import core, kserve
from sandbox.controllers.controller import ControlPlane
from sandbox.kubernetes.client import Manifest, StatusError, namespace_manifest

from . import gateway_parts, machine
from . import routing_stack as stack
from .cluster import MANAGER, cluster, until
from .environments import environment
from .pods import GATEWAY, PodContainer, PodRunner
from .step import Broken, Row, Say, Skipped, Step

LOCK: Final = Path(__file__).with_name("requirements-routing.txt")
READY_SECONDS: Final = 90
"""Longest until all pods are ready, or a change has reached the proxies."""
INSTALL_SECONDS: Final = 20
"""Longest until an object can be made."""
WINDOW_SECONDS: Final = 60
"""What limits are tried takes less."""
COUNTED_SECONDS: Final = 0.3
"""Until Envoy has counted the tokens of an answer, on a busy machine too."""
SETTLED_SECONDS: Final = 5
"""Envoy has a route that was translated well within this."""
RATIO: Final = 0.6
"""Most that the slow answers of a picker may take of those of round robin."""
PREFIX_SHARE: Final = 0.95
CANARY_REQUESTS: Final = 10_000
SEED: Final = 21

_SERVER: Final = """
import asyncio, sys
from loadtest.fake_vllm import Behaviour, serve
asyncio.run(serve(Behaviour.model_validate_json(sys.argv[1]), "0.0.0.0", int(sys.argv[2]), print))
"""
_KEYS: Final = {name: f"sk-{name}-4711" for name in ("all", "requests", "tokens", "other")}
_QUICK: Final = Behaviour(ttft=0, tokens_per_second=100_000, adapters=("qwen-legal",))
_CARD: Final = Behaviour(
    model=stack.MODEL,
    ttft=0.1,
    tokens_per_second=40,
    running=4,
    prompt_tokens_per_second=4_000,
    cache_tokens=40_000,
)
_SLOW_CARD: Final = _CARD.model_copy(
    update={"ttft": 0.4, "tokens_per_second": 10, "prompt_tokens_per_second": 1_000}
)
_LOAD: Final = {"steady": {"rate": 8, "seconds": 12}}
"""A third of it is more than the slow card can do."""
_QUESTION: Final = Prompt(words=20, max_tokens=20)
_PREFIXES, _QUESTIONS, _WORDS, _AT_ONCE = 8, 15, 640, 6
_REDIS: Final = "redis"
_MODEL_LABEL: Final = "serving.kserve.io/inferenceservice"


@dataclass(frozen=True)
class Inside:
    """A cluster whose pods run."""

    plane: ControlPlane
    pods: PodRunner
    say: Say

    def address(self, prefix: str) -> str:
        """Address of a pod whose name begins so; raises Broken where none gets ready."""
        until(lambda: self.pods.address(prefix) is not None, READY_SECONDS)
        address = self.pods.address(prefix)
        if address is None:
            raise Broken("\n".join([f"{prefix} does not get ready. Logs:", *self.pods.logs()]))
        return address

    def servers(self, model: str) -> dict[str, str]:
        """Addresses of the servers of a model, by the name of their pod."""
        return {
            f"{model}-{number}": f"http://{pod['status']['podIP']}:{_port(pod)}"
            for number, pod in enumerate(self.plane.client.list_objects("v1", "Pod"))
            if (pod["metadata"].get("labels") or {}).get(_MODEL_LABEL) == model
            and pod["status"].get("phase") == "Running"
        }

    def has_servers(self, model: str, count: int) -> bool:
        """Whether a model has so many servers."""
        return len(self.servers(model)) == count

    def apply(self, manifest: Manifest) -> None:
        """Makes or changes an object, once its webhook answers."""
        self.plane.client.apply(manifest, MANAGER, force=True)


def run(say: Say) -> Iterator[Row]:
    """Builds what is missing, and runs every case in a machine of its own."""
    folder = environment(LOCK, say, sys.executable)
    try:
        for name in (*gateway_parts.PROGRAMS, "kserve-manager", "hey"):
            binaries.find(name, say)
    except binaries.Unavailable as error:
        raise Skipped(str(error)) from None
    yield from machine.rows(__name__, [str(folder)], say)


STEP: Final = Step("routing", run, seconds=300)


def prove(say: Say, root: Path) -> Iterator[Row]:
    """Gives the rows, inside."""
    folder = Path(sys.argv[1])
    programs = {
        "vllm-router": _router(folder, "vllm-router"),
        "sglang-router": _router(folder, "sglang-router"),
        **gateway_parts.programs(folder),
        "vllm-openai": _fake_servers(),
    }
    controllers = (core.CONTROLLER_MANAGER, kserve.CONTROLLER)
    with cluster(say, controllers, address=GATEWAY) as plane:
        variables = {"PYTHONPATH": str(machine.ROOT)}
        with PodRunner(plane, root, programs, variables) as pods:
            inside = Inside(plane, pods, say)
            yield from _gateway(inside)


def _router(folder: Path, name: str) -> Callable[[PodContainer], list[str]]:
    def command(container: PodContainer) -> list[str]:
        first = container.spec.get("command", [name])[1:]
        return [str(folder / name), *first, *container.arguments]

    return command


def _fake_servers() -> Callable[[PodContainer], list[str]]:
    """What stands for vLLM; of the model with three servers, the first has a slow card."""
    slow: set[str] = set()

    def command(container: PodContainer) -> list[str]:
        name = container.pod["metadata"]["name"]
        behaviour = _QUICK
        if container.pod["metadata"]["labels"][_MODEL_LABEL] == stack.MODEL:
            slow.update({name} if not slow else ())
            behaviour = _SLOW_CARD if name in slow else _CARD
        port = str(_port(container.pod))
        return [sys.executable, "-c", _SERVER, behaviour.model_dump_json(), port]

    return command


def _port(pod: Manifest) -> int:
    return int(pod["spec"]["containers"][0]["ports"][0]["containerPort"])


def _gateway(inside: Inside) -> Iterator[Row]:
    began = time.monotonic()
    plan = stack.plan()
    parts = gateway_parts.envoy_gateway(stack.values(plan))
    around = [namespace_manifest(gateway_parts.NAMESPACE), *gateway_parts.inference_types()]
    _install(inside, [*around, *parts, *_around()])
    refused = _install(inside, [*stack.manifests(plan), *_plain_route()])
    front = f"http://{inside.address('envoy-inference-models-5')}:10080"
    behind = f"http://{inside.address('envoy-inference-models-pickers')}:10080"
    for name, count in ((stack.MODEL, stack.SERVERS), (stack.SHARED, 1), (stack.CANARY, 1)):
        until(partial(inside.has_servers, name, count), READY_SECONDS)
        inside.address(f"{name}-picker")
    until(lambda: not _conditions(inside), READY_SECONDS)
    yield Row(
        "what the stack renders",
        f"{len(plan.manifests())} objects, {len(refused)} refused, all answer after "
        f"{time.monotonic() - began:.0f} s",
        (*refused, *_conditions(inside)),
    )
    until(lambda: _status(front, stack.MODEL, "all") == 200, READY_SECONDS)
    yield from _doors(front)
    yield from _limits(front)
    base = _load(inside, behind, "plain")
    yield from _queues(inside, behind, base)
    yield from _prefixes(inside, behind)
    yield from _canaries(inside, front)
    for router, way in stack.ROUTERS:
        yield _router_row(inside, router, way, base)
    yield _wrong("vllm-router: by prefix", _router_row(inside, *stack.ROUTERS[0], base, _by_prefix))


def _doors(front: str) -> Iterator[Row]:
    """Who gets in, and where to."""
    answers = {
        "without a key": (_status(front, stack.MODEL, None), 401),
        "a model": (_status(front, stack.MODEL, "all"), 200),
        "an adapter": (_status(front, "qwen-legal", "all"), 200),
        "200 KB of question": (
            _ask(front, stack.SHARED, "all", words=40_000).status_code,
            200,
        ),
        "an unknown model": (_status(front, "nobody", "all"), 404),
        "a forged way": (
            _status(front, stack.SHARED, "all", {"x-model-backend": "nobody"}),
            200,
        ),
    }
    faults = [
        f"{case}: {code}, but it must be {wanted}"
        for case, (code, wanted) in answers.items()
        if code != wanted
    ]
    figures = ", ".join(f"{case} {code}" for case, (code, _) in answers.items())
    yield Row("keys and names", figures, tuple(faults))


def _limits(front: str) -> Iterator[Row]:
    """Each key has so many requests, and so many tokens."""
    if (rest := 3600 - time.time() % 3600) < WINDOW_SECONDS:
        time.sleep(rest + 1)  # an hour ends for all keys at once
    for case, key, words, most in (
        (f"{stack.REQUESTS} requests of a key", "requests", 1, stack.REQUESTS),
        (f"{stack.TOKENS} tokens of a key", "tokens", 297, 7),
    ):
        answers = [_counted(front, key, words) for _ in range(most + 3)]
        codes = [answer.status_code for answer in answers]
        after = {answer.headers.get("Retry-After", "") for answer in answers[most:]}
        yield Row(
            f"limit: {case}",
            f"{codes.count(200)} answered, {codes.count(429)} refused, Retry-After "
            f"{' or '.join(sorted(after)) or 'missing'}",
            tuple(limit_faults(codes, after, most)),
        )
        other = _status(front, stack.MODEL, "other")
        faults = () if other == 200 else (f"it gets {other}, but it has asked once alone",)
        yield Row(f"limit: {case}, another key", f"{other}", faults)
    codes = [_status(front, stack.SHARED, "requests") for _ in range(stack.REQUESTS + 3)]
    yield Row(
        "limit: a model without limits",
        f"goes wrong: {codes.count(429)} refused of {len(codes)}",
        () if any(limit_faults(codes, set(), stack.REQUESTS)) else ("it was refused",),
    )


def _counted(front: str, key: str, words: int) -> requests.Response:
    """An answer, and time for Envoy to count its tokens: it does when the answer is through."""
    answer = _ask(front, stack.MODEL, key, words=words)
    time.sleep(COUNTED_SECONDS)
    return answer


def limit_faults(codes: Sequence[int], after: set[str], most: int) -> Iterator[str]:
    """What answers to one key should not have been."""
    if set(codes[:most]) != {200}:
        yield f"of the first {most} some were refused: {codes[:most]}"
    if set(codes[most:]) != {429}:
        yield f"after {most} they must be refused with 429, but they get {codes[most:]}"
    elif not all(text.isdigit() and int(text) > 0 for text in after):
        yield f"Retry-After must be seconds, but it is {' or '.join(map(repr, sorted(after)))}"


def _queues(inside: Inside, behind: str, base: Run) -> Iterator[Row]:
    """The load of round robin by the picker, and by round robin again."""
    picked = _load(inside, behind, stack.MODEL)
    yield _queue_row("queue-aware, one card of three is slow", picked, base)
    again = _load(inside, behind, "plain")
    yield _wrong("round robin against itself", _queue_row("", again, base))


def _router_row(
    inside: Inside,
    router: RouterKind,
    way: RoutingStrategy,
    base: Run,
    change: Callable[[list[str]], list[str]] | None = None,
) -> Row:
    """A router before the same servers, as a stack without a gateway has it.

    Args:
        inside: The cluster.
        router: Whose router it is.
        way: What the stack asks of it.
        base: The load by round robin.
        change: What its arguments are made into; it is then asked for prefixes.
    """
    name = f"{stack.MODEL}-router"
    objects = [
        copy.deepcopy(manifest)
        for manifest in stack.manifests(stack.router_plan(router, way))
        if manifest["metadata"]["name"] == name
    ]
    if change is not None:
        [deployment] = [item for item in objects if item["kind"] == "Deployment"]
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        container["args"] = change(container["args"])
    old = inside.pods.address(name)
    refused = _install(inside, objects)
    until(lambda: inside.pods.address(name) not in (None, old), READY_SECONDS)
    url = f"http://{inside.address(name)}:{ROUTER_PORT}"
    until(lambda: _status(url, stack.MODEL, None) == 200, READY_SECONDS)
    if way is RoutingStrategy.DEFAULT and change is None:
        row = _queue_row(f"{router}-router: by load", _load(inside, url), base)
    else:
        kept = _ask_by_prefix(inside, f"{url}/v1", {})
        faults = tuple(prefix_faults(kept))
        row = Row(f"{router}-router: by prefix", _prefix_words(kept), faults)
    return replace(row, faults=(*refused, *row.faults))


def _by_prefix(arguments: list[str]) -> list[str]:
    """Arguments of a router that keeps prefixes."""
    return ["cache_aware" if word == "power_of_two" else word for word in arguments]


def _queue_row(case: str, run: Run, base: Run) -> Row:
    ratio = _slow_answers(run) / max(_slow_answers(base), 1e-9)
    shares = "/".join(f"{share.share or 0:.0%}" for share in summary(run).servers.values())
    figures = (
        f"p95 TTFT {_slow_answers(base):.2f} -> {_slow_answers(run):.2f} s, {ratio:.2f} x, "
        f"servers {shares}"
    )
    return Row(case, figures, tuple(queue_faults(run, ratio)))


def queue_faults(run: Run, ratio: float) -> Iterator[str]:
    """What a run should not have been, beside one by round robin."""
    figures = summary(run)
    if figures.answered != figures.requests:
        yield f"{figures.answered} of {figures.requests} answered: {dict(figures.failures)}"
    if ratio > RATIO:
        yield f"{ratio:.2f} x, but it must be {RATIO} x at most"


def _slow_answers(run: Run) -> float:
    """95th percentile of the time to first token."""
    ttft = summary(run).time_to_first_token
    return ttft.p95 if ttft else 0.0


def _prefixes(inside: Inside, behind: str) -> Iterator[Row]:
    """Questions of some beginnings, by queues alone and by what servers have read."""
    spread = _ask_by_prefix(inside, f"{behind}/v1", {"x-model-backend": stack.MODEL})
    changed = stack.plan({f"models[{stack.MODEL}].route.routing": "PREFIX_CACHE"})
    picker = f"{stack.MODEL}-picker"
    old = inside.address(picker)
    _install(
        inside, [m for m in changed.manifests("Deployment") if m["metadata"]["name"] == picker]
    )
    until(lambda: inside.pods.address(picker) not in (None, old), READY_SECONDS)
    until(lambda: _status(behind, stack.MODEL, None, {"x-model-backend": stack.MODEL}) == 200, 30)
    kept = _ask_by_prefix(inside, f"{behind}/v1", {"x-model-backend": stack.MODEL})
    yield Row("prefix routing", _prefix_words(kept), tuple(prefix_faults(kept)))
    row = Row("", _prefix_words(spread), tuple(prefix_faults(spread)))
    yield _wrong("prefix routing, by queues alone", row)


def prefix_faults(servers: Mapping[str, Counter[str]]) -> Iterator[str]:
    """What became of prefixes that should not have."""
    share = _kept(servers)
    if share < PREFIX_SHARE:
        yield f"{share:.1%} went where their prefix was, but {PREFIX_SHARE:.0%} have to"


def _kept(servers: Mapping[str, Counter[str]]) -> float:
    """Part of requests that went to the server that most of their prefix went to."""
    most = sum(max(counts.values(), default=0) for counts in servers.values())
    return most / max(1, sum(counts.total() for counts in servers.values()))


def _prefix_words(servers: Mapping[str, Counter[str]]) -> str:
    used = {name for counts in servers.values() for name in counts}
    total = sum(counts.total() for counts in servers.values())
    return (
        f"{_kept(servers):.1%} of {total} requests of {len(servers)} prefixes went to one server "
        f"each, {len(used)} servers used"
    )


def _canaries(inside: Inside, front: str) -> Iterator[Row]:
    """How much a canary gets, and what the row says of three times as much."""
    count, share = _canary(inside, front, CANARY_REQUESTS)
    yield Row(
        f"canary of {stack.PERCENT} %",
        f"{share:.2%} of {count:,} requests",
        tuple(canary_faults(share, count, CANARY_REQUESTS)),
    )
    path = f"models[{stack.SHARED}].route.canaries"
    more = stack.plan({path: [{"model": stack.CANARY, "percent": 3 * stack.PERCENT}]})
    routes = more.manifests("HTTPRoute")
    _install(inside, routes)
    until(lambda: all(_is_seen(inside, route) for route in routes), READY_SECONDS)
    time.sleep(SETTLED_SECONDS)
    count, share = _canary(inside, front, 1_000)
    row = Row("", f"{share:.2%} of {count:,} requests", tuple(canary_faults(share, count, 1_000)))
    yield _wrong(f"canary of {3 * stack.PERCENT} %", row)


def _is_seen(inside: Inside, route: Manifest) -> bool:
    """Whether Envoy Gateway has translated a route as it is now."""
    current = inside.plane.client.get(route) or {}
    return all(
        condition["observedGeneration"] == current["metadata"]["generation"]
        for parent in current["status"]["parents"]
        for condition in parent["conditions"]
    )


def canary_faults(share: float, answered: int, sent: int) -> Iterator[str]:
    """What a canary should not have got."""
    if answered != sent:
        yield f"{answered} of {sent} were answered"
    if abs(share - stack.PERCENT / 100) > 0.01:
        yield f"{share:.2%}, but it must be {stack.PERCENT} % within a percentage point"


def _canary(inside: Inside, front: str, requests_: int) -> tuple[int, float]:
    """Requests that were answered, and the canary's part of them."""
    servers = inside.servers(stack.SHARED) | inside.servers(stack.CANARY)
    before = asyncio.run(counters(servers))
    body = json.dumps({"model": stack.SHARED, "prompt": "Hello", "max_tokens": 1})
    command = [str(binaries.find("hey")), "-n", str(requests_), "-c", "10", "-m", "POST"]
    command += ["-T", "application/json", "-host", stack.HOST, "-d", body]
    command += ["-H", f"Authorization: Bearer {_KEYS['all']}", f"{front}/v1/completions"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603
    time.sleep(SETTLE_SECONDS)
    counted = shares(before, asyncio.run(counters(servers)))
    whole = sum(server.answered for server in counted)
    canary = sum(server.answered for server in counted if server.name.startswith(stack.CANARY))
    return whole, canary / max(1, whole)


def _wrong(case: str, row: Row) -> Row:
    """A case that has to fail, so that a row can say no."""
    faults = () if row.faults else ("it must go wrong, but it does not",)
    return Row(case, f"goes wrong: {row.figures}", faults)


class _Quiet:
    """Where nobody sees how a run goes on."""

    def waiting(self, sentence: str) -> None:
        """Says nothing."""

    def tick(self, load: LoadRun) -> None:
        """Shows nothing."""


def _load(inside: Inside, url: str, backend: str = "") -> Run:
    """A run of the load, at the gateway with the pickers or at a router."""
    runs: list[Run] = []
    settings = MeasureSettings(
        endpoint=Endpoint(
            f"{url}/v1", stack.MODEL, headers={"x-model-backend": backend} if backend else {}
        ),
        scenario=Scenario.model_validate(_LOAD),
        prompt=_QUESTION,
        seed=SEED,
        label=backend or "router",
        timeout_seconds=120,
        servers=inside.servers(stack.MODEL),
    )
    asyncio.run(measure(settings, _Quiet(), runs.append))
    return runs[0]


def _ask_by_prefix(inside: Inside, url: str, headers: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Asks questions of each prefix, and says which servers got them."""
    text = random.Random(time.monotonic())  # noqa: S311  no cache knows these
    prefixes = {
        f"prefix-{text.random()}": " ".join(str(text.random()) for _ in range(_WORDS))
        for _ in range(_PREFIXES)
    }
    questions = [
        {"model": stack.MODEL, "prompt": f"{prefix} {number} {name}", "user": name, "max_tokens": 2}
        for number in range(_QUESTIONS)
        for name, prefix in prefixes.items()
    ]

    async def ask() -> None:
        limit = asyncio.Semaphore(_AT_ONCE)
        async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as group:

            async def send(question: Mapping[str, Any]) -> None:
                async with (
                    limit,
                    session.post(f"{url}/completions", json=question) as response,
                ):
                    await response.read()

            for question in questions:
                group.create_task(send(question))

    asyncio.run(ask())
    servers: dict[str, Counter[str]] = {name: Counter() for name in prefixes}
    for server, address in inside.servers(stack.MODEL).items():
        for record in requests.get(f"{address}{RECORDS}", timeout=30).json():
            if record["user"] in servers:
                servers[record["user"]][server] += 1
    return servers


def _status(url: str, model: str, key: str | None, headers: Mapping[str, str] | None = None) -> int:
    """The code of an answer; 0 where nobody answers."""
    try:
        return _ask(url, model, key, headers).status_code
    except requests.RequestException:
        return 0


def _ask(
    url: str,
    model: str,
    key: str | None,
    headers: Mapping[str, str] | None = None,
    words: int = 1,
) -> requests.Response:
    """Asks for three tokens as a client does: nobody names a pod, or a way."""
    return requests.post(
        f"{url}/v1/completions",
        json={"model": model, "prompt": "word " * words, "max_tokens": 3},
        headers={
            "Host": stack.HOST,
            **({"Authorization": f"Bearer {_KEYS[key]}"} if key else {}),
            **(headers or {}),
        },
        timeout=30,
    )


def _install(inside: Inside, manifests: Iterable[Manifest]) -> list[str]:
    """Makes objects, and says which are refused: a kind, or a webhook, may come a moment later."""
    refused: dict[str, str] = {}

    def is_decided(manifest: Manifest) -> bool:
        about = f"{manifest['kind']} {manifest['metadata']['name']}"
        try:
            inside.apply(manifest)
        except StatusError as reason:
            refused[about] = str(reason)
            return reason.reason not in ("UnknownKind", "InternalError", "NotFound")
        refused.pop(about, None)
        return True

    for manifest in manifests:
        until(partial(is_decided, manifest), INSTALL_SECONDS)
    return [f"{about}: {reason}" for about, reason in refused.items()]


def _around() -> Iterator[Manifest]:
    """What the stack expects: keys of clients, and a Redis."""
    for name in (stack.NAMESPACE, _REDIS):
        yield namespace_manifest(name)
    yield _secret("gateway-keys", stack.NAMESPACE, _KEYS)
    address = {"url": f"{_REDIS}.{_REDIS}.svc.cluster.local:6379"}
    yield _secret("redis-address", gateway_parts.NAMESPACE, address)
    labels = {"app": _REDIS}
    about = {"name": _REDIS, "namespace": _REDIS}
    container = {
        "name": _REDIS,
        "image": "redis:7",
        "readinessProbe": {"tcpSocket": {"port": 6379}},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": about,
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": about,
        "spec": {"selector": labels, "ports": [{"port": 6379}]},
    }


def _plain_route() -> Iterator[Manifest]:
    """A way to the same servers without a picker: Envoy's own round robin."""
    about = {"name": "plain", "namespace": stack.NAMESPACE}
    match = {"headers": [{"name": "x-model-backend", "value": "plain"}]}
    backend = {"name": f"{stack.MODEL}-predictor", "port": 80}
    yield {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": about,
        "spec": {
            "parentRefs": [{"name": "models-pickers"}],
            "rules": [{"matches": [match], "backendRefs": [backend]}],
        },
    }
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "plain"}
    yield {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "BackendTrafficPolicy",
        "metadata": about,
        "spec": {"targetRefs": [target], "loadBalancer": {"type": "RoundRobin"}},
    }


def _secret(name: str, namespace: str, values: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in values.items()},
    }


_WANTED: Final = ("BackendTrafficPolicy", "Overridden")
"""What is said of a Gateway's policy where a route has its own, with the same circuit breaker."""


def _conditions(inside: Inside) -> list[str]:
    """What Envoy Gateway says against an object of ours."""
    faults = []
    for api_version, kind in (
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy"),
        ("gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy"),
        ("gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy"),
        ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy"),
    ):
        for item in inside.plane.client.list_objects(api_version, kind):
            status = item.get("status") or {}
            parents = status.get("parents") or status.get("ancestors") or []
            conditions = [entry for parent in parents for entry in parent["conditions"]]
            name = f"{kind} {item['metadata']['name']}"
            if not conditions:
                faults.append(f"{name}: Envoy Gateway says nothing of it")
            faults += [
                f"{name}: {entry['type']} is {entry['status']}: {entry['message']}"
                for entry in conditions
                if (entry["status"] == "True") != (entry["type"] in ("Accepted", "ResolvedRefs"))
                and (kind, entry["type"]) != _WANTED
            ]
    return faults


if __name__ == "__main__":
    machine.report(prove)
