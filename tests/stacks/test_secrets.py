"""Every way in which a secret enters a stack file or a stack, and that none of them leads out.

What a cluster and the engine keep of it is asked in `tests/sandbox/test_secrets.py`.
"""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from rich.console import Console

from cli import SCHEMA
from plan.bill import compare as compare_bills
from plan.cost import bill
from plan.cost_export import bill_document, comparison_document
from plan.diff.compare import compare
from plan.diff.document import to_json as diff_to_json
from plan.diff.markdown import to_markdown
from plan.diff.page import render_page
from plan.diff.report import Report, StackReport
from plan.export import to_json, write_manifests
from plan.model import Plan
from plan.render import render
from policy.validation import validate
from status.cluster import KINDS
from status.ways import assess
from status.words import lines
from status.words import to_json as status_to_json
from tests.plan.diff.test_forms import printed
from tests.status.live import Live

from .checks.parts import own_ack_cluster, own_bucket
from .environments import (
    Raw,
    configuration,
    dev,
    existing,
    hybrid,
    merged,
    planned,
    sentences,
    warnings,
)
from .example_stacks import FOLDER

CANARY: Final = "canary"
TOKEN: Final = "hf_canaryCANARYcanaryCANARY"  # noqa: S105  no key of anybody
KEY: Final = "sk-canaryCANARYcanaryCANARY"
URL: Final = "https://operator:canary@example.com"
PEM: Final = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"
LOGIN: Final = json.dumps({"auths": {"registry.example.com": {"auth": "canary"}}})


def example(name: str) -> Callable[..., Raw]:
    return lambda: configuration(FOLDER / f"Pulumi.{name}.yaml")


class Way(NamedTuple):
    """A place of a stack file where somebody puts a secret in plain."""

    path: str
    value: Any
    base: Callable[..., Raw] = dev


MISPLACED: Final = [
    Way("kubeconfig", PEM, existing),
    Way("kubeconfig", PEM, own_ack_cluster),
    Way("prometheus_url", URL, hybrid),
    Way("prometheus_token", TOKEN, hybrid),
    Way("models[qwen].api_key_secret", KEY),
    Way("models[qwen].server.env", {"HF_TOKEN": TOKEN}),
    Way("models[qwen].server.env", {"HUB": TOKEN}),
    Way("models[qwen].server.env", {"PROXY": URL}),
    Way("models[qwen].server.secret_env", [TOKEN]),
    Way("models[qwen].server.image_pull_secrets", [LOGIN]),
    Way("models[qwen].server.image", "operator:canary@registry.example.com/vllm:v1"),
    Way("models[qwen].server.command", ["serve", "--api-key", KEY]),
    Way("models[qwen].server.vllm.extra_args", ["--api-key", "canary-of-a-key"], example("lora")),
    Way("models[qwen].server.vllm.extra_args", [f"--api-key={KEY}"], example("lora")),
    Way("models[qwen].init_containers[prepare].env", {"TOKEN": "canary"}, example("pod-extras")),
    Way(
        "models[qwen].init_containers[prepare].command",
        ["get", "--token", "canary"],
        example("pod-extras"),
    ),
    Way("models[qwen].init_containers[prepare].secret_env", [KEY], example("pod-extras")),
    Way("models[qwen].sidecars[audit].env", {"DB_PASSWORD": "canary"}, example("pod-extras")),
    Way(
        "models[qwen].sidecars[audit].args",
        [f"--header=Authorization: Bearer {TOKEN}"],
        example("pod-extras"),
    ),
    Way("models[qwen].volumes[audit-key].secret", PEM, example("pod-extras")),
    Way("models[qwen].volume.source.secret", TOKEN, example("model-import")),
    Way("models[qwen].volume.source.endpoint", URL, example("model-import")),
    Way("models[qwen].ingress.tls.secret", PEM, example("domain-tls")),
    Way("gateway.keys_secret", PEM, example("gateway-envoy")),
    Way("gateway.tls.secret", PEM, example("gateway-envoy")),
    Way("gateway.limit_store", {"url": URL}, example("gateway-envoy")),
    Way("gateway.limit_store", {"secret": URL}, example("gateway-envoy")),
    Way("gateway.addon_config", {"redis": {"password": "canary"}}, example("gateway-ack")),
    Way("gateway.addon_config", {"stores": [f"redis={URL}"]}, example("gateway-ack")),
    Way("content_safety_access_key", "LTAI5tcanaryCANARYcan", example("gateway-edge")),
    Way("content_safety_secret_key", KEY, example("gateway-edge")),
    Way("stores[models].oss.secret", "LTAI5tcanaryCANARYcan", own_bucket),
    Way("stores[models].oss.endpoint", URL, own_bucket),
    Way("training[finetune].env", {"WANDB_API_KEY": "canary"}),
    Way("training[finetune].secret_env", [TOKEN]),
    Way("training[finetune].image_pull_secrets", [LOGIN]),
    Way("training[finetune].command", ["train", "--hub-token", "canary"]),
    Way("pools[a10].user_data", "export HF_TOKEN=hf_canaryCANARYcanaryCANARY\n"),
    Way("pools[a10].pre_user_data", f"echo {KEY} > /etc/key\n"),
    Way("pools[a10].containerd", {"registry_mirrors": [URL]}),
    Way(
        "pools[a10].containerd", {"registry_mirrors": [{"registry": "docker.io", "mirrors": [URL]}]}
    ),
    Way("pools[a10].key_name", PEM),
]
"""Each is refused, or kept out of all that is shown."""


@pytest.mark.parametrize("way", MISPLACED, ids=lambda way: f"{way.base.__name__}-{way.path}")
def test_a_secret_in_plain_is_refused_and_not_repeated(way: Way) -> None:
    refusals = sentences(merged(way.base(), {way.path: way.value}))
    assert [line for line in refusals if way.path.partition("[")[0].partition(".")[0] in line]
    assert CANARY not in " ".join(refusals).lower()


HARMLESS: Final = [
    Way("models[qwen].server.secret_env", ["hub", "hub.token"]),
    Way("models[qwen].server.image_pull_secrets", ["registry-login"]),
    Way("models[qwen].server.image", f"registry.example.com:5000/vllm:v1@sha256:{'0' * 64}"),
    Way("models[qwen].init_containers[prepare].secret_env", ["hub"], example("pod-extras")),
    Way("stores[models].oss.secret", "oss.reader", own_bucket),
    Way("training[finetune].secret_env", ["hub"]),
    Way("training[finetune].image_pull_secrets", ["registry-login"]),
    Way("pools[a10].user_data", 'export HF_HOME=/data MAX_TOKENS=4096 TOKEN="$(cat /etc/token)"\n'),
]
"""References, and what only looks like a secret."""


@pytest.mark.parametrize("way", HARMLESS, ids=lambda way: way.path)
def test_what_is_no_secret_is_accepted(way: Way) -> None:
    assert sentences(merged(way.base(), {way.path: way.value})) == []


class Entry(NamedTuple):
    """A secret of the engine that a stack takes, which is an Output from its first line on."""

    key: str
    base: Callable[..., Raw]
    asks_the_cloud: bool = False
    """Whether an update asks a cloud, which no plan has: it is shown as in a preview alone."""


ENTRIES: Final = [
    Entry("kubeconfig", existing),
    Entry("kubeconfig", own_bucket),
    Entry("kubeconfig", lambda: {**own_ack_cluster(), "kubeconfig": {"secure": "v1:a:b"}}, True),
    Entry("prometheus_url", hybrid),
    Entry("prometheus_token", lambda: hybrid(prometheus_token={"secure": "v1:a:b"})),
    Entry("content_safety_access_key", example("gateway-edge")),
    Entry("content_safety_secret_key", example("gateway-edge")),
]
"""`planned` puts a canary into each."""


def rendered(plan: Plan) -> str:
    """A plan on a terminal."""
    file = io.StringIO()
    render(plan, Console(file=file, width=120))
    return file.getvalue()


def shown(raw: Raw, folder: Path, *, up: bool = True) -> Iterator[tuple[str, str]]:
    """All that is shown of a stack, by what shows it; as in an update too."""
    plan = planned(raw)
    variant = planned({**raw, "namespace": "moved"})
    updates = [("up", planned(raw, preview=False))] if up else []
    for about, version in (("preview", plan), *updates):
        yield f"{about} as JSON", to_json(version)
        yield f"{about} in memory", repr(version)
        yield f"{about} on a terminal", rendered(version)
        yield f"{about} of its bill", json.dumps(bill_document(bill(version)))
        yield f"{about} of policies", repr(validate(version))
    for path in write_manifests(plan, folder):
        yield path.name, path.read_text()
    report = Report("main", "working tree", [StackReport("dev", compare(plan, variant))])
    for form in (to_markdown, diff_to_json, render_page, printed):
        yield f"diff by {form.__name__}", form(report)
    costs = comparison_document(compare_bills(bill(plan), bill(variant)))
    yield "comparison of bills", json.dumps(costs)
    status = assess(plan, Live(plan).cluster())
    yield "status as JSON", status_to_json(status)
    yield "status on a terminal", "\n".join(line.plain for line in lines(status))
    yield "warnings", " ".join(warnings(raw))
    yield "schema", SCHEMA.read_text()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_a_secret_of_the_engine_is_in_nothing_that_is_shown(entry: Entry, tmp_path: Path) -> None:
    raw = entry.base()
    assert entry.key in raw
    texts = dict(shown(raw, tmp_path, up=not entry.asks_the_cloud))
    assert len(texts) > 18
    assert [about for about, text in texts.items() if "CANARY" in text] == []


def test_a_canary_that_is_shown_is_found(tmp_path: Path) -> None:
    raw = merged(dev(), {"models[qwen].server.env": {"NOTE": "CANARY"}})
    leaks = [about for about, text in shown(raw, tmp_path) if "CANARY" in text]
    assert {"preview as JSON", "up in memory"} <= {*leaks}


def test_no_secret_of_a_cluster_is_read() -> None:
    """Keys of a hub, of a registry, of a bucket, of the door, and of TLS stay in Secrets."""
    assert "secrets" not in {kind.plural for kind in KINDS}
