"""What validates a row of the routing, the stack that it takes, and the names of its Services.

That the real gateway does what the rows say is for `python -m proof routing`.
"""

import socket
import struct
from collections import Counter

import pytest

from loadtest.results import Failure
from proof import routing, routing_stack
from proof.name_server import answer, configuration
from proof.pods import _chosen, _expanded, _probed_port
from tests.loadtest.runs import run_from, sample
from tests.stacks.environments import sentences

WHERE = {"qwen.inference.svc.cluster.local": ["10.1.0.5", "10.1.0.6"]}


def question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return (
        struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)
    )


def test_a_name_of_a_service_leads_to_the_pods_behind_it() -> None:
    reply = answer(question("qwen.inference.svc.cluster.local"), WHERE)
    number, flags, _, answers, _, _ = struct.unpack("!HHHHHH", reply[:12])
    assert (number, flags & 0xF, answers) == (7, 0, 2)
    assert reply[-4:] == socket.inet_aton("10.1.0.6")


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("qwen.inference.svc.cluster.local", 28, 0),  # no IPv6 address, but the name is known
        ("nobody.inference.svc.cluster.local", 1, 3),
        ("example.org", 1, 3),
    ],
)
def test_other_questions_have_no_address(name: str, kind: int, code: int) -> None:
    reply = answer(question(name, kind), WHERE)
    _, flags, _, answers, _, _ = struct.unpack("!HHHHHH", reply[:12])
    assert (flags & 0xF, answers) == (code, 0)


def test_a_pod_finds_services_of_its_namespace_by_their_short_name() -> None:
    assert "search inference.svc.cluster.local svc.cluster.local" in configuration(
        "10.1.0.1", "inference"
    )


def test_a_container_gets_its_variables_files_and_port_as_a_kubelet_has_it() -> None:
    assert _expanded("--pool=$(NAMESPACE)/qwen", {"NAMESPACE": "a"}) == "--pool=a/qwen"
    assert _chosen({"a": b"1", "b": b"2"}, {"items": [{"key": "a", "path": "x/a"}]}) == {
        "x/a": b"1"
    }
    assert _chosen({"a": b"1"}, {}) == {"a": b"1"}
    ports = [{"name": "http", "containerPort": 8080}]
    assert _probed_port({"ports": ports, "readinessProbe": {"httpGet": {"port": "http"}}}) == 8080
    assert _probed_port({"readinessProbe": {"grpc": {"port": 9003}}}) == 9003
    assert _probed_port({"ports": ports}) is None


@pytest.mark.parametrize(
    ("codes", "after", "fault"),
    [
        ([200, 200, 429, 429], {"60"}, ""),
        ([200, 429, 429, 429], {"60"}, "of the first 2"),
        ([200, 200, 200, 429], {"60"}, "after 2"),
        ([200, 200, 503, 503], {"60"}, "after 2"),
        ([200, 200, 429, 429], {""}, "Retry-After"),
        ([200, 200, 429, 429], {"60", "0"}, "Retry-After"),
        ([200, 200, 429, 429], {"soon"}, "Retry-After"),
    ],
)
def test_a_limit_lets_so_many_in_and_says_when_to_ask_again(
    codes: list[int], after: set[str], fault: str
) -> None:
    faults = list(routing.limit_faults(codes, after, 2))
    assert (fault in faults[0]) if fault else not faults


def test_a_prefix_has_to_stay_with_one_server() -> None:
    counts = {"a": Counter(x=19, y=1), "b": Counter(y=20)}
    assert not list(routing.prefix_faults(counts))
    assert list(routing.prefix_faults({"a": Counter(x=18, y=2)}))
    assert list(routing.prefix_faults({"a": Counter()}))


@pytest.mark.parametrize(
    ("share", "answered", "holds"),
    [
        (0.1, 100, True),
        (0.109, 100, True),
        (0.112, 100, False),
        (0.0, 100, False),
        (0.1, 99, False),
    ],
)
def test_a_canary_gets_its_percent_of_all_requests(
    share: float, answered: int, holds: bool
) -> None:
    assert (not list(routing.canary_faults(share, answered, 100))) is holds


def test_a_picker_is_faster_than_round_robin_by_so_much_and_answers_all() -> None:
    run = run_from(sample(0), sample(1))
    assert not list(routing.queue_faults(run, 0.6))
    assert list(routing.queue_faults(run, 0.61))
    failed = run.samples[0].model_copy(update={"failure": Failure.LIMITED})
    limited = run.model_copy(update={"samples": (failed, *run.samples[1:])})
    assert list(routing.queue_faults(limited, 0.1))


def test_the_stacks_of_the_proof_are_accepted() -> None:
    for raw in (
        routing_stack.stack(),
        routing_stack.stack({"models[coder].route.routing": "PREFIX_CACHE"}),
        *(routing_stack.router_stack(*pair) for pair in routing_stack.ROUTERS),
    ):
        assert sentences(raw) == []
