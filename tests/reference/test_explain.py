"""What `ack-inference explain` says is read off the schema, the checks and the stack files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli
from components.args import Fault
from reference import readers
from reference.examples import MOST_LINES, example
from reference.explain import explain, to_json
from reference.fields import (
    ROOT,
    StackField,
    UnknownField,
    below,
    completions,
    declared_at,
    field_of,
    fields,
    words_of,
)
from reference.readers import Recorder, configuration, stack_files
from reference.readers import readers as readers_of
from stacks.checks.rules import check
from stacks.needs import Needs
from stacks.reading import read
from stacks.sections.environment import Environment
from stacks.validation import CHECKS, WARNINGS
from tests.test_cli import run

TARGET = "models[].serve.knative.scale.target"


def field(path: str) -> StackField:
    return fields()[path]


@pytest.mark.parametrize(
    "text",
    [
        TARGET,
        "models.serve.knative.scale.target",
        "models[0].serve.knative.scale.target",
        "models.0.serve.knative.scale.target",
        "models[qwen2.5-7b].serve.knative.scale.target",
        "ack-inference:models.serve.knative.scale.target",
    ],
)
def test_a_field_goes_by_all_the_paths_that_people_write(text: str) -> None:
    assert field_of(text) == field(TARGET)


def test_every_field_is_explained() -> None:
    """Each is declared somewhere, and says what it is."""
    assert len(fields()) > 500
    assert [path for path, entry in fields().items() if not entry.key.description] == []
    assert [path for path in fields() if field_of(path) != field(path)] == []
    for entry in fields().values():
        file, _, line = declared_at(entry).partition(":")
        declaration = (ROOT / file).read_text().splitlines()[int(line) - 1]
        assert declaration.strip().startswith(entry.key.name), entry.path


def test_the_fields_below_a_section_are_listed_and_no_deeper_ones() -> None:
    assert [entry.path for entry in below(field("models[].placement"))] == [
        "models[].placement.pools",
        "models[].placement.preempt_policy",
    ]
    assert [entry.path for entry in below(None)] == list(Environment.model_fields)


def test_below_a_field_of_any_keys_each_key_is_that_field() -> None:
    assert field_of("tags.cost-center") == field("tags")
    assert field_of("models[qwen].server.env.HF_HOME") == field("models[].server.env")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("modles.serve", "models"),
        ("models.serve.knative.scale.targt", TARGET),
        ("models.serve.knative.scale.max_replicas", "models[].serve.knative.scale.max"),
        ("models.vllm", "models[].server.vllm"),
        ("preempt_policy", "models[].placement.preempt_policy"),
    ],
)
def test_a_misspelt_or_misplaced_field_is_answered_with_the_one_meant(
    text: str, meant: str
) -> None:
    with pytest.raises(UnknownField, match=r"Did you mean ") as refused:
        field_of(text)
    assert meant in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("models.placement.zzz", r"models\[\]\.placement has pools, preempt_policy\."),
        ("region.zzz", r"region has no fields below it\."),
        ("zzz", r"a stack file has region, account_type, "),
    ],
)
def test_where_nothing_is_meant_the_fields_that_there_are_are_named(
    text: str, sentence: str
) -> None:
    with pytest.raises(UnknownField, match=f"{text} is no field of a stack file: {sentence}"):
        field_of(text)


def test_allowed_words_come_with_what_they_mean() -> None:
    words = words_of(field("cluster.profile"))
    assert list(words) == ["pro", "edge", "existing"]
    assert words["existing"] == "Any Kubernetes cluster, by kubeconfig."
    assert words_of(field("region")) == {}


def test_the_checks_that_read_a_field_are_named_with_their_sentences() -> None:
    kinds = {reader.name: (reader.kind, reader.sentence) for reader in readers_of(field(TARGET))}
    assert kinds["bursts_are_seen"] == (
        "warning",
        "Knative looks at the panic window every two seconds.",
    )
    names = [reader.name for reader in readers_of(field("models[].priority"))]
    assert "priorities_are_known" in names
    assert "zones_lie_in_the_region" not in names


def test_rules_within_a_section_are_named_by_the_section() -> None:
    sections = [
        reader.name for reader in readers_of(field("pools[].size")) if reader.kind == "section"
    ]
    assert sections == ["PoolSection"]


def test_a_check_of_tomorrow_is_named_without_being_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @check
    def regions_are_short(environment: Environment) -> Iterator[Fault]:
        """Long ones are hard to say."""
        if len(environment.region or "") > 99:
            yield Fault("region", environment.region, "short", "it is hard to say")

    monkeypatch.setattr(readers, "_RULES", [(regions_are_short, "check")])
    monkeypatch.setattr(readers, "_notes", readers._notes.__wrapped__)
    assert ("regions_are_short", "Long ones are hard to say.") in [
        (reader.name, reader.sentence) for reader in readers_of(field("region"))
    ]
    assert "regions_are_short" not in [reader.name for reader in readers_of(field("stores"))]


def test_a_field_of_a_section_that_no_stack_file_has_is_looked_up_elsewhere() -> None:
    """A training job fills its folder by the same section as a model."""
    names = [reader.name for reader in readers_of(field("training[].volume.source.sha256"))]
    assert (
        names
        == [reader.name for reader in readers_of(field("models[].volume.source.sha256"))]
        != []
    )


def test_checks_say_of_a_recorded_environment_what_they_say_of_it() -> None:
    """Else what they read would be what they read of something else."""
    for path in stack_files():
        environment = read(configuration(path.read_text()))
        recorded = Recorder().copy(environment, "")
        for rule in (*CHECKS, *WARNINGS):
            says = [str(fault) for fault in rule.ask(environment, needs_of(environment))]
            assert [str(fault) for fault in rule.ask(recorded, needs_of(recorded))] == says


def needs_of(environment: Environment) -> Needs:
    return Needs(readers.runtimes.needs_of(environment))


def test_an_example_is_what_a_stack_file_says() -> None:
    places = [place for entry in fields().values() if (place := example(entry))]
    assert len(places) > 300
    for place in places:
        lines = (ROOT / place.file).read_text().splitlines()[place.line - 1 :]
        quoted = [line for line in place.text.splitlines() if line != "..."]
        assert len(quoted) <= MOST_LINES
        assert [line.strip() for line in lines[: len(quoted)]] == [line.strip() for line in quoted]


def test_an_example_ends_where_its_field_ends() -> None:
    text = example(field("models[].serve.knative"))
    assert text is not None
    assert text.text.startswith("knative:")
    assert "ingress" not in text.text
    assert "ack-inference:" not in text.text


@pytest.mark.parametrize("text", ["", "config: [1]", "- 1", "config:\n  a: {", "config: {x: 1}"])
def test_a_stack_file_that_somebody_is_changing_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "Pulumi.broken.yaml").write_text(text)
    monkeypatch.setattr(readers, "ROOT", tmp_path)
    monkeypatch.setattr(readers, "_notes", readers._notes.__wrapped__)
    assert readers_of(field("region")) == []
    assert example(field("region")) is None


def test_an_example_of_a_secret_is_not_shown() -> None:
    assert explain("kubeconfig").example is None
    assert explain("kubeconfig").secret


def test_fields_complete_a_section_at_a_time() -> None:
    assert [path for path, _ in completions("models.pl")] == ["models.placement"]
    assert [path for path, _ in completions("models[qwen].placement.p")] == [
        "models[qwen].placement.pools",
        "models[qwen].placement.preempt_policy",
    ]
    assert completions("zzz.") == []


def test_a_field_is_explained_on_a_terminal() -> None:
    result = run("explain", "models.placement.preempt_policy")
    assert result.exit_code == 0
    for text in (
        "models[].placement.preempt_policy",
        "When pods of lower priority give way.",
        '"BeforeNextUnit"',
        "On each unit, before the next one is tried.",
        "stacks/sections/models.py:",
    ):
        assert text in result.stdout


def test_a_field_is_explained_as_json() -> None:
    result = run("explain", TARGET, "--json")
    explained = json.loads(result.stdout)
    assert explained == json.loads(to_json(explain(TARGET)))
    assert explained["field"] == TARGET
    assert json.loads(to_json(explain("namespace")))["default"] == "inference"


def test_the_stack_file_as_a_whole_is_explained_by_its_fields() -> None:
    result = run("explain")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in Environment.model_fields)


def test_an_unknown_field_exits_2_with_a_sentence() -> None:
    result = run("explain", "models.serv")
    assert (result.exit_code, result.stdout) == (cli.REFUSED, "")
    assert result.stderr == (
        "models.serv is no field of a stack file. Did you mean models[].serve?\n"
    )
