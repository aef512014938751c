import pytest

from plan.refused import Refused
from simulate.staging import LEFT_OUT, StackSettings, changed, read_settings, stage
from tests.stacks.environments import ROOT, dev


def test_a_stack_is_staged_as_its_file_says():
    staged = stage(read_settings(ROOT, "dev"))
    assert staged.environment.models[0].name == "qwen"
    assert staged.plan.stack == "dev"
    assert staged.plan.of("alicloud:cs/nodePool:NodePool")


def test_a_change_by_path_changes_a_copy():
    settings = dev()
    path = "models[qwen].serve.knative.scale.min"
    assert changed(settings, {path: 0})["models"][0]["serve"]["knative"]["scale"]["min"] == 0
    assert settings["models"][0]["serve"]["knative"]["scale"]["min"] == 1


def test_a_section_that_is_not_there_is_made_and_one_is_taken_out():
    settings = changed(
        dev(), {"models[qwen].serve.knative.reserve.type": "ecs", "models[qwen].cache": LEFT_OUT}
    )
    assert settings["models"][0]["serve"]["knative"]["reserve"] == {"type": "ecs"}
    assert "cache" not in settings["models"][0]


def test_what_a_change_makes_wrong_is_refused_in_the_words_of_the_stack_file():
    stack = StackSettings("ack-inference", "dev", dev())
    with pytest.raises(Refused, match=r"models\[qwen\].serve.knative.scale.min is 9"):
        stage(stack, {"models[qwen].serve.knative.scale.min": 9})


def test_an_existing_cluster_is_staged_without_its_secrets():
    staged = stage(read_settings(ROOT, "existing"))
    assert staged.environment.existing
