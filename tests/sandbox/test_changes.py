"""What an update does when one thing in a stack file changes, on the real engine and API server.

The classes are asked of a stack that is up: they are part of its life in test_lifecycle.py.
"""

from functools import reduce
from typing import Any, Final

import pytest

from plan.diff.compare import ChangeKind
from sandbox.run import Sandbox
from tests.plan.diff.prepared import MODEL, diff_of
from tests.stacks.environments import GONE

from .boxes import (
    Name,
    assert_consistent,
    changing,
    cluster_of,
    done,
    first,
    name_of,
    object_of,
)
from .test_diff_agreement import KINDS, by_diff, by_engine

SECOND: Final = {
    "second-claim",
    "second-identity-attachment",
    "second-identity-policy",
    "second-identity-role",
    "second-policy",
    "second-service",
    "second-volume",
}
SERVICE: Final = ("update", "qwen-service")
POLICY: Final = ("update", "qwen-policy")
RUNTIME: Final = ("update", "qwen-runtime")
URGENT: Final = {"name": "urgent", "value": 3000000}
URGENT_CLASS: Final = "priorities-class-urgent"
NEW_SOURCE: Final = {
    ("replace", "qwen-claim"),
    ("replace", "qwen-dataset"),
    ("replace", "qwen-load"),
    ("replace", "qwen-runtime"),
    ("replace", "qwen-volume"),
    SERVICE,
}

FIELDS: Final[list[tuple[dict[str, Any], set[Name]]]] = [
    ({"volume.path": "/Other"}, {*NEW_SOURCE, ("update", "qwen-identity-policy")}),
    ({"volume.size": "12Gi"}, NEW_SOURCE),
    ({"cache.workers": 1}, {RUNTIME}),
    ({"cache.quota": "30Gi"}, {RUNTIME}),
    ({"cache.high": "0.95"}, {RUNTIME}),
    ({"cache.preload": False}, {("delete", "qwen-load")}),
    (
        {"cache": GONE},
        {("delete", f"qwen-{role}") for role in ("dataset", "load", "runtime")}
        | {SERVICE, ("delete", "fluid-release")},
    ),
    ({"server.image": "registry.example.com/vllm:0.8.5"}, {SERVICE}),
    ({"server.mount_path": "/mnt/models/other"}, {SERVICE}),
    ({"server.resources.memory": "60Gi"}, {SERVICE}),
    ({"server.vllm.max_model_len": 4096}, {SERVICE}),
    ({"server.env": {"A": "b"}}, {SERVICE}),
    ({"server.shared_memory": "2Gi"}, {SERVICE, ("update", "knative-config-features")}),
    ({"placement.pools": ["t4"]}, {SERVICE, POLICY}),
    ({"placement.preempt_policy": "AfterAllUnits"}, {POLICY}),
    ({"priority": "urgent", "priorities[+]": URGENT}, {SERVICE, ("create", URGENT_CLASS)}),
    (
        {"priorities[inference-high-priority].value": 2000000},
        {("replace", "priorities-class-inference-high-priority")},
    ),
    ({"serve.knative.scale.max": 5}, {SERVICE}),
    ({"serve.knative.startup_seconds": 900}, {SERVICE}),
    ({"serve.knative.request_seconds": 120}, {SERVICE}),
]
"""A change of the model `qwen`, and everything that it may touch."""


WITHOUT_CACHE: Final = {"cache": GONE}
"""The one change that leaves nothing of what others change."""
SUMS: Final = {
    "new source": [changes for changes, touched in FIELDS if touched >= NEW_SOURCE],
    "same source": [
        changes
        for changes, touched in FIELDS
        if not touched >= NEW_SOURCE and changes != WITHOUT_CACHE
    ],
}
"""Changes that can be made at once, so that none hides in the replacement by another."""


def of_dev(changes: dict[str, Any]) -> dict[str, Any]:
    """The same changes, from the top of the stack file."""
    return {
        path if "[" in path else f"models[qwen].{path}": value for path, value in changes.items()
    }


@pytest.mark.parametrize(
    ("changes", "touched"),
    FIELDS,
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_a_change_of_a_model_touches_only_what_follows_from_it(
    changes: dict[str, Any], touched: set[Name]
):
    """By the diff of two plans; that the engine does the same is asked of their sums below."""
    operations = {kind: operation for operation, kind in KINDS.items()}
    differences = diff_of("dev", of_dev(changes)).changes
    assert {
        (operations[change.kind], change.resource.name) for change in differences if _counts(change)
    } == touched


def _counts(change: Any) -> bool:
    return change.kind is not ChangeKind.MOVED and change.resource.custom


class Changes:
    @pytest.mark.parametrize("changes", SUMS.values(), ids=SUMS)
    def test_the_engine_does_what_the_diff_of_the_plans_says(
        self, box: Sandbox, changes: list[dict[str, Any]]
    ):
        edits = reduce(lambda total, more: {**total, **of_dev(more)}, changes, {})
        box.configure(changing(**edits))
        try:
            assert by_engine(box.preview()) == by_diff(diff_of("dev", edits))
        finally:
            box.configure()

    def test_a_model_comes_and_goes_alone(self, box: Sandbox):
        box.configure(changing(**{"models[+]": MODEL}))
        assert done(box.up()) == {("create", name) for name in SECOND}
        assert_consistent(box)
        box.configure()
        assert done(box.up()) == {("delete", name) for name in SECOND}
        assert_consistent(box)

    def test_a_pool_and_a_zone_come_and_go_alone(self, box: Sandbox):
        pool = {"name": "spare", "instance_types": ["ecs.g7.2xlarge"], "size": 1}
        zone = {"id": "cn-beijing-k", "cidr": "10.0.16.0/20", "pod_cidr": "10.0.128.0/18"}
        box.configure(changing(**{"pools[+]": pool, "network.zones[+]": zone}))
        came = done(box.up())
        created = {name for op, name in came if op == "create"}
        assert created == {
            "network-pod-snat-cn-beijing-k",
            "network-pod-vswitch-cn-beijing-k",
            "network-snat-cn-beijing-k",
            "network-vswitch-cn-beijing-k",
            "spare-pool",
        }
        assert "replace" not in {op for op, _ in came}
        assert_consistent(box)
        box.configure()
        steps = done(box.up())
        assert {name for op, name in steps if op == "delete"} == created
        assert {op for op, _ in steps} <= {"delete", "update"}
        assert_consistent(box)

    def test_another_source_is_made_beside_the_old_one_which_goes_last(self, box: Sandbox):
        box.configure(changing(**{"models[qwen].volume.path": "/Other"}))
        outcome = box.up()
        assert done(outcome) == {*NEW_SOURCE, ("update", "qwen-identity-policy")}
        order = [(step.op, step.name) for step in outcome.steps]
        served = order.index(SERVICE)
        for name in ("qwen-claim", "qwen-dataset", "qwen-runtime", "qwen-volume"):
            assert order.index(("create-replacement", name)) < served
            assert served < order.index(("delete-replaced", name))
        assert_consistent(box)
        box.configure()
        assert not box.up().errors


class Hotfix:
    def test_what_somebody_set_in_the_cluster_is_overwritten_only_by_force(
        self, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ):
        runtime = first(box, "JindoRuntime")
        cluster_of(box).merge(object_of(runtime), {"spec": {"replicas": 7}}, "kubectl-edit")
        assert not box.refresh().errors
        [error] = [error for error in box.up().errors if "conflict" in error]
        assert error.startswith(f"{name_of(runtime)}: ")
        assert 'conflict with "kubectl-edit"' in error
        monkeypatch.setenv("PULUMI_K8S_ENABLE_PATCH_FORCE", "true")
        assert done(box.up()) == {("update", name_of(runtime))}
        assert_consistent(box)
