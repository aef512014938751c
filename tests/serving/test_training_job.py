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
SERVICE = "kubernetes:core/v1:Service"
INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']"


def spec(**changes: Any) -> Any:
    return job_spec("finetune", TrainingJobArgs.of(job(**changes)))


def pod(**changes: Any) -> Any:
    return spec(**changes)["template"]["spec"]


def container(**changes: Any) -> Any:
    [rendered] = pod(**changes)["containers"]
    return rendered


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
    body = spec(parallelism=4)
    assert (body["parallelism"], body["completions"]) == (4, 4)
    assert body["completionMode"] == "Indexed"


def test_the_checkpoint_is_mounted_where_the_variable_says():
    rendered = container(env={"EPOCHS": "3"})
    assert rendered["env"] == [
        {"name": "CHECKPOINT_DIR", "value": "/checkpoint"},
        {"name": "EPOCHS", "value": "3"},
    ]
    assert rendered["volumeMounts"] == [{"name": "checkpoint", "mountPath": "/checkpoint"}]
    [volume] = pod()["volumes"]
    assert volume == {
        "name": "checkpoint",
        "persistentVolumeClaim": {"claimName": "finetune-checkpoint"},
    }


def variables(**changes: Any) -> dict[str, Any]:
    return {
        variable["name"]: variable.get("value", variable)
        for variable in container(**changes)["env"]
    }


def test_pods_of_a_parallel_job_meet_at_the_first_one():
    env = variables(parallelism=2)
    assert (env["MASTER_ADDR"], env["MASTER_PORT"]) == ("finetune-0.finetune", "29500")
    assert pod(parallelism=2)["subdomain"] == "finetune"
    service = only(planned(TrainingJob, "finetune", job(parallelism=2)).of(SERVICE)).inputs
    assert service["metadata"]["name"] == "finetune"
    assert service["spec"] == {
        "clusterIP": "None",
        "selector": {"job-name": "finetune"},
        "publishNotReadyAddresses": True,
        "ports": [{"name": "rendezvous", "port": 29500}],
    }


def test_each_pod_of_a_parallel_job_knows_its_number_and_how_many_there_are():
    env = variables(parallelism=2)
    assert (env["NNODES"], env["WORLD_SIZE"]) == ("2", "2")
    for name in ("NODE_RANK", "RANK"):
        assert env[name] == {"name": name, "valueFrom": {"fieldRef": {"fieldPath": INDEX}}}


def test_torchrun_finds_in_its_variables_what_its_command_line_leaves_out():
    """That torchrun reads PET_<FLAG> was read in PyTorch's source, and is not proved here."""
    env = variables(parallelism=2, resources={"cpu": "8", "memory": "32Gi", "gpus": 4})
    assert {name: value for name, value in env.items() if name.startswith("PET_")} == {
        "PET_MASTER_ADDR": "finetune-0.finetune",
        "PET_MASTER_PORT": "29500",
        "PET_NNODES": "2",
        "PET_NODE_RANK": {"name": "PET_NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": INDEX}}},
        "PET_NPROC_PER_NODE": "4",
        "PET_RDZV_CONF": "timeout=1800",
    }


def test_a_variable_of_the_user_goes_before_one_of_the_rendezvous():
    env = variables(parallelism=2, env={"NODE_RANK": "7", "PET_RDZV_CONF": "timeout=60"})
    assert (env["NODE_RANK"], env["PET_RDZV_CONF"]) == ("7", "timeout=60")


def test_a_job_of_one_pod_meets_nobody():
    assert not planned(TrainingJob, "finetune", job()).of(SERVICE)
    assert "subdomain" not in pod()
    assert set(variables()) == {"CHECKPOINT_DIR"}


def test_the_service_is_there_before_the_pods_that_meet_at_it():
    plan = planned(TrainingJob, "finetune", job(parallelism=2))
    assert only(plan.of(SERVICE)).urn in only(plan.of(JOB)).dependencies


def test_a_failure_ends_all_pods_of_a_job_and_is_counted_once():
    assert spec(parallelism=4)["backoffLimit"] == 12
    assert spec(parallelism=4, retries=0)["backoffLimit"] == 0


def test_pods_share_their_checkpoint_unless_each_has_its_own():
    [shared] = container(parallelism=2)["volumeMounts"]
    assert not {"subPath", "subPathExpr"} & set(shared)
    [mount] = container(parallelism=2, checkpoint_per_rank=True)["volumeMounts"]
    assert mount["subPathExpr"] == "rank-$(JOB_COMPLETION_INDEX)"
    folder = {"checkpoint_folder": "runs/1/", "checkpoint_per_rank": True}
    [below] = container(**folder)["volumeMounts"]
    assert (below["subPathExpr"], below.get("subPath")) == (
        "runs/1/rank-$(JOB_COMPLETION_INDEX)",
        None,
    )


def test_a_base_model_is_mounted_read_only():
    changes = {"model_claim": "base", "model_folder": "qwen", "model_path": "/models"}
    assert container(**changes)["volumeMounts"][1] == {
        "name": "model",
        "mountPath": "/models",
        "readOnly": True,
        "subPath": "qwen",
    }
    assert pod(**changes)["volumes"][1] == {
        "name": "model",
        "persistentVolumeClaim": {"claimName": "base", "readOnly": True},
    }


def test_several_cards_have_half_of_the_memory_to_talk_through():
    def sizes(**changes: Any) -> list[str]:
        volumes = pod(**changes)["volumes"]
        return [volume["emptyDir"]["sizeLimit"] for volume in volumes if "emptyDir" in volume]

    two = {"cpu": "8", "memory": "48Gi", "gpus": 2}
    assert sizes() == []
    assert sizes(resources=two) == ["24Gi"]
    assert sizes(resources=two, shared_memory="4Gi") == ["4Gi"]
    assert sizes(shared_memory="16Gi") == ["16Gi"]
    mounts = container(shared_memory="16Gi")["volumeMounts"]
    assert {"name": "shared-memory", "mountPath": "/dev/shm"} in mounts  # noqa: S108


def test_secrets_come_from_where_they_are_kept():
    changes = {"secret_env": ["hub"], "image_pull_secrets": ["acr"]}
    assert container(**changes)["envFrom"] == [{"secretRef": {"name": "hub"}}]
    assert pod(**changes)["imagePullSecrets"] == [{"name": "acr"}]
    assert "envFrom" not in container()
    assert "imagePullSecrets" not in pod()


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
    body = pod(tolerations=[GPU_TAINT], node_affinity=affinity)
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    [rendered] = body["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"]
    assert rendered["matchExpressions"] == [expression]
    assert body["tolerations"] == [GPU_TAINT]
    assert "affinity" not in pod()


def test_the_command_is_run_as_it_is_on_the_cards_it_asks_for():
    assert container()["command"] == ["python3", "train.py"]
    assert container()["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_pods_carry_the_labels_that_the_policy_selects():
    manifest = only(planned(TrainingJob, "finetune", job()).of(JOB)).inputs
    assert (
        manifest["spec"]["template"]["metadata"]["labels"].items()
        >= {"release": "finetune"}.items()
    )
    assert manifest["metadata"]["labels"] == {"release": "finetune"}
    assert (manifest["metadata"]["name"], manifest["metadata"]["namespace"]) == (
        "finetune",
        "inference",
    )


def test_neither_an_update_nor_a_refresh_asks_whether_a_job_has_ended():
    """Does not prove what the plugin does: a refresh of it reads `skipAwait`, and no `waitFor`."""
    manifest = only(planned(TrainingJob, "finetune", job()).of(JOB)).inputs
    assert manifest["metadata"]["annotations"] == {
        "pulumi.com/skipAwait": "true",
        "pulumi.com/deletionPropagationPolicy": "background",
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
    assert generation(retries=9) == generation()
    # Each pod is told how many there are.
    assert generation(parallelism=4) != generation(parallelism=2)
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
        (
            {"env": {"HF_TOKEN": "anything"}},
            "env[HF_TOKEN] is set in plain, but it must be left out, and the key HF_TOKEN of a",
        ),
        (
            {"command": ["train", "--token", "hf_abcdefghijklmnopqrst"]},
            "command[2] is --token with its value in plain, but it must be $(NAME), with the key",
        ),
        (
            {"shared_memory": "32Gi"},
            "shared_memory is '32Gi', but it must be less than resources.memory (32Gi)",
        ),
        ({"model_claim": "base"}, "model_path is missing, but it must be given with model_claim"),
        ({"model_path": "/models"}, "model_path is '/models', but it must be given with model_cl"),
        (
            {"model_claim": "base", "model_path": "/checkpoint/"},
            "model_path is '/checkpoint/', but it must be unique: another volume is mounted there",
        ),
        (
            {"checkpoint_path": "/dev/shm"},  # noqa: S108
            "checkpoint_path is '/dev/shm', but it must be unique",
        ),
        ({"model_claim": "b", "model_path": "m"}, "model_path is 'm', but it must be an absolute"),
        (
            {"model_claim": "b", "model_path": "/m", "model_folder": "/x"},
            "model_folder is '/x', but it must be a relative",
        ),
        ({"checkpoint_folder": "../x"}, "checkpoint_folder is '../x', but it must be a relative"),
        (
            {"command": ["torchrun --nproc-per-node 2 train.py"]},
            "command is one whose first item is several words, but it must be one item per word",
        ),
        (
            {"command": ["bash", "-c", "accelerate launch", "train.py"]},
            "command is one with words after the script of -c, but it must be the whole",
        ),
    ],
)
def test_a_job_that_could_not_resume_is_refused(changes: dict[str, Any], sentence: str):
    [fault] = refused(TrainingJob, "finetune", job(**changes))
    assert fault.lower().startswith(sentence.lower())


@pytest.mark.parametrize(
    ("name", "want"),
    [("Fine", "lower-case letters"), ("f" * 58, "57 long at most, which leaves room")],
)
def test_a_name_that_no_pod_can_be_called_after_is_refused(name: str, want: str):
    assert f"but it must be {want}" in refused(TrainingJob, name, job())[0]
    assert planned(TrainingJob, "f" * 57, job()).of(JOB)


def test_the_job_belongs_to_its_component():
    assert_is_a_good_parent(TrainingJob, "TrainingJob", job(), {"job"})
