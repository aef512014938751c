"""ElasticQuotaTree, as ACK documents it. Does not prove what its CRD refuses: none is published."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.args import faults_of
from components.crds.elastic_quota import ElasticQuotaTreeSpec

WHOLE = {"cpu": "100"}


def tree(*children: dict[str, Any], **root: Any) -> ElasticQuotaTreeSpec:
    return ElasticQuotaTreeSpec.model_validate(
        {"root": {"name": "root", "min": WHOLE, "max": WHOLE, "children": [*children], **root}}
    )


def refused(*children: dict[str, Any], **root: Any) -> list[str]:
    with pytest.raises(ValidationError) as error:
        tree(*children, **root)
    return [fault.field for fault in faults_of(error.value)]


def test_a_tree_keeps_its_leaves_and_their_namespaces() -> None:
    leaf = {"name": "a", "namespaces": ["team-a"], "min": {"cpu": "1"}, "max": {"cpu": "2"}}
    assert tree(leaf).manifest()["root"]["children"] == [leaf]


def test_a_root_guarantees_what_it_bounds() -> None:
    assert refused(min={"cpu": "1"}) == ["root.min"]


def test_names_of_quotas_are_unique_in_the_whole_tree() -> None:
    inner = {"name": "b", "children": [{"name": "a"}]}
    assert refused({"name": "a"}, inner) == ["root[a].name"]


def test_a_namespace_is_in_one_quota() -> None:
    leaves = [{"name": name, "namespaces": ["team"]} for name in ("a", "b")]
    assert refused(*leaves) == ["namespaces"]


def test_only_leaves_have_namespaces() -> None:
    inner = {"name": "b", "namespaces": ["team"], "children": [{"name": "a"}]}
    assert refused(inner) == ["root.children[0].namespaces"]
