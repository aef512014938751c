from dataclasses import replace
from typing import Any, Final

import pulumi
import pytest
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace

from plan.changes import ABSENT
from plan.diff.compare import ChangeKind, ResourceChange, StackDiff, compare
from plan.model import SECRET, UNKNOWN, Marker, Plan, Resource
from plan.record import record
from tests.resources import resource

POOL: Final = "alicloud:cs/nodePool:NodePool"
CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
ADDON: Final = "alicloud:cs/kubernetesAddon:KubernetesAddon"
PROVIDER: Final = "pulumi:providers:kubernetes"
CLAIM: Final = "kubernetes:core/v1:PersistentVolumeClaim"
VOLUME: Final = "kubernetes:core/v1:PersistentVolume"


def plan(*resources: Resource, **more: Any) -> Plan:
    return Plan("shop", "dev", resources, **more)


def of(*owners: Resource) -> Marker:
    """A value that only the cloud knows, and whose it is."""
    return Marker(UNKNOWN, [owner.urn for owner in owners])


def one_change(diff: StackDiff) -> ResourceChange:
    [change] = diff.changes
    return change


def kinds(diff: StackDiff) -> dict[str, ChangeKind]:
    return {change.resource.name: change.kind for change in diff.changes}


def test_a_property_that_differs_is_shown_as_it_was_and_as_it_will_be() -> None:
    change = one_change(
        compare(
            plan(resource(POOL, "t4", {"scalingConfig": {"maxSize": 4}})),
            plan(resource(POOL, "t4", {"scalingConfig": {"maxSize": 8}, "desiredSize": "1"})),
        )
    )
    assert change.kind is ChangeKind.UPDATED
    assert [(property_.path, property_.old, property_.new) for property_ in change.properties] == [
        ("desiredSize", ABSENT, "1"),
        ("scalingConfig.maxSize", 4, 8),
    ]


def test_a_stack_that_is_new_is_created_and_one_that_is_given_up_is_deleted() -> None:
    pools = plan(resource(POOL, "t4", {}))
    assert kinds(compare(None, pools)) == {"t4": ChangeKind.CREATED}
    assert kinds(compare(pools, None)) == {"t4": ChangeKind.DELETED}
    with pytest.raises(ValueError, match="neither revision"):
        compare(None, None)


def test_components_are_not_counted_among_what_stays() -> None:
    group = resource("shop:index:Group", "group", {}, custom=False)
    pools = plan(group, resource(POOL, "t4", {}))
    assert compare(pools, pools).unchanged == 1


def test_what_only_the_cloud_knows_stays_what_it_is() -> None:
    cluster = resource(CLUSTER, "main", {"podCidr": "a"})
    pool = resource(POOL, "t4", {"clusterId": of(cluster)})
    assert compare(plan(cluster, pool), plan(cluster, pool)).changes == ()


def test_the_same_place_with_the_value_of_another_resource_differs() -> None:
    first, second = resource(POOL, "a10", {}), resource(POOL, "t4", {})
    before = resource(CLAIM, "user", {"spec": [of(first), of(second)]})
    after = resource(CLAIM, "user", {"spec": [of(second), of(first)]})
    change = one_change(compare(plan(first, second, before), plan(first, second, after)))
    assert [property_.path for property_ in change.properties] == ["spec[0]", "spec[1]"]


def test_a_replaced_resource_drags_along_what_needs_its_id() -> None:
    before, after = (resource(CLUSTER, "main", {"podCidr": cidr}) for cidr in "ab")
    users = [
        resource(ADDON, "addon", {"clusterId": of(before), "name": "knative"}),
        resource(POOL, "other", {"labels": "own"}),
        resource(CLAIM, "note", {"metadata": {"annotations": {"cluster": of(before)}}}),
    ]
    diff = compare(plan(before, *users), plan(after, *users))
    assert kinds(diff) == {
        "main": ChangeKind.REPLACED,
        "addon": ChangeKind.REPLACED,
        "note": ChangeKind.UPDATED,
    }
    assert {change.because for change in diff.changes[1:]} == {(before.urn,)}
    assert diff.changes[0].because == ()


def test_everything_goes_with_the_provider_of_a_replaced_cluster() -> None:
    before, after = (resource(CLUSTER, "main", {"podCidr": cidr}) for cidr in "ab")
    provider = resource(PROVIDER, "reach", {"clusterIdentifier": of(before)})
    inside = resource(CLAIM, "files", {"spec": 1}, provider=f"{provider.urn}::{UNKNOWN}")
    diff = compare(plan(before, provider, inside), plan(after, provider, inside))
    assert kinds(diff)["files"] is ChangeKind.REPLACED
    assert diff.changes[-1].because == (provider.urn,)
    assert not diff.changes[-1].deletes_first  # In another cluster the name is free.


def test_new_credentials_for_the_same_cluster_replace_nothing() -> None:
    before, after = (
        resource(PROVIDER, "reach", {"clusterIdentifier": "c1", "kubeconfig": secret(digest)})
        for digest in "ab"
    )
    assert one_change(compare(plan(before), plan(after))).kind is ChangeKind.UPDATED


def test_a_provider_whose_cluster_is_named_for_the_first_time_stays() -> None:
    before = resource(PROVIDER, "reach", {"kubeconfig": secret("a")})
    named, renamed = (
        resource(PROVIDER, "reach", {"clusterIdentifier": id_, "kubeconfig": secret("a")})
        for id_ in ("c1", "c2")
    )
    assert one_change(compare(plan(before), plan(named))).kind is ChangeKind.UPDATED
    assert one_change(compare(plan(named), plan(renamed))).kind is ChangeKind.REPLACED


def test_a_name_that_comes_with_another_kubeconfig_comes_too_late() -> None:
    before = resource(PROVIDER, "reach", {"kubeconfig": secret("a")})
    after = resource(PROVIDER, "reach", {"clusterIdentifier": "c1", "kubeconfig": secret("b")})
    assert one_change(compare(plan(before), plan(after))).kind is ChangeKind.REPLACED


def test_another_kubeconfig_may_be_of_another_cluster_where_nothing_else_names_it() -> None:
    before, after = (resource(PROVIDER, "reach", {"kubeconfig": secret(digest)}) for digest in "ab")
    assert one_change(compare(plan(before), plan(after))).kind is ChangeKind.REPLACED


def secret(digest: str) -> Marker:
    return Marker(SECRET, digest=digest)


def test_what_is_deleted_before_its_successor_is_made_takes_its_dependents_with_it() -> None:
    before, after = (
        resource(VOLUME, "volume", _object("PersistentVolume", "data", {"csi": driver}))
        for driver in "ab"
    )
    claim = resource(
        CLAIM,
        "claim",
        _object("PersistentVolumeClaim", "data", {"volumeName": "data"}),
        property_dependencies={"spec": [before.urn]},
    )
    # A claim's provider replaces it for some fields of its spec, and not for all that is unknown.
    assert kinds(compare(plan(before, claim), plan(after, claim))) == {
        "volume": ChangeKind.REPLACED
    }
    claim = replace(claim, replace_on_changes=("spec",))
    note = resource(
        "kubernetes:core/v1:ConfigMap",
        "note",
        _object("ConfigMap", "data", {}),
        property_dependencies={"metadata": [claim.urn]},
    )
    diff = compare(plan(before, claim), plan(after, claim))
    assert kinds(diff) == {"volume": ChangeKind.REPLACED, "claim": ChangeKind.REPLACED}
    assert [change.deletes_first for change in diff.changes] == [True, True]
    assert diff.changes[1].because == (before.urn,)
    unrelated = note.__class__(**{**vars(note), "property_dependencies": {"spec": [claim.urn]}})
    assert "note" not in kinds(
        compare(plan(before, claim, unrelated), plan(after, claim, unrelated))
    )


def _object(kind: str, name: str, spec: object) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_a_new_name_lets_the_old_object_stay_until_the_new_one_is_there() -> None:
    before, after = (
        resource(CLAIM, "claim", _object("PersistentVolumeClaim", name, {})) for name in "ab"
    )
    change = one_change(compare(plan(before), plan(after)))
    assert (change.kind, change.deletes_first) == (ChangeKind.REPLACED, False)


def test_options_of_a_resource_count() -> None:
    inputs = [{"desiredSize": "1"}, {"desiredSize": "2"}]
    ignoring = [resource(POOL, "t4", values, ignore_changes=["desiredSize"]) for values in inputs]
    assert compare(plan(ignoring[0]), plan(ignoring[1])).changes == ()
    replacing = [resource(POOL, "t4", values, replace_on_changes=["*"]) for values in inputs]
    assert one_change(compare(plan(replacing[0]), plan(replacing[1]))).kind is ChangeKind.REPLACED
    first = [
        resource(POOL, "t4", values, replace_on_changes=["desiredSize"], delete_before_replace=True)
        for values in inputs
    ]
    assert one_change(compare(plan(first[0]), plan(first[1]))).deletes_first


def test_a_secret_that_changes_is_seen_and_not_shown() -> None:
    before, after = (resource(POOL, "t4", {"password": secret(digest)}) for digest in "ab")
    [property_] = one_change(compare(plan(before), plan(after))).properties
    assert (property_.path, property_.old, property_.new) == ("password", "[secret]", "[secret]")
    assert compare(plan(before), plan(before)).changes == ()


def test_protection_that_is_taken_off_is_told_though_nothing_changes_in_the_cloud() -> None:
    before, after = resource(POOL, "t4", {}, protect=True), resource(POOL, "t4", {})
    diff = compare(plan(before), plan(after))
    assert (diff.changes, diff.unprotected) == ((), (after.urn,))


def test_what_is_protected_is_refused_by_the_engine_only_where_it_would_go() -> None:
    before = resource(POOL, "t4", {"type": "a"}, protect=True)
    replaced = compare(plan(before), plan(resource(POOL, "t4", {"type": "b"}, protect=True)))
    assert replaced.protected(one_change(replaced))
    deleted = compare(plan(before), plan())
    assert deleted.protected(one_change(deleted))
    updated = compare(plan(before), plan(resource(POOL, "t4", {"type": "a", "name": "b"})))
    assert not updated.protected(one_change(updated))


def test_outputs_of_the_stack_are_compared_too() -> None:
    diff = compare(plan(outputs={"host": "a"}), plan(outputs={"host": "b"}))
    assert [(output.path, output.old, output.new) for output in diff.outputs] == [
        ("host", "a", "b")
    ]


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Group", name, {}, opts)
        below = pulumi.ResourceOptions(parent=self)
        ConfigMap(f"{name}-notes", data={"a": "b"}, metadata={"name": "notes"}, opts=below)


def test_an_alias_moves_a_component_with_all_that_is_called_after_it() -> None:
    before = record(lambda: Group("old"))
    moved = record(lambda: Group("new", pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")])))
    diff = compare(before, moved)
    assert kinds(diff) == {"new": ChangeKind.MOVED, "new-notes": ChangeKind.MOVED}
    assert [change.former.rpartition("::")[2] for change in diff.changes] == ["old", "old-notes"]
    assert set(kinds(compare(before, record(lambda: Group("new")))).values()) == {
        ChangeKind.CREATED,
        ChangeKind.DELETED,
    }


def test_a_value_of_a_moved_resource_stays_what_it_is() -> None:
    def program(name: str, *aliases: pulumi.Alias) -> None:
        options = pulumi.ResourceOptions(aliases=list(aliases))
        space = Namespace(name, metadata={"name": "models"}, opts=options)
        ConfigMap("notes", data={"owner": space.id}, metadata={"name": "notes"})

    before = record(lambda: program("old"))
    after = record(lambda: program("new", pulumi.Alias(name="old")))
    assert kinds(compare(before, after)) == {"new": ChangeKind.MOVED}


def test_a_former_resource_goes_to_one_successor_only() -> None:
    old, first, second = (resource(POOL, name, {}) for name in ("old", "first", "second"))
    successors = [
        successor.__class__(**{**vars(successor), "aliases": [old.urn]})
        for successor in (first, second)
    ]
    by_name = kinds(compare(plan(old), plan(*successors)))
    assert by_name == {"first": ChangeKind.MOVED, "second": ChangeKind.CREATED}
