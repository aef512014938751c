"""What the SDK's analyzer is left to read of args models."""

import typing

from components.annotations import simplify_annotations
from components.args import Args, Input
from components.hosts import HostName
from components.names import ServiceName


class Named(Args):
    """Fields with forms and with defaults."""

    name: ServiceName
    host: Input[HostName] | None = None
    names: list[ServiceName] = []
    seconds: int = 5


class Longer(Named):
    """Adds a field."""

    labels: dict[ServiceName, Input[HostName]] | None = None


def test_a_field_that_may_be_left_out_may_be_none_and_no_form_is_seen() -> None:
    for _ in range(2):  # Once more makes no difference.
        simplify_annotations(Named)
        annotations = {**Named.__annotations__, **Longer.__annotations__}
        assert annotations["name"] is str
        assert annotations["names"] == list[str] | None
        assert annotations["seconds"] == int | None
        assert type(None) in typing.get_args(annotations["host"])
        assert "Annotated" not in str(annotations)


def test_the_models_read_what_they_read_before() -> None:
    simplify_annotations(Named)
    assert Named.model_fields["names"].annotation == list[ServiceName]
    assert Longer.of({"name": "a", "seconds": None}).seconds == 5
    assert [
        fault.field for fault in Longer.model_construct(name="A", names=["B"]).all_faults()
    ] == [
        "name",
        "names[0]",
    ]
