import json
import re
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_alicloud as alicloud
import pytest

from components.cloud import (
    AckCluster,
    AckClusterArgs,
    ExistingCluster,
    ExistingClusterArgs,
    Network,
    NetworkArgs,
)
from components.cloud.cluster import (
    fetch_kubeconfig,
    point_at_private_address,
    restrict_api_server,
)
from plan.model import SECRET, UNKNOWN, Plan
from plan.record import record
from tests.provider_schema import errors_in, needs_schema

from .refusals import refusal, refusals

CLUSTER = "alicloud:cs/managedKubernetes:ManagedKubernetes"
ADDON = "alicloud:cs/kubernetesAddon:KubernetesAddon"
AUTOSCALING = "alicloud:cs/autoscalingConfig:AutoscalingConfig"
LOGS = "alicloud:log/project:Project"
PROVIDER = "pulumi:providers:kubernetes"
SNAT = "alicloud:vpc/snatEntry:SnatEntry"

CANARY = "canary-kubeconfig"


def ack(**changes: Any) -> dict[str, Any]:
    smallest = {
        "cluster_name": "dev",
        "vswitch_ids": ["vsw-h"],
        "pod_vswitch_ids": ["vsw-pod-h"],
        "service_cidr": "172.21.0.0/20",
        "vpc_cidr": "10.0.0.0/16",
        "log_project_name": "dev-logs",
    }
    return {key: value for key, value in {**smallest, **changes}.items() if value is not None}


def flannel(**changes: Any) -> dict[str, Any]:
    return ack(pod_vswitch_ids=None, pod_cidr="172.20.0.0/16", **changes)


def planned(args: dict[str, Any] | None = None, *, preview: bool = True) -> Plan:
    return record(
        lambda: AckCluster("ack", AckClusterArgs.of(ack() if args is None else args)),
        preview=preview,
    )


def cluster_inputs(args: dict[str, Any] | None = None) -> Any:
    [cluster] = planned(args).of(CLUSTER)
    return cluster.inputs


def test_the_api_server_has_no_public_address() -> None:
    assert cluster_inputs()["slbInternetEnabled"] is False


def test_the_cluster_makes_no_way_out_of_its_own() -> None:
    assert cluster_inputs()["newNatGateway"] is False


def test_the_control_plane_is_a_pro_one() -> None:
    inputs = cluster_inputs()
    assert (inputs["profile"], inputs["clusterSpec"]) == ("Default", "ack.pro.small")


def test_an_edge_cluster_is_a_managed_one_too() -> None:
    inputs = cluster_inputs(flannel(profile="edge"))
    assert inputs["profile"] == "Edge"
    assert {"name": "flannel"} in inputs["addons"]


def test_nothing_secret_is_kept_with_the_cluster() -> None:
    assert cluster_inputs()["skipSetCertificateAuthority"] is True


def test_service_accounts_can_have_roles() -> None:
    assert cluster_inputs()["enableRrsa"] is True
    assert "ack-pod-identity-webhook" in [addon.inputs["name"] for addon in planned().of(ADDON)]


def test_only_network_storage_and_what_pools_need_are_installed_at_creation() -> None:
    """ACK refuses a pool that repairs itself where nothing looks at its nodes."""
    detector = {"name": "ack-node-problem-detector", "config": '{"sls_project_name":""}'}
    others = [{"name": "csi-plugin"}, {"name": "csi-provisioner"}, detector]
    assert cluster_inputs()["addons"] == [{"name": "terway-eniip"}, *others]
    assert cluster_inputs(flannel())["addons"] == [{"name": "flannel"}, *others]
    # Whether ACK Edge takes the last one, no page says.
    edge = cluster_inputs(flannel(profile="edge"))["addons"]
    assert edge == [{"name": "flannel"}, *others[:2]]


def test_what_pools_need_is_there_before_them_with_the_settings_that_it_is_given() -> None:
    settings = {"name": "ack-node-problem-detector", "version": "1.2.30", "config": {"a": 1}}
    plan = planned(ack(addons=[settings]))
    [cluster] = plan.of(CLUSTER)
    assert cluster.inputs["addons"][-1] == {**settings, "config": '{"a": 1}'}
    # A stack that is up keeps the add-on that it has; one that is there is taken as it is.
    assert settings["name"] in [addon.inputs["name"] for addon in plan.of(ADDON)]


def test_flannel_takes_a_range_and_terway_takes_vswitches() -> None:
    assert "podCidr" not in cluster_inputs()
    inputs = cluster_inputs(flannel(node_cidr_mask=26))
    assert "podVswitchIds" not in inputs
    assert (inputs["podCidr"], inputs["nodeCidrMask"]) == ("172.20.0.0/16", 26)


def test_audit_and_control_plane_are_logged_to_a_project_of_their_own() -> None:
    plan = planned()
    [project], [cluster] = plan.of(LOGS), plan.of(CLUSTER)
    assert project.inputs["projectName"] == "dev-logs"
    assert cluster.inputs["auditLogConfig"] == {"enabled": True, "slsProjectName": "dev-logs"}
    assert cluster.inputs["controlPlaneLogProject"] == "dev-logs"
    assert cluster.inputs["controlPlaneLogTtl"] == "30"
    assert "apiserver" in cluster.inputs["controlPlaneLogComponents"]


def test_the_cluster_and_its_logs_are_protected_unless_freed() -> None:
    for args, protected in ((ack(), True), (ack(protect=False), False)):
        plan = planned(args)
        [cluster], [project] = plan.of(CLUSTER), plan.of(LOGS)
        assert cluster.protect is project.protect is protected
        assert cluster.inputs["deletionProtection"] is protected


def test_an_addon_is_configured_by_json_of_a_stable_order() -> None:
    plan = planned(ack(addons=[{"name": "knative", "config": {"b": 1, "a": {"d": 2, "c": 3}}}]))
    [knative] = [addon for addon in plan.of(ADDON) if addon.inputs["name"] == "knative"]
    assert knative.name == "ack-addon-knative"
    assert knative.inputs["config"] == '{"a": {"c": 3, "d": 2}, "b": 1}'


def test_an_unknown_addon_is_warned_of() -> None:
    plan = planned(ack(addons=[{"name": "knativ"}]))
    [warning] = plan.warnings
    assert "did you mean knative?" in warning
    assert planned(ack(addons=[{"name": "knative"}])).warnings == []


def test_autoscaling_is_instant_elasticity_with_the_documented_defaults() -> None:
    assert planned().of(AUTOSCALING) == []
    [config] = planned(ack(autoscaling={})).of(AUTOSCALING)
    expected = {
        "scalerType": "goatscaler",
        "expander": "least-waste",
        "coolDownDuration": "10m",
        "unneededDuration": "10m",
        "scanInterval": "30s",
        "utilizationThreshold": "0.5",
        "gpuUtilizationThreshold": "0.5",
        "maxGracefulTerminationSec": 14400,
        "scaleUpFromZero": True,
        "skipNodesWithLocalStorage": False,
    }
    assert expected.items() <= config.inputs.items()


def test_a_newer_version_leaves_the_nodes_alone_where_it_is_told_to() -> None:
    assert "upgradePolicy" not in cluster_inputs()
    assert "upgradePolicy" not in cluster_inputs(ack(control_plane_only=False))
    alone = cluster_inputs(ack(control_plane_only=True))
    assert alone["upgradePolicy"] == {"controlPlaneOnly": True}


def test_a_maintenance_window_is_opt_in() -> None:
    assert "maintenanceWindow" not in cluster_inputs()
    window = {"start": "2026-11-26T03:00:00.000+08:00", "weekdays": ["Monday", "Friday"]}
    assert cluster_inputs(ack(maintenance_window=window))["maintenanceWindow"] == {
        "enable": True,
        "maintenanceTime": "2026-11-26T03:00:00.000+08:00",
        "duration": "3h",
        "weeklyPeriod": "Monday,Friday",
    }


def test_secrets_are_encrypted_by_a_given_key() -> None:
    assert "encryptionProviderKey" not in cluster_inputs()
    inputs = cluster_inputs(ack(encryption_key_id="key-1"))
    assert (inputs["encryptionProviderKey"], inputs["disableEncryption"]) == ("key-1", False)


def test_load_balancers_die_with_the_cluster_and_logs_do_not() -> None:
    options = {
        option["resourceType"]: option["deleteMode"] for option in cluster_inputs()["deleteOptions"]
    }
    assert options == {
        "SLB": "delete",
        "ALB": "delete",
        "SLS_Data": "retain",
        "SLS_ControlPlane": "retain",
    }


def test_the_cluster_waits_for_the_way_out() -> None:
    """Nodes that cannot load images never become ready."""

    def program() -> None:
        network = Network(
            "net",
            NetworkArgs.of(
                {"cidr": "10.0.0.0/16", "zones": [{"id": "cn-beijing-h", "cidr": "10.0.0.0/20"}]}
            ),
        )
        args = AckClusterArgs.of(ack(vswitch_ids=list(network.vswitch_ids.values())))
        AckCluster("ack", args, pulumi.ResourceOptions(depends_on=[network]))

    plan = record(program)
    [cluster], [entry] = plan.of(CLUSTER), plan.of(SNAT)
    assert entry.urn in cluster.dependencies


def test_a_first_preview_asks_no_cloud() -> None:
    """The recording engine raises on a call whose arguments are known."""
    [provider] = planned(ack(autoscaling={}), preview=True).of(PROVIDER)
    assert provider.inputs["clusterIdentifier"] == UNKNOWN


def test_the_provider_is_bound_to_the_cluster_and_not_to_its_kubeconfig() -> None:
    [provider] = planned(preview=False).of(PROVIDER)
    assert provider.inputs["clusterIdentifier"] == "ack-cluster-id"
    assert provider.inputs["kubeconfig"] == SECRET


@pytest.mark.parametrize("preview", [True, False])
def test_the_kubeconfig_shows_nowhere(monkeypatch: pytest.MonkeyPatch, preview: bool) -> None:
    def credential(**arguments: Any) -> Any:
        assert arguments["temporary_duration_minutes"] == 120
        return SimpleNamespace(kube_config=pulumi.Output.from_input(CANARY))

    monkeypatch.setattr(alicloud.cs, "get_cluster_credential_output", credential)

    def program() -> None:
        cluster = AckCluster("ack", AckClusterArgs.of(ack()))
        pulumi.export("command", cluster.kubeconfig_command)
        pulumi.export("provider", cluster.provider)

    plan = record(program, preview=preview)
    assert plan.of(PROVIDER)[0].inputs["kubeconfig"] == SECRET
    assert CANARY not in repr(plan)


def test_the_kubeconfig_of_an_existing_cluster_shows_nowhere() -> None:
    def program() -> None:
        cluster = ExistingCluster(
            "old", ExistingClusterArgs.of({"kubeconfig": CANARY, "context": "admin"})
        )
        pulumi.export("provider", cluster.provider)

    plan = record(program)
    [provider] = plan.of(PROVIDER)
    assert (provider.inputs["kubeconfig"], provider.inputs["context"]) == (SECRET, "admin")
    assert CANARY not in repr(plan)


@pytest.mark.parametrize(("identifier", "stands"), [(None, "old"), ("shanghai", "shanghai")])
def test_another_kubeconfig_of_an_existing_cluster_is_no_other_cluster(identifier, stands) -> None:
    """Does not prove that the provider goes by it; the finding does."""

    def program() -> None:
        args = {"kubeconfig": CANARY, "identifier": identifier}
        pulumi.export("provider", ExistingCluster("old", ExistingClusterArgs.of(args)).provider)

    [provider] = record(program).of(PROVIDER)
    assert provider.inputs["clusterIdentifier"] == stands


def test_a_kubeconfig_of_the_wrong_type_is_refused_without_showing_it() -> None:
    sentence = refusal(ExistingClusterArgs, {"kubeconfig": [CANARY]})
    assert sentence.startswith("kubeconfig is given in plain, but it must be text")


def test_the_kubeconfig_command_takes_the_private_address_unless_there_is_a_public_one() -> None:
    private = fetch_kubeconfig("c1", private=True)
    assert private == (
        "aliyun cs DescribeClusterUserKubeconfig --ClusterId c1 --TemporaryDurationMinutes 15"
        " --PrivateIpAddress true"
    )
    assert "Private" not in fetch_kubeconfig("c1", private=False)


def test_a_public_api_server_is_warned_of_and_comes_with_its_access_list() -> None:
    endpoint = {"allowed_cidrs": ["203.0.113.7/32"]}

    def program() -> None:
        cluster = AckCluster("ack", AckClusterArgs.of(ack(public_endpoint=endpoint)))
        pulumi.export("close", cluster.restrict_api_server_command)

    plan = record(program, preview=False)
    [cluster], [warning] = plan.of(CLUSTER), plan.warnings
    assert cluster.inputs["slbInternetEnabled"] is True
    assert "open to the whole Internet until" in warning
    assert "10.0.0.0/16" in plan.outputs["close"]
    assert "203.0.113.7/32" in plan.outputs["close"]


def test_a_private_api_server_needs_no_access_list() -> None:
    commands: list[object] = []
    plan = record(
        lambda: commands.append(
            AckCluster("ack", AckClusterArgs.of(ack())).restrict_api_server_command
        )
    )
    assert commands == [None]
    assert plan.warnings == []


def test_the_access_list_lets_in_the_named_ranges_the_nodes_and_the_control_plane() -> None:
    """Public and private address share a listener: a list without the nodes cuts them off."""
    allowed = ["10.0.0.0/16", "203.0.113.7/32"]
    create, fill, attach = restrict_api_server("lb-1", "dev", allowed).splitlines()
    assert "CreateAccessControlList --AclName dev-api-server" in create
    [entries] = re.findall(r"--AclEntrys '(.*)'", fill)
    assert [entry["entry"] for entry in json.loads(entries)] == [
        "100.104.0.0/16",
        "10.0.0.0/16",
        "203.0.113.7/32",
    ]
    assert "--LoadBalancerId lb-1 --ListenerPort 6443 --AclStatus on --AclType white" in attach


def test_a_private_cluster_is_reached_by_its_private_address() -> None:
    kubeconfig = "clusters:\n- cluster:\n    server: https://203.0.113.1:6443\n  name: dev\n"
    assert point_at_private_address(kubeconfig, "https://10.0.0.9:6443") == (
        "clusters:\n- cluster:\n    server: https://10.0.0.9:6443\n  name: dev\n"
    )
    assert point_at_private_address(kubeconfig, None) == kubeconfig


@needs_schema
@pytest.mark.parametrize(
    "args",
    [
        ack(
            version="1.34.1-aliyun.1",
            autoscaling={},
            maintenance_window={"start": "2026-11-26T03:00:00.000+08:00"},
            encryption_key_id="key-1",
            addons=[{"name": "knative", "version": "1.18", "config": {"a": 1}}],
            tags={"team": "ml"},
        ),
        flannel(node_cidr_mask=25, profile="edge"),
    ],
)
def test_the_provider_knows_every_input(args: dict[str, Any]) -> None:
    assert errors_in(planned(args)) == {}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (ack(cluster_name="-dev"), "cluster_name is '-dev', but it must be 1 to 63 letters"),
        (ack(cluster_name="a" * 64), f"cluster_name is '{'a' * 64}', but it must be 1 to 63"),
        (ack(log_project_name="ab"), "log_project_name is 'ab', but it must be 3 to 63"),
        (ack(log_project_name="Dev-logs"), "log_project_name is 'Dev-logs', but it must be 3"),
        (ack(vswitch_ids=[]), "vswitch_ids is '0 vSwitches', but it must be 1 to 5"),
        (ack(vswitch_ids=list("abcdef")), "vswitch_ids is '6 vSwitches', but it must be 1 to 5"),
        (ack(pod_vswitch_ids=None), "pod_cidr is missing, but it must be given, or pod_vswitch"),
        (ack(pod_vswitch_ids=[]), "pod_cidr is missing, but it must be given, or pod_vswitch"),
        (
            ack(pod_cidr="172.20.0.0/16"),
            "pod_cidr is '172.20.0.0/16', but it must be left out, or pod_vswitch_ids",
        ),
        (ack(node_cidr_mask=25), "node_cidr_mask is 25, but it must be left out"),
        (flannel(node_cidr_mask=23), "node_cidr_mask is 23, but it must be 24 or more"),
        (flannel(node_cidr_mask=29), "node_cidr_mask is 29, but it must be 28 or less"),
        (
            flannel(service_cidr="172.20.16.0/20"),
            "service_cidr is '172.20.16.0/20', but it must be apart from pod_cidr",
        ),
        (
            ack(service_cidr="172.21.0.0/15"),
            "service_cidr is '172.21.0.0/15', but it must be an IPv4 range",
        ),
        (
            ack(service_cidr="172.20.0.0/15"),
            "service_cidr is '172.20.0.0/15', but it must be a range with a mask of /16 to /24",
        ),
        (
            ack(service_cidr="100.64.0.0/20"),
            "service_cidr is '100.64.0.0/20', but it must be inside 10.0.0.0/8",
        ),
        (ack(version="1.25.3-aliyun.1"), "version is '1.25.3-aliyun.1', but it must be 1.26 or"),
        (ack(version="latest"), "version is 'latest', but it must be a version of ACK such as"),
        (ack(version="1.34.1"), "version is '1.34.1', but it must be a version of ACK such as"),
        (ack(spec="ack.standard"), "spec is 'ack.standard', but it must be one of 'ack.pro.small'"),
        (ack(kubeconfig_minutes=14), "kubeconfig_minutes is 14, but it must be 15 or more"),
        (ack(kubeconfig_minutes=4321), "kubeconfig_minutes is 4321, but it must be 4320 or less"),
        (ack(log_retention_days=0), "log_retention_days is 0, but it must be 1 or more"),
        (
            ack(autoscaling={"utilization_threshold": 1.5}),
            "autoscaling.utilization_threshold is 1.5, but it must be 1.0 or less",
        ),
        (
            ack(public_endpoint={"allowed_cidrs": ["0.0.0.0/0"]}),
            "public_endpoint.allowed_cidrs[0] is '0.0.0.0/0', but it must be an IPv4 range of /8",
        ),
        (
            ack(public_endpoint={"allowed_cidrs": ["office"]}),
            "public_endpoint.allowed_cidrs[0] is 'office', but it must be an IPv4 range of /8",
        ),
        (
            ack(public_endpoint={"allowed_cidrs": []}),
            "public_endpoint.allowed_cidrs is '0 ranges', but it must be 1 to 48 ranges",
        ),
        (
            ack(public_endpoint={"allowed_cidrs": ["203.0.113.7/32"]}, vpc_cidr=None),
            "vpc_cidr is missing, but it must be given: an access list without the nodes would cut",
        ),
        (ack(vpc_cidr="vpc"), "vpc_cidr is 'vpc', but it must be an IPv4 range such as"),
        (
            ack(service_cidr="10.0.0.0/20"),
            "service_cidr is '10.0.0.0/20', but it must be apart from vpc_cidr (10.0.0.0/16)",
        ),
        (
            ack(maintenance_window={"start": "2026-11-26T03:00:00"}),
            "maintenance_window.start is '2026-11-26T03:00:00', but it must be a time with its",
        ),
        (
            ack(addons=[{"name": "csi-plugin"}]),
            "addons[csi-plugin].name is 'csi-plugin', but it must be left out",
        ),
        (
            ack(addons=[{"name": "ack-nvidia-device-plugin"}], version="1.31.1-aliyun.1"),
            "addons[ack-nvidia-device-plugin].name is 'ack-nvidia-device-plugin', but it must be "
            "left out, or version 1.32 or newer",
        ),
        (
            ack(addons=[{"name": "knative"}, {"name": "knative"}]),
            "addons[knative].name is 'knative', but it must be named once",
        ),
    ],
)
def test_a_cluster_that_cannot_be_created_is_refused(args: dict[str, Any], sentence: str) -> None:
    assert refusal(AckClusterArgs, args).startswith(sentence)


def test_all_faults_are_told_at_once() -> None:
    args = ack(cluster_name="-", log_project_name="-", vswitch_ids=[], version="2")
    assert len(refusals(AckClusterArgs, args)) == 4


@pytest.mark.parametrize(
    "args",
    [
        ack(cluster_name="a" * 63, log_project_name="abc"),
        ack(vswitch_ids=list("abcde"), service_cidr="192.168.0.0/24"),
        ack(version="1.26"),
        ack(addons=[{"name": "ack-nvidia-device-plugin"}], version="1.32.1-aliyun.1"),
        ack(kubeconfig_minutes=15),
        ack(public_endpoint={"allowed_cidrs": ["11.0.0.0/8"]}),
        flannel(node_cidr_mask=28, service_cidr="172.21.0.0/16"),
        ack(autoscaling={"utilization_threshold": 0}),
    ],
)
def test_the_edges_of_what_is_allowed_are_accepted(args: dict[str, Any]) -> None:
    assert AckClusterArgs.of(args)


def test_a_version_that_is_not_known_yet_passes() -> None:
    accepted: list[AckClusterArgs] = []
    record(
        lambda: accepted.append(AckClusterArgs.of(ack(version=pulumi.Output.from_input("1.20"))))
    )
    assert accepted
