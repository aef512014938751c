"""The wizard: what it writes plans, flags answer every question, and no file is overwritten."""

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from cli import main
from components.catalog.gpus import GPUS
from components.catalog.instances import INSTANCES
from plan.refused import Refused
from plan.run import plan
from plan.stack_file import parsed, read_stack
from policy.validation import enforced
from stacks.validation import validate
from wizard.command import answered
from wizard.draft import planned
from wizard.environment import draft
from wizard.questions import QUESTIONS, Answers, WizardQuestion
from wizard.stack_yaml import scalar, stack_text

from ..stacks.environments import ROOT

GROUNDS = ("pro", "edge", "own-vpc", "own-cluster", "existing")
OWN = {
    "vpc_id": "vpc-2ze0a1b2c3d4e5f6g7h8i",
    "vswitch_id": "vsw-2ze0nodes0in0zone0h00",
    "pod_vswitch_id": "vsw-2ze0pods00in0zone0h00",
    "cluster_id": "c0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "bucket": "my-models",
}
"""Answers to what has no default."""


def combinations(
    answers: Answers, varied: Sequence[str], questions: Sequence[WizardQuestion] = QUESTIONS
) -> Iterator[Answers]:
    """Every way to answer some questions, and the default for the others."""
    if not questions:
        yield answers
        return
    question, *rest = questions
    if not question.applies(answers):
        yield from combinations(answers, varied, rest)
        return
    usual = question.default(answers) or OWN.get(question.name, "")
    answer = answers.get(question.name, usual)
    choices = question.choices(answers) if question.name in varied else [answer]
    for choice in choices:
        yield from combinations({**answers, question.name: choice}, varied, rest)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run(project: Path, *words: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(main, ["new", "--project", str(project), *words], input=answers)


def config(project: Path, stack: str) -> Mapping[str, object]:
    """What the file itself says, without the defaults of the project."""
    keys = yaml.safe_load((project / f"Pulumi.{stack}.yaml").read_text())["config"]
    values = read_stack(project, stack).config
    return {key.partition(":")[2]: parsed(values[key]) for key in keys}


@pytest.mark.parametrize(
    ("said", "key", "value"),
    [
        ({"card": "h20", "gpus": "8"}, "card", "H20"),
        ({"card": "NVIDIA A10"}, "card", "A10"),
        ({"card": "A100 80G"}, "card", "A100"),
        ({"nodes": "0..4"}, "nodes", "0-4"),
        ({"on": "existing", "claim": "m", "present": "KServe"}, "present", "kserve"),
        ({"files": "hub", "model_id": "openai/whisper-large-v3"}, "max_model_len", "448"),
        ({"max_model_len": "16k"}, "max_model_len", "16k"),
    ],
)
def test_answers_are_taken_as_people_write_them(said: Answers, key: str, value: str):
    answers = answered("t", said)
    assert answers[key] == value
    assert not validate(draft(answers).config).sentences


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_combination_of_files_store_and_runtime_is_valid(ground: str) -> None:
    varied = ("files", "store", "cache", "runtime", "metric", "hub")
    cases = [*combinations({"stack": "t", "on": ground}, varied)]
    assert len(cases) >= 36
    for answers in cases:
        assert validate(draft(answers).config).sentences == [], answers


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_card_and_instance_type_is_valid(ground: str) -> None:
    cases = [*combinations({"stack": "t", "on": ground}, ("card", "instance_type", "gpus"))]
    assert len(cases) >= 8
    for answers in cases:
        assert validate(draft(answers).config).sentences == [], answers


def test_nodes_have_as_many_cards_as_a_replica(project: Path) -> None:
    words = ("--yes", "--card", "H20", "--gpus", "8", "--size", "240Gi")
    result = run(project, "t", *words)
    assert result.exit_code == 0, result.output
    [pool] = [p for p in config(project, "t")["pools"] if p.get("gpu") == "H20"]
    assert [INSTANCES[name].gpus for name in pool["instance_types"]] == [8]


@pytest.mark.parametrize("ground", GROUNDS)
def test_an_image_of_a_newer_cuda_brings_its_driver(ground: str) -> None:
    image = "docker.io/vllm/vllm-openai:v0.28.0"
    [answers] = combinations({"stack": "t", "on": ground, "image": image, "card": "T4"}, ())
    assert answers["driver"] == "580.126.09"
    assert validate(draft(answers).config).sentences == []


@pytest.mark.parametrize("present", ["knative", "kserve", "knative,fluid,kserve,cert-manager"])
@pytest.mark.parametrize("ground", ["existing", "own-cluster"])
def test_parts_that_a_cluster_has_are_not_installed(ground: str, present: str) -> None:
    for answers in combinations({"stack": "t", "on": ground, "present": present}, ("runtime",)):
        drafted = draft(answers).config
        assert validate(drafted).sentences == []
        for part in present.split(","):
            assert drafted[part.replace("-", "_")]["install"] is False


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("files", ["store", "import", "hub"])
def test_what_is_written_plans_as_it_was_drafted(project: Path, ground: str, files: str) -> None:
    [answers] = combinations({"stack": "t", "on": ground, "files": files}, ())
    names = [name for name in OWN if answers.get(name) == OWN[name]]
    words = [word for name in names for word in (_flag(name), OWN[name])]
    result = run(project, "t", "--yes", "--on", ground, "--files", files, *words)
    assert result.exit_code == 0, result.output
    assert enforced(plan("t", project), project).resources
    written, drafted = config(project, "t"), draft(answers).config
    assert written.keys() == drafted.keys()
    for key in drafted.keys() - {"kubeconfig", "prometheus_url"}:
        assert written[key] == drafted[key]


def _flag(name: str) -> str:
    return next(question.flag for question in QUESTIONS if question.name == name)


def test_every_question_has_a_flag_and_the_flags_answer_all_of_them(project: Path) -> None:
    [answers] = combinations({"stack": "t", "on": "own-vpc"}, ())
    words = [w for q in QUESTIONS if q.name in answers for w in (q.flag, answers[q.name])]
    result = run(project, "t", *words, answers="")
    assert result.exit_code == 0, result.output
    assert "[" not in result.stdout


def test_a_dialogue_asks_what_no_flag_answers_and_asks_again_after_a_fault(
    project: Path,
) -> None:
    count = len([q for q in QUESTIONS if q.name in next(combinations(_existing(), ()))])
    # All but two have the default; the card is wrong at first.
    lines = ["existing", "knative", "B200", "T4", *[""] * (count - 3)]
    result = run(project, "t", answers="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.output
    cards = ", ".join([*GPUS][:3])
    assert f"--card is 'B200', but it must be one of {cards}" in result.stderr
    assert "Whence the model comes:\n  store, its files" in result.stderr
    written = config(project, "t")
    assert written["nodes"][0]["gpu"] == "T4"  # type: ignore[index]
    assert written["knative"] == {"install": False}


def _existing() -> Answers:
    return {"stack": "t", "on": "existing"}


def test_a_question_shows_its_choices_and_its_default(project: Path) -> None:
    result = run(project, "t", "--region", "cn-hongkong", "--card", "T4", answers="pro\n\n\n")
    text = " ".join(result.stderr.split())
    assert "(ecs.gn6i-c16g1.4xlarge, ecs.gn6i-c24g1.6xlarge) [ecs.gn6i-c16g1.4xlarge]" in text
    assert "What it runs on: pro, a new ACK Pro cluster edge, a new" in text


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("files", ["store", "hub"])
def test_a_question_names_each_of_its_choices(ground: str, files: str) -> None:
    [answers] = combinations({"stack": "t", "on": ground, "files": files}, ())
    for question in QUESTIONS:
        for choice in question.choices(answers) if question.applies(answers) else ():
            assert choice in question.prompt(answers)


def test_an_answer_that_breaks_a_rule_is_asked_again_at_once(project: Path) -> None:
    words = [w for name in ("on", "zone", "card") for w in (_flag(name), _pro()[name])]
    lines = ["cn-beijing", "", "", "3-1", "0-4", *[""] * 40]
    result = run(project, "t", *words, answers="\n".join(lines))
    assert result.exit_code == 0, result.output
    refusal = result.stderr.index(
        "--nodes is '3-1', with which the stack is refused:\n  pools[a10]"
    )
    assert refusal < result.stderr.index("Whence the model comes")
    assert config(project, "t")["pools"][1]["autoscale"] == {"min": 0, "max": 4}  # type: ignore[index]


def test_a_wrong_flag_is_asked_for_in_its_turn(project: Path) -> None:
    words = [w for q in QUESTIONS if q.name in _pro() for w in (q.flag, _pro()[q.name])]
    result = run(project, "t", *words, "--name", "Qwen_2", answers="qwen\n")
    assert result.exit_code == 0, result.output
    assert "--name is 'Qwen_2'" in result.stderr
    assert config(project, "t")["models"][0]["name"] == "qwen"  # type: ignore[index]


def _pro() -> Answers:
    return next(combinations({"stack": "t", "on": "pro"}, ()))


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (["--card", "T4"], "\n\n\n"),
        (["--card", "T4", "--claim", "models"], "pro\n" + "\n" * 40),
        (["--image", "docker.io/vllm/vllm-openai:latest"], "\n" * 40),
    ],
    ids=["left", "a flag of another question", "a policy"],
)
def test_answers_that_make_no_stack_are_kept_as_flags(
    project: Path, words: list[str], answers: str
) -> None:
    result = run(project, "t", *words, answers=answers)
    assert result.exit_code == 2, result.output
    assert not (project / "Pulumi.t.yaml").exists()
    command = result.stderr.rpartition("Nothing is written.")[2].rpartition(" in: ")[2]
    program, verb, stack, *flags = shlex.split(command)
    assert (program, verb, stack) == ("ack-inference", "new", "t")
    assert flags[flags.index("--project") + 1] == str(project)
    assert flags[flags.index("--on") + 1] == "pro"
    assert [flags[flags.index(word) + 1] for word in words[::2]] == words[1::2]


def test_what_nobody_answered_is_no_traceback(project: Path) -> None:
    result = run(project, "t", answers="")
    assert result.exit_code == 2
    assert result.stderr.endswith("is refused:\n  --on has no answer, and the input has ended.\n")


@pytest.mark.parametrize("files", ["store", "import", "hub"])
def test_a_model_that_is_larger_than_its_cards_is_warned_of(project: Path, files: str) -> None:
    words = ["--card", "T4", "--files", files]
    assert "may fail to load" not in run(project, "a", "--yes", *words).stderr
    result = run(project, "b", "--yes", *words, "--size", "145Gi")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("may fail to load") == 1


def test_the_most_replicas_are_no_fewer_than_the_fewest() -> None:
    assert answered("t", {"min": "5"})["max"] == "5"


def test_a_file_that_is_there_is_never_overwritten(project: Path) -> None:
    path = project / "Pulumi.t.yaml"
    path.write_text("config: {}\n")
    result = run(project, "t", "--yes")
    assert result.exit_code == 2
    assert "Pulumi.t.yaml is there already, and is never overwritten" in result.stderr
    assert path.read_text() == "config: {}\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--card", "X9"], "--card is 'X9', but it must be one of A10, T4"),
        (["--nodes", "4-"], "--nodes is '4-', but it must be a number from 1 to 999, or two with"),
        (["--claim", "a"], "--claim is 'a', but it must be left out with --on pro"),
        (["--on", "own-vpc"], "--vpc-id is missing, but it must be given: ID of the VPC."),
        (["--metric", "cpu"], "--metric is 'cpu', but it must be one of concurrency, rps."),
        (["--max", "0"], "--max is '0', but it must be a number from 1 to 999."),
        (["--name", "Qwen_2"], "must be lower-case letters, digits and '-', from a letter to"),
        (["--min", "3", "--max", "2"], "scale.min is 3, but it must be at most max (2)"),
        (["--zone", "cn-shanghai-b"], "zone"),
    ],
)
def test_a_wrong_flag_is_a_sentence_and_nothing_is_written(
    project: Path, words: list[str], sentence: str
) -> None:
    result = run(project, "t", "--yes", *words)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not (project / "Pulumi.t.yaml").exists()


def test_the_defaults_warn_of_nothing_that_an_answer_could_avoid(project: Path) -> None:
    """Of where images are and how the API server is reached, nobody was asked."""
    result = run(project, "t", "--yes")
    warnings = [line for line in result.stderr.splitlines() if line.startswith("Warning")]
    rest = [w for w in warnings if "docker.io" not in w and "private address" not in w]
    assert rest == []


def test_all_wrong_flags_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        answered("t", {"card": "X9", "nodes": "x", "gpus": "9"})
    assert len(refused.value.sentences) == 3


@pytest.mark.parametrize("stack", ["a/b", "", "ü"])
def test_a_name_that_no_stack_has_is_refused(project: Path, stack: str) -> None:
    result = run(project, stack, "--yes")
    assert result.exit_code == 2
    assert "is not the name of a stack" in result.stderr


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, "t", "--yes")
    assert "Pulumi.yaml does not exist in it" in result.stderr


def test_other_stacks_of_the_project_are_not_read(project: Path) -> None:
    (project / "Pulumi.other.yaml").write_text("config: [")
    assert run(project, "t", "--yes").exit_code == 0


@pytest.mark.parametrize(
    "text",
    ["on", "1e3", "0x1f", "1_000", "2026-11-29", "12:30", "a: b", "a #b", "", "~", "é", "15Gi"],
)
def test_text_stays_text_in_what_is_written(project: Path, text: str) -> None:
    body = {"tags": {"key": text}, "list": [text, {"a": text}]}
    (project / "Pulumi.t.yaml").write_text(stack_text(body, "A title", {("tags",): "Above."}))
    assert config(project, "t") == body, scalar(text)


def test_a_file_is_validated_before_it_is_written(project: Path) -> None:
    [answers] = combinations({"stack": "t", "on": "pro", "max": "9"}, ())
    assert planned(draft(answers), "t", project).resources
    assert not (project / "Pulumi.t.yaml").exists()
