"""A load test asks what its scenario says, once, as a pod that may do nothing else.

That inference-perf and hey take what they are given, and count as they say, is tried with the real
programs by `make proof`; here a stand-in of inference-perf is enough to try what runs it.
"""

import json
import subprocess
import sys
from pathlib import Path
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
    [rendered] = pod(**changes)["containers"]
    return rendered


def files(**changes: Any) -> dict[str, str]:
    return files_of("spike-first", args(**changes), "http://qwen")


def config(**changes: Any) -> Any:
    return json.loads(files(**changes)["config.json"])


def test_inference_perf_is_told_the_whole_of_a_test() -> None:
    """The configuration with which the real program was tried."""
    fixed = {"type": "fixed", "std_dev": 0}
    assert config(scenario={"steady": {"rate": 5, "seconds": 20}}) == {
        "api": {
            "type": "completion",
            "streaming": True,
            "headers": {"Connection": "close"},
        },
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
            "stage_teardown_grace_seconds": 600,
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
    assert load["stages"] == [{"num_requests": 60_000, "concurrency_level": 5}]
    command = ["python3", "/load-test/run.py", "120"]
    assert container()["command"] == [*command, "--config_file", "/load-test/config.json"]


def test_an_open_loop_has_its_own_end() -> None:
    assert container(scenario={"steady": {"rate": 1}})["command"][2] == "0"


@pytest.mark.parametrize(
    ("scenario", "seconds"),
    [({"spike": {}}, 600), ({"cold_start": {"timeout_seconds": 900}}, 900)],
)
def test_an_answer_has_its_whole_time_also_at_the_end(
    scenario: dict[str, Any], seconds: float
) -> None:
    load = config(scenario=scenario, pod_labels={"a": "b"})["load"]
    assert load["request_timeout"] == load["stage_teardown_grace_seconds"] == seconds


@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_process_is_left_without_a_client(number: int) -> None:
    load = config(scenario={"steady": {"clients": number}})["load"]
    assert load["num_workers"] == min(2, number)


def test_a_long_closed_loop_does_not_fill_the_memory_with_requests_to_come() -> None:
    """Nor does it run out of them: there are as many parts as two processes could send."""
    scenario = {"steady": {"clients": 10_000, "seconds": 86_400}}
    text = files(scenario=scenario)["config.json"]
    stages = json.loads(text)["load"]["stages"]
    assert {stage["num_requests"] for stage in stages} == {100_000}
    assert sum(stage["num_requests"] for stage in stages) == 2000 * 86_400
    assert len(text) < 500_000  # of the MiB that a ConfigMap holds


@pytest.mark.parametrize(("connections", "closes"), [(None, True), ("new", True), ("kept", False)])
def test_connections_are_new_unless_they_are_to_be_kept(
    connections: str | None, closes: bool
) -> None:
    api = config(connections=connections)["api"]
    assert (api.get("headers") == {"Connection": "close"}) is closes
    command = container(**HEY, connections=connections)["command"]
    assert ("-disable-keepalive" in command) is closes


# --- what runs inference-perf --------------------------------------------------------------------

STAND_IN = """
import asyncio, json, os, pathlib, signal, sys, time
from types import SimpleNamespace as Metric

class vLLMModelServerClient:
    def __init__(self, collector, model_name):
        self.metrics_collector, self.api_key = collector, None

    async def process_request(self, *request):
        sent.append(time.monotonic())
        print("asked with", self.api_key and len(self.api_key))
        stream = os.environ.get("STREAM", 'data: {"text": "a"}\\n\\ndata: [DONE]')
        times = [1.0] if "text" in stream else []
        info = Metric(response_metrics=Metric(chunk_times=times))
        metric = Metric(error=os.environ.get("FAILS"), response_data=stream, info=info)
        self.metrics_collector.record_metric(metric)

class Collector:
    def record_metric(self, metric):
        recorded.append(metric.error)
        print("recorded", metric.error and metric.error)

sent, recorded, over = [], [], []

def main_cli():
    signal.signal(signal.SIGINT, lambda *_: over.append(time.monotonic()))
    client = vLLMModelServerClient(Collector(), model_name="qwen")
    async def stay():
        for _ in range(100_000 if float(os.environ["SECONDS"]) else 3):
            if over:
                break
            await client.process_request(None, 0, 0.0)
            await asyncio.sleep(0.01)
    asyncio.run(stay())
    lasted = over[0] - sent[0] if over else 0
    print(f"sent {len(sent)} recorded {len(recorded)} lasted {lasted:.1f}")
    [file] = sys.argv[2:]
    folder = pathlib.Path(json.load(open(file))["storage"]["local_storage"]["path"])
    folder.mkdir(parents=True, exist_ok=True)
    if os.environ.get("SUMMARY"):
        (folder / "summary_lifecycle_metrics.json").write_text(os.environ["SUMMARY"])
"""


def summary(answered: int, failed: int) -> str:
    labels = {"HTTP Error 500": {"count": failed, "messages": []}} if failed else {}
    return json.dumps(
        {
            "successes": {"count": answered},
            "failures": {"count": failed, "by_label": labels},
        }
    )


def ran(folder: Path, seconds: float = 0, **variables: str) -> tuple[int, list[str]]:
    """The exit code and the log of a Job whose inference-perf is the stand-in."""
    package = folder / "inference_perf"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "main.py").write_text(STAND_IN)
    (package / "apis.py").write_text("class ErrorResponseInfo(dict):\n    pass\n")
    (folder / "run.py").write_text(files()["run.py"])
    storage = {"local_storage": {"path": str(folder / "results")}}
    (folder / "config.json").write_text(json.dumps({"storage": storage}))
    done = subprocess.run(
        [sys.executable, "run.py", str(seconds), "--config_file", "config.json"],
        cwd=folder,
        env={"SECONDS": str(seconds), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    ("report", "code", "sentence"),
    [
        (summary(3, 0), 0, "3 of 3 requests were answered."),
        (summary(1, 2), 0, "1 of 3 requests were answered. HTTP Error 500: 2"),
        (summary(0, 3), 1, "No request was answered: all 3 failed. HTTP Error 500: 3"),
        ("", 1, "No request was sent: inference-perf wrote no report."),
    ],
)
def test_a_job_in_which_nothing_was_answered_fails(
    report: str, code: int, sentence: str, tmp_path: Path
) -> None:
    exit_code, log = ran(tmp_path, SUMMARY=report)
    assert (exit_code, log[-1]) == (code, sentence)


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        ('data: {"choices": [{"text": "a"}]}\n\ndata: [DONE]\n\n', None),
        ('data: {"choices": [{"text": "an \\"error\\""}], "error": null}\n\ndata: [DONE]', None),
        ('data: {"error": {"message": "gone"}}\n\ndata: [DONE]\n\n', "an error ended the stream"),
        ('data: {"choices": [{"text": "a"}]}\n\n', "the stream ended without its last event"),
        ("data: [DONE]\n\n", "the answer has no text"),
        ('{"choices": []}', "the stream ended without its last event"),
    ],
)
def test_a_stream_that_breaks_off_is_no_answer(
    stream: str, why: str | None, tmp_path: Path
) -> None:
    _, log = ran(tmp_path, SUMMARY=summary(3, 0), STREAM=stream)
    recorded = [line for line in log if line.startswith("recorded")]
    assert len(recorded) == 3
    assert all(why in line if why else line == "recorded None" for line in recorded)


def test_a_report_of_an_earlier_run_is_not_that_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "summary_lifecycle_metrics.json").write_text(summary(3, 0))
    assert ran(tmp_path)[0] == 1


def test_the_clock_ends_a_closed_loop_and_starts_with_its_first_request(tmp_path: Path) -> None:
    _, log = ran(tmp_path, 0.5, SUMMARY=summary(3, 0))
    [line] = [line for line in log if line.startswith("sent")]
    assert line.endswith("lasted 0.5")


def test_a_client_pauses_after_a_failure(tmp_path: Path) -> None:
    _, log = ran(tmp_path, 1.5, SUMMARY=summary(0, 2), FAILS="yes")
    [line] = [line for line in log if line.startswith("sent")]
    assert line.startswith("sent 2 recorded 2 ")


CANARY = "sk-canary-4711"


def test_the_key_is_sent_and_is_neither_in_the_log_nor_in_a_file(tmp_path: Path) -> None:
    code, log = ran(tmp_path, SUMMARY=summary(3, 0), API_KEY=CANARY)
    assert code == 0
    assert log.count(f"asked with {len(CANARY)}") == 3
    assert CANARY not in "\n".join(log)
    files = [path.read_text() for path in tmp_path.rglob("*") if path.suffix in (".json", ".py")]
    assert not any(CANARY in text for text in files)


@pytest.mark.parametrize("generator", [{}, HEY])
def test_the_key_comes_from_a_secret_and_stands_in_no_manifest(generator: dict[str, Any]) -> None:
    variables = container(**generator, api_key_secret="qwen-key")["env"]  # noqa: S106
    reference = {"secretKeyRef": {"name": "qwen-key", "key": "VLLM_API_KEY"}}
    assert {"name": "API_KEY", "valueFrom": reference} in variables
    assert not any(variable["name"] == "API_KEY" for variable in container(**generator)["env"])


def test_what_may_be_the_key_itself_is_refused_without_showing_it() -> None:
    [sentence] = refused(LoadTest, "spike", load_test(api_key_secret="sk_Canary/4711"))  # noqa: S106
    assert sentence.startswith("api_key_secret is something else, but it must be the name of a")
    assert "anary" not in sentence


def test_a_tide_is_a_stage_for_each_hour() -> None:
    stages = config(scenario={"tide": {"peak_rate": 2, "seconds": 1440}})["load"]["stages"]
    assert [stage["rate"] for stage in stages] == [round(2 * part, 6) for part in TIDE]
    assert {stage["duration"] for stage in stages} == {60}


def test_the_rates_of_a_tide_keep_their_digits() -> None:
    tide = {"peak_rate": 9999.99, "seconds": 7200, "hours": [1, 0.1234567]}
    stages = config(scenario={"tide": tide})["load"]["stages"]
    assert [stage["rate"] for stage in stages] == [9999.99, 1234.565765433]


def test_a_cold_start_is_one_request_that_may_take_its_time() -> None:
    load = config(scenario={"cold_start": {"timeout_seconds": 900}}, pod_labels={"a": "b"})["load"]
    assert load["stages"] == [{"rate": 1, "duration": 1}]
    assert (load["num_workers"], load["request_timeout"]) == (1, 900)


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
    changes = {**COLD, "scenario": {"cold_start": {"idle_seconds": 0.5}}}
    [waiting] = pod(**changes)["initContainers"]
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
    spec = pod(**COLD)
    assert spec["automountServiceAccountToken"] is False
    assert "account" not in {mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
    assert "account" in {mount["name"] for mount in spec["initContainers"][0]["volumeMounts"]}
    warm = planned(LoadTest, "spike", load_test())
    assert [manifest["kind"] for manifest in warm.manifests()] == ["ConfigMap", "Job"]
    assert "serviceAccountName" not in pod()


def test_pods_may_do_nothing_but_run() -> None:
    spec = pod(**COLD)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for part in (*spec["initContainers"], *spec["containers"]):
        assert part["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} == set(part["resources"])


def test_the_tables_of_the_log_are_not_cut_to_the_width_of_a_terminal() -> None:
    assert {"name": "COLUMNS", "value": "160"} in container()["env"]


def test_a_pod_takes_no_gpu_and_no_node_that_is_kept_for_others() -> None:
    spec = pod()
    assert "tolerations" not in spec
    assert "nvidia.com/gpu" not in str(spec)


def test_the_tokenizer_is_read_from_the_model_and_never_from_a_hub() -> None:
    rendered = container(model_folder="qwen")
    assert {"name": "HF_HUB_OFFLINE", "value": "1"} in rendered["env"]
    [mount] = [entry for entry in rendered["volumeMounts"] if entry["name"] == "model"]
    assert mount == {"name": "model", "mountPath": "/model", "readOnly": True, "subPath": "qwen"}
    [volume] = [entry for entry in pod()["volumes"] if entry["name"] == "model"]
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
    parsed = args(scenario=scenario, pod_labels={"release": "qwen"})
    assert deadline_seconds(parsed.scenario) == seconds
    assert job_spec("it", parsed, {})["activeDeadlineSeconds"] == seconds


def test_reports_stay_in_a_folder_of_the_run() -> None:
    folder = {"results_claim": "reports", "results_folder": "load"}
    [volume] = [entry for entry in pod(**folder)["volumes"] if entry["name"] == "results"]
    assert volume["persistentVolumeClaim"] == {"claimName": "reports"}
    [mount] = [entry for entry in container(**folder)["volumeMounts"] if entry["name"] == "results"]
    assert (mount["mountPath"], mount["subPath"]) == ("/results", "load")
    assert config(run="second")["storage"] == {"local_storage": {"path": "/results/spike-first"}}
    [volume] = [entry for entry in pod()["volumes"] if entry["name"] == "results"]
    assert volume == {"name": "results", "emptyDir": {}}


def test_another_run_is_another_job_with_files_of_its_own() -> None:
    for run in ("first", "second"):
        plan = planned(LoadTest, "spike", load_test(run=run))
        job, files = only(plan.of(JOB)), only(plan.of(CONFIG_MAP))
        assert (job.name, files.name) == (f"spike-job-{run}", f"spike-files-{run}")
        assert job.inputs["metadata"]["name"] == f"spike-{run}"
        assert files.inputs["metadata"]["name"] == f"spike-{run}"
        [volume] = [entry for entry in pod(run=run)["volumes"] if entry["name"] == "files"]
        assert volume["configMap"] == {"name": f"spike-{run}"}


def test_an_edit_starts_no_run() -> None:
    opts = options(LoadTest, "spike", load_test())
    assert opts["spike-job-first"].ignore_changes == ["spec"]
    assert opts["spike-files-first"].ignore_changes == ["data"]


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
        *("sh", "/load-test/run.sh", "/results/spike-first/summary.txt"),
        *("-z", "120s", "-c", "5", "-t", "600", "-disable-keepalive"),
        *("-m", "POST", "-T", "application/json", "-D", "/load-test/question.json"),
        "http://qwen.inference.svc.cluster.local/v1/chat/completions",
    ]
    assert container(**HEY)["image"] == "registry/hey:1"


def test_hey_asks_a_question_of_the_length_that_is_wanted() -> None:
    question = json.loads(files(**HEY, prompt={"words": 7, "max_tokens": 9})["question.json"])
    assert len(question["messages"][0]["content"].split()) == 7
    assert (question["model"], question["max_tokens"]) == ("qwen", 9)


HEY_ANSWERED = "Status code distribution:\n  [200]\t12 responses\n  [503]\t3 responses\n"
HEY_REFUSED = "Status code distribution:\n  [503]\t15 responses\n"
HEY_UNREACHED = "Error distribution:\n  [12]\tPost: dial tcp: connection refused\n"


@pytest.mark.parametrize(
    ("summary", "status", "code", "last"),
    [
        (HEY_ANSWERED, 0, 0, "  [503]\t3 responses"),
        (HEY_REFUSED, 0, 1, "No request was answered with a status of 2xx."),
        (HEY_UNREACHED, 0, 1, "No request was answered with a status of 2xx."),
        (HEY_ANSWERED, 3, 3, "  [503]\t3 responses"),
    ],
)
def test_a_job_in_which_hey_got_no_answer_fails(
    summary: str, status: int, code: int, last: str, tmp_path: Path
) -> None:
    (tmp_path / "run.sh").write_text(files(**HEY)["run.sh"])
    (tmp_path / "summary").write_text(summary)
    program = tmp_path / "hey"
    program.write_text(f'#!/bin/sh\necho "$@" > arguments\ncat summary\nexit {status}\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "run.sh", "results/first/summary.txt", "-z", "1s", "http://qwen"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "API_KEY": CANARY},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, last)
    assert (tmp_path / "results/first/summary.txt").read_text() == summary
    arguments = (tmp_path / "arguments").read_text()
    assert arguments == f"-H Authorization: Bearer {CANARY} -z 1s http://qwen\n"
    assert CANARY not in done.stdout


def test_hey_needs_no_file_of_the_model() -> None:
    assert "model" not in {volume["name"] for volume in pod(**HEY)["volumes"]}


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
