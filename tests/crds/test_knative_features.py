from typing import Any

import pytest

from components.crds import RevisionTemplate, features

INIT = {"image": "warm", "name": "warm"}
CLAIM = {"spec": {"access_modes": ["ReadOnlyMany"], "resources": {"requests": {"storage": "1Gi"}}}}


def needs(
    *sidecars: dict[str, Any], container: dict[str, Any] | None = None, **pod: Any
) -> list[str]:
    """The flags of a small pod with these changes."""
    serving = {"image": "vllm", "ports": [{"container_port": 8080}]} | (container or {})
    flags = features(RevisionTemplate.of({"spec": {"containers": [serving, *sidecars]} | pod}))
    assert set(flags.values()) <= {"enabled"}
    assert list(flags) == sorted(flags)
    return [name.removeprefix("kubernetes.") for name in flags]


def mounting(read_only: bool | None, **volume: Any) -> list[str]:
    mounts = [{"name": "model", "mount_path": "/mnt", "read_only": read_only}]
    volumes = [{"name": "model"} | volume]
    return needs(container={"volume_mounts": mounts}, volumes=volumes)


def test_a_plain_pod_needs_no_flag():
    assert needs() == []


@pytest.mark.parametrize(
    ("pod", "flag"),
    [
        ({"affinity": {"node_affinity": {}}}, "podspec-affinity"),
        ({"dns_config": {"searches": ["a"]}}, "podspec-dnsconfig"),
        ({"dns_policy": "Default"}, "podspec-dnspolicy"),
        ({"host_aliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}]}, "podspec-hostaliases"),
        ({"host_ipc": True}, "podspec-hostipc"),
        ({"host_network": True}, "podspec-hostnetwork"),
        ({"host_pid": True}, "podspec-hostpid"),
        ({"init_containers": [INIT]}, "podspec-init-containers"),
        ({"node_selector": {"zone": "a"}}, "podspec-nodeselector"),
        ({"priority_class_name": "high"}, "podspec-priorityclassname"),
        ({"runtime_class_name": "nvidia"}, "podspec-runtimeclassname"),
        ({"scheduler_name": "mine"}, "podspec-schedulername"),
        ({"security_context": {"fs_group": 1}}, "podspec-securitycontext"),
        ({"share_process_namespace": False}, "podspec-shareprocessnamespace"),
        ({"tolerations": [{"operator": "Exists"}]}, "podspec-tolerations"),
        (
            {
                "topology_spread_constraints": [
                    {"max_skew": 1, "topology_key": "z", "when_unsatisfiable": "DoNotSchedule"}
                ]
            },
            "podspec-topologyspreadconstraints",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_of_the_pod_needs_its_flag(pod: dict[str, Any], flag: str):
    assert needs(**pod) == [flag]


@pytest.mark.parametrize(
    "pod",
    [{"host_network": False}, {"node_selector": {}}, {"tolerations": []}, {"host_aliases": []}],
)
def test_a_field_that_says_nothing_needs_no_flag(pod: dict[str, Any]):
    assert needs(**pod) == []


@pytest.mark.parametrize(
    ("volume", "flag"),
    [
        ({"csi": {"driver": "ossplugin.csi.alibabacloud.com"}}, "podspec-volumes-csi"),
        ({"empty_dir": {}}, "podspec-volumes-emptydir"),
        ({"ephemeral": {"volume_claim_template": CLAIM}}, "podspec-volumes-ephemeral"),
        ({"host_path": {"path": "/mnt"}}, "podspec-volumes-hostpath"),
        ({"image": {"reference": "models:1"}}, "podspec-volumes-image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_kind_of_volume_needs_its_flag(volume: dict[str, Any], flag: str):
    assert mounting(True, **volume) == [flag]


def test_secrets_and_config_maps_need_no_flag():
    assert mounting(True, secret={"secret_name": "hf"}) == []
    assert mounting(True, config_map={"name": "a"}) == []


def test_a_claim_that_can_be_written_needs_a_second_flag():
    claim = {"claim_name": "qwen"}
    assert mounting(True, persistent_volume_claim=claim) == [
        "podspec-persistent-volume-claim",
        "podspec-persistent-volume-write",
    ]
    assert mounting(True, persistent_volume_claim=claim | {"read_only": True}) == [
        "podspec-persistent-volume-claim"
    ]


def test_a_variable_from_a_field_needs_a_flag_in_init_containers_too():
    env = [{"name": "NODE", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}}]
    assert needs(container={"env": env}) == ["podspec-fieldref"]
    assert needs(init_containers=[INIT | {"env": env}]) == [
        "podspec-fieldref",
        "podspec-init-containers",
    ]


def test_an_added_capability_needs_a_flag_and_a_dropped_one_does_not():
    added = {"security_context": {"capabilities": {"add": ["IPC_LOCK"]}}}
    assert needs(container=added) == ["containerspec-addcapabilities"]
    dropped = {"security_context": {"capabilities": {"drop": ["ALL"]}}}
    assert needs(container=dropped) == []


def test_mount_propagation_needs_a_flag():
    mount = {"name": "a", "mount_path": "/a", "mount_propagation": "HostToContainer"}
    flags = needs(container={"volume_mounts": [mount]}, volumes=[{"name": "a", "empty_dir": {}}])
    assert flags == ["podspec-volumes-emptydir", "podspec-volumes-mount-propagation"]


def test_a_sidecar_needs_a_flag_and_its_probes_another():
    sidecar: dict[str, Any] = {"image": "proxy"}
    assert needs(sidecar) == ["multi-container"]
    probe = {"tcp_socket": {"port": 9000}}
    assert needs(sidecar | {"liveness_probe": probe}) == [
        "multi-container",
        "multi-container-probing",
    ]
    assert needs(container={"liveness_probe": probe}) == []
