"""Pulumi's engine starts the plugin, and a program in any language gets from it what Python gets.

Does not prove that Pulumi's Python host installs what the plugin requires: it cannot be built here,
so a launcher takes its place.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pulumi_alicloud as alicloud
import pulumi_kubernetes as kubernetes
import pytest

from components.args import Args
from components.cloud import (
    ModelStore,
    ModelStoreArgs,
    Network,
    NetworkArgs,
    NodePool,
    NodePoolArgs,
)
from components.platform import Fluid, FluidArgs, Knative, KnativeArgs
from components.serving import (
    KnativeModel,
    KnativeModelArgs,
    ModelCache,
    ModelCacheArgs,
    Placement,
    PlacementArgs,
)
from sandbox.engine import Outcome
from sandbox.run import OWN_CLUSTER, Sandbox
from tests.cloud.test_model_store import OSS, store
from tests.cloud.test_node_pool import pool
from tests.platform_.test_knative import FLAGS
from tests.sandbox.boxes import done, name_of, needs_engine, recorded, sandbox_of
from tests.sandbox.test_secrets import PLACES
from tests.serving.arguments import cache, model, placement

from .cases import spelled
from .hosted import Remote, put_on_path

pytestmark = needs_engine

CANARY = "canary-bucket-4d1c"
"""Name of a bucket that nobody may read."""

Make = Callable[..., pulumi.ComponentResource]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("bin")
    put_on_path(folder)
    with pytest.MonkeyPatch.context() as patch, sandbox_of("existing") as box:
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        yield box


def in_python(
    component: Any, name: str, args: Args, opts: pulumi.ResourceOptions | None = None
) -> pulumi.ComponentResource:
    resource: pulumi.ComponentResource = component(name, args, opts)
    return resource


def by_the_plugin(
    component: Any, name: str, args: Args, opts: pulumi.ResourceOptions | None = None
) -> pulumi.ComponentResource:
    return Remote(component, name, spelled(args), opts)


def program(box: Sandbox, make: Make) -> Callable[[], None]:
    """Components that take Outputs of resources and of each other, and secrets."""

    def declare() -> None:
        kubeconfig = pulumi.Output.secret(box.clusters.find(OWN_CLUSTER).kubeconfig)
        cluster = kubernetes.Provider(
            "cluster", kubeconfig=kubeconfig, enable_server_side_apply=True
        )
        inside = pulumi.ResourceOptions(providers=[cluster])
        apart = kubernetes.core.v1.Namespace(
            "apart", metadata={"name": "apart"}, opts=pulumi.ResourceOptions(provider=cluster)
        )
        namespace = apart.metadata["name"]

        zones = [{"id": "cn-beijing-h", "cidr": "10.0.0.0/20"}]
        net: Any = make(Network, "net", NetworkArgs.of({"cidr": "10.0.0.0/16", "zones": zones}))
        switches = [net.vswitch_ids["cn-beijing-h"]]
        # Not an AckCluster: there is one attached plugin for Kubernetes, so one cluster.
        ack = alicloud.cs.ManagedKubernetes("ack", vswitch_ids=switches, pod_cidr="172.20.0.0/16")
        a10 = pool(
            cluster_id=ack.id, vswitch_ids=switches, size=None, autoscale={"min": 0, "max": 4}
        )
        make(NodePool, "a10", NodePoolArgs.of(a10))

        oss = {**OSS, "bucket": pulumi.Output.secret(CANARY)}
        make(ModelStore, "store", ModelStoreArgs.of(store(namespace=namespace, oss=oss)), inside)
        fluid = make(Fluid, "fluid", FluidArgs.of({"chart": {}}), inside)
        operator = {"installer": "operator", "features": FLAGS}
        knative = make(Knative, "knative", KnativeArgs.of(operator), inside)
        after = pulumi.ResourceOptions(providers=[cluster], depends_on=[fluid, knative])
        make(ModelCache, "cache", ModelCacheArgs.of(cache(namespace=namespace)), after)
        make(Placement, "qwen", PlacementArgs.of(placement(namespace=namespace)), inside)
        make(KnativeModel, "qwen", KnativeModelArgs.of(model(namespace=namespace)), after)

    return declare


def refusing(inputs: dict[str, Any]) -> Callable[[], None]:
    return lambda: str(Remote(Placement, "qwen", inputs))


def sentences(args: dict[str, Any]) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        PlacementArgs.of(args)
    return str(caught.value)


def leaks(box: Sandbox, secret: str, *runs: Outcome) -> list[str]:
    texts = {"what the engine said": f"{[(run.log, run.errors, run.outputs) for run in runs]}"}
    for place in PLACES:
        for path in (box.folder / place).rglob("*"):
            if path.is_file():
                texts[str(path)] = path.read_text(errors="ignore")
    return [where for where, text in texts.items() if secret in text]


def test_the_engine_gets_from_the_plugin_what_it_gets_from_python(box: Sandbox):
    token = box.clusters.find(OWN_CLUSTER).token
    previewed = box.preview(program=program(box, by_the_plugin))
    deployment = box.up(program=program(box, by_the_plugin))
    assert (
        done(previewed)
        == done(deployment)
        > {
            ("create", "a10-pool"),
            ("create", "store-volume"),
            ("create", "cache-dataset"),
            ("create", "qwen-policy"),
            ("create", "qwen-service"),
        }
    )
    again = box.preview(program=program(box, in_python), diff=True)
    assert done(again) == set()
    assert leaks(box, CANARY, previewed, deployment, again) == []
    assert leaks(box, token, previewed, deployment, again) == []
    [volume] = [resource for resource in recorded(box) if name_of(resource) == "store-volume"]
    assert CANARY in str(volume["inputs"])


def test_a_refusal_is_all_sentences_of_python_and_no_traceback(box: Sandbox):
    pools = [{"name": "a10"}]
    outcome = box.preview(program=refusing({"pools": pools, "namespace": 3, "enforcer": "Nobody"}))
    want = sentences({"pools": pools, "namespace": 3, "enforcer": "Nobody"})
    title = "ack-inference:index:Placement resource 'qwen' has a problem: "
    assert outcome.errors[0] == f"{title}{want}"
    assert len(want.splitlines()) == 5
    assert "components" not in outcome.log


def test_a_refusal_does_not_show_a_secret(box: Sandbox):
    def declare() -> None:
        hidden = pulumi.Output.secret(CANARY)
        pools = pulumi.Output.secret([{"name": CANARY}])
        Remote(Placement, "qwen", {"namespace": hidden, "selector": {"a": hidden}, "pools": pools})

    outcome = box.preview(program=declare)
    assert "pools is an Output, known only later" in outcome.errors[0]
    assert "selector.a is an Output, known only later" in outcome.errors[0]
    assert leaks(box, CANARY, outcome) == []
