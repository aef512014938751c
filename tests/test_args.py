import ast
import functools
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from enum import StrEnum
from types import NoneType
from typing import Annotated, Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pydantic import Field, ValidationError
from pydantic._internal._docs_extraction import DocstringVisitor

from components.args import (
    MISSING,
    SECRET,
    Args,
    Because,
    Fault,
    Input,
    Refusal,
    TextForm,
    Words,
    child_options,
    faults_of,
    nearest,
    once,
    refuse,
    validated,
)
from components.crds import KnativeServiceSpec, KnativeServingSpec, Toleration
from components.plugin.schema import default_text
from components.validation_errors import descriptions, keys_at, path_of
from plan.record import record

from .cloud.refusals import refusal, refusals


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Login(Args):
    """How to sign in."""

    password: Input[str] | None = Field(default=None, json_schema_extra=SECRET)
    """What proves it."""
    pin: int | None = Field(default=None, json_schema_extra=SECRET)
    """A number that proves it."""


class Scale(Args):
    """How many there are."""

    min: int = 1
    """Fewest. More text that is not shown."""
    max: int | None = Field(default=None, le=9)
    """Most, e.g. 3."""

    def _faults(self):
        if self.min > (self.max or 9):
            yield Fault("min", self.min, "at most max", "a range is ordered")
        if self.min == 7:
            yield Fault("min", self.min, "even", "odd counts are refused")


class Pool(Args):
    """Some nodes."""

    name: str
    """What it is called."""
    scale: Scale | None = None
    """How many there are."""


class Everything(Args):
    """One field of each kind."""

    kubeconfig: Input[str]
    """Reaches the cluster."""
    colour: Colour | None = None
    """What it looks like."""
    size: int | None = Field(default=None, ge=1)
    """How large it is."""
    labels: dict[str, list[Input[str]]] | None = None
    """What it is known by."""
    pools: list[Pool] | None = None
    """Where it runs."""
    scale: Input[Scale] | None = None
    """How many there are."""
    counts: dict[int, str] | None = None
    """How often."""
    provider: pulumi.ProviderResource | None = None
    """Who does it."""
    login: Login | None = None
    """How to sign in."""


def lower_faults(field: str, text: str, why: str) -> Iterator[Fault]:
    if not text.islower():
        yield Fault(field, text, "in lower case", why)


Lower = Annotated[str, TextForm(lower_faults), Because("it is a name")]


class Formed(Args):
    """Texts of a form, wherever they may stand."""

    name: Lower
    """What it is called."""
    host: Annotated[Input[Lower] | None, Because("it is a host")] = None
    """Where it is."""
    names: list[Lower] = []
    """What it was called."""
    labels: dict[Lower, Input[Lower]] | None = None
    """What it is known by."""

    def _faults(self):
        if "odd" in self.names:
            yield Fault("names", self.names, "even", "odd ones are refused")


def everything(**changes: Any) -> dict[str, Any]:
    return {"kubeconfig": "k", **changes}


def test_a_fault_reads_as_field_value_remedy_reason_and_page():
    fault = Fault("size", 0, "1 or more", "nothing fits", "https://page")
    assert str(fault) == "size is 0, but it must be 1 or more: nothing fits. See https://page"


def test_a_fault_without_a_page_ends_after_its_reason():
    assert str(Fault("size", 0, "1", "why")) == "size is 0, but it must be 1: why."


def test_words_are_shown_without_quotes_and_other_text_with_them():
    assert str(Fault("a", MISSING, "b", "c")).startswith("a is missing, but")
    assert str(Fault("a", Words("given"), "b", "c")).startswith("a is given, but")
    assert str(Fault("a", "given", "b", "c")).startswith("a is 'given', but")


def test_an_enum_is_shown_as_the_reader_wrote_it():
    assert str(Fault("a", Colour.RED, "b", "c")).startswith("a is 'red', but")


def test_a_long_value_is_cut():
    text = str(Fault("a", "x" * 200, "b", "c")).removeprefix("a is ").partition(", but")[0]
    assert len(text) <= 80
    assert text.endswith("...")


@pytest.mark.parametrize(
    ("field", "path", "expected"),
    [
        ("size", "pools[a10]", "pools[a10].size"),
        ("size", "", "size"),
        ("", "pools[a10]", "pools[a10]"),
    ],
)
def test_a_fault_is_seen_from_its_section(field: str, path: str, expected: str):
    assert Fault(field, 0, "1", "why").under(path).field == expected


def test_refuse_carries_the_one_fault_it_describes():
    refusal = refuse("size", 0, "1 or more", "nothing fits")
    assert isinstance(refusal, Refusal)
    assert str(refusal) == "size is 0, but it must be 1 or more: nothing fits."
    assert [fault.field for fault in refusal.faults] == ["size"]


def test_args_are_taken_as_a_model_or_as_a_dict():
    model = Everything(kubeconfig="k", size=2)
    assert Everything.of(model) is model
    assert Everything.of({"kubeconfig": "k", "size": 2}) == model


def test_outputs_pass_through_untouched_and_unread():
    later = pulumi.Output.from_input("text")
    args = Everything.of(everything(kubeconfig=later, labels={"a": [later, "b"]}))
    assert args.kubeconfig is later
    assert args.labels is not None
    assert args.labels["a"][0] is later
    assert args.dump()["kubeconfig"] is later


def test_what_is_not_set_is_left_out_of_the_state():
    assert Everything.of(everything()).dump() == {"kubeconfig": "k"}


def test_a_field_that_is_none_has_its_default():
    assert Scale.of({"min": None, "max": None}) == Scale(min=1, max=None)


def test_null_in_any_field_with_a_default_is_to_leave_it_out():
    """Whoever reads a field finds what its type says, so that nobody asks for the default again."""
    for model in shipped():
        defaulted = {
            name: info.get_default(call_default_factory=True)
            for name, info in model.model_fields.items()
            if not info.is_required()
        }
        rest = model._none_is_the_default(dict.fromkeys(defaulted))  # type: ignore[operator]
        assert {name for name in defaulted if name not in rest} == {
            name for name, default in defaulted.items() if default is not None
        }, model


def test_a_field_with_a_default_does_not_say_that_it_may_hold_none():
    loose = [
        f"{model.__name__}.{name}"
        for model in shipped()
        for name, info in model.model_fields.items()
        if not info.is_required()
        and info.default is not None
        and NoneType in typing.get_args(info.annotation)
    ]
    assert loose == []


def test_a_text_of_another_form_is_refused_wherever_it_stands():
    values = {"name": "A", "host": "B", "names": ["c", "D"], "labels": {"E": "F", "g": "h"}}
    assert [sentence.partition(", but")[0] for sentence in refusals(Formed, values)] == [
        "name is 'A'",
        "host is 'B'",
        "names[1] is 'D'",
        "labels[E] is 'E'",
        "labels[E] is 'F'",
    ]
    assert Formed.of({"name": "a", "host": "b", "names": ["c"], "labels": {"e": "f"}}).host == "b"


def test_a_form_is_asked_for_with_the_reason_of_the_field_or_else_of_the_type():
    name, host = refusals(Formed, {"name": "A", "host": "B"})
    assert name == "name is 'A', but it must be in lower case: it is a name."
    assert host == "host is 'B', but it must be in lower case: it is a host."


def test_an_output_is_of_any_form():
    later = pulumi.Output.from_input("UPPER")
    args = Formed.of({"name": "a", "host": later, "labels": {"a": later}})
    assert args.host is later


def test_forms_come_before_rules_and_neither_hides_the_other():
    fields = [
        sentence.partition(" is ")[0]
        for sentence in refusals(Formed, {"name": "A", "names": ["odd"]})
    ]
    assert fields == ["name", "names"]


def test_none_is_no_value_of_a_field_that_must_be_given():
    assert refusal(Everything, {"kubeconfig": None}).startswith("kubeconfig is None, but it must")


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (3, "text in quotes, as '3' is: reaches the cluster"),
        (True, "text in quotes, as 'true' is: reaches the cluster"),
        (1.3, "text in quotes: without them YAML reads a number, by which 1.30 is 1.3"),
    ],
)
def test_a_number_that_should_be_text_is_told_to_be_quoted(value: object, want: str):
    expected = f"kubeconfig is {value!r}, but it must be {want}."
    assert refusals(Everything, {"kubeconfig": value}) == [expected]


@pytest.mark.parametrize("value", [["a"], {"a": 1}, {"str": 1}])
def test_an_input_of_the_wrong_type_is_one_sentence_under_its_own_name(value: object):
    expected = f"kubeconfig is {value!r}, but it must be text: reaches the cluster."
    assert refusals(Everything, {"kubeconfig": value}) == [expected]


def test_no_name_of_a_union_arm_leaks_into_a_path():
    values = everything(labels={"a": ["b", 3, {"c": 1}], "str": [1]}, scale={"min": "x"})
    fields = [sentence.partition(" is ")[0] for sentence in refusals(Everything, values)]
    assert fields == ["labels.a[1]", "labels.a[2]", "labels.str[0]", "scale.min"]


def test_a_rule_of_a_model_behind_an_input_is_one_sentence():
    [sentence] = refusals(Everything, everything(scale={"min": 5, "max": 3}))
    assert sentence == "scale.min is 5, but it must be at most max: a range is ordered."


def test_a_key_of_the_wrong_type_is_called_by_itself():
    assert refusals(Everything, everything(counts={"a": "b"})) == [
        "counts.a is 'b', but it must be a whole number: how often."
    ]


def test_where_an_instance_is_wanted_the_sentence_names_its_class():
    [sentence] = refusals(Everything, everything(provider=3))
    assert sentence == "provider is 3, but it must be a ProviderResource: who does it."


def test_every_fault_is_reported_at_once_and_each_on_a_line():
    values = {"size": 0, "colour": "green", "pools": [{"name": "a", "scale": {"max": 10}}]}
    fields = [sentence.partition(" is ")[0] for sentence in refusals(Everything, values)]
    assert fields == ["kubeconfig", "colour", "size", "pools[a].scale.max"]


def test_every_rule_that_a_model_breaks_is_reported():
    [first, second] = refusals(Scale, {"min": 7, "max": 3})
    assert first.startswith("min is 7, but it must be at most max")
    assert second.startswith("min is 7, but it must be even")


def test_a_missing_field_is_asked_for_with_its_purpose():
    assert refusal(Everything, {}) == (
        "kubeconfig is missing, but it must be given: reaches the cluster."
    )


def test_an_unknown_key_is_answered_with_the_nearest_one():
    sentence = refusal(Everything, everything(kubeconfg="k"))
    assert sentence.startswith(
        "kubeconfg is not a known key, but it must be left out (did you mean 'kubeconfig'?): "
        "the keys here are kubeconfig, colour, size, "
    )


def test_an_unknown_key_that_is_like_no_other_is_answered_with_all():
    sentence = refusal(Pool, {"name": "a", "zzz": 1})
    assert sentence == (
        "zzz is not a known key, but it must be left out: the keys here are name, scale."
    )


def test_a_value_outside_of_an_enum_is_answered_with_the_enum():
    sentence = refusal(Everything, everything(colour="green"))
    assert sentence == (
        "colour is 'green', but it must be one of 'red' or 'blue': what it looks like."
    )


def test_entries_of_a_list_are_called_by_their_name_or_else_by_their_place():
    values = everything(pools=[{"name": "a10", "scale": {"max": 10}}, {"scale": {"max": 10}}])
    fields = [sentence.partition(" is ")[0] for sentence in refusals(Everything, values)]
    assert fields == ["pools[a10].scale.max", "pools[1].name", "pools[1].scale.max"]


def test_a_purpose_is_the_first_sentence_of_the_description():
    assert refusal(Scale, {"min": "x"}).endswith("a whole number: fewest.")
    assert refusal(Scale, {"max": "x"}).endswith("a whole number: most, e.g. 3.")


@pytest.mark.parametrize("args", [[1], "text", None])
def test_args_that_are_no_section_are_refused_as_such(args: Any):
    [sentence] = refusals(Everything, args)
    assert "but it must be a section of keys and values" in sentence
    assert sentence.startswith("args is ")


def test_an_output_where_a_plain_value_is_needed_is_called_one():
    later = pulumi.Output.from_input(3)
    assert refusal(Everything, everything(size=later)).startswith(
        "size is an Output, known only later, but it must be a whole number"
    )


@pytest.mark.parametrize(
    "login",
    [
        {"password": {"value": "hunter2"}},
        {"password": ["hunter2"]},
        {"pin": "hunter2"},
        {"pin": {"a": "hunter2"}},
        {"password": 5, "pin": "hunter2"},
        "hunter2",
        ["hunter2"],
    ],
)
def test_a_secret_is_never_shown_whatever_type_was_given(login: object):
    sentences = refusals(Everything, everything(login=login))
    assert not [sentence for sentence in sentences if "hunter2" in sentence]
    assert all(" is given in plain, but" in sentence for sentence in sentences)


def test_a_refused_custom_resource_keeps_the_middle_of_a_path_in_wire_spelling():
    probe = {"httpGet": {"path": 3}}
    mount = {"name": "model", "mountPath": "models"}
    container = {"image": "x", "startupProbe": probe, "volumeMounts": [mount]}
    values = {"template": {"spec": {"containers": [container], "timeoutSeconds": "long"}}}
    where = "template.spec.containers[0]"
    faults = refusals(KnativeServiceSpec, values)
    assert [sentence.partition(", but")[0] for sentence in faults] == [
        f"{where}.startup_probe.http_get.path is 3",
        f"{where}.volume_mounts[model].mount_path is 'models'",
        "template.spec.timeout_seconds is 'long'",
    ]


def test_dashed_keys_and_abbreviations_are_found_in_the_input_too():
    serving = refusals(KnativeServingSpec, {"high-availability": {"replicas": 0}})
    assert any(sentence.startswith("high_availability.replicas is 0,") for sentence in serving)
    pod = {"containers": [{"image": "x"}], "hostIPC": "perhaps"}
    sentence = refusal(KnativeServiceSpec, {"template": {"spec": pod}})
    assert sentence.startswith("template.spec.host_ipc is 'perhaps',")


def test_one_key_is_named_once_among_the_known_ones():
    assert keys_at(Everything, ["scale"]) == ["min", "max"]


def test_the_faults_of_rules_are_found_without_those_of_types():
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(everything(pools=[{"name": "a", "scale": {"min": 5, "max": 3}}]))
    assert [str(fault) for fault in faults_of(caught.value)] == [
        "pools[0].scale.min is 5, but it must be at most max: a range is ordered."
    ]


def test_a_path_reads_as_its_reader_would_write_it():
    raw = {"pools": [{"name": "a10", "scale": {"max": 1}}]}
    assert path_of(raw, ["pools", 0, "scale", "max"]) == "pools[a10].scale.max"
    assert path_of(None, ["pools", 0, "scale"]) == "pools[0].scale"
    assert path_of(raw, []) == ""


def test_the_nearest_word_is_none_if_nothing_is_near():
    assert nearest("kubeconfg", ["colour", "kubeconfig"]) == "kubeconfig"
    assert nearest("zzz", ["colour", "kubeconfig"]) is None


def test_a_rule_broken_while_rendering_ends_the_run_in_its_sentence():
    with pytest.raises(pulumi.RunError) as caught:
        validated("Thing it", lambda: Toleration.model_validate({"value": "x"}))
    assert str(caught.value) == (
        "Thing it is refused:\n"
        "key is missing, but it must be given: only `Exists` tolerates a taint of any key."
    )
    assert validated("Thing it", lambda: 3) == 3


def test_a_child_waits_for_what_its_component_waits_for_and_stays_below_it():
    def program() -> None:
        first = kubernetes.core.v1.Namespace("first")
        second = kubernetes.core.v1.Namespace("second")
        opts = pulumi.ResourceOptions(depends_on=[first])
        parent = pulumi.ComponentResource("ack-inference:index:Thing", "it", None, opts)
        child = child_options(parent, opts, depends_on=[second], protect=True)
        kubernetes.core.v1.Namespace("child", opts=child)
        kubernetes.core.v1.Namespace("lonely", opts=child_options(parent, None))

    resources = {resource.name: resource for resource in record(program).resources}
    assert resources["child"].parent == resources["lonely"].parent == resources["it"].urn
    assert set(resources["child"].dependencies) == {resources["first"].urn, resources["second"].urn}
    assert resources["child"].protect
    assert resources["lonely"].dependencies == []


def models(base: type[Args]) -> set[type[Args]]:
    return {model for child in base.__subclasses__() for model in {child, *models(child)}}


def shipped() -> list[type[Args]]:
    """Every args model that is loaded, but those of tests."""
    rooms = ("components", "stacks")
    return [model for model in models(Args) if model.__module__.partition(".")[0] in rooms]


@functools.cache
def read_by_pydantic(module: str) -> dict[str, dict[str, str]]:
    """By class, what pydantic takes for the description of its fields."""
    texts = {}
    for statement in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(statement, ast.ClassDef):
            visitor = DocstringVisitor()
            visitor.generic_visit(statement)
            texts[statement.name] = visitor.attrs
    return texts


def test_a_field_is_described_by_the_text_under_it_as_pydantic_reads_it():
    described = 0
    for model in shipped():
        own = read_by_pydantic(model.__module__).get(model.__name__, {})
        texts = descriptions(model)
        assert own.items() <= texts.items()
        assert texts.keys() <= model.model_fields.keys()
        described += len(own)
    assert described > 400


def test_no_text_under_a_field_repeats_its_default():
    """The reference has a column for it, and the plugin's schema adds it from the field."""
    repeated = [
        f"{model.__name__}.{name}: {sentence}"
        for model in shipped()
        for name, info in model.model_fields.items()
        if (default := default_text(info))
        for sentence in re.split(r"(?<=\.)\s", descriptions(model).get(name, ""))
        if "default" in sentence.lower()
        and re.search(rf"(?<![\w.]){re.escape(default)}(?![\w]|\.\w)", sentence)
    ]
    assert repeated == []


def test_what_is_rendered_once_is_taken_anew_for_another_name_and_other_arguments():
    calls: list[tuple[str, int | None]] = []

    @once
    def render(name: str, args: Scale) -> list[str]:
        calls.append((name, args.max))
        return [name, str(args.max)]

    @once
    def render_shortly(name: str, args: Scale) -> str:
        return name[:1]

    args = Scale(max=3)
    assert render("qwen", args) is render("qwen", args)
    assert calls == [("qwen", 3)]
    assert render("llama", args) == ["llama", "3"]
    assert render("qwen", Scale(max=4)) == ["qwen", "4"]
    assert render("qwen", Scale(max=3)) == ["qwen", "3"]
    assert calls == [("qwen", 3), ("llama", 3), ("qwen", 4), ("qwen", 3)]
    assert render_shortly("qwen", args) == "q"
    assert render("qwen", args) == ["qwen", "3"]
    assert len(calls) == 4


def test_what_was_rendered_is_no_part_of_the_arguments():
    @once
    def render(name: str, args: Scale) -> str:
        return name

    args = Scale(max=3)
    render("qwen", args)
    assert args == Scale(max=3)
    assert args.dump() == Scale(max=3).dump()


def test_a_copy_with_another_field_is_rendered_anew_and_an_equal_one_is_not():
    @once
    def render(name: str, args: Scale) -> list[int | None]:
        return [args.max]

    args = Scale(max=3)
    rendered = render("qwen", args)
    assert render("qwen", args.model_copy()) is rendered
    assert render("qwen", args.model_copy(update={"max": 4})) == [4]


def test_a_refusal_is_raised_each_time_that_it_is_rendered():
    @once
    def render(name: str, args: Scale) -> str:
        raise refuse("name", name, "another one", "nobody takes it")

    args = Scale()
    for _ in range(2):
        with pytest.raises(Refusal):
            render("qwen", args)


@pytest.mark.parametrize(
    "secret",
    [
        "hf_canaryCANARYcanaryCANARY",
        "https://operator:canary@example.com",
        {"deep": ["-----BEGIN RSA PRIVATE KEY-----\ncanary"]},
    ],
)
def test_a_fault_repeats_nothing_that_looks_like_a_secret(secret: object) -> None:
    assert str(Fault("field", secret, "left out", "it is one")) == (
        "field is a text that looks like a key or a password, but it must be left out: it is one."
    )
