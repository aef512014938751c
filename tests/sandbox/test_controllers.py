"""How real controllers start, end and take over; on programs that are shell scripts."""

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sandbox import binaries
from sandbox.conditions import NodeConditions
from sandbox.controllers import core, running
from sandbox.controllers.controller import PYTHON, Controller, ControlPlane, Daemon
from sandbox.kubernetes.controllers import KNATIVE, KSERVE, SimulatedControllers
from sandbox.kubernetes.processes import runs

LIVES = "import time; print('begun', flush=True); time.sleep(60)"
ENDS = "print('no such flag', flush=True); raise SystemExit(2)"


class Server:
    """Stands for an API server: remembers what is applied and merged."""

    def __init__(self, stored: Sequence[dict[str, Any]] = ()) -> None:
        self.stored = stored
        self.applied: list[Any] = []
        self.merged: list[str] = []

    def apply(self, manifest: Any, *_: Any, **__: Any) -> None:
        self.applied.append(manifest)

    def revision(self) -> int:
        return 1

    def objects(self) -> list[dict[str, Any]]:
        return [*self.stored]

    def merge(self, manifest: Any, *_: Any) -> None:
        self.merged.append(manifest["kind"])


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """A cluster whose API server is not real, and whose controllers are ended."""
    folder = tmp_path / "clusters" / "c1"
    folder.mkdir(parents=True)
    yield ControlPlane(folder, Server(), folder / "kubeconfig", tmp_path)  # type: ignore[arg-type]
    running.stop(folder)


def controller(name: str = "Knative", code: str = LIVES, **more: Any) -> Controller:
    daemon = Daemon(name.lower(), PYTHON, ["-c", code])
    return Controller(name, "v1", lambda _: [daemon], **more)


def pids(plane: ControlPlane) -> dict[str, int]:
    return dict(json.loads((plane.folder / "daemons.json").read_text()))


def test_a_controller_installs_what_it_needs_before_it_starts(plane: ControlPlane):
    manifest = {"kind": "Namespace", "metadata": {"name": "knative-serving"}}
    running.start(plane, [controller(manifests=lambda _: [manifest])])
    assert plane.client.applied == [manifest]  # type: ignore[attr-defined]
    assert runs(pids(plane)["knative"])


def test_a_controller_that_runs_is_left_running_and_one_that_ended_is_started_again(
    plane: ControlPlane,
):
    running.start(plane, [controller()])
    before = pids(plane)
    running.start(plane, [controller()])
    assert pids(plane) == before
    running.end_controllers(plane, [controller()])
    assert pids(plane) == {}
    assert not runs(before["knative"])
    running.start(plane, [controller()])
    assert pids(plane) != before


def test_a_controller_that_ends_at_once_says_why(plane: ControlPlane):
    waits = controller(code=ENDS, ready=lambda _: "its first look")
    with pytest.raises(running.NotReady, match=r"Knative waits for its first look(.|\n)*no such f"):
        running.start(plane, [waits])


def test_all_controllers_of_a_cluster_end_with_it(plane: ControlPlane):
    running.start(plane, [controller("Knative"), controller("KServe")])
    started = pids(plane)
    assert len(started) == 2
    running.stop(plane.folder)
    assert not any(map(runs, started.values()))
    assert running.kinds(plane.folder) == frozenset()


def test_controllers_that_start_at_the_same_time_are_all_remembered(plane: ControlPlane):
    names = [f"c{number}" for number in range(6)]
    threads = [
        threading.Thread(target=running.start, args=(plane, [controller(name)])) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pids(plane)) == names


def test_a_port_is_the_same_at_each_call_and_nobody_elses(plane: ControlPlane):
    first = plane.port("kwok")
    assert plane.port("kwok") == first
    assert plane.port("webhook") != first


def test_a_program_is_announced_before_it_is_built(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
):
    calls = []
    monkeypatch.setattr(
        binaries, "find", lambda name, say: calls.append((name, say)) or Path(sys.executable)
    )
    daemon = Daemon("kwok", "kwok", ["-c", LIVES])
    running.start(plane, [Controller("kwok", "v1", lambda _: [daemon])], print)
    assert calls == [("kwok", print)]


def test_a_real_controller_takes_over_its_kinds_and_only_these(plane: ControlPlane):
    running.start(plane, [controller(kinds=frozenset({(KNATIVE, "Service")}))])
    about = {"name": "qwen", "namespace": "inference", "generation": 1}
    server = Server(
        [
            {"apiVersion": api_version, "kind": kind, "metadata": about}
            for api_version, kind in ((KNATIVE, "Service"), (KSERVE, "InferenceService"))
        ]
    )
    simulated = SimulatedControllers(
        server,  # type: ignore[arg-type]
        server,  # type: ignore[arg-type]
        lambda _: None,
        lambda: running.kinds(plane.folder) | {("v1", "Namespace")},
    )
    simulated.stop()
    server.merged.clear()
    simulated.round()
    assert server.merged == ["InferenceService"]


def test_a_namespace_is_emptied_by_the_real_controller_where_it_runs():
    assert ("v1", "Namespace") in core.CONTROLLER_MANAGER.kinds


def test_each_controller_that_runs_says_what_for():
    assert all(core.CONTROLLERS.values())


def test_kwok_is_told_how_long_pods_take():
    conditions = NodeConditions(image_seconds=3, start_seconds=2, stop_seconds=4, job_seconds=5)
    delays = {
        stage["metadata"]["name"]: stage["spec"]["delay"]["durationMilliseconds"]
        for stage in core.stages(conditions)
    }
    assert delays["pod-starts"] == 5000
    assert delays["pod-goes"] == 4000
    assert delays["pod-of-a-job-succeeds"] == 5000
