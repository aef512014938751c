"""An ACK cluster that exists: nothing of it is changed."""

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.cloud import ExistingAckCluster, ExistingAckClusterArgs
from components.cloud.existing_ack_cluster import only_cluster
from plan.model import Plan
from plan.record import record

CLUSTER = "c0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ISSUER = "https://oidc-ack-cn-beijing.oss-cn-beijing.aliyuncs.com/c0"


def planned(**changes: Any) -> Plan:
    """A first preview, in which what the cluster waits for is not there yet."""

    def declare() -> None:
        first = pulumi.CustomResource("test:index:First", "first")
        args = ExistingAckClusterArgs.of({"cluster_id": CLUSTER, **changes})
        ExistingAckCluster("it", args, pulumi.ResourceOptions(depends_on=[first]))

    return record(declare)


def described(issuer: str = ISSUER) -> Any:
    rrsa = SimpleNamespace(rrsa_oidc_issuer_url=issuer, ram_oidc_provider_arn="acs:ram::1:oidc/a")
    return SimpleNamespace(id=CLUSTER, rrsa_config=rrsa)


def test_a_first_preview_asks_no_cloud() -> None:
    plan = planned()
    assert {resource.name for resource in plan.resources} == {"first", "it", "it-kubernetes"}


def test_its_provider_is_told_apart_by_the_id_of_the_cluster() -> None:
    """A fresh kubeconfig is the same cluster."""
    [provider] = planned().of("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"] == CLUSTER


def test_a_kubeconfig_stays_secret() -> None:
    plan = planned(kubeconfig="token: canary", context="prod")
    assert "canary" not in str([resource.inputs for resource in plan.resources])


def test_add_ons_and_autoscaling_are_added_on_demand() -> None:
    plan = planned(addons=[{"name": "ack-virtual-node"}], autoscaling={})
    names = {resource.name for resource in plan.resources}
    assert names >= {"it-addon-ack-virtual-node", "it-autoscaling"}


def test_a_cluster_is_found_by_its_id() -> None:
    assert only_cluster(CLUSTER, [described()], rrsa=True).rrsa_config.rrsa_oidc_issuer_url


@pytest.mark.parametrize("rrsa", [True, False])
def test_a_cluster_that_is_not_there_is_refused(rrsa: bool) -> None:
    with pytest.raises(pulumi.RunError, match="no such managed cluster in the region"):
        only_cluster("c1", [described()], rrsa=rrsa)


def test_a_cluster_without_rrsa_is_refused_where_a_volume_needs_it() -> None:
    with pytest.raises(pulumi.RunError, match="that cluster has RRSA off"):
        only_cluster(CLUSTER, [described(issuer="")], rrsa=True)
    assert only_cluster(CLUSTER, [described(issuer="")], rrsa=False).id == CLUSTER


def test_an_add_on_that_every_cluster_has_is_refused() -> None:
    with pytest.raises(ValueError, match="the cluster installs it by itself"):
        ExistingAckClusterArgs(cluster_id=CLUSTER, addons=[{"name": "csi-plugin"}])
