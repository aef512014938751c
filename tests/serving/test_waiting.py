import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.serving.waiting import metadata


def test_waiting_is_two_annotations():
    meta = metadata("qwen", "models", wait_for="condition=Ready", seconds=900)
    assert meta.annotations == {
        "pulumi.com/waitFor": "condition=Ready",
        "pulumi.com/timeoutSeconds": "900",
    }


def test_nothing_waits_for_zero_seconds_or_for_nothing():
    for meta in (
        metadata("qwen", "models", wait_for="condition=Ready", seconds=0),
        metadata("qwen", "models", wait_for="condition=Ready"),
        metadata("qwen", "models", seconds=900),
    ):
        assert meta.annotations is None


def test_name_namespace_and_labels_are_handed_on():
    namespace = pulumi.Output.from_input("models")
    meta = metadata("qwen", namespace, labels={"a": "b"})
    assert isinstance(meta, ObjectMetaArgs)
    assert (meta.name, meta.labels) == ("qwen", {"a": "b"})
    assert meta.namespace is namespace
