"""A stack that an earlier version of this repository brought up goes on, and replaces what it must.

What is not updated in place stands here, and in CHANGELOG.md: a Job, whose pods cannot be changed,
and the ConfigMap of a dashboard, which the Kubernetes provider makes anew for other panels.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from sandbox.kubernetes.server import ApiServer
from sandbox.run import OWN_CLUSTER
from tests.stacks.environments import NAMES

from .boxes import done, lend, needs_engine, sandbox_of
from .recording import FOLDER, clusters_of, play_back

JOB: Final = {("replace", "finetune-job")}
SETTING: Final = {("create", "knative-config-deployment")}
BESIDE_UPDATES: Final[Mapping[str, set[tuple[str, str]]]] = {
    "dev": {*JOB, *SETTING},
    "existing": JOB,
    "hybrid": {("create", "kserve-ingress"), ("replace", "dashboards-vllm")},
    "prod": {*JOB, *SETTING, ("create", "finetune-rendezvous")},
}


RECORDED: Final = sorted(path.stem for path in FOLDER.glob("*.json"))


def test_every_recorded_state_is_of_a_stack_and_has_its_expectation():
    """A stack that came after the release has none."""
    assert set(RECORDED) == BESIDE_UPDATES.keys() <= set(NAMES)


@pytest.fixture(scope="module")
def cluster() -> Iterator[ApiServer]:
    """That of `existing`, lent to the others: to preview a recorded stack stores nothing in it."""
    with sandbox_of("existing") as box:
        yield box.clusters.find(OWN_CLUSTER)


@needs_engine
@pytest.mark.parametrize("stack", RECORDED)
def test_a_recorded_stack_is_updated_in_place(stack: str, cluster: ApiServer):
    lent = clusters_of(stack) or [OWN_CLUSTER]
    with sandbox_of(stack, lambda box: [lend(cluster, box, id_) for id_ in lent]) as box:
        play_back(box)
        beside = {(op, name) for op, name in done(box.preview()) if op != "update"}
    assert beside == BESIDE_UPDATES[stack]
