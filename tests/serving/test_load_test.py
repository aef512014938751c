"""A load test asks what its scenario says, once, as a pod that may do nothing else.

That inference-perf 0.7.0 takes the configuration and counts as it says was tried with the real
program against a server of a known delay; it is too large to be installed for these tests.
"""

import ast
import json
from typing import Any

import pytest

from components.serving import LoadTest, LoadTestArgs
from components.serving.load_test import deadline_seconds, files_of, job_spec
from components.serving.scenarios import TIDE
from tests.recording import (
    assert_is_a_good_parent,
    only,
    options,
    outputs,
    planned,
    refused,
)

from .arguments import load_test

COLD = {"scenario": {"cold_start": {}}, "pod_labels": {"release": "qwen"}}
HEY = {"generator": "hey", "image": "registry/hey:1", "model_claim": None}
JOB = "kubernetes:batch/v1:Job"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def args(**changes: Any) -> LoadTestArgs:
    return LoadTestArgs.of(load_test(**changes))


def spec(**changes: Any) -> Any:
    return only(planned(LoadTest, "spike", load_test(**changes)).of(JOB)).inputs["spec"]


def pod(**changes: Any) -> Any:
    return spec(**changes)["template"]["spec"]


def container(**changes: Any) -> Any:
    [found] = pod(**changes)["containers"]
    return found


def files(**changes: Any) -> dict[str, str]:
    return files_of("spike-first", args(**changes), "http://qwen")


def config(**changes: Any) -> Any:
    return json.loads(files(**changes)["config.json"])


def test_inference_perf_is_told_the_whole_of_a_test() -> None:
    """The configuration with which the real program was tried."""
    fixed = {"type": "fixed", "std_dev": 0}
    assert config(scenario={"steady": {"rate": 5, "seconds": 20}}) == {
        "api": {"type": "completion", "streaming": True},
        "data": {
            "type": "random",
            "input_distribution": {**fixed, "min": 200, "max": 200, "mean": 200},
            "output_distribution": {**fixed, "min": 128, "max": 128, "mean": 128},
        },
        "load": {
            "type": "constant",
            "stages": [{"rate": 5.0, "duration": 20}],
            "num_workers": 2,
            "worker_max_concurrency": 1000,
            "interval": 0,
            "request_timeout": 600,
        },
        "server": {
            "type": "vllm",
            "model_name": "qwen",
            "base_url": "http://qwen",
            "ignore_eos": True,
        },
        "tokenizer": {"pretrained_model_name_or_path": "/model", "trust_remote_code": False},
        "report": {"request_lifecycle": {"summary": True, "per_stage": True, "per_request": True}},
        "storage": {"local_storage": {"path": "/results/spike-first"}},
    }


def test_a_spike_is_as_many_clients_until_the_clock_stops_them() -> None:
    load = config()["load"]
    assert load["type"] == "concurrent"
    assert load["stages"] == [{"num_requests": 6000, "concurrency_level": 5}]
    command = ["python3", "/load-test/closed_loop.py", "120"]
    assert container()["command"] == [*command, "--config_file", "/load-test/config.json"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_process_is_left_without_a_client(number: int) -> None:
    load = config(scenario={"steady": {"clients": number}})["load"]
    assert load["num_workers"] == min(2, number)


def test_a_long_closed_loop_does_not_fill_the_memory_with_requests_to_come() -> None:
    scenario = {"steady": {"clients": 10_000, "seconds": 86_400}}
    [stage] = config(scenario=scenario)["load"]["stages"]
    assert stage == {"num_requests": 200_000, "concurrency_level": 10_000}


def test_what_stops_a_closed_loop_is_a_program() -> None:
    assert ast.parse(files()["closed_loop.py"])
    assert "closed_loop.py" not in files(scenario={"steady": {"rate": 1}})


def test_a_tide_is_a_stage_for_each_hour() -> None:
    stages = config(scenario={"tide": {"peak_rate": 2, "seconds": 1440}})["load"]["stages"]
    assert [stage["rate"] for stage in stages] == [round(2 * part, 6) for part in TIDE]
    assert {stage["duration"] for stage in stages} == {60}


def test_the_rates_of_a_tide_keep_their_digits() -> None:
    tide = {"peak_rate": 9999.99, "seconds": 7200, "hours": [1, 0.1234567]}
    stages = config(scenario={"tide": tide})["load"]["stages"]
    assert [stage["rate"] for stage in stages] == [9999.99, 1234.565765433]


def test_a_cold_start_is_one_request_that_may_take_its_time() -> None:
    found = config(scenario={"cold_start": {"timeout_seconds": 900}}, pod_labels={"a": "b"})["load"]
    assert found["stages"] == [{"rate": 1, "duration": 1}]
    assert (found["num_workers"], found["request_timeout"]) == (1, 900)


def test_a_cold_start_waits_until_no_pod_of_the_model_is_left() -> None:
    """Does not prove that kubectl returns at once where there is none: its source does."""
    [waiting] = pod(**COLD)["initContainers"]
    assert waiting["command"] == [
        *("kubectl", "wait", "pod", "--for=delete", "--selector=release=qwen"),
        *("--timeout=1800s", "--namespace", "inference"),
    ]
    assert waiting["image"] == "registry.k8s.io/kubectl:v1.34.3"
    assert "initContainers" not in pod()


def test_a_wait_for_an_idle_model_is_as_long_as_it_is_told() -> None:
    asked = {**COLD, "scenario": {"cold_start": {"idle_seconds": 0.5}}}
    [waiting] = pod(**asked)["initContainers"]
    assert "--timeout=0.5s" in waiting["command"]


def test_who_waits_for_an_idle_model_may_see_pods_and_nothing_else() -> None:
    plan = planned(LoadTest, "cold", load_test(**COLD))
    [role] = plan.manifests("Role")
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    ]
    [binding] = plan.manifests("RoleBinding")
    [subject], reference = binding["subjects"], binding["roleRef"]
    [account] = plan.manifests("ServiceAccount")
    name = account["metadata"]["name"]
    assert (subject["name"], reference["name"]) == (name, role["metadata"]["name"])
    assert only(plan.of(JOB)).inputs["spec"]["template"]["spec"]["serviceAccountName"] == name


def test_only_the_container_that_waits_has_a_token() -> None:
    found = pod(**COLD)
    assert found["automountServiceAccountToken"] is False
    assert "account" not in {one["name"] for one in found["containers"][0]["volumeMounts"]}
    assert "account" in {one["name"] for one in found["initContainers"][0]["volumeMounts"]}
    warm = planned(LoadTest, "spike", load_test())
    assert [one["kind"] for one in warm.manifests()] == ["ConfigMap", "Job"]
    assert "serviceAccountName" not in pod()


def test_pods_may_do_nothing_but_run() -> None:
    found = pod(**COLD)
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for one in (*found["initContainers"], *found["containers"]):
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} == set(one["resources"])


def test_the_tables_of_the_log_are_not_cut_to_the_width_of_a_terminal() -> None:
    assert {"name": "COLUMNS", "value": "160"} in container()["env"]


def test_a_pod_takes_no_gpu_and_no_node_that_is_kept_for_others() -> None:
    found = pod()
    assert "tolerations" not in found
    assert "nvidia.com/gpu" not in str(found)


def test_the_tokenizer_is_read_from_the_model_and_never_from_a_hub() -> None:
    found = container(model_folder="qwen")
    assert {"name": "HF_HUB_OFFLINE", "value": "1"} in found["env"]
    [mount] = [one for one in found["volumeMounts"] if one["name"] == "model"]
    assert mount == {"name": "model", "mountPath": "/model", "readOnly": True, "subPath": "qwen"}
    [volume] = [one for one in pod()["volumes"] if one["name"] == "model"]
    assert volume["persistentVolumeClaim"] == {"claimName": "qwen", "readOnly": True}


def test_a_second_try_would_measure_a_warm_model_so_there_is_none() -> None:
    assert spec()["backoffLimit"] == 0
    assert pod()["restartPolicy"] == "Never"


def test_a_finished_job_stays_unless_it_is_told_to_go() -> None:
    assert "ttlSecondsAfterFinished" not in spec()
    assert spec(ttl_seconds=0)["ttlSecondsAfterFinished"] == 0


@pytest.mark.parametrize(
    ("scenario", "seconds"),
    [
        ({"spike": {}}, 900 + 2 * 120 + 600),
        ({"tide": {"peak_rate": 2}}, 900 + 2 * 1440 + 600),
        ({"cold_start": {"idle_seconds": 60, "timeout_seconds": 300}}, 900 + 60 + 300),
    ],
)
def test_a_test_that_hangs_is_ended(scenario: dict[str, Any], seconds: int) -> None:
    found = args(scenario=scenario, pod_labels={"release": "qwen"})
    assert deadline_seconds(found.scenario) == seconds
    assert job_spec("it", found, {})["activeDeadlineSeconds"] == seconds


def test_reports_stay_in_a_folder_of_the_run() -> None:
    kept = {"results_claim": "reports", "results_folder": "load"}
    [volume] = [one for one in pod(**kept)["volumes"] if one["name"] == "results"]
    assert volume["persistentVolumeClaim"] == {"claimName": "reports"}
    [mount] = [one for one in container(**kept)["volumeMounts"] if one["name"] == "results"]
    assert (mount["mountPath"], mount["subPath"]) == ("/results", "load")
    assert config(run="second")["storage"] == {"local_storage": {"path": "/results/spike-first"}}
    [volume] = [one for one in pod()["volumes"] if one["name"] == "results"]
    assert volume == {"name": "results", "emptyDir": {}}


def test_another_run_is_another_job_with_files_of_its_own() -> None:
    for run in ("first", "second"):
        plan = planned(LoadTest, "spike", load_test(run=run))
        job, files = only(plan.of(JOB)), only(plan.of(CONFIG_MAP))
        assert (job.name, files.name) == (f"spike-job-{run}", f"spike-files-{run}")
        assert job.inputs["metadata"]["name"] == f"spike-{run}"
        assert files.inputs["metadata"]["name"] == f"spike-{run}"
        [volume] = [one for one in pod(run=run)["volumes"] if one["name"] == "files"]
        assert volume["configMap"] == {"name": f"spike-{run}"}


def test_an_edit_starts_no_run() -> None:
    found = options(LoadTest, "spike", load_test())
    assert found["spike-job-first"].ignore_changes == ["spec"]
    assert found["spike-files-first"].ignore_changes == ["data"]


def test_an_update_does_not_wait_for_the_end_of_a_day() -> None:
    job = only(planned(LoadTest, "spike", load_test()).of(JOB)).inputs
    notes = job["metadata"]["annotations"]
    assert notes == {"pulumi.com/skipAwait": "true"}


def test_it_tells_its_job_and_how_to_read_the_summary() -> None:
    assert outputs(LoadTest, "spike", load_test(), "job_name", "log_command") == {
        "job_name": "spike-first",
        "log_command": "kubectl logs --namespace inference --container load job/spike-first",
    }


def test_its_parts_are_its_children() -> None:
    roles = {"job", "files", "account", "role", "binding"}
    assert_is_a_good_parent(LoadTest, "LoadTest", load_test(**COLD, run=None), roles)


# --- hey -----------------------------------------------------------------------------------------


def test_hey_asks_as_the_article_does() -> None:
    assert container(**HEY)["command"] == [
        *("hey", "-z", "120s", "-c", "5", "-t", "600", "-m", "POST", "-T", "application/json"),
        *("-D", "/load-test/question.json"),
        "http://qwen.inference.svc.cluster.local/v1/chat/completions",
    ]
    assert container(**HEY)["image"] == "registry/hey:1"


def test_hey_asks_a_question_of_the_length_that_is_wanted() -> None:
    question = json.loads(files(**HEY, prompt={"words": 7, "max_tokens": 9})["question.json"])
    assert len(question["messages"][0]["content"].split()) == 7
    assert (question["model"], question["max_tokens"]) == ("qwen", 9)


def test_hey_needs_no_file_of_the_model() -> None:
    assert "model" not in {one["name"] for one in pod(**HEY)["volumes"]}


# --- refusals ------------------------------------------------------------------------------------

CLOSED = (
    "but it must be spike, or steady with clients: hey sends the next request when the last one is "
    "answered."
)
REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"model_claim": None},
        "model_claim is missing, but it must be given: inference-perf reads the model's tokenizer, "
        "and no hub is asked for it.",
    ),
    (
        {"scenario": {"cold_start": {}}},
        "pod_labels is missing, but it must be given: a cold start waits until no pod with them is "
        "left.",
    ),
    (
        {"generator": "hey"},
        "image is missing, but it must be given: nobody publishes an image of hey.",
    ),
    ({**HEY, "scenario": {"tide": {"peak_rate": 2}}}, f"scenario is 'tide', {CLOSED}"),
    ({**HEY, "scenario": {"steady": {"rate": 2}}}, f"scenario is 'steady', {CLOSED}"),
    ({**HEY, **COLD}, f"scenario is 'cold_start', {CLOSED}"),
    (
        {"scenario": {"steady": {"rate": 0.01, "seconds": 99}}},
        "scenario.steady.rate is 0.99 requests in 99 s, but it must be 1 request or more: "
        "inference-perf passes over what has none, and the rest would come too early.",
    ),
    (
        {"scenario": {"tide": {"peak_rate": 2, "seconds": 60, "hours": [1, 0]}}},
        "scenario.tide.hours[1] is 0 requests in 30 s, but it must be 1 request or more: "
        "inference-perf passes over what has none, and the rest would come too early.",
    ),
    (
        {"run": "First"},
        "run is 'First', but it must be text such as first: tells runs of one test apart.",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_what_cannot_be_measured_is_refused(changes: dict[str, Any], sentence: str) -> None:
    assert refused(LoadTest, "spike", load_test(**changes)) == [sentence]


@pytest.mark.parametrize(
    "changes",
    [
        {"scenario": {"steady": {"rate": 0.01, "seconds": 100}}},
        {**HEY, "scenario": {"steady": {"clients": 1}}},
        {"run": "2026-11-22"},
    ],
)
def test_what_just_can_be_measured_is_taken(changes: dict[str, Any]) -> None:
    assert planned(LoadTest, "spike", load_test(**changes)).of(JOB)


def test_images_are_references_to_images() -> None:
    for field in ("image", "kubectl_image"):
        [sentence] = refused(LoadTest, "spike", load_test(**{field: "registry/it:"}))
        assert sentence.startswith(f"{field} is 'registry/it:', but it must be [host[:port]/]name")


def test_the_name_of_a_run_leaves_room_for_that_of_its_pod() -> None:
    [sentence] = refused(LoadTest, "s" * 52, load_test())
    assert "57 long at most" in sentence
    assert planned(LoadTest, "s" * 51, load_test()).of(JOB)
