"""Definitions of custom resources that are made of our types."""

from sandbox.kubernetes import structural


def test_roles_are_merged_by_name_and_begin_with_one() -> None:
    roles = structural.schema("RoleBasedGroup")["properties"]["spec"]["properties"]["roles"]
    assert roles["x-kubernetes-list-type"] == "map"
    assert roles["x-kubernetes-list-map-keys"] == ["name"]
    fields = roles["items"]["properties"]
    assert fields["replicas"] == {"type": "integer", "minimum": 0, "default": 1}
    assert roles["items"]["required"] == ["name"]
    template = fields["standalonePattern"]["properties"]["template"]
    assert template["x-kubernetes-preserve-unknown-fields"]


def test_what_is_unknown_is_not_kept() -> None:
    """An API server with strict validation refuses it."""
    spec = structural.schema("CoordinatedPolicy")["properties"]["spec"]
    assert "x-kubernetes-preserve-unknown-fields" not in spec
    rule = spec["properties"]["policies"]["items"]["properties"]["strategy"]
    scaling = rule["properties"]["scaling"]
    assert scaling["required"] == ["maxSkew", "progression"]
    assert scaling["properties"]["progression"]["enum"] == ["OrderScheduled", "OrderReady"]


def test_an_adapter_alone_has_a_scale() -> None:
    assert "scale" in structural.subresources("RoleBasedGroupScalingAdapter")
    assert structural.subresources("RoleBasedGroup") == {"status": {}}
