import asyncio
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loadtest import phases
from loadtest.phases import (
    Clock,
    ClusterError,
    PodWatcher,
    Start,
    clock_of,
    container_of,
    first_started,
    phases_of,
    serves,
)
from tests.loadtest.cluster import LOG, SENT, at, condition, event, events, node, pod

TOGETHER = Clock(timedelta(), timedelta(seconds=0.6))
WHOLE = Start(pod(), node(), events(), LOG)
ANSWERED = SENT + timedelta(seconds=93.1)


def parts_of(start: Start = WHOLE, clock: Clock = TOGETHER) -> tuple[dict[str, float], str]:
    phases, notes = phases_of(start, SENT, ANSWERED, clock)
    return {phase.name: round(phase.ended, 2) for phase in phases}, "\n".join(notes)


def sources(start: Start) -> dict[str, str]:
    return {phase.name: phase.source for phase in phases_of(start, SENT, ANSWERED, TOGETHER)[0]}


def test_a_whole_start_is_told_in_the_order_in_which_its_parts_ended() -> None:
    ends, _ = parts_of()
    assert list(ends.items()) == [
        ("node added", 47.75),
        ("scheduled", 51.75),
        ("image pulled", 74.75),
        ("model loaded", 88.0),
        ("ready", 89.75),
        ("first token", 93.1),
    ]


def test_each_part_names_the_object_that_says_so() -> None:
    assert sources(WHOLE) == {
        "scheduled": "Pod qwen-00001-abc: condition PodScheduled",
        "node added": "Node cn-beijing.10.0.0.7: condition Ready",
        "image pulled": "Pod qwen-00001-abc: event Pulled (pulled in 21.724s)",
        "model loaded": "Pod qwen-00001-abc: log line 'Application startup complete'",
        "ready": "Pod qwen-00001-abc: condition Ready",
        "first token": "the answer, as it came in here",
    }


def test_the_resolution_of_the_cluster_s_times_is_said() -> None:
    assert "whole seconds" in parts_of()[1]


def test_who_was_asked_for_a_node_is_said() -> None:
    assert "goatscaler was asked for a node 3 s after the request (event Pr" in parts_of()[1]


def test_a_node_that_was_there_before_the_request_was_not_added() -> None:
    ends, notes = parts_of(Start(pod(), node(created=-3600, ready=-3540), events(), LOG))
    assert "node added" not in ends
    assert "No node was added: node cn-beijing.10.0.0.7 was there before." in notes


def test_a_node_that_was_not_read_is_not_taken_for_an_old_one() -> None:
    ends, notes = parts_of(Start(pod(), None, events(), LOG))
    assert "node added" not in ends
    assert "not known, as node cn-beijing.10.0.0.7 was not read" in notes


def test_an_image_that_was_on_the_node_is_told_as_such() -> None:
    message = 'Container image "vllm" already present on machine'
    pulled = event("Pulled", 53, message, path="user-container")
    start = Start(pod(), node(), [pulled], LOG)
    assert parts_of(start)[0]["image pulled"] == 52.75
    assert sources(start)["image pulled"].endswith("event Pulled (was on the node)")


def test_the_image_of_another_container_is_not_the_model_s() -> None:
    [sidecar] = [item for item in events() if "queue" in item["message"]]
    ends, notes = parts_of(Start(pod(), node(), [sidecar], LOG))
    assert "image pulled" not in ends
    assert "has no event Pulled of user-container" in notes


def test_of_two_pulls_the_first_counts_since_the_second_is_a_restart_s() -> None:
    again = event("Pulled", 300, "already present on machine", path="user-container")
    assert parts_of(Start(pod(), node(), [again, *events()], LOG))[0]["image pulled"] == 74.75


def test_an_event_with_microseconds_is_told_to_the_microsecond() -> None:
    fine = event("Pulled", 0, "", path="user-container", eventTime=at(75.5, fraction=True))
    fine |= {"firstTimestamp": None, "lastTimestamp": None}
    assert parts_of(Start(pod(), node(), [fine], LOG))[0]["image pulled"] == 75.5


@pytest.mark.parametrize(
    ("log", "why"), [("no such line\n", "does not say"), (None, "was not read")]
)
def test_a_server_that_does_not_log_its_start_leaves_open_when_the_model_was_loaded(
    log: str | None, why: str
) -> None:
    ends, notes = parts_of(Start(pod(), node(), events(), log))
    assert "model loaded" not in ends
    assert f"its log {why}" in notes


def test_a_pod_that_never_got_ready_is_told_as_far_as_it_came() -> None:
    late = pod(since={"Ready": None, "PodScheduled": None}, spec={"nodeName": None})
    phases, notes = phases_of(Start(late, None, [], ""), SENT, None, TOGETHER)
    assert phases == ()
    assert "Pod qwen-00001-abc was not scheduled yet." in notes
    assert "Pod qwen-00001-abc was not ready yet." in notes


def test_a_condition_counts_once_it_is_true() -> None:
    # The time is when it became false.
    unready = pod(since={"Ready": None})
    unready["status"]["conditions"].append(condition("Ready", 4, "False"))
    ends, notes = parts_of(Start(unready, node(), events(), LOG))
    assert "ready" not in ends
    assert "Pod qwen-00001-abc was not ready yet." in notes


def test_a_part_that_was_over_before_the_request_is_no_part_of_it() -> None:
    early = pod(created=-30, since={"PodScheduled": -20})
    ends, notes = parts_of(Start(early, node(), events(), LOG))
    assert "scheduled" not in ends
    assert "condition PodScheduled was before the request." in notes


def test_a_cut_off_fraction_does_not_make_a_time_negative() -> None:
    # 08:00:00 was written down, but it may have been 08:00:00.9, after the request.
    assert (
        parts_of(Start(pod(since={"PodScheduled": 0.5}), node(), events(), LOG))[0]["scheduled"]
        == 0
    )


def test_an_answer_before_the_pod_was_ready_came_from_another_one() -> None:
    _, notes = phases_of(WHOLE, SENT, SENT + timedelta(seconds=4), TOGETHER)
    assert "The first token came before the pod was ready: another pod answered." in notes


def test_a_cluster_that_is_ahead_is_set_back_and_that_is_said() -> None:
    ends, notes = parts_of(clock=Clock(timedelta(seconds=5), timedelta(seconds=0.6)))
    assert ends["ready"] == 84.75
    assert ends["first token"] == 93.1
    assert "clock is 5.0 s ahead of this machine's" in notes


def test_clocks_that_may_agree_are_left_as_they_are() -> None:
    ends, notes = parts_of(clock=Clock(timedelta(seconds=-0.5), timedelta(seconds=0.6)))
    assert ends["ready"] == 89.75
    assert "clock" not in notes


def test_the_date_header_gives_the_clock_to_half_a_second_and_half_the_way() -> None:
    before = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
    clock = clock_of("Sun, 22 Nov 2026 08:00:10 GMT", before, before + timedelta(seconds=0.2))
    assert clock.ahead == timedelta(seconds=10.4)
    assert clock.doubt == timedelta(seconds=0.6)


def test_of_several_pods_the_one_that_was_ready_first_is_told() -> None:
    first, second = pod("qwen-a", since={"Ready": 90}), pod("qwen-b", since={"Ready": 80})
    warm = pod("qwen-c", created=-900, since={"Ready": -800})
    first_pod = first_started([first, warm, second], SENT)
    assert first_pod is second


def test_where_none_got_ready_the_pod_that_was_made_first_is_told() -> None:
    late = [pod(name, created, since={"Ready": None}) for name, created in (("b", 9), ("a", 4))]
    assert first_started(late, SENT) is late[1]


def test_a_pod_that_was_ready_before_did_not_start_for_the_request() -> None:
    assert first_started([pod(created=-900, since={"Ready": -800})], SENT) is None


def test_a_reserved_pod_is_not_the_one_that_starts() -> None:
    reserved = pod("qwen-00001-deployment-reserve-x", since={"Ready": 1})
    assert first_started([reserved], SENT) is None


@pytest.mark.parametrize(
    "label", ["serving.knative.dev/service", "serving.kserve.io/inferenceservice", "release"]
)
def test_a_model_s_pods_are_known_by_the_label_of_whoever_serves_it(label: str) -> None:
    assert serves(pod(metadata={"labels": {label: "qwen"}}), "qwen")
    assert not serves(pod(metadata={"labels": {label: "qwen-chat"}}), "qwen")
    assert not serves(pod(metadata={"labels": None}), "qwen")


def test_the_container_that_serves_is_known_beside_others() -> None:
    sidecar, server = {"name": "istio-proxy"}, {"name": "kserve-container"}
    assert container_of(pod(spec={"containers": [sidecar, server]})) == "kserve-container"
    assert container_of(pod(spec={"containers": [{"name": "vllm"}, sidecar]})) == "vllm"


class Shown(PodWatcher):
    """Sees what it is told to, one list of pods per look, and the last one for good.

    None is a look that fails.
    """

    def __init__(self, *looks: Sequence[Mapping[str, Any]] | None) -> None:
        super().__init__(Path("kubeconfig"), None, "inference", "qwen")
        self._looks = itertools.chain(looks, itertools.repeat(looks[-1]))

    def _list_pods(self) -> tuple[list[Mapping[str, Any]], Clock]:
        look = next(self._looks)
        if look is None:
            raise ClusterError("The API server cannot be reached.")
        return list(look), TOGETHER

    def _start(self, pod: Mapping[str, Any]) -> tuple[Start, tuple[str, ...]]:
        return Start(pod, node(), events(), LOG), ("Nodes cannot be read.",)


def test_the_wait_ends_when_the_last_pod_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "POLL_SECONDS", 0)
    asyncio.run(Shown([pod()], [pod()], []).wait_until_zero(5))


def test_a_look_that_fails_does_not_end_a_wait_that_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(phases, "POLL_SECONDS", 0)
    asyncio.run(Shown([pod()], None, [pod()], []).wait_until_zero(5))
    with pytest.raises(ClusterError):
        asyncio.run(Shown(None, []).wait_until_zero(5))


def test_an_answer_of_a_reserved_pod_is_told_where_no_other_was_made_yet() -> None:
    reserved = pod("qwen-00001-deployment-reserve-x", created=-900, since={"Ready": -800})
    _, notes = asyncio.run(Shown([reserved]).phases(SENT, ANSWERED))
    assert notes[0].startswith("Reserved, so that it may have answered: qwen-00001-deployment-res")


def test_a_model_with_only_reserved_pods_is_at_zero() -> None:
    asyncio.run(Shown([pod("qwen-00001-deployment-reserve-x")]).wait_until_zero(0))


def test_a_model_that_keeps_its_pods_is_named_with_them_and_with_what_to_do() -> None:
    with pytest.raises(
        TimeoutError,
        match=r"^Model qwen in namespace inference still has pods after 0 s \(qwen-00001-abc\), but"
        r" .* least scale to 0.*idle_seconds\)\.$",
    ):
        asyncio.run(Shown([pod()]).wait_until_zero(0))


def test_a_watcher_tells_phases_and_what_it_could_not_read() -> None:
    phases, notes = asyncio.run(Shown([pod()]).phases(SENT, ANSWERED))
    assert len(phases) == 6
    assert "Nodes cannot be read." in notes


def test_other_pods_and_restarts_are_said() -> None:
    status = {"containerStatuses": [{"restartCount": 2}]}
    chosen, second = pod(), pod("qwen-00001-def", since={"Ready": 99})
    chosen["status"] |= status
    reserved = pod("qwen-00001-deployment-reserve-x", created=-900)
    _, notes = asyncio.run(Shown([second, reserved, chosen]).phases(SENT, ANSWERED))
    text = "\n".join(notes)
    assert "those of Pod qwen-00001-abc; there were also qwen-00001-def." in text
    assert "may have answered: qwen-00001-deployment-reserve-x." in text
    assert "Pod qwen-00001-abc started again 2 times." in text


def test_a_warm_model_has_no_cold_start() -> None:
    warm = pod(created=-900, since={"Ready": -800})
    [first_token], [note] = asyncio.run(Shown([warm]).phases(SENT, ANSWERED))
    assert first_token.name == "first token"
    assert note.startswith("No pod of qwen in namespace inference started after the request")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No configuration found"),
        (": :", "while parsing"),
        (
            "{apiVersion: v1, kind: Config, current-context: a,"
            " contexts: [{name: a, context: {cluster: a, user: a}}],"
            " clusters: [{name: a, cluster: {server: 'https://127.0.0.1:9'}}],"
            " users: [{name: a, user: {token: secret-token}}]}",
            "The API server cannot be reached",
        ),
    ],
)
def test_a_cluster_that_cannot_be_asked_ends_the_wait_but_not_the_report(
    content: str | None, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    if content:
        path.write_text(content)
    watcher = PodWatcher(path, None, "inference", "qwen")
    with pytest.raises(ClusterError, match=why):
        asyncio.run(watcher.wait_until_zero(0))
    [first_token], [note] = asyncio.run(watcher.phases(SENT, ANSWERED))
    assert first_token.ended == 93.1
    assert why in note
    assert "secret-token" not in note
