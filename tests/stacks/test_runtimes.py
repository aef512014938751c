"""What a runtime says of itself is what stacks ask of it."""

from collections.abc import Callable

import pytest
from pydantic import BaseModel, ValidationError

from components.args import Args, faults
from components.serving import KnativeServe
from components.serving.pod import SHARED_MEMORY_PATH
from stacks.runtimes import RUNTIMES, Runtime, selected_labels
from stacks.sections.models import ServeSection

from .environments import Raw, accepted, dev, hybrid, merged, planned, sentences

KNATIVE = {"scale": {"max": 3, "target": 2}}
KINDS = [*ServeSection.model_fields]
SHARED = {"server.mount_path": SHARED_MEMORY_PATH, "server.shared_memory": "1Gi"}


class Three(ServeSection):
    """The kinds of a stack file, and one more."""

    third: KnativeServe | None = None


def said(model: type[Args], raw: Raw) -> list[str]:
    """The sentences with which a section is refused."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(raw)
    return [str(fault) for fault in faults(model, caught.value, raw)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_serving_has_its_runtime(kind: str) -> None:
    assert isinstance(RUNTIMES[kind], Runtime)


@pytest.mark.parametrize("kind", KINDS)
def test_every_section_has_what_rules_for_all_runtimes_read(kind: str) -> None:
    """That is `RuntimeSection`, which no type checker compares with a section."""
    section = model_of(ServeSection, kind)
    if "startup_seconds" not in section.model_fields:  # Rules read each of its roles.
        section = model_of(section, "prefill")
    assert {"startup_seconds", "request_seconds", "annotations"} <= section.model_fields.keys()
    assert {"max", "metric"} <= model_of(section, "scale").model_fields.keys()


def model_of(model: type[BaseModel], field: str) -> type[BaseModel]:
    annotation = model.model_fields[field].annotation
    kinds = [annotation, *getattr(annotation, "__args__", ())]
    [type_] = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return type_


def test_a_model_without_a_kind_is_told_of_all() -> None:
    first, *rest = Three.model_fields
    [sentence] = said(Three, {})
    want = f"{first} is missing, but it must be given, or else {' or '.join(rest)}: a model is"
    assert sentence.startswith(want)
    assert {"kserve", "third"} <= set(rest)


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (
            ["knative", "third"],
            "given beside third",
        ),
        (
            ["knative", "kserve", "third"],
            "given beside kserve and third",
        ),
    ],
)
def test_a_model_of_several_kinds_is_told_which(kinds: list[str], words: str) -> None:
    kserve = {"scale": {"max": 3, "metric": "cpu", "target": 80}}
    raw = {kind: kserve if kind == "kserve" else KNATIVE for kind in kinds}
    want = f"the only one of {', '.join(Three.model_fields)}: a model is served in one way."
    assert said(Three, raw) == [f"knative is {words}, but it must be {want}"]


def test_the_kind_is_the_section_that_is_given() -> None:
    assert Three.model_validate({"third": KNATIVE}).kind == "third"


def test_a_policy_selects_our_label_or_that_of_the_controller() -> None:
    [knative], [kserve, *_] = accepted(dev()).models, accepted(hybrid()).models
    assert selected_labels(knative) == {"release": knative.name}
    assert selected_labels(kserve) == {"app": f"isvc.{kserve.name}-predictor"}


@pytest.mark.parametrize(
    ("base", "changes", "field"),
    [
        (dev, {"serve.knative.annotations": {"autoscaling.knative.dev/min-scale": "x"}}, None),
        (hybrid, {"serve.kserve.annotations": {"serving.kserve.io/deploymentMode": "x"}}, None),
        (dev, SHARED, "server.mount_path"),
        (hybrid, {**SHARED, "server.command": ["serve"]}, "server.mount_path"),
    ],
)
def test_what_a_runtime_refuses_is_told_under_the_field_of_the_stack_file(
    base: Callable[..., Raw], changes: Raw, field: str | None
) -> None:
    model = f"models[{base()['models'][0]['name']}]"
    [sentence] = sentences(merged(base(), {f"{model}.{key}": changes[key] for key in changes}))
    assert sentence.startswith(f"{model}.{field or next(iter(changes))}[")


@pytest.mark.parametrize("base", [dev, hybrid])
def test_a_model_asks_for_its_key_whoever_serves_it(base: Callable[..., Raw]) -> None:
    model = base()["models"][0]["name"]
    raw = merged(base(), {f"models[{model}].api_key_secret": "model-key"})
    [spec] = [
        resource.inputs["spec"]
        for resource in planned(raw).resources
        if resource.name == f"{model}-service"
    ]
    pod = spec["predictor"] if "predictor" in spec else spec["template"]["spec"]
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "model-key"}}]
