from typing import Any

import pytest

from components.serving import TrainingJob, TrainingJobArgs
from components.serving.training_job import GENERATION, job_spec
from tests.recording import (
    assert_is_a_good_parent,
    only,
    options,
    outputs,
    planned,
    refused,
)

from .arguments import CARD, GPU_TAINT, job

JOB = "kubernetes:batch/v1:Job"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def spec(**changes: Any) -> Any:
    return job_spec(TrainingJobArgs.of(job(**changes)))


def pod(**changes: Any) -> Any:
    return spec(**changes)["template"]["spec"]


def container(**changes: Any) -> Any:
    [found] = pod(**changes)["containers"]
    return found


def test_a_preemption_is_no_failure():
    assert spec()["podFailurePolicy"]["rules"] == [
        {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        }
    ]


def test_pods_are_not_restarted_in_place_as_the_failure_policy_needs_it():
    assert pod()["restartPolicy"] == "Never"


def test_failures_of_its_own_are_counted():
    assert spec()["backoffLimit"] == 3
    assert spec(retries=0)["backoffLimit"] == 0


def test_each_pod_of_a_parallel_job_has_its_index():
    found = spec(parallelism=4)
    assert (found["parallelism"], found["completions"]) == (4, 4)
    assert found["completionMode"] == "Indexed"


def test_the_checkpoint_is_mounted_where_the_variable_says():
    found = container(env={"EPOCHS": "3"})
    assert found["env"] == [
        {"name": "CHECKPOINT_DIR", "value": "/checkpoint"},
        {"name": "EPOCHS", "value": "3"},
    ]
    assert found["volumeMounts"] == [{"name": "checkpoint", "mountPath": "/checkpoint"}]
    [volume] = pod()["volumes"]
    assert volume == {
        "name": "checkpoint",
        "persistentVolumeClaim": {"claimName": "finetune-checkpoint"},
    }


def test_a_checkpoint_may_be_a_folder_of_its_claim():
    [mount] = container(checkpoint_folder="runs/1")["volumeMounts"]
    assert mount["subPath"] == "runs/1"


def test_pods_give_way_and_have_time_to_save():
    assert pod()["priorityClassName"] == "low"
    assert pod()["terminationGracePeriodSeconds"] == 30
    assert pod(grace_seconds=600)["terminationGracePeriodSeconds"] == 600


def test_pods_cannot_speak_to_the_cluster_or_gain_privileges():
    assert pod()["automountServiceAccountToken"] is False
    assert container()["securityContext"] == {"allowPrivilegeEscalation": False}


def test_the_placement_is_carried_by_the_pods():
    expression = {"key": CARD, "operator": "In", "values": ["NVIDIA-A10"]}
    term = {"node_selector_terms": [{"match_expressions": [expression]}]}
    affinity = {"required_during_scheduling_ignored_during_execution": term}
    found = pod(tolerations=[GPU_TAINT], node_affinity=affinity)
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    [rendered] = found["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"]
    assert rendered["matchExpressions"] == [expression]
    assert found["tolerations"] == [GPU_TAINT]
    assert "affinity" not in pod()


def test_the_command_is_run_as_it_is_on_the_cards_it_asks_for():
    assert container()["command"] == ["python3", "train.py"]
    assert container()["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_pods_carry_the_labels_that_the_policy_selects():
    found = only(planned(TrainingJob, "finetune", job()).of(JOB)).inputs
    assert (
        found["spec"]["template"]["metadata"]["labels"].items() >= {"release": "finetune"}.items()
    )
    assert found["metadata"]["labels"] == {"release": "finetune"}
    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("finetune", "inference")


def test_neither_an_update_nor_a_refresh_asks_whether_a_job_has_ended():
    """Does not prove what the plugin does: a refresh of it reads `skipAwait`, and no `waitFor`."""
    found = only(planned(TrainingJob, "finetune", job()).of(JOB)).inputs
    assert found["metadata"]["annotations"] == {
        "pulumi.com/skipAwait": "true",
        "pulumi.com/deletionPropagation": "background",
    }


def declared(**changes: Any) -> Any:
    inputs = only(planned(TrainingJob, "finetune", job(**changes)).of(JOB)).inputs
    return inputs["spec"]["template"]


def generation(**changes: Any) -> str:
    return str(declared(**changes)["metadata"]["labels"][GENERATION])


def test_no_pod_starts_while_one_of_an_earlier_declaration_still_saves():
    """An old job is gone at once, and its pods are not."""
    [term] = declared()["spec"]["affinity"]["podAntiAffinity"][REQUIRED]
    assert term == {
        "labelSelector": {
            "matchExpressions": [
                {"key": "batch.kubernetes.io/job-name", "operator": "In", "values": ["finetune"]},
                {"key": GENERATION, "operator": "NotIn", "values": [generation()]},
            ]
        },
        "topologyKey": "kubernetes.io/os",
    }


def test_pods_of_one_declaration_run_beside_each_other_and_on_the_nodes_of_the_placement():
    term = {"node_selector_terms": [{"match_expressions": [{"key": CARD, "operator": "Exists"}]}]}
    affinity = {"required_during_scheduling_ignored_during_execution": term}
    assert generation(parallelism=4) == generation()
    assert set(declared(node_affinity=affinity)["spec"]["affinity"]) == {
        "nodeAffinity",
        "podAntiAffinity",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "registry.example.com/train:v2"},
        {"env": {"EPOCHS": "3"}},
        {"grace_seconds": 60},
        {"tolerations": [GPU_TAINT]},
        {"labels": {"release": "finetune", "team": "chat"}},
    ],
)
def test_what_replaces_a_job_is_another_generation(changes: dict[str, Any]):
    assert generation(**changes) != generation()


def test_services_of_the_namespace_do_not_become_variables():
    assert pod()["enableServiceLinks"] is False


def test_a_job_that_changed_replaces_the_old_one_of_its_name():
    assert options(TrainingJob, "finetune", job())["finetune-job"].delete_before_replace


def test_the_name_of_the_job_is_published():
    assert outputs(TrainingJob, "finetune", job(), "job_name") == {"job_name": "finetune"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"command": []}, "command is [], but it must be at least 1 long"),
        ({"parallelism": 0}, "parallelism is 0, but it must be 1 or more"),
        ({"retries": -1}, "retries is -1, but it must be 0 or more"),
        ({"grace_seconds": 0}, "grace_seconds is 0, but it must be 1 or more"),
        ({"priority_class": None}, "priority_class is missing, but it must be given: Priority"),
        (
            {"env": {"CHECKPOINT_DIR": "/tmp"}},  # noqa: S108
            "env[CHECKPOINT_DIR] is given, but it must be left out: it is checkpoint_path (/check",
        ),
        ({"checkpoint_path": "ckpt"}, "checkpoint_path is 'ckpt', but it must be an absolute path"),
        ({"checkpoint_folder": "../x"}, "checkpoint_folder is '../x', but it must be a relative"),
    ],
)
def test_a_job_that_could_not_resume_is_refused(changes: dict[str, Any], sentence: str):
    [found] = refused(TrainingJob, "finetune", job(**changes))
    assert found.lower().startswith(sentence.lower())


@pytest.mark.parametrize(
    ("name", "want"),
    [("Fine", "lower-case letters"), ("f" * 58, "57 long at most, which leaves room")],
)
def test_a_name_that_no_pod_can_be_called_after_is_refused(name: str, want: str):
    assert f"but it must be {want}" in refused(TrainingJob, name, job())[0]
    assert planned(TrainingJob, "f" * 57, job()).of(JOB)


def test_the_job_belongs_to_its_component():
    assert_is_a_good_parent(TrainingJob, "TrainingJob", job(), {"job"})
