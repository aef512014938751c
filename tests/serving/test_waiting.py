import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.serving.waiting import metadata


def test_waiting_is_two_annotations():
    found = metadata("qwen", "models", wait_for="condition=Ready", seconds=900)
    assert found.annotations == {
        "pulumi.com/waitFor": "condition=Ready",
        "pulumi.com/timeoutSeconds": "900",
    }


def test_nothing_waits_for_zero_seconds_or_for_nothing():
    for found in (
        metadata("qwen", "models", wait_for="condition=Ready", seconds=0),
        metadata("qwen", "models", wait_for="condition=Ready"),
        metadata("qwen", "models", seconds=900),
    ):
        assert found.annotations is None


def test_name_namespace_and_labels_are_handed_on():
    namespace = pulumi.Output.from_input("models")
    found = metadata("qwen", namespace, labels={"a": "b"})
    assert isinstance(found, ObjectMetaArgs)
    assert (found.name, found.labels) == ("qwen", {"a": "b"})
    assert found.namespace is namespace
