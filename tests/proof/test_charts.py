"""How the values of a chart are looked at."""

import pytest

from proof.charts import altered, every_setting, is_declared, leaves
from sandbox import charts

VALUES = {"crds": {"enabled": True, "keep": True}, "csi": {"tolerations": [{"key": "a"}], "x": {}}}


def test_every_value_has_a_path() -> None:
    assert list(leaves(VALUES)) == [
        ("crds", "enabled"),
        ("crds", "keep"),
        ("csi", "tolerations"),
        ("csi", "x"),
    ]


@pytest.mark.parametrize(
    ("path", "declared"),
    [
        (("crds", "enabled"), True),
        (("csi", "x", "anything"), True),
        (("csi", "y"), False),
        (("crd", "enabled"), False),
        (("crds", "enabled", "deeper"), False),
    ],
)
def test_a_value_is_declared_where_the_chart_has_it_or_leaves_it_open(
    path: tuple[str, ...], declared: bool
) -> None:
    assert is_declared(path, VALUES) is declared


def test_a_value_that_a_chart_leaves_empty_is_open() -> None:
    assert is_declared(("resources", "limits"), {"resources": None})


@pytest.mark.parametrize("path", list(leaves(VALUES)))
def test_another_value_is_another_one_and_the_rest_stays(path: tuple[str, ...]) -> None:
    variant = altered(VALUES, path)
    assert variant != VALUES
    assert list(leaves(altered(variant, path)))  # Once more, to be sure that it is still a tree.
    assert VALUES["crds"]["enabled"] is True


def test_every_chart_that_is_given_values_is_looked_at_with_all_of_them() -> None:
    assert set(every_setting()) == set(charts.CHARTS) - {"kserve-crd", "kserve-llmisvc-crd"}
