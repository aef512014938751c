"""What a stack file names by an ID is in the simulated cloud before the stack is."""

from pathlib import Path

from sandbox.cloud import behaviour
from sandbox.cloud.brought import bring
from sandbox.cloud.cloud_file import CloudFile
from stacks.sections.environment import Environment
from stacks.validation import validate
from tests.stacks.checks.parts import own_ack_cluster, own_keys, own_vpc
from tests.stacks.environments import Raw, dev


def brought(raw: Raw, folder: Path) -> set[tuple[str, str]]:
    """Type and ID of what is there, though it is brought twice."""
    cloud = CloudFile(folder / "cloud.json")
    environment = validate(raw).environment
    assert isinstance(environment, Environment)
    for _ in range(2):
        bring(cloud, environment, "cn-beijing")
    assert cloud.created() == []
    resources = [(resource.type, resource.id) for resource in cloud.resources()]
    assert len(resources) == len(set(resources))
    return set(resources)


def test_a_network_is_there(tmp_path: Path) -> None:
    assert brought(own_vpc(), tmp_path) == {
        (behaviour.VPC, "vpc-2ze0a1b2c3d4e5f6g7h8i"),
        (behaviour.SECURITY_GROUP, "sg-2ze0a1b2c3d4e5f6g7h8i"),
        *(
            (behaviour.SWITCH, f"vsw-2ze0{role}0in0zone0{zone}00")
            for role in ("nodes", "pods0")
            for zone in ("h", "k")
        ),
    }


def test_a_cluster_is_there_with_its_rrsa(tmp_path: Path) -> None:
    id_ = "c0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    assert (behaviour.CLUSTER, id_) in brought(own_ack_cluster(), tmp_path)
    cluster = CloudFile(tmp_path / "cloud.json").find(behaviour.CLUSTER, id_)
    assert cluster is not None
    assert cluster.outputs["rrsaMetadata"]["enabled"]


def test_keys_and_the_like_are_there_once(tmp_path: Path) -> None:
    assert {type_ for type_, _ in brought(own_keys(), tmp_path)} == {
        behaviour.DEPLOYMENT_SET,
        behaviour.KEY,
        behaviour.KEY_PAIR,
        behaviour.RESOURCE_GROUP,
    }


def test_a_stack_that_brings_nothing_finds_nothing(tmp_path: Path) -> None:
    assert brought(dev(), tmp_path) == set()
