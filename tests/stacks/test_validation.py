"""A stack file is validated whole, in one run, in sentences."""

import copy
import itertools
import json
import re
import typing
from collections.abc import Iterator
from typing import Any, Final

import pytest
from pydantic import BaseModel

from components.args import Args
from components.validation_errors import path_of
from stacks.checks.rules import overlaps
from stacks.placeholders import MARK
from stacks.sections.environment import Environment
from stacks.validation import PARTIAL, validate

from .environments import (
    GONE,
    NAMES,
    ROOT,
    Raw,
    accepted,
    changed,
    configuration,
    dev,
    existing,
    merged,
    raw_of,
    refusal,
    sentences,
    without,
)

SENTENCE: Final = re.compile(
    r"[^\n]+ is [^\n]+, but it must be [^\n]+: [^\n]+\.( See https://\S+)?"
)
JUNK: Final[list[Any]] = [None, "x", {"a": [{"b": [None, {"c": 1}]}]}]
"""More kinds of values are tried by test_properties.py."""
ODD: Final[list[Any]] = [
    "1e999999999",
    "9" * 5000 + "Gi",
    10**300,
    float("inf"),
    float("nan"),
    "\ud800",
    "a\nb\x1b[31m\u2028",
    "名前",
]


def shaped(texts: list[str]) -> list[str]:
    """The sentences, once it is sure that they are some."""
    assert [text for text in texts if not SENTENCE.fullmatch(text)] == []
    assert [text for text in texts if MARK in text] == []
    assert len(set(texts)) == len(texts)
    return texts


def places(value: object, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Paths of everything in a file."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, *path, key)


def keys(model: type[BaseModel], *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Paths of every key of the schema, in the first entry of each list."""
    for name, field in model.model_fields.items():
        yield (*path, name)
        for section, is_list in sections(field.annotation):
            yield from keys(section, *path, name, *([0] if is_list else []))


def sections(annotation: Any, is_list: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, is_list
    for inner in typing.get_args(annotation):
        yield from sections(inner, is_list or typing.get_origin(annotation) is list)


def put(raw: Raw, path: tuple[str | int, ...], value: Any) -> Raw:
    """A copy with another value at a path, whose sections are made where there are none."""
    draft: Any = copy.deepcopy(raw)
    holder = draft
    for step, following in itertools.pairwise(path):
        if isinstance(step, str) and not holder.get(step):
            holder[step] = [{}] if isinstance(following, int) else {}
        holder = holder[step]
    holder[path[-1]] = copy.deepcopy(value)
    return dict(draft)


def test_ten_faults_of_ten_kinds_are_ten_sentences_in_one_run() -> None:
    raw = merged(
        dev(region=7, kubeconfig="CANARY"),
        {
            "knative": {"domian": "example.org"},
            "models[qwen].server.image": GONE,
            "priorities[training-low-priority].value": 2_000_000_000,
            "pools[t4].driver": "latest",
            "models[qwen].cache.quota": "20GB",
            "training[finetune].placement.pools": ["a11"],
            "training[finetune].name": "Fine_Tune",
            "models[qwen].server.resources.memory": "92Gi",
        },
    )
    assert shaped(sentences(raw)) == [
        (
            "region is 7, but it must be text in quotes, as '7' is: region of Alibaba Cloud, "
            "e.g. cn-beijing."
        ),
        (
            "kubeconfig is given in plain, but it must be a secret, set by `pulumi config set "
            "--secret ack-inference:kubeconfig`: in plain, everyone who reads the stack file "
            "could use it."
        ),
        (
            "pools[t4].driver is 'latest', but it must be text such as 550.144.03: NVIDIA "
            "driver, e.g. 550.144.03."
        ),
        (
            "priorities[training-low-priority].value is 2000000000, but it must be 1000000000 or "
            "less: pods of a higher value preempt those of a lower one."
        ),
        (
            "knative.domian is not a known key, but it must be left out (did you mean "
            "'domain'?): the keys here are install, version, domain, skip_tag_resolving, "
            "max_request_seconds, gateway_annotations."
        ),
        (
            "models[qwen].cache.quota is '20GB', but it must be text such as 20Gi (did you mean "
            "'20G'?): space per "
            "worker, e.g. 20Gi."
        ),
        (
            "models[qwen].server.image is missing, but it must be given: image reference with a "
            "tag or digest, e.g. `registry/vllm:0.4.1`."
        ),
        (
            "training[Fine_Tune].name is 'Fine_Tune', but it must be lower-case letters, digits "
            "and '-', from a letter to a letter or digit, at most 63: it names a Job. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        (
            "training[Fine_Tune].placement.pools is 'a11', but it must be one of system, a10, "
            "cache, t4 (did you mean 'a10'?): pods cannot be placed on it."
        ),
        (
            "models[qwen].server.resources.memory is '92Gi', but it must be at most 90061Mi on "
            "pool t4: ecs.gn6i-c24g1.6xlarge offers no more to pods beside its own agents."
        ),
    ]


def test_a_rule_that_reads_what_is_refused_is_asked_in_the_next_run_and_that_is_said() -> None:
    changes = {"models[qwen].volume": [], "training[finetune].checkpoint.store": "share"}
    validation = validate(merged(dev(), changes))
    assert [fault.field for fault in validation.faults] == ["models[qwen].volume"]
    assert validation.sentences[-1].startswith("Some rules read what is refused here")
    del changes["models[qwen].volume"]
    validation = validate(merged(dev(), changes))
    assert [fault.field for fault in validation.faults] == ["training[finetune].checkpoint.store"]
    assert validation.sentences == [str(fault) for fault in validation.faults]


def test_a_fault_in_one_entry_does_not_hide_those_of_others() -> None:
    raw = merged(
        raw_of("prod"),
        {
            "models[qwen-chat].server.image": 3,
            "models[qwen-int8].cache.pool": "cash",
            "models[embed].volume": [],
            "pools[a10].size": {},
            "pools[t4].zones": ["cn-shanghai-x"],
        },
    )
    assert [sentence.split(" is ")[0] for sentence in shaped(sentences(raw))] == [
        "pools[a10].size",
        "models[qwen-chat].server.image",
        "models[embed].volume",
        "pools[t4].zones",
        "models[qwen-int8].cache.pool",
    ]


def test_a_fault_in_an_entry_does_not_hide_a_broken_rule_of_the_same_entry() -> None:
    raw = merged(
        dev(),
        {
            "pools[a10].autoscale": {"min": 0, "max": 2},
            "pools[a10].colour": "blue",
            "models[qwen].serve.knative.scale": {"min": 4, "max": 3, "target": "2"},
        },
    )
    assert [sentence.split(" is ")[0] for sentence in shaped(sentences(raw))] == [
        "pools[a10].colour",
        "models[qwen].serve.knative.scale.target",
        "pools[a10].size",
        "models[qwen].serve.knative.scale.min",
    ]


@pytest.mark.parametrize(
    ("path", "value", "meant"),
    [
        ("regoin", "cn-beijing", "did you mean 'region'?"),
        ("models[qwen].serve.knative.scale.mx", 3, "did you mean 'max'?"),
        ("pools[a10].instance_type", ["x"], "did you mean 'instance_types'?"),
        ("models[qwen].volume.store", "modles", "did you mean 'models'?"),
        ("models[qwen].placement.pools", ["a1", "t4"], "did you mean 'a10'?"),
        ("pools[system].instance_types", ["ecs.g7.2xlage"], "did you mean 'ecs.g7.2xlarge'?"),
    ],
)
def test_the_nearest_match_is_suggested(path: str, value: Any, meant: str) -> None:
    assert meant in refusal(changed(dev(), path, value))


@pytest.mark.parametrize(
    ("path", "value", "meant"),
    [
        ("cluster.resource_group_id", "rg-1", "did you mean 'resource_group_id' at the top?"),
        ("cluster.tags", {"a": "b"}, "did you mean 'tags' at the top?"),
        ("quota", {"gpus": 1}, "did you mean namespaces[].quota?"),
        ("models[qwen].pools", ["a10"], "did you mean models[qwen].placement.pools?"),
        ("models[qwen].serve.knative.host", "a.b", "did you mean models[qwen].ingress.host or"),
        ("models[qwen].serve.knative.hostname", "a.b", "did you mean models[qwen].ingress.host or"),
        (
            "models[qwen].serve.knative.tls_secret",
            "s",
            "did you mean models[qwen].ingress.tls.secret?",
        ),
        (
            "models[qwen].serve.knative.maxReplicas",
            3,
            "did you mean models[qwen].serve.knative.scale.max?",
        ),
        ("models[qwen].server.nodes", 2, "did you mean models[qwen].serve.leader_worker.nodes?"),
        ("models[qwen].server.sidecars", [], "did you mean models[qwen].sidecars?"),
        ("pools[a10].min_size", 0, "did you mean pools[a10].autoscale.min?"),
        ("pools[a10].autoscaling", {}, "did you mean 'autoscale'?"),
        ("models[qwen].serve.knative.timeoutSeconds", 9, "did you mean 'request_seconds'?"),
        ("models[qwen].domain", "a.b", "did you mean models[qwen].ingress.host or"),
        ("gpu_metrics", {"enabled": False}, "did you mean 'install'?"),
        ("stores[models].oss.access_key_id", "x", "did you mean 'secret'?"),
        ("models[qwen].server.resources[nvidia.com/gpu]", 1, "did you mean 'gpus'?"),
        ("network.vswitch_ids", "vsw-1", "did you mean network.zones[].vswitch_id?"),
        ("pools[a10].data_disk_gib", 500, "did you mean 'data_disk'?"),
        ("pools[a10].instanceTypes", ["x"], "did you mean 'instance_types'?"),
        # Of several places, the one in a section that is there.
        ("models[qwen].replicas", 2, "did you mean models[qwen].serve.knative.scale.min?"),
        ("models[qwen].image", "x:1", "did you mean models[qwen].server.image?"),
        # What Terraform, Fluid and manifests call it.
        ("cluster.kubernetesVersion", "1.34", "did you mean 'version'?"),
        ("cluster.slbInternetEnabled", True, "did you mean 'public_endpoint'?"),
        ("pools[a10].scalingConfig", {}, "did you mean 'autoscale'?"),
        ("pools[a10].ramRoleName", "x", "did you mean 'worker_role_name'?"),
        ("stores[models].oss.url", "x", "did you mean 'endpoint'?"),
        (
            "stores[models].oss.path",
            "/x",
            "did you mean path where it is mounted, e.g. volume.path",
        ),
        ("stores[checkpoints].nas.path", "/x", "did you mean path where it is mounted, e.g. volum"),
        ("models[qwen].cache.replicas", 2, "did you mean 'workers'?"),
        ("models[qwen].cache.tieredstore", {}, "did you mean medium, path and quota, of which"),
        ("training[finetune].backoffLimit", 3, "did you mean 'retries'?"),
        ("models[qwen].serve.knative.scale.pollingInterval", 9, "left out:"),
        (
            "models[qwen].volumes",
            [{"name": "a", "mount_path": "/a", "empty_dir": {"medium": "Memory"}}],
            "did you mean 'memory'?",
        ),
        ("training[finetune].completions", 2, "did you mean 'parallelism'?"),
        (
            "models[qwen].serve.knative.reserve",
            {"resources": {"cpu": "1"}},
            "did you mean an entry of annotations such as knative.aliyun.com/reserve-instance-eci-",
        ),
        (
            "pools[a10][example.com/gpu]",
            "a",
            "did you mean an entry of tags or an entry of lab",
        ),
    ],
)
def test_a_key_of_another_section_is_told_where_it_belongs(
    path: str, value: Any, meant: str
) -> None:
    raw = changed(dev(), path, value)
    assert [sentence for sentence in sentences(raw) if meant in sentence]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("models[qwen].server.stores", 2),  # `stores` at the top is a list of sections
        ("models[qwen].name_of_nothing", 1),
        ("models[qwen].serve.type", "x"),
        ("models[qwen].server.name", "x"),  # so many sections have one
        ("models[qwen].serviceAccountName", "x"),  # and a longer word for one is none of them
        ("training[finetune].resume", True),  # nor is what half its letters are of
        ("models[qwen].serve.knative.wva", {}),  # of another runtime, beside the one that is given
        ("models[qwen].serve.knative.scale.cost", 1),
    ],
)
def test_a_key_that_means_nothing_anywhere_is_told_no_place(path: str, value: Any) -> None:
    [sentence] = [text for text in sentences(changed(dev(), path, value)) if path in text]
    assert "did you mean" not in sentence


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        (
            "network_policies",
            True,
            "a section of keys and values, with enabled, allow_namespaces, allow_cidrs:",
        ),
        (
            "models[qwen].topology_spread",
            "zone",
            "a list of sections, with topology, max_skew, required:",
        ),
        ("pools[a10].data_disk", 500, "a section of keys and values, with size_gib,"),
    ],
)
def test_a_value_in_place_of_a_section_is_told_its_keys(path: str, value: Any, kind: str) -> None:
    assert kind in " ".join(sentences(changed(dev(), path, value)))


@pytest.mark.parametrize(
    "secret",
    [
        "CANARY",
        ["CANARY"],
        {"users": [{"token": "CANARY"}]},
        {"secure": ["CANARY"]},
        {"secure": {"token": "CANARY"}},
        {"secure": "v1:x:y", "token": "CANARY"},
        123454321,
        {"secure": 123454321},
        True,
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("base", [dev, existing])
def test_a_secret_is_in_no_sentence_even_when_it_is_malformed(base: Any, secret: Any) -> None:
    faults = shaped(sentences(changed(base(), "kubeconfig", secret)))
    assert faults
    assert not [fault for fault in faults if "CANARY" in fault or "12345" in fault]


def test_a_secret_in_plain_is_refused_with_the_command_that_encrypts_it() -> None:
    assert refusal(changed(existing(), "kubeconfig", "CANARY")) == (
        "kubeconfig is given in plain, but it must be a secret, set by `pulumi config set --secret "
        "ack-inference:kubeconfig`: in plain, everyone who reads the stack file could use it."
    )


@pytest.mark.parametrize("value", ["x" * 100_000, ["y"] * 50_000, {"z" * 9: "z" * 90_000}])
def test_a_huge_value_is_cut(value: Any) -> None:
    [sentence] = shaped(sentences(changed(dev(), "cluster.spec", value)))
    assert len(sentence) < 300


def test_a_huge_name_is_cut_and_a_line_break_in_it_is_escaped() -> None:
    raw = merged(dev(), {"pools[system].name": "a\nb" + "c" * 100_000})
    [sentence] = shaped(sentences(raw))
    assert "a\\nbccc" in sentence
    assert len(sentence) < 1500


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_an_odd_value_is_validated_wherever_it_stands(value: Any) -> None:
    for path in places(existing()):
        shaped(sentences(put(existing(), path, value)))


@pytest.mark.parametrize("value", JUNK, ids=json.dumps)
def test_any_value_in_place_of_any_key_is_validated(value: Any) -> None:
    cloud, cluster = dev(), existing()
    for path in keys(Environment):
        base = cloud if path[0] in ("region", "network", "cluster", "pools") else cluster
        shaped(sentences(put(base, path, value)))


@pytest.mark.parametrize("stack", NAMES)
def test_what_cannot_be_read_is_all_that_is_refused(stack: str) -> None:
    """No sentence speaks of a stand-in, or of what follows from one."""
    raw = raw_of(stack)
    for path in places(raw):
        wrong = put(raw, path, [[{"a": 1}]])
        fields = path_of(raw, path), path_of(wrong, path)
        faults = validate(wrong).faults
        assert faults
        strangers = [fault for fault in faults if not any(overlaps(fault.field, f) for f in fields)]
        assert strangers == [], path


def test_a_default_that_is_written_out_changes_nothing() -> None:
    assert accepted(dev(namespace="inference", training=dev()["training"])) == accepted(dev())


@pytest.mark.parametrize("path", ["namespace", "training", "pools[a10].labels", "waits", "keda"])
def test_a_key_with_a_default_that_is_empty_is_as_good_as_left_out(path: str) -> None:
    assert accepted(changed(dev(), path, None)) == accepted(
        without(changed(dev(), path, None), path)
    )


def test_an_empty_file_is_refused_with_what_it_needs() -> None:
    assert [sentence.split(" is ")[0] for sentence in shaped(sentences({}))] == [
        "cluster",
        "stores",
        "models",
    ]


def test_every_section_refuses_unknown_keys() -> None:
    models = {section for path in [()] for section, _ in sections(Environment)}
    waiting = [*models]
    while waiting:
        model = waiting.pop()
        inner = {s for f in model.model_fields.values() for s, _ in sections(f.annotation)}
        waiting += inner - models
        models |= inner
    assert len(models) > 25
    assert all(
        issubclass(model, Args) and model.model_config["extra"] == "forbid" for model in models
    )


def test_a_rule_within_a_section_that_breaks_off_is_said_to_go_on_in_the_next_run() -> None:
    prices = {"currency": "CNY", "source": "contract", "date": "2026-10-01", "nodes_hourly": 3}
    validation = validate(dev(prices=prices))
    assert [fault.field for fault in validation.faults] == ["prices.nodes_hourly"]
    assert validation.sentences[-1] == PARTIAL


@pytest.mark.parametrize("error", [AttributeError("a defect"), KeyError("a defect")])
def test_a_defect_is_raised_and_no_refusal_without_a_word(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack file that is sound would else be refused, and nobody would say why."""

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("stacks.resolution.claim_args", fails)
    with pytest.raises(type(error), match="a defect"):
        validate(dev())
    assert sentences(merged(dev(), {"models[qwen].priority": "urgent"}))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("models[qwen].server.resources.gpus", "1", "must be a whole number, without quotes:"),
        ("knative", {"install": "false"}, "must be true or false, without quotes:"),
        ("models[qwen].server.resources.cpu", 12, "must be text in quotes, as '12' is:"),
        ("models[qwen].server.resources.memory", 64, "must be text such as '64Gi':"),
        ("models[qwen].server.resources.memory", "64m", "must be 1Ki or more, with a unit such"),
        ("models[qwen].volume.size", "15", "without a unit it is bytes, and m is thousandths"),
        ("models[qwen].server.resources.memory", "64GB", "64Gi (did you mean '64G'?):"),
        ("keda", "1", "keda is '1', but it must be true or false: whether"),
        ("models[qwen].serve.knative.startup_seconds", "1h30m", "number (did you mean 5400?):"),
        ("models[qwen].serve.knative.request_seconds", "1.5m", "number (did you mean 90?):"),
        ("models[qwen].serve.knative.request_seconds", "5min", "number (did you mean 300?):"),
        ("models[qwen].serve.knative.request_seconds", "500ms", "a whole number: longest"),
        ("cluster.autoscaling", {"unneeded_minutes": "1h"}, "number (did you mean 60?):"),
        ("pools[t4].spot", {"on_demand_percentage": "25%"}, "number (did you mean 25?):"),
        ("network.plugin", "Terway", "'terway-edge' or 'flannel' (did you mean 'terway'?):"),
        ("models[qwen].placement.preempt_policy", "never", "or 'AfterAllUnits': when pods"),
        (
            "models[qwen].server.vllm.quantization",
            "GPTQ-Marlin",
            "must be 'gptq_marlin', or another of the 52 that `ack-inference explain "
            "models.server.vllm.quantization` lists:",
        ),
        ("stores[models]", {"name": "models", "pvc": "x"}, "left out (did you mean 'claim'?):"),
        (
            "models[qwen].server.resources.extended",
            {"aliyun.com/gpu-mem": "8"},
            "extended[aliyun.com/gpu-mem] is 'aliyun.com/gpu-mem', but it must be left out, and "
            "gpu_memory given:",
        ),
        (
            "models[qwen].server.resources.extended",
            {"aliyun/erdma": "1"},
            "extended[aliyun/erdma] is '1', but it must be a whole number, without quotes:",
        ),
    ],
)
def test_a_value_of_another_type_is_told_how_to_be_written(
    path: str, value: Any, sentence: str
) -> None:
    assert sentence in " ".join(sentences(changed(dev(), path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("models[qwen].server.env", [{"name": "HF_TOKEN", "value": "CANARY"}]),
        ("models[qwen].server.env", "HF_TOKEN=CANARY"),
        ("models[qwen].server.env", {"HF_TOKEN": ["CANARY"]}),
        ("models[qwen].server.secret_env", "CANARY"),
        ("models[qwen].sidecars", {"env": {"TOKEN": "CANARY"}}),
    ],
)
def test_what_may_be_a_token_is_not_shown_where_it_cannot_be_read(path: str, value: Any) -> None:
    text = " ".join(sentences(changed(dev(), path, value)))
    assert path in text
    assert "CANARY" not in text


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        # Flags of vLLM that are no fields, are ones under another name, or hold a key.
        ("models[qwen].server.vllm.max_num_seqs", "--max-num-seqs in extra_args"),
        ("models[qwen].server.vllm.kv_cache_dtype", "--kv-cache-dtype in extra_args"),
        (
            "models[qwen].server.vllm.pipeline_parallel_size",
            "--pipeline-parallel-size in extra_args",
        ),
        ("models[qwen].server.vllm.enableLora", "'lora'"),
        ("models[qwen].server.vllm.enable_auto_tool_choice", "'tool_call_parser'"),
        ("models[qwen].server.vllm.port", "server.port"),
        ("models[qwen].server.vllm.api_key", "api_key_secret of the model"),
        ("models[qwen].server.vllm.hf_token", "secret_env of the server"),
        ("models[qwen].server.vllm.gpu_memory_utilisation", "'gpu_memory_utilization'"),
        # What a manifest of Kubernetes has.
        ("models[qwen].tolerations", "taints of the pools, which pods tolerate by themselves"),
        ("models[qwen].placement.nodeSelector", "placement.pools, which says where pods run"),
        ("training[finetune].affinity", "placement.pools, which says where pods run"),
        ("models[qwen].server.livenessProbe", "health_path, which probes ask"),
        ("models[qwen].server.volumeMounts", "volumes of the model, each with its mount_path"),
        ("models[qwen].server.args", "command, or extra_args of server.vllm"),
        ("models[qwen].server.envFrom", "'secret_env'"),
        ("models[qwen].serve.knative.containerConcurrency", "'concurrency_limit'"),
    ],
)
def test_a_key_of_another_program_is_told_where_it_belongs(path: str, meant: str):
    [sentence] = sentences(merged(dev(), {path: "x"}))
    assert f"{path} is not a known key, but it must be left out (did you mean {meant}?)" in sentence


def test_what_a_component_makes_of_a_refused_name_is_not_refused_at_a_field_of_its_own() -> None:
    gateway = configuration(ROOT / "examples/stacks/Pulumi.gateway-envoy.yaml")
    assert refusal(merged(gateway, {"gateway.name": "Models"})).startswith("gateway.name is 'Mod")
    assert refusal(merged(dev(), {"network.cidr": "fd00::/64"})).startswith("network.cidr is 'fd00")


def test_a_path_in_place_of_a_key_is_told_how_pulumi_writes_it() -> None:
    [sentence] = sentences({**dev(), "cluster.version": "1.34"})
    assert (
        "left out (did you mean version inside cluster, which `pulumi config set` writes with "
        "--path?): the keys here are"
    ) in sentence


@pytest.mark.parametrize(
    ("path", "value", "written"),
    [
        ("tags", {"until": "2026-12-01 00:00:00 +0000 UTC"}, "2026-12-01"),
        ("models[qwen].server.vllm.aliases", ["2026-12-01 00:00:00 +0000 UTC"], "2026-12-01"),
        (
            "cluster.maintenance_window",
            {"start": "2026-12-01 02:00:00.5 +0800 CST"},
            "2026-12-01T02:00:00+08:00",
        ),
    ],
)
def test_a_time_without_quotes_is_told_to_get_some(path: str, value: Any, written: str) -> None:
    """So Pulumi hands it over: findings/pulumi-config-dates.sh."""
    sentence = refusal(merged(dev(), {path: value}))
    assert sentence.startswith(path)
    assert sentence.endswith(
        f"text in quotes, as {written!r} is: without them Pulumi reads a time, and hands it on in "
        "a form of its own."
    )


@pytest.mark.parametrize("key", ["no_such_thing", "max_num_sequences_of_all"])
def test_a_key_of_nobody_is_told_nowhere(key: str):
    [sentence] = sentences(merged(dev(), {f"models[qwen].server.vllm.{key}": "x"}))
    assert "in extra_args" not in sentence


@pytest.mark.parametrize(
    ("value", "got", "want"),
    [
        (7, "a number", "text in quotes"),
        (1.5, "a number", "text in quotes"),
        (True, "true or false", "text in quotes"),
        (None, "nothing", "text"),
        (["s3cret"], "something else", "text"),
    ],
)
def test_a_variable_that_is_no_text_is_not_shown(value: object, got: str, want: str):
    [sentence] = sentences(merged(dev(), {"models[qwen].server.env": {"A": value}}))
    about = "environment variables; over those that are set for vLLM"
    assert sentence == f"models[qwen].server.env.A is {got}, but it must be {want}: {about}."


def test_a_sentence_has_the_stack_files_names_for_fields_of_components() -> None:
    raw = merged(
        dev(), {"pools[a10].labels": {"ack.aliyun.com/nvidia-driver-version": "550.144.03"}}
    )
    assert sentences(raw) == [
        "pools[a10].labels[ack.aliyun.com/nvidia-driver-version] is '550.144.03', but it must be "
        "left out, and driver given: that argument checks the version and the pool."
    ]
