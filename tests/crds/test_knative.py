import re
from typing import Any

import pulumi
import pytest
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.crds import (
    SHIPPED,
    KnativeServiceSpec,
    KnativeServingSpec,
    RevisionMetadata,
    RevisionSpec,
    ServingLimits,
    TrafficTarget,
    service_faults,
)

from .refusals import refused, sentences

CLAIM = {"name": "model", "persistent_volume_claim": {"claim_name": "qwen"}}
SECRET = {"name": "model", "secret": {"secret_name": "hf"}}
SCALE = "autoscaling.knative.dev/"


def serving(**changes: Any) -> dict[str, Any]:
    return {"image": "vllm:0.9", "ports": [{"container_port": 8080}]} | changes


def pod(*sidecars: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"containers": [serving(**changes), *sidecars]}


def mounted(volume: dict[str, Any], **mount: Any) -> dict[str, Any]:
    mounts = [{"name": "model", "mount_path": "/mnt/models"} | mount]
    return pod(volume_mounts=mounts) | {"volumes": [volume]}


def service(**template: Any) -> KnativeServiceSpec:
    return KnativeServiceSpec.of({"template": {"spec": pod()} | template})


def judged(spec: KnativeServiceSpec, limits: ServingLimits = SHIPPED, **metadata: Any) -> list[str]:
    return sentences(service_faults(spec, ObjectMetaArgs(**{"name": "qwen"} | metadata), limits))


def annotated(**annotations: str) -> str:
    keys = {SCALE + name.replace("_", "-"): value for name, value in annotations.items()}
    return refused(RevisionMetadata, annotations=keys)


def test_a_model_that_is_served_renders_as_knative_spells_it():
    spec = service(
        metadata={"labels": {"release": "qwen"}, "annotations": {f"{SCALE}max-scale": "3"}},
        spec=mounted(CLAIM) | {"timeout_seconds": 60, "container_concurrency": 2},
    )
    assert spec.manifest()["template"] == {
        "metadata": {"labels": {"release": "qwen"}, "annotations": {f"{SCALE}max-scale": "3"}},
        "spec": {
            "containers": [
                {
                    "image": "vllm:0.9",
                    "ports": [{"containerPort": 8080}],
                    "volumeMounts": [{"name": "model", "mountPath": "/mnt/models"}],
                }
            ],
            "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": "qwen"}}],
            "timeoutSeconds": 60,
            "containerConcurrency": 2,
        },
    }
    assert judged(spec) == []


@pytest.mark.parametrize("port", [8008, 8012, 8013, 8022, 9090, 9091])
def test_a_port_of_knatives_own_sidecar_is_refused(port: int):
    text = refused(RevisionSpec, **pod(ports=[{"container_port": port}]))
    assert f"container_port is {port}, but it must be another port than 8008, 8012" in text


def test_knative_routes_to_one_port():
    ports = [{"container_port": 8080}, {"container_port": 8081}]
    want = "ports is [8080, 8081], but it must be one port in all containers"
    assert want in refused(RevisionSpec, **pod(ports=ports))
    assert want in refused(RevisionSpec, **pod(serving(ports=ports[1:])))


def test_of_several_containers_one_says_that_it_serves():
    text = refused(RevisionSpec, **pod({"image": "proxy"}, ports=None))
    assert "ports is missing, but it must be given in the container that serves" in text
    RevisionSpec.of(pod({"image": "proxy"}))
    RevisionSpec.of(pod(ports=None))


@pytest.mark.parametrize("name", ["http1", "h2c", None])
def test_the_name_of_a_port_is_its_protocol(name: str | None):
    RevisionSpec.of(pod(ports=[{"container_port": 8080, "name": name}]))
    text = refused(RevisionSpec, **pod(ports=[{"container_port": 8080, "name": "http"}]))
    assert "name is 'http', but it must be http1, h2c or left out" in text


def test_knative_serves_tcp():
    text = refused(RevisionSpec, **pod(ports=[{"container_port": 8080, "protocol": "UDP"}]))
    assert "protocol is 'UDP', but it must be TCP" in text


@pytest.mark.parametrize("name", ["PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"])
def test_a_variable_that_knative_sets_is_refused(name: str):
    text = refused(RevisionSpec, **pod(env=[{"name": name, "value": "1"}]))
    assert f"containers[0].env[{name}] is given, but it must be left out" in text


def test_a_sidecar_may_have_a_variable_for_its_port():
    RevisionSpec.of(pod({"image": "proxy", "env": [{"name": "PORT", "value": "1"}]}))


def test_the_name_of_knatives_own_sidecar_is_refused():
    text = refused(RevisionSpec, **pod(name="queue-proxy"))
    assert "containers[queue-proxy].name is 'queue-proxy', but it must be another name" in text


def test_a_hook_is_refused_as_knative_has_its_own():
    text = refused(RevisionSpec, **pod(lifecycle={"pre_stop": {"sleep": {"seconds": 5}}}))
    assert "lifecycle is given, but it must be left out: Knative's own hook holds SIGTERM" in text


def test_a_privileged_container_is_refused():
    text = refused(RevisionSpec, **pod(security_context={"privileged": True}))
    assert "privileged is True, but it must be false, or left out" in text
    RevisionSpec.of(pod(security_context={"privileged": False}))


def test_the_token_of_the_service_account_can_only_be_switched_off():
    text = refused(RevisionSpec, **pod(), automount_service_account_token=True)
    assert "automount_service_account_token is True, but it must be false, or left out" in text
    RevisionSpec.of(pod() | {"automount_service_account_token": False})


def test_a_volume_that_nothing_mounts_is_refused():
    text = refused(RevisionSpec, **pod(), volumes=[CLAIM])
    assert "volumes[model] is not mounted, but it must be mounted by a container" in text


@pytest.mark.parametrize(
    "volume", [SECRET, {"name": "model", "config_map": {"name": "a"}}], ids=["secret", "config_map"]
)
def test_what_cannot_be_written_is_mounted_read_only(volume: dict[str, Any]):
    assert "read_only is missing, but it must be true" in refused(RevisionSpec, **mounted(volume))
    RevisionSpec.of(mounted(volume, read_only=True))


def test_a_claim_and_an_empty_dir_may_be_written():
    RevisionSpec.of(mounted(CLAIM))
    RevisionSpec.of(mounted({"name": "model", "empty_dir": {}}))


def test_a_claim_that_is_read_only_is_mounted_so():
    claim = {"name": "model", "persistent_volume_claim": {"claim_name": "a", "read_only": True}}
    text = refused(RevisionSpec, **mounted(claim, read_only=False))
    assert "read_only is False, but it must be true: its claim is mounted read-only" in text
    RevisionSpec.of(mounted(claim, read_only=True))


@pytest.mark.parametrize("path", ["/", "/dev", "/dev/", "/dev/log", "/mnt/../dev"])
def test_a_mount_over_a_system_path_is_refused(path: str):
    text = refused(RevisionSpec, **mounted(CLAIM, mount_path=path))
    assert f"mount_path is '{path}', but it must be another path than /, /dev, /dev/log" in text
    RevisionSpec.of(mounted(CLAIM, mount_path="/dev/models"))


def test_what_the_crd_of_knative_would_prune_is_refused():
    assert "sub_path_expr is '$(A)', but it must be left out" in refused(
        RevisionSpec, **mounted(CLAIM, sub_path_expr="$(A)")
    )
    nfs = {"name": "model", "nfs": {"server": "nas", "path": "/"}}
    assert "volumes[model].nfs is given, but it must be one of config_map, csi" in refused(
        RevisionSpec, **mounted(nfs, read_only=True)
    )


def test_a_mount_that_reaches_the_node_is_refused():
    text = refused(RevisionSpec, **mounted(CLAIM, mount_propagation="Bidirectional"))
    assert "mount_propagation is 'Bidirectional', but it must be None or HostToContainer" in text
    RevisionSpec.of(mounted(CLAIM, mount_propagation="HostToContainer"))


def test_a_probe_names_the_one_port():
    named = {"ports": [{"container_port": 8080, "name": "http1"}]}
    text = refused(RevisionSpec, **pod(**named, liveness_probe={"tcp_socket": {"port": "metrics"}}))
    assert "liveness_probe.tcp_socket.port is 'metrics', but it must be 'http1', a number" in text
    RevisionSpec.of(pod(**named, liveness_probe={"tcp_socket": {"port": "http1"}}))
    RevisionSpec.of(pod(liveness_probe={"http_get": {"port": 9000}}))
    RevisionSpec.of(pod(startup_probe={"http_get": {"path": "/health"}}))


def test_a_probe_of_a_sidecar_names_its_port():
    sidecar = {"image": "proxy", "liveness_probe": {"tcp_socket": {}}}
    text = refused(RevisionSpec, **pod(sidecar))
    assert (
        "containers[1].liveness_probe.tcp_socket.port is missing, but it must be the number" in text
    )


@pytest.mark.parametrize("limit", ["failure_threshold", "timeout_seconds"])
@pytest.mark.parametrize("period", [None, 0])
def test_a_readiness_probe_without_period_has_no_limits(limit: str, period: int | None):
    probe = {"http_get": {"path": "/health"}, "period_seconds": period, limit: 3}
    text = refused(RevisionSpec, **pod(readiness_probe=probe))
    assert f"readiness_probe.{limit} is 3, but it must be left out, or period_seconds 1" in text
    RevisionSpec.of(pod(readiness_probe=probe | {"period_seconds": 5}))
    RevisionSpec.of(pod(startup_probe=probe))


def test_an_init_container_is_not_probed():
    init = {"image": "warm", "name": "warm", "startup_probe": {"tcp_socket": {"port": 1}}}
    text = refused(RevisionSpec, **pod(), init_containers=[init])
    assert "init_containers[warm].startup_probe is given, but it must be left out" in text


@pytest.mark.parametrize("name", ["response_start_timeout_seconds", "idle_timeout_seconds"])
def test_a_part_of_a_request_is_no_longer_than_the_request(name: str):
    text = refused(RevisionSpec, **pod(), timeout_seconds=60, **{name: 61})
    assert f"{name} is 61, but it must be 60 (timeout_seconds) or less" in text
    RevisionSpec.of(pod() | {"timeout_seconds": 60, name: 60})


def test_a_long_request_says_how_long_its_first_byte_may_take():
    text = refused(RevisionSpec, **pod(), timeout_seconds=600)
    assert "response_start_timeout_seconds is missing, but it must be given, up to 600" in text
    RevisionSpec.of(pod() | {"timeout_seconds": 300})
    RevisionSpec.of(pod() | {"timeout_seconds": 600, "response_start_timeout_seconds": 600})


@pytest.mark.parametrize("requests", [-1, 1001])
def test_a_pod_is_sent_up_to_1000_requests(requests: int):
    text = refused(RevisionSpec, **pod(), container_concurrency=requests)
    assert f"container_concurrency is {requests}, but it must be" in text
    RevisionSpec.of(pod() | {"container_concurrency": 1000})


def test_a_request_takes_no_longer_than_the_cluster_allows():
    spec = service(spec=pod() | {"timeout_seconds": 601, "response_start_timeout_seconds": 601})
    [sentence] = judged(spec)
    assert sentence.startswith("spec.template.spec.timeout_seconds is 601, but it must be 0 to 600")
    assert judged(spec, ServingLimits(max_revision_timeout_seconds=1800)) == []


@pytest.mark.parametrize(
    ("annotation", "value", "want"),
    [
        ("min_scale", "-1", "a whole number of 0 or more"),
        ("min_scale", "one", "a whole number of 0 or more"),
        ("max_scale", "1.5", "a whole number of 0 or more"),
        ("initial_scale", "-1", "a whole number of 0 or more"),
        ("activation_scale", "1", "a whole number of 2 or more"),
        ("target", "0.001", "a number of 0.01 or more"),
        ("target", "NaN", "a number of 0.01 or more"),
        ("target_utilization_percentage", "0.9", "a number from 1 to 100"),
        ("target_utilization_percentage", "101", "a number from 1 to 100"),
        ("target_burst_capacity", "-2", "a number of 0 or more, or -1"),
        ("panic_window_percentage", "0", "a number from 1 to 100"),
        ("panic_threshold_percentage", "109", "a number from 110 to 1000"),
        ("window", "5s", "a duration from 6s to 3600s, in whole seconds"),
        ("window", "6500ms", "a duration from 6s to 3600s, in whole seconds"),
        ("window", "60", "a duration from 6s to 3600s, in whole seconds"),
        ("scale_down_delay", "61m", "a duration from 0s to 3600s"),
        ("scale_to_zero_pod_retention_period", "-1s", "a duration from 0s to 3600s"),
        ("class", "kpa.knative.dev", "kpa.autoscaling.knative.dev or hpa.autoscaling.knative.dev"),
        ("metric", "cpu", "concurrency or rps"),
        ("metric_aggregation_algorithm", "mean", "linear or weighted-exponential"),
    ],
)
def test_an_annotation_that_the_autoscaler_cannot_read_is_refused(
    annotation: str, value: str, want: str
):
    key = SCALE + annotation.replace("_", "-")
    text = annotated(**{annotation: value})
    assert f"annotations[{key}] is '{value}', but it must be {want}" in text


@pytest.mark.parametrize(
    "annotations",
    [
        {"min-scale": "1", "max-scale": "3", "initial-scale": "1", "activation-scale": "2"},
        {"min-scale": "3", "max-scale": "0"},
        {"target": "0.01", "target-utilization-percentage": "100", "target-burst-capacity": "-1"},
        {"window": "6s", "scale-down-delay": "1h", "panic-window-percentage": "1"},
        {"scale-to-zero-pod-retention-period": "1m30.5s", "panic-threshold-percentage": "110"},
        {"class": "hpa.autoscaling.knative.dev", "metric": "memory"},
        {"class": "ahpa.autoscaling.knative.dev", "metric": "rt"},
        {"class": "mine.example.com", "metric": "anything"},
        {"metric": "rps", "metric-aggregation-algorithm": "weighted-exponential"},
    ],
)
def test_an_annotation_at_its_edge_is_accepted(annotations: dict[str, str]):
    RevisionMetadata(annotations={SCALE + name: value for name, value in annotations.items()})


def test_the_range_of_the_autoscaler_is_ordered():
    text = annotated(min_scale="3", max_scale="1")
    assert "max-scale] is '1', but it must be 3 (min-scale) or more, or 0 for no bound" in text


@pytest.mark.parametrize("start", ["2", "9"])
def test_pods_that_start_together_are_in_range(start: str):
    text = annotated(min_scale="3", max_scale="8", activation_scale=start)
    assert (
        f"activation-scale] is '{start}', but it must be 3 (min-scale) or more, 8 (max-sc" in text
    )


def test_a_misspelt_annotation_is_refused_with_the_one_that_was_meant():
    text = annotated(maxscale="3")
    assert "is not a known annotation" in text
    assert f"did you mean {SCALE}max-scale?" in text


@pytest.mark.parametrize("name", ["minScale", "targetUtilizationPercentage", "scaleDownDelay"])
def test_an_old_spelling_is_refused_for_what_knative_makes_of_it(name: str):
    """serving v0.50.0, pkg/apis/autoscaling/register.go: the key with dashes comes first."""
    text = annotated(**{name: "3"})
    new = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
    assert f"{name}] is an old spelling, but it must be spelled {SCALE}{new}: Knative reads" in text


def test_a_spelling_that_knative_never_had_is_not_called_an_old_one():
    assert "activationScale] is not a known annotation" in annotated(activationScale="3")


def test_an_annotation_that_is_not_known_yet_passes_unread():
    RevisionMetadata(annotations={f"{SCALE}target": pulumi.Output.from_input("0")})


@pytest.mark.parametrize("deadline", ["30", "1500ms", "-1s", "soon"])
def test_a_progress_deadline_is_in_whole_seconds(deadline: str):
    key = "serving.knative.dev/progress-deadline"
    text = refused(RevisionMetadata, annotations={key: deadline})
    assert f"annotations[{key}] is '{deadline}', but it must be a duration in whole seconds" in text
    RevisionMetadata(annotations={key: "1800s"})


def test_what_knatives_own_sidecar_is_given_is_a_quantity():
    key = "queue.sidecar.serving.knative.dev/cpu-resource-request"
    text = refused(RevisionMetadata, annotations={key: "a bit"})
    assert "is 'a bit', but it must be a quantity such as 100m" in text
    RevisionMetadata(annotations={key: "25m"})


def test_a_bound_above_the_clusters_is_refused():
    spec = service(metadata={"annotations": {f"{SCALE}max-scale": "9"}})
    assert judged(spec) == []
    [sentence] = judged(spec, ServingLimits(max_scale_limit=8))
    assert "max-scale] is '9', but it must be 1 to 8" in sentence


def test_a_start_without_pods_is_refused_unless_the_cluster_allows_it():
    spec = service(metadata={"annotations": {f"{SCALE}initial-scale": "0"}})
    [sentence] = judged(spec)
    assert "initial-scale] is '0', but it must be 1 or more, or left out" in sentence
    assert judged(spec, ServingLimits(allow_zero_initial_scale=True)) == []


def test_autoscaling_annotations_on_the_service_are_refused_with_where_they_belong():
    [sentence] = judged(service(), annotations={f"{SCALE}min-scale": "1", "example.com/a": "b"})
    assert f"metadata.annotations[{SCALE}min-scale] is given, but it must be moved to" in sentence
    assert "spec.template.metadata.annotations" in sentence


def test_a_rollout_takes_whole_seconds():
    key = "serving.knative.dev/rollout-duration"
    [sentence] = judged(service(), annotations={key: "fast"})
    assert f"metadata.annotations[{key}] is 'fast', but it must be a duration" in sentence
    assert judged(service(), annotations={key: "380s"}) == []


def test_a_service_is_named_so_that_it_can_be_a_host():
    [sentence] = judged(service(), name="7b-qwen")
    assert sentence.startswith("metadata.name is '7b-qwen', but it must be lower-case letters")


def test_a_revision_is_called_after_its_service():
    [sentence] = judged(service(metadata={"name": "llama-1"}))
    assert "spec.template.metadata.name is 'llama-1', but it must be qwen- and more" in sentence
    assert judged(service(metadata={"name": "qwen-1"})) == []
    assert "name is 'Qwen', but it must be lower-case" in refused(RevisionMetadata, name="Qwen")


def test_shares_of_traffic_add_up_to_100():
    traffic = [{"percent": 60}, {"percent": 30, "revision_name": "qwen-1"}]
    text = refused(KnativeServiceSpec, template={"spec": pod()}, traffic=traffic)
    assert "traffic is [60, 30], but it must be 100 in sum" in text
    traffic[1]["percent"] = 40
    KnativeServiceSpec.of({"template": {"spec": pod()}, "traffic": traffic})


def test_a_share_goes_to_one_revision_or_to_the_newest():
    text = refused(TrafficTarget, percent=100, latest_revision=True, revision_name="qwen-1")
    assert "latest_revision is True, but it must be false" in text
    assert "latest_revision is False, but it must be true" in refused(
        TrafficTarget, percent=100, latest_revision=False
    )
    TrafficTarget(percent=100, latest_revision=True)


def test_a_tag_is_part_of_one_host_name():
    assert "tag is 'V1', but it must be lower-case letters" in refused(TrafficTarget, tag="V1")
    traffic = [{"percent": share, "tag": "blue"} for share in (50, 50)]
    text = refused(KnativeServiceSpec, template={"spec": pod()}, traffic=traffic)
    assert "traffic[blue].tag is 'blue', but it must be unique" in text


def installed(**changes: Any) -> dict[str, Any]:
    network = {"ingress-class": "kourier.ingress.networking.knative.dev"}
    return {
        "version": "1.20",
        "ingress": {"kourier": {"enabled": True}},
        "config": {"network": network},
    } | changes


def test_an_installation_renders_as_the_operator_spells_it():
    spec = installed(
        ingress={"kourier": {"enabled": True, "service_type": "LoadBalancer"}},
        high_availability={"replicas": 2},
    )
    manifest = KnativeServingSpec.of(spec).manifest()
    assert manifest["ingress"] == {"kourier": {"enabled": True, "service-type": "LoadBalancer"}}
    assert manifest["high-availability"] == {"replicas": 2}


@pytest.mark.parametrize("version", ["latest", "v1.20", "1", ""])
def test_an_installation_pins_its_release(version: str):
    text = refused(KnativeServingSpec, **installed(version=version))
    assert f"version is '{version}', but it must be text that matches" in text
    KnativeServingSpec.of(installed(version="1.20.1"))


def test_requests_come_in_by_one_ingress():
    none: dict[str, Any] = {"kourier": {"enabled": False}}
    assert "ingress.enabled is missing, but it must be one ingress" in refused(
        KnativeServingSpec, **installed(ingress=none)
    )
    both = {"kourier": {"enabled": True}, "istio": {"enabled": True}}
    assert "ingress.enabled is ['kourier', 'istio'], but it must be one ingress" in refused(
        KnativeServingSpec, **installed(ingress=both)
    )


def test_the_ingress_is_named_in_the_network_config_too():
    sentence = "must be 'kourier.ingress.networking.knative.dev'"
    for config in (None, {}, {"network": {"ingress-class": "istio"}}):
        text = refused(KnativeServingSpec, **installed(config=config))
        assert "config[network][ingress-class] is " in text
        assert sentence in text


def test_a_config_map_that_the_operator_would_ignore_is_refused():
    config = installed()["config"] | {"config-features": {}}
    text = refused(KnativeServingSpec, **installed(config=config))
    assert "config[config-features] is 'config-features', but it must be 'features'" in text
    text = refused(KnativeServingSpec, **installed(config=installed()["config"] | {"zzz": {}}))
    assert "config[zzz] is 'zzz', but it must be one of autoscaler, certmanager" in text


def test_what_kubernetes_refuses_in_a_pod_is_refused_in_a_revision():
    mounts = [{"name": "modell", "mount_path": "/mnt"}]
    text = refused(RevisionSpec, **pod(volume_mounts=mounts))
    assert "containers[0].volume_mounts[modell].name is 'modell', but it must be" in text


def test_the_pod_autoscaler_of_kubernetes_needs_a_metric():
    text = annotated(**{"class": "hpa.autoscaling.knative.dev", "metric": ""})
    assert "metric] is '', but it must be cpu, memory or the name of a metric" in text
