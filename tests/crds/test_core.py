from typing import Any

import pulumi
import pytest

from components.crds import (
    Capabilities,
    Container,
    ContainerPort,
    CrdModel,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    LabelSelectorRequirement,
    Lifecycle,
    LifecycleHandler,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodSecurityContext,
    PodSpec,
    Probe,
    ResourceRequirements,
    SeccompProfile,
    SecurityContext,
    Toleration,
    TopologySpreadConstraint,
    Volume,
    VolumeMount,
    VolumeProjection,
)

from .refusals import refused


def container(**changes: Any) -> dict[str, Any]:
    return {"image": "vllm:0.9"} | changes


def test_what_is_left_out_stays_out_and_outputs_pass_through():
    image = pulumi.Output.from_input("vllm")
    assert Container(image=image, working_dir="/").manifest() == {"image": image, "workingDir": "/"}


def test_acronyms_are_spelled_as_kubernetes_spells_them():
    pod = PodSpec.of({"containers": [container()], "host_ipc": True, "host_pid": True})
    assert {"hostIPC", "hostPID"} <= pod.manifest().keys()


def test_a_manifest_has_plain_text_in_place_of_enums():
    effect = Toleration.of({"key": "nvidia.com/gpu", "effect": "NoSchedule"}).manifest()["effect"]
    assert type(effect) is str


def test_a_toleration_that_only_looks_at_the_key_has_no_value():
    assert "value is 'present', but it must be left out" in refused(
        Toleration, key="gpu", operator="Exists", value="present"
    )


def test_only_exists_tolerates_every_key():
    assert "key is missing, but it must be given" in refused(Toleration, value="present")
    assert Toleration(operator="Exists").manifest() == {"operator": "Exists"}


def test_only_a_no_execute_taint_is_tolerated_for_a_time():
    assert "toleration_seconds is 30, but it must be left out" in refused(
        Toleration, key="gpu", effect="NoSchedule", toleration_seconds=30
    )
    assert Toleration(key="gpu", effect="NoExecute", toleration_seconds=30).toleration_seconds == 30


@pytest.mark.parametrize(
    ("operator", "values", "want"),
    [
        ("In", [], "at least one value"),
        ("NotIn", None, "at least one value"),
        ("Exists", ["a"], "left out"),
        ("DoesNotExist", ["a"], "left out"),
        ("Gt", ["many"], "one whole number as text"),
        ("Lt", ["1", "2"], "one whole number as text"),
    ],
)
def test_values_that_an_operator_cannot_be_applied_to_are_refused(
    operator: str, values: list[str] | None, want: str
):
    sentence = f"values is {values or []}, but it must be {want}"
    condition = {"key": "zone", "operator": operator, "values": values}
    assert sentence in refused(NodeSelectorRequirement, **condition)
    if operator in {"In", "NotIn", "Exists", "DoesNotExist"}:
        assert sentence in refused(LabelSelectorRequirement, **condition)


@pytest.mark.parametrize(
    ("operator", "values"), [("In", ["a", "b"]), ("Exists", None), ("Gt", ["-3"])]
)
def test_values_that_fit_the_operator_are_accepted(operator: str, values: list[str] | None):
    NodeSelectorRequirement.of({"key": "zone", "operator": operator, "values": values})


def test_a_node_selector_that_matches_no_node_is_refused():
    assert "match_expressions is missing, but it must be given" in refused(NodeSelectorTerm)
    assert "node_selector_terms is [], but it must be at least 1 long" in refused(
        NodeSelector, node_selector_terms=[]
    )


def test_pods_that_may_be_placed_anyway_have_no_minimum_of_domains():
    fields = {"max_skew": 1, "topology_key": "zone", "min_domains": 2}
    assert "min_domains is 2, but it must be left out" in refused(
        TopologySpreadConstraint, when_unsatisfiable="ScheduleAnyway", **fields
    )
    TopologySpreadConstraint.of({"when_unsatisfiable": "DoNotSchedule"} | fields)


@pytest.mark.parametrize("amount", ["64GB", "-1", "lots", ""])
def test_an_amount_that_is_no_quantity_is_refused_where_it_stands(amount: str):
    text = refused(ResourceRequirements, limits={"memory": amount})
    assert f"limits[memory] is '{amount}', but it must be a quantity of 0 or more" in text


def test_numbers_are_taken_for_quantities():
    resources = ResourceRequirements.of({"limits": {"nvidia.com/gpu": 1}})
    assert resources.manifest() == {"limits": {"nvidia.com/gpu": "1"}}


def test_a_request_above_its_limit_is_refused():
    text = refused(ResourceRequirements, limits={"memory": "1Gi"}, requests={"memory": "1.5Gi"})
    assert "requests[memory] is '1.5Gi', but it must be 1Gi or less: the limit is 1Gi" in text
    ResourceRequirements(limits={"memory": "1Gi"}, requests={"memory": "1024Mi"})


@pytest.mark.parametrize(
    ("limits", "want"),
    [({}, "given as limits[nvidia.com/gpu] too"), ({"nvidia.com/gpu": "2"}, "2, as the limit")],
)
def test_a_gpu_is_requested_as_it_is_limited(limits: dict[str, str], want: str):
    text = refused(ResourceRequirements, limits=limits, requests={"nvidia.com/gpu": "1"})
    assert f"requests[nvidia.com/gpu] is '1', but it must be {want}" in text


def test_a_gpu_is_not_divided():
    text = refused(ResourceRequirements, limits={"nvidia.com/gpu": "500m"})
    assert "limits[nvidia.com/gpu] is '500m', but it must be a whole number" in text


def test_a_variable_has_one_value():
    key = {"secret_key_ref": {"name": "hf", "key": "token"}}
    text = refused(EnvVar, name="HF_TOKEN", value="x", value_from=key)
    assert "value_from is given beside value, but it must be left out, or value left out" in text
    assert "config_map_key_ref is missing, but it must be given, or else secret_key_ref" in refused(
        EnvVarSource
    )
    assert EnvVar.of({"name": "HF_TOKEN", "value_from": key}).value is None


def test_a_source_of_variables_is_one_object():
    both = {"config_map_ref": {"name": "a"}, "secret_ref": {"name": "b"}}
    assert "config_map_ref is given beside secret_ref, but it must be the only one" in refused(
        EnvFromSource, **both
    )


def test_a_variable_that_is_set_twice_is_refused():
    text = refused(Container, **container(env=[{"name": "A", "value": v} for v in "12"]))
    assert "env[A].name is 'A', but it must be unique" in text


def test_a_probe_asks_in_one_way():
    want = "given, or else grpc or http_get or tcp_socket"
    assert f"exec is missing, but it must be {want}" in refused(Probe, period_seconds=5)
    both = {"http_get": {"path": "/health"}, "tcp_socket": {}}
    want = "the only one of exec, grpc, http_get, tcp_socket"
    assert f"http_get is given beside tcp_socket, but it must be {want}" in refused(Probe, **both)


@pytest.mark.parametrize("probe", ["liveness_probe", "startup_probe"])
def test_one_good_answer_is_enough_for_a_probe_that_restarts(probe: str):
    settings = {"tcp_socket": {"port": 8080}, "success_threshold": 2}
    text = refused(Container, **container(**{probe: settings}))
    assert f"{probe}.success_threshold is 2, but it must be 1, or left out" in text
    Container.of(container(readiness_probe=settings))


@pytest.mark.parametrize("port", [0, 65536])
def test_a_port_is_between_1_and_65535(port: int):
    assert f"container_port is {port}, but it must be" in refused(
        ContainerPort, container_port=port
    )


def test_a_capability_is_spelled_in_capitals():
    assert "drop is 'all', but it must be 'ALL'" in refused(Capabilities, drop=["all"])


def test_a_profile_of_the_node_has_a_file_and_no_other_has():
    assert "localhost_profile is missing, but it must be given" in refused(
        SeccompProfile, type="Localhost"
    )
    assert "localhost_profile is 'a.json', but it must be left out" in refused(
        SeccompProfile, type="RuntimeDefault", localhost_profile="a.json"
    )


@pytest.mark.parametrize("context", [SecurityContext, PodSecurityContext])
def test_root_is_refused_where_it_is_forbidden(context: type[CrdModel]):
    text = refused(context, run_as_non_root=True, run_as_user=0)
    assert "run_as_user is 0, but it must be 1 or more" in text
    assert "would never start the container" in text
    context.of({"run_as_non_root": True, "run_as_user": 2000})


def test_a_hook_does_one_thing():
    text = refused(LifecycleHandler, sleep={"seconds": 5}, exec={"command": ["true"]})
    assert (
        "exec is given beside sleep, but it must be the only one of exec, http_get, sleep" in text
    )
    assert "seconds is 0, but it must be 1 or more" in refused(
        LifecycleHandler, sleep={"seconds": 0}
    )
    hook = {"pre_stop": {"sleep": {"seconds": 1}}}
    assert Lifecycle.of(hook).manifest() == {"preStop": {"sleep": {"seconds": 1}}}


def test_a_privileged_container_cannot_be_kept_from_rights():
    assert "allow_privilege_escalation is False, but it must be left out" in refused(
        SecurityContext, privileged=True, allow_privilege_escalation=False
    )


def test_a_volume_has_one_source():
    assert "config_map is missing, but it must be given, or else csi or" in refused(
        Volume, name="model"
    )
    both = {"empty_dir": {}, "host_path": {"path": "/mnt"}}
    assert "empty_dir is given beside host_path" in refused(Volume, name="model", **both)


def test_a_volume_is_named_so_that_mounts_can_refer_to_it():
    text = refused(Volume, name="model_files", empty_dir={})
    assert "name is 'model_files', but it must be lower-case letters" in text


def test_an_empty_dir_without_settings_is_rendered():
    assert Volume(name="shm", empty_dir={}).manifest() == {"name": "shm", "emptyDir": {}}


def test_a_projected_source_is_one_object():
    assert "config_map is missing, but it must be given, or else secret or" in refused(
        VolumeProjection
    )


@pytest.mark.parametrize("path", ["models", "", "/mnt:ro"])
def test_a_mount_path_is_absolute_and_has_no_colon(path: str):
    text = refused(VolumeMount, name="model", mount_path=path)
    assert f"mount_path is '{path}', but it must be an absolute path without ':'" in text


def test_a_mount_shows_one_part_of_a_volume():
    parts = {"sub_path": "a", "sub_path_expr": "$(A)"}
    assert "sub_path_expr is '$(A)', but it must be left out" in refused(
        VolumeMount, name="model", mount_path="/mnt", **parts
    )


def test_a_mount_of_a_volume_that_is_not_there_is_refused_with_those_that_are():
    mounts = [{"name": "modell", "mount_path": "/mnt"}]
    volumes = [{"name": "model", "empty_dir": {}}]
    text = refused(PodSpec, containers=[container(volume_mounts=mounts)], volumes=volumes)
    assert (
        "containers[0].volume_mounts[modell].name is 'modell', but it must be one of model" in text
    )


def test_two_mounts_of_one_path_are_refused():
    mounts = [{"name": "model", "mount_path": path} for path in ("/mnt", "/mnt/")]
    volumes = [{"name": "model", "empty_dir": {}}]
    text = refused(PodSpec, containers=[container(volume_mounts=mounts)], volumes=volumes)
    assert "mount_path is '/mnt', but it must be unique" in text


def test_names_in_a_pod_are_unique():
    text = refused(
        PodSpec,
        containers=[container(name="vllm")],
        init_containers=[container(name="vllm")],
        volumes=[{"name": "shm", "empty_dir": {}}] * 2,
    )
    assert "volumes[shm].name is 'shm', but it must be unique" in text
    assert "init_containers[vllm].name is 'vllm', but it must be unique" in text


def test_a_container_is_named_so_that_its_logs_can_be_found():
    text = refused(Container, **container(name="vLLM"))
    assert "name is 'vLLM', but it must be lower-case letters" in text


def test_a_container_is_rendered_as_a_webhook_stores_it():
    """Pulumi would show another form of the same as an update, in each preview."""
    resources = {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": 2}}
    env = [{"name": "EMPTY", "value": ""}]
    manifest = Container.of(container(resources=resources, env=env)).manifest()
    stored = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "2"}}
    assert manifest["resources"] == stored
    assert manifest["env"] == [{"name": "EMPTY"}]
