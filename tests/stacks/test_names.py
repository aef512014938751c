"""Names that are made of names, forms that two doors share, and hosts."""

from collections.abc import Callable
from typing import Final

import pulumi
import pytest

from components.cloud import (
    AckClusterArgs,
    ModelBucketArgs,
    ModelFileSystemArgs,
    ModelStoreArgs,
    NodePoolArgs,
)
from components.cloud.identity import role_name_faults
from components.crds.fluid_names import LONGEST_NAME
from components.hosts import is_host, is_url, registry_faults
from components.platform import KnativeArgs, KServeArgs
from components.versions import kubernetes_minor
from stacks.arguments.claims import dataset_name
from stacks.derived_names import derived_names
from stacks.validation import PREFIX, validate
from tests.cloud.test_cluster import ack
from tests.cloud.test_node_pool import pool

from .environments import (
    GONE,
    Raw,
    accepted,
    changed,
    dev,
    existing,
    hybrid,
    merged,
    prod,
    refusal,
    sentences,
)


def renamed(raw: Raw, old: str, new: str) -> Raw:
    """A copy in which a model, and what loads it, is called otherwise."""
    tests = [{**test, "model": new} for test in raw.get("load_tests", []) if test["model"] == old]
    return merged(
        raw, {f"models[{old}].name": new, **({"load_tests": tests} if "load_tests" in raw else {})}
    )


def in_stack(raw: Raw, stack: str) -> list[str]:
    return [str(fault) for fault in validate(raw, f"ack-inference-{stack}").faults]


# --- the stack's name ----------------------------------------------------------------------------


@pytest.mark.parametrize("stack", ["dev", "a", "9", "pr-17", "x" * 38])
def test_a_stack_whose_name_all_take_is_accepted(stack: str) -> None:
    assert in_stack(dev(), stack) == []


@pytest.mark.parametrize("stack", ["dev_1", "v1.2", "x" * 50, "x" * 100, "A_b"])
@pytest.mark.parametrize("base", [dev, prod, hybrid])
def test_a_stack_whose_name_the_cloud_does_not_take_is_refused_once(
    base: Callable[[], Raw], stack: str
) -> None:
    faults = in_stack(base(), stack)
    assert [fault for fault in faults if fault.startswith("stack name is ")] == faults[:1]
    assert f"the cluster is called ack-inference-{stack}" in faults[0]


def test_capitals_in_a_stack_name_want_a_log_project() -> None:
    [sentence] = in_stack(dev(), "Dev")
    assert sentence.startswith("cluster.log_project is missing, but it must be given: 3 to 63 low")
    assert in_stack(changed(dev(), "cluster.log_project", "audit-dev"), "Dev") == []


def test_no_stack_name_reaches_a_cluster_that_exists() -> None:
    assert in_stack(existing(), "Any_Name.of-100") == []


# --- other names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("longest", "reason"),
    [(41, "the Helm release of its DataLoad"), (44, "its RAM role"), (54, "its claim")],
)
def test_a_model_may_be_called_as_long_as_everything_after_it(longest: int, reason: str) -> None:
    base = dev() if longest == 41 else merged(dev(), {"models[qwen].cache": GONE})
    if longest == 54:
        base = merged(
            base,
            {
                "models[qwen].volume.store": "checkpoints",
                "stores": [dev()["stores"][1]],
            },
        )
    accepted(renamed(base, "qwen", "q" * longest))
    sentence = refusal(renamed(base, "qwen", "q" * (longest + 1)))
    assert f"it must be at most {longest} long: {reason} is called " in sentence


def test_a_training_job_may_be_called_as_long_as_its_claim() -> None:
    accepted(merged(dev(), {"training[finetune].name": "t" * 43}))
    sentence = refusal(merged(dev(), {"training[finetune].name": "t" * 44}))
    assert "it must be at most 43 long: its claim is called ttt" in sentence


def test_a_model_behind_a_gateway_may_be_called_as_long_as_its_picker() -> None:
    raw = merged(hybrid(), {"gateway": {}, "namespace": "n", "models[qwen-queue].route": {}})
    faults = sentences(renamed(raw, "qwen-queue", "q" * 57))
    assert any("at most 56 long: its picker is called qqq" in sentence for sentence in faults)
    assert not any("picker" in fault for fault in sentences(renamed(raw, "qwen-queue", "q" * 56)))


def test_a_file_system_may_be_called_as_long_as_its_access_group() -> None:
    def stored(name: str) -> Raw:
        return merged(
            dev(), {"stores[checkpoints].name": name, "training[finetune].checkpoint.store": name}
        )

    accepted(stored("s" * 44))
    sentence = refusal(stored("s" * 45))
    assert (
        "it must be at most 44 long: its access group is called ack-inference-stack-s" in sentence
    )


@pytest.mark.parametrize("length", [1, 20, 21, 28, 29, 41])
def test_the_dataset_of_a_long_name_is_cut_so_that_its_workers_get_pods(length: int) -> None:
    environment = accepted(renamed(dev(), "qwen", "q" * length))
    [model] = environment.models
    name = dataset_name(environment, model)
    assert len(name) <= LONGEST_NAME
    assert name.startswith("q" * min(length, 28))
    assert ("-dataset-" in name) == (length <= 20)


def test_two_long_names_that_begin_alike_have_two_datasets() -> None:
    raw = renamed(dev(), "qwen", "q" * 40)
    [model] = raw["models"]
    both = accepted({**raw, "models": [model, {**model, "name": "q" * 39}]})
    assert len({dataset_name(both, model) for model in both.models}) == 2


@pytest.mark.parametrize("base", [dev, prod, hybrid, existing])
def test_every_derived_name_of_a_stack_has_its_form(base: Callable[[], Raw]) -> None:
    names = [*derived_names(accepted(base()), PREFIX)]
    assert names or base is hybrid
    assert [entry for entry in names if not entry.form.allows(entry.name)] == []


@pytest.mark.parametrize("count", [64, 100, 200])
@pytest.mark.parametrize("base", [dev, hybrid])
def test_a_model_of_any_length_ends_in_sentences(base: Callable[[], Raw], count: int) -> None:
    [first, *_] = base()["models"]
    faults = sentences(renamed(base(), first["name"], "q" * count))
    assert faults
    assert all(".name is 'qqq" in fault for fault in faults)


# --- hosts ---------------------------------------------------------------------------------------


def test_the_hosts_of_a_model_of_kserve_are_labels_that_dns_takes() -> None:
    """`<name>-predictor-<namespace>` has 63 letters, and one more is refused."""
    raw = merged(hybrid(), {"namespace": "n" * 20, "models[qwen-queue]": GONE})
    accepted(renamed(raw, "qwen-chat", "q" * 32))
    sentence = refusal(renamed(raw, "qwen-chat", "q" * 33))
    assert "it must be at most 32 long: its host is qqq" in sentence
    assert "KServe then makes no Ingress" in sentence


def test_the_host_of_a_model_of_knative_has_253_letters_at_most() -> None:
    domain = ".".join(["d" * 61] * 3 + ["d" * 50])  # 236, and 12 for `.inference.` and a name of 6
    raw = merged(dev(), {"models[qwen].cache": GONE, "knative": {"domain": domain}})
    accepted(renamed(raw, "qwen", "q" * 6))
    assert "it must be at most 6 long: its host is qqqqqqq." in refusal(
        renamed(raw, "qwen", "q" * 7)
    )


@pytest.mark.parametrize(
    "text", ["localhost", "a.b", "x-1.example.com", "10.0.0.1", "d" * 63, "1.2.3.4.sslip.io"]
)
def test_it_is_a_host(text: str) -> None:
    assert is_host(text)


NO_HOSTS: Final = [
    *("", ".", "a..b", "a.", ".a", "-a.b", "a-.b", "A.b", "a_b", "*.a.b", "a b", "a/b", "a:80"),
    *("http://a", "a.b\n", "ü.de", "1.2.3", "256.1.1.1", "d" * 64, ".".join(["d" * 63] * 4)),
]


@pytest.mark.parametrize("text", NO_HOSTS)
def test_it_is_no_host(text: str) -> None:
    assert not is_host(text)


@pytest.mark.parametrize("text", [text for text in NO_HOSTS if text])
def test_both_doors_take_the_same_domains(text: str) -> None:
    for path, base in (("knative", dev), ("kserve", hybrid)):
        assert [
            fault for fault in sentences(base(**{path: {"domain": text}})) if ".domain is " in fault
        ]
    with pytest.raises(pulumi.RunError, match="domain is "):
        KnativeArgs.of({"installer": "operator", "features": {}, "domain": text})
    with pytest.raises(pulumi.RunError, match="domain is "):
        KServeArgs.of({"domain": text})


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("http://qwen.inference", True),
        ("https://Prometheus.monitoring:9090/prom/v1", True),
        ("http://10.0.0.1:80", True),
        ("qwen.inference", False),
        ("ftp://qwen", False),
        ("http://", False),
        ("http://a_b", False),
        ("http://user:CANARY@a", False),
        ("http://a:99999", False),
        ("http://a:0", False),
        ("http://a b", False),
    ],
)
def test_an_address_is_validated_alike_wherever_it_stands(text: str, fine: bool) -> None:
    assert is_url(text) is fine
    test = {"name": "spike", "model": "qwen", "scenario": {"spike": {}}, "url": text}
    limits = {"metric": "prometheus", "target": 2, "max": 3}
    scale = {**limits, "query": {"server": text, "query": "up"}}
    files = [
        dev(load_tests=[test]),
        existing(gpu_metrics={"url": text}),
        merged(hybrid(keda=True), {"models[qwen-chat].serve.kserve.scale": scale}),
    ]
    for raw in files:
        faults = sentences(raw)
        assert bool(faults) is not fine, faults
        assert not [fault for fault in faults if "CANARY" in fault]


@pytest.mark.parametrize("text", ["docker.io", "localhost:5000", "registry.local:443"])
def test_it_is_a_registry(text: str) -> None:
    assert not [*registry_faults("f", text, "w")]


@pytest.mark.parametrize("text", ["", "https://docker.io", "docker.io/", "a:0", "a:b", "A.io"])
def test_it_is_no_registry(text: str) -> None:
    assert [*registry_faults("f", text, "w")]


# --- two doors -----------------------------------------------------------------------------------


def bucket(text: str) -> object:
    return ModelBucketArgs.of({"bucket": text})


def instance_type(text: str) -> object:
    return NodePoolArgs.of(pool(instance_types=[text], nvidia_driver_version=None))


def driver(text: str) -> object:
    return NodePoolArgs.of(pool(nvidia_driver_version=text))


def version(text: str) -> object:
    return AckClusterArgs.of(ack(version=text))


def nas_server(text: str) -> object:
    claim = {"claim_name": "a", "namespace": "b", "size": "1Gi"}
    return ModelStoreArgs.of({**claim, "nas": {"server": text}})


def log_project(text: str) -> object:
    return AckClusterArgs.of(ack(log_project_name=text))


DOORS: Final[list[tuple[str, Callable[[str], object], list[str], list[str]]]] = [
    (
        "stores[models].oss.bucket",
        bucket,
        ["abc", "a-b", "0" * 63],
        ["ab", "a_b", "A-b", "-ab", "ab-", "0" * 64, "a.b", "abc\n"],
    ),
    (
        "instance_types",
        instance_type,
        ["ecs.gn7i-c32g1.8xlarge", "ecs.g7.2x-large"],
        ["gn7i", "ecs.g7", "ecs.G7.large", "ecs.g7.large ", "rds.g7.large"],
    ),
    (
        "pools[a10].driver",
        driver,
        ["550.144", "550.144.03"],
        ["550", "latest", "550.144.03.1", "550.144.", "v550.144"],
    ),
    (
        "cluster.version",
        version,
        ["1.34", "1.34.1-aliyun.1", "1.31.9-aliyunedge.1"],
        ["1.34.1", "v1.34", "1.34.1-gke.1", "1", "latest", "1.34.1-aliyun", "2.0", "1.34.1+k3s1"],
    ),
    (
        "stores[checkpoints].nas.server",
        nas_server,
        ["10.0.0.1", "0a1b.cn-hangzhou.nas.aliyuncs.com"],
        ["http://a", "a:/b", "A.b", "a_b", "a/b"],
    ),
    (
        "cluster.log_project",
        log_project,
        ["abc", "a" * 63],
        ["ab", "A-b", "a_b", "a" * 64, "-abc", "abc-"],
    ),
]


@pytest.mark.parametrize(
    ("path", "component", "text", "fine"),
    [
        (path, component, text, fine)
        for path, component, valid, refused in DOORS
        for fine, texts in ((True, valid), (False, refused))
        for text in texts
    ],
)
def test_stack_file_and_component_take_the_same_texts(
    path: str, component: Callable[[str], object], text: str, fine: bool
) -> None:
    if path == "instance_types":
        raw = dev(instance_types=[{"name": text, "vcpus": 8, "memory_gib": 32}])
    else:
        raw = changed(dev(), path, text)
    name = path.rpartition(".")[2]
    of_field = [fault for fault in sentences(raw) if f"{name}" in fault.split(" is ")[0]]
    assert bool(of_field) is not fine, of_field
    if fine:
        component(text)
    else:
        with pytest.raises(pulumi.RunError, match="is refused"):
            component(text)


def test_a_version_of_a_cluster_that_exists_is_whatever_its_makers_call_it() -> None:
    for text in ("1.34", "1.34.1", "v1.34.1", "1.34.1-aliyun.1", "1.34.5-gke.100", "v1.34.1+k3s1"):
        accepted(changed(existing(), "cluster.version", text))
        assert kubernetes_minor(text) == 34


def test_a_role_and_an_access_group_are_validated_by_the_forms_of_the_table() -> None:
    assert [*role_name_faults("a_b")]
    assert not [*role_name_faults("a-B-9")]
    with pytest.raises(pulumi.RunError, match=r"access_group_name is 'a\.b'"):
        ModelFileSystemArgs.of(
            {
                "access_group_name": "a.b",
                "vpc_id": "v",
                "vswitch_id": "s",
                "writer_cidr": "10.0.0.0/8",
            }
        )
