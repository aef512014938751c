from typing import Any

import pytest

from components.platform import Priorities
from tests.recording import (
    assert_is_a_good_parent,
    only,
    options,
    outputs,
    planned,
    refused,
)

CLASS = "kubernetes:scheduling.k8s.io/v1:PriorityClass"


def classes(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"classes": [{"name": "high", "value": 1000, **entry} for entry in entries]}


def class_inputs(**changes: Any) -> dict[str, Any]:
    return dict(only(planned(Priorities, "it", classes(changes)).of(CLASS)).inputs)


def test_a_class_preempts_and_is_not_the_default_of_the_cluster():
    assert class_inputs(description="For models.") == {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "high"},
        "value": 1000,
        "preemptionPolicy": "PreemptLowerPriority",
        "description": "For models.",
    }


@pytest.mark.parametrize(
    ("preempts", "policy"),
    [(True, "PreemptLowerPriority"), (None, "PreemptLowerPriority"), (False, "Never")],
)
def test_a_class_may_wait_for_room_instead(preempts: bool | None, policy: str):
    assert class_inputs(preempts=preempts)["preemptionPolicy"] == policy


@pytest.mark.parametrize("value", [-10, 0, 1_000_000_000])
def test_every_value_below_those_of_kubernetes_is_taken(value: int):
    assert class_inputs(value=value)["value"] == value


def test_a_class_whose_value_changed_is_made_anew():
    """Kubernetes forbids to change it in place."""
    opts = options(Priorities, "it", classes({}))["it-class-high"]
    assert opts.replace_on_changes == ["value", "preemptionPolicy"]
    assert opts.delete_before_replace


def test_the_names_of_all_classes_are_published():
    args = classes({}, {"name": "low", "value": 10})
    assert outputs(Priorities, "it", args, "names") == {"names": ["high", "low"]}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"value": 1_000_000_001}, "classes[high].value is 1000000001, but it must be 1000000000"),
        ({"name": "High"}, "classes[High].name is 'High', but it must be lower-case letters"),
        (
            {"name": "system-model"},
            "classes[system-model].name is 'system-model', but it must be without system- in",
        ),
    ],
)
def test_a_class_that_kubernetes_refuses_is_refused(entry: dict[str, Any], sentence: str):
    [fault] = refused(Priorities, "it", classes(entry))
    assert fault.startswith(sentence)


def test_two_classes_of_one_name_are_refused():
    [sentence] = refused(Priorities, "it", classes({}, {"value": 10}))
    assert sentence.startswith("classes[high].name is 'high', but it must be unique")


def test_the_classes_belong_to_their_component():
    args = classes({}, {"name": "low"})
    assert_is_a_good_parent(Priorities, "Priorities", args, {"class-high", "class-low"})
