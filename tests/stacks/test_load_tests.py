"""A load test is declared with its model, and run only when it is asked for."""

from typing import Any

import pytest
import yaml

from plan.graph import graph_of
from plan.graph.model import Workload
from plan.model import Plan
from plan.words import steps
from policy.validation import validate as validate_policies

from .environments import Raw, accepted, changed, dev, existing, hybrid, planned, prod, sentences

LOAD_TEST = "ack-inference:index:LoadTest"


def loaded(base: Raw, **changes: Any) -> Raw:
    test = {"name": "spike", "model": "qwen", "scenario": {"spike": {}}, **changes}
    return {**base, "load_tests": [test]}


def config(plan: Plan) -> str:
    [manifest] = [
        manifest
        for manifest in plan.manifests("ConfigMap")
        if "config.json" in manifest.get("data", {})
    ]
    return str(manifest["data"]["config.json"])


def address(plan: Plan) -> str:
    return str(yaml.safe_load(config(plan))["server"]["base_url"])


def job(plan: Plan) -> Any:
    return next(
        manifest
        for manifest in plan.manifests("Job")
        if manifest["metadata"]["name"] == "spike-first"
    )


def spike(plan: Plan) -> Workload:
    [job] = [job for job in graph_of(plan).workloads if job.name == "spike-first"]
    return job


def volumes(plan: Plan) -> dict[str, Any]:
    return {volume["name"]: volume for volume in job(plan)["spec"]["template"]["spec"]["volumes"]}


def test_a_test_that_nobody_asked_for_is_declared_and_nothing_more() -> None:
    declared, before = planned(loaded(dev())), planned(dev())
    assert {resource.urn for resource in declared.resources} == {
        resource.urn for resource in before.resources
    }
    assert set(declared.outputs) - set(before.outputs) == {"spike_run_command"}
    assert declared.outputs["spike_run_command"] == (
        "pulumi config set --path 'ack-inference:load_tests[0].run' first && pulumi up"
    )


def test_a_test_that_is_asked_for_runs_after_its_model() -> None:
    plan = planned(loaded(dev(), run="first"))
    [test] = plan.of(LOAD_TEST)
    [service] = [resource for resource in plan.resources if resource.name == "qwen-service"]
    test_job = next(resource for resource in plan.resources if resource.name == "spike-job-first")
    assert test_job.parent == test.urn
    assert service.urn in test_job.dependencies
    assert plan.outputs["spike_log_command"].endswith("job/spike-first")


def test_a_plan_shows_the_job_and_where_its_tokenizer_is_from() -> None:
    plan = planned(loaded(dev(), run="first"))
    way = {step.need: step for step in steps(spike(plan))}
    assert not any(step.broken for step in way.values())
    assert way["pods"].answer == "1 to complete, 1 at a time, 0 retries"
    assert "oss://ack-inference-dev-models/Qwen-7B-Chat-Int8" in way["volume"].answer


def test_no_policy_places_the_pods_of_a_test() -> None:
    plan = planned(loaded(dev(), run="first"))
    assert (spike(plan).policies, spike(plan).stops) == ((), ())
    assert graph_of(plan).idle == []


def test_a_model_of_knative_is_asked_at_its_service() -> None:
    plan = planned(loaded(dev(), run="first"))
    assert address(plan) == "http://qwen.inference.svc.cluster.local"


def test_a_model_of_kserve_is_asked_at_its_predictor() -> None:
    plan = planned(loaded(hybrid(), run="first", model="qwen-chat"), stack="hybrid")
    namespace = accepted(hybrid()).namespace
    assert address(plan) == f"http://qwen-chat-predictor.{namespace}.svc.cluster.local"


def test_an_address_of_ones_own_comes_first() -> None:
    plan = planned(loaded(dev(), run="first", url="http://gateway.example"))
    assert address(plan) == "http://gateway.example"


def test_the_tokenizer_is_read_from_the_store_and_not_through_the_cache() -> None:
    plan = planned(loaded(dev(), run="first"))
    claims = {manifest["metadata"]["name"] for manifest in plan.manifests("PersistentVolumeClaim")}
    assert volumes(plan)["model"]["persistentVolumeClaim"]["claimName"] in claims


def test_a_claim_that_exists_is_read_in_its_folder() -> None:
    plan = planned(loaded(existing(), run="first"), stack="existing")
    [container] = job(plan)["spec"]["template"]["spec"]["containers"]
    [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == "model"]
    assert volumes(plan)["model"]["persistentVolumeClaim"]["claimName"] == "llm-models"
    assert mount["subPath"] == "Qwen2.5-7B-Instruct"


def test_a_cold_start_waits_for_the_pods_of_its_model_alone() -> None:
    raw = changed(dev(), "models[qwen].serve.knative.scale.min", 0)
    plan = planned(loaded(raw, run="first", scenario={"cold_start": {}}))
    [waiting] = job(plan)["spec"]["template"]["spec"]["initContainers"]
    [service] = plan.manifests("Service")
    [(key, value)] = service["spec"]["template"]["metadata"]["labels"].items()
    assert f"--selector={key}={value}" in waiting["command"]


def test_reports_have_a_claim_of_their_own_that_pods_may_write() -> None:
    results = {"store": "checkpoints", "path": "/reports", "size": "1Gi"}
    plan = planned(loaded(dev(), run="first", results=results))
    claim = volumes(plan)["results"]["persistentVolumeClaim"]["claimName"]
    [pvc] = [
        manifest
        for manifest in plan.manifests("PersistentVolumeClaim")
        if manifest["metadata"]["name"] == claim
    ]
    assert pvc["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "spike-results_upload_command" not in plan.outputs


def test_a_tokenizer_that_is_code_is_run_where_the_model_says_so() -> None:
    plan = planned(loaded(dev(), run="first"))
    assert yaml.safe_load(config(plan))["tokenizer"]["trust_remote_code"] is True
    plan = planned(loaded(existing(), run="first"), stack="existing")
    assert yaml.safe_load(config(plan))["tokenizer"]["trust_remote_code"] is False


@pytest.mark.parametrize("base", [dev(), prod()])
def test_a_test_keeps_the_policies(base: Raw) -> None:
    plan = planned(loaded(base, run="first", model=base["models"][0]["name"]))
    assert validate_policies(plan).mandatory == ()


def test_a_test_that_is_only_declared_has_no_job_whose_name_could_be_taken() -> None:
    accepted(loaded(dev(), name="finetune"))


BROKEN: list[dict[str, Any]] = [
    {"scenario": {}},
    {"scenario": {}, "generator": "hey"},
    {"scenario": {"tide": {"peak_rate": 0, "hours": []}}},
    {"scenario": {"tide": {"hours": ["x"], "seconds": -1}}},
    {"scenario": {"steady": {"rate": "fast"}}, "generator": "wrk"},
    {"scenario": {"spike": {}, "cold_start": {"idle_seconds": "x"}}, "model": "x", "run": "-"},
    {"scenario": None, "results": {"store": "x"}, "prompt": {"words": 0}},
    {"name": 1, "model": 2, "url": "ftp://x", "image": "A/"},
]


@pytest.mark.parametrize("changes", BROKEN, ids=str)
def test_what_is_broken_is_refused_at_its_place(changes: dict[str, Any]) -> None:
    faults = sentences(loaded(dev(), **changes))
    assert faults
    assert all(fault.startswith("load_tests[") for fault in faults)


def test_a_run_is_text_also_where_it_looks_like_a_number() -> None:
    [sentence] = sentences(loaded(dev(), run=1))
    assert sentence.startswith("load_tests[spike].run is 1, but it must be text")
    assert accepted(loaded(dev(), run="1"))


# --- the key of a model, and how its outputs ask it ----------------------------------------------

KEYED = {**dev(), "models": [{**dev()["models"][0], "api_key_secret": "qwen-key"}]}
"""A stack whose model takes its key from a Secret."""


def test_hey_waits_for_a_cold_model_as_long_as_a_request_may_take() -> None:
    """By itself it gives up after 20 seconds."""
    plan = planned(dev())
    assert " -t 600 " in plan.outputs["qwen_load"]
    raw = changed(dev(), "models[qwen].serve.knative.request_seconds", 300)
    assert " -t 300 " in planned(raw).outputs["qwen_load"]


def test_who_asks_a_model_with_a_key_reads_it_from_its_secret() -> None:
    plan = planned(KEYED)
    read = (
        '"Authorization: Bearer $(kubectl --namespace inference get secret qwen-key '
        "-o jsonpath='{.data.VLLM_API_KEY}' | base64 -d)\""
    )
    for output in ("qwen_curl", "qwen_load"):
        assert f" -H {read} " in plan.outputs[output]
        assert "Authorization" not in planned(dev()).outputs[output]


def test_the_server_and_the_load_test_take_the_key_from_the_same_secret() -> None:
    plan = planned(loaded(KEYED, run="first"))
    [service] = plan.manifests("Service")
    [server] = service["spec"]["template"]["spec"]["containers"]
    assert {"secretRef": {"name": "qwen-key"}} in server["envFrom"]
    [container] = job(plan)["spec"]["template"]["spec"]["containers"]
    reference = {"secretKeyRef": {"name": "qwen-key", "key": "VLLM_API_KEY"}}
    assert {"name": "API_KEY", "valueFrom": reference} in container["env"]


def test_a_secret_that_the_server_has_already_is_not_named_twice() -> None:
    raw = changed(KEYED, "models[qwen].server.secret_env", ["qwen-key"])
    [service] = planned(raw).manifests("Service")
    [server] = service["spec"]["template"]["spec"]["containers"]
    assert server["envFrom"] == [{"secretRef": {"name": "qwen-key"}}]


def test_a_key_in_place_of_the_name_of_its_secret_is_refused_and_not_shown() -> None:
    [sentence] = sentences(changed(KEYED, "models[qwen].api_key_secret", "sk_Canary/4711"))
    assert sentence.startswith("models[qwen].api_key_secret is something else, but it must be the")
    assert "anary" not in sentence


def test_connections_of_a_load_test_are_as_it_says() -> None:
    plan = planned(loaded(dev(), run="first", connections="kept"))
    assert "Connection" not in config(plan)
    assert '"Connection": "close"' in config(planned(loaded(dev(), run="first")))
