"""The configuration is read once, as the engine hands it over."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from plan.record import record
from stacks.load import load, read
from stacks.sections.environment import Environment
from stacks.validation import PARTIAL

from .environments import Raw, accepted, changed, dev, existing, prod


def handed_over(raw: Raw) -> dict[str, str]:
    """Configuration as the engine passes it: text as it is, anything else as JSON."""
    return {
        f"ack-inference:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in raw.items()
    }


def within(program: Callable[[], Any], config: dict[str, str], **more: Any) -> Any:
    """What a function returns in a program with this configuration."""
    results: list[Any] = []
    record(lambda: results.append(program()), config=config, **more)
    return results[0]


@pytest.mark.parametrize("base", [dev, prod, existing])
def test_text_and_json_make_the_environment_of_the_file(base: Callable[[], Raw]) -> None:
    environment: Environment = within(
        lambda: load().environment, handed_over(base()), secret_keys=["ack-inference:kubeconfig"]
    )
    expected = accepted(
        {k: v for k, v in base().items() if k != "kubeconfig"}
        | ({"kubeconfig": {"secure": "set"}} if "kubeconfig" in base() else {})
    )
    assert environment == expected


def test_a_secret_is_never_read() -> None:
    config = handed_over(existing()) | {"ack-inference:kubeconfig": "CANARY"}
    configuration = within(read, config, secret_keys=["ack-inference:kubeconfig"])
    assert configuration["kubeconfig"] == {"secure": "set"}
    assert "CANARY" not in json.dumps(configuration)


def test_a_secret_where_none_belongs_is_refused_unread() -> None:
    config = handed_over(dev()) | {"ack-inference:region": "CANARY"}
    sentence = (
        "region is encrypted, in whole or in part, but it must be in plain, and the secret in"
    )
    with pytest.raises(pulumi.RunError, match=sentence):
        within(load, config, secret_keys=["ack-inference:region"])


def test_a_secret_within_a_section_is_told_where_it_goes() -> None:
    """`pulumi config set --secret --path 'models[0].server.env.HF_TOKEN'` encrypts so."""
    sentence = (
        "models is encrypted, in whole or in part, but it must be in plain, and the secret in"
    )
    with pytest.raises(pulumi.RunError, match=sentence):
        within(load, handed_over(dev()), secret_keys=["ack-inference:models"])


def test_a_kubeconfig_in_plain_is_refused_without_a_word_of_it() -> None:
    for text in ("CANARY", json.dumps({"users": [{"token": "CANARY"}]}), '["CANARY"]'):
        with pytest.raises(pulumi.RunError, match="kubeconfig") as refusal:
            within(load, handed_over(existing()) | {"ack-inference:kubeconfig": text})
        assert "CANARY" not in str(refusal.value)


@pytest.mark.parametrize("stack", ["dev", "eu-prod"])
def test_the_message_names_the_file_and_has_a_line_per_fault(stack: str) -> None:
    raw = changed(changed(dev(), "models[qwen].priority", "urgent"), "stores[models].oss", None)
    with pytest.raises(pulumi.RunError) as refusal:
        within(load, handed_over(raw), stack=stack)
    title, *lines = str(refusal.value).splitlines()
    assert title == f"Pulumi.{stack}.yaml is refused:"
    assert [line.split(" is ")[0] for line in lines[:-1]] == [
        "  stores[models].oss",
        "  models[qwen].priority",
    ]
    assert lines[-1] == f"  {PARTIAL}"


def test_keys_of_other_namespaces_are_not_read() -> None:
    foreign = {"alicloud:region": "cn-hangzhou", "pulumi:tags": "{}", "other:models": "[]"}
    assert within(load, handed_over(dev()) | foreign).environment == accepted(dev())
    assert set(within(read, handed_over(dev()) | foreign)) == set(dev())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cn-beijing", "cn-beijing"),
        ("12", "12"),
        ("true", "true"),
        ('{"a": [1, true]}', {"a": [1, True]}),
        ("[1]", [1]),
        ("{not json", "{not json"),
        ("[" + "9" * 5000 + "]", "[" + "9" * 5000 + "]"),
    ],
)
def test_objects_and_lists_are_json_and_all_else_is_text(text: str, value: Any) -> None:
    assert within(read, {"ack-inference:x": text}) == {"x": value}


def test_a_key_with_null_in_the_stack_file_is_left_out() -> None:
    """The engine makes an empty text of it, in which a section would be wrong."""
    nothing = dict.fromkeys(("ack-inference:gateway", "ack-inference:keda"), "")
    assert within(load, handed_over(dev()) | nothing).environment == accepted(dev())
    assert set(within(read, handed_over(dev()) | nothing)) == set(dev())


@pytest.mark.parametrize("namespace", ["ack_inference", "ack-inferense", "Ack-Inference"])
def test_a_key_of_a_misspelt_namespace_is_told(namespace: str) -> None:
    key = f"{namespace}:region"
    sentence = (
        f"{key} is of namespace {namespace}, but it must be ack-inference:region: keys of other "
        "namespaces are not read."
    )
    plan = record(load, config=handed_over(dev()) | {key: "cn-beijing"})
    assert sentence in plan.warnings
    with pytest.raises(pulumi.RunError) as refusal:
        within(load, {key: "cn-beijing"})
    assert f"  {sentence}" in str(refusal.value).splitlines()


@pytest.mark.parametrize("namespace", ["ack-inference-dev", "alicloud", "shop"])
def test_a_key_of_another_program_is_not_taken_for_a_misspelt_one(namespace: str) -> None:
    plan = record(load, config=handed_over(dev()) | {f"{namespace}:region": "cn-beijing"})
    assert plan.warnings == record(load, config=handed_over(dev())).warnings


def test_broken_json_is_a_fault_of_its_key() -> None:
    with pytest.raises(pulumi.RunError, match=r"pools is '\[\{name: a10\}', but it must be a list"):
        within(load, handed_over(dev()) | {"ack-inference:pools": "[{name: a10}"})


def test_warnings_go_to_the_log_and_the_run_goes_on() -> None:
    plan = record(load, config=handed_over(dev()))
    assert [
        warning
        for warning in plan.warnings
        if warning.startswith("The API server has a private address")
    ]


def test_nothing_at_all_is_refused_with_what_is_needed() -> None:
    with pytest.raises(pulumi.RunError, match="cluster is missing") as refusal:
        within(load, {})
    _, *lines, last = str(refusal.value).splitlines()
    assert len(lines) == 3
    assert last == f"  {PARTIAL}"


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("yes", "yes")])
def test_the_engine_hands_over_true_and_false_as_text(text: str, value: object) -> None:
    assert within(read, {"ack-inference:keda": text})["keda"] == value
    assert within(read, {"ack-inference:region": text})["region"] == text
