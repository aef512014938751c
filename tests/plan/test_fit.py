"""Whether a pod fits a node. Does not prove that the real scheduler says the same."""

from typing import Any

import pytest

from plan.fit import FreeRoom, fits, requests, tolerates

TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


def pod(name: str = "a", labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    about = {"name": name, "namespace": "inference", "labels": labels or {}}
    return {"metadata": about, "spec": {"containers": [], **spec}}


def container(cpu: str = "1", memory: str = "1Gi", **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


def room(name: str = "n1", labels: dict[str, str] | None = None, **free: int) -> FreeRoom:
    return FreeRoom(
        name,
        {"kubernetes.io/hostname": name, **(labels or {})},
        (),
        {"cpu": 4000, "memory": 8 * 2**30, "pods": 10, **free},
    )


def affinity(*expressions: dict[str, Any], kind: str = "matchExpressions") -> dict[str, Any]:
    terms = [{kind: [expression]} for expression in expressions]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"nodeAffinity": required}


def apart(key: str = "kubernetes.io/hostname", **labels: str) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": key}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def together(key: str = "kubernetes.io/hostname", **labels: str) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": key}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def fits_alone(candidate: dict[str, Any], host: FreeRoom) -> bool:
    return fits(candidate, host, [host])


def test_containers_are_added_up_and_one_pod_among_them():
    candidate = pod(containers=[container("500m", "1Gi"), container("1", "2Gi")])
    assert requests(candidate) == {"cpu": 1500, "memory": 3 * 2**30, "pods": 1}


def test_what_only_a_limit_names_is_requested():
    limits = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    assert requests(pod(containers=[limits]))["nvidia.com/gpu"] == 1


def test_the_largest_container_that_prepares_counts_where_it_asks_for_more():
    candidate = pod(containers=[container("1")], initContainers=[container("3"), container("2")])
    assert requests(candidate)["cpu"] == 3000


def test_a_container_that_stays_beside_the_others_is_added():
    beside = container("1", restartPolicy="Always")
    candidate = pod(containers=[container("1")], initContainers=[beside, container("2")])
    assert requests(candidate)["cpu"] == 3000
    assert requests(pod(containers=[container("1")], initContainers=[beside]))["cpu"] == 2000


@pytest.mark.parametrize(("cpu", "fit"), [("4", True), ("4001m", False)])
def test_a_pod_fits_up_to_what_is_free(cpu: str, fit: bool):
    assert fits_alone(pod(containers=[container(cpu)]), room()) is fit


def test_a_resource_that_a_node_does_not_have_does_not_fit():
    candidate = pod(containers=[{"resources": {"requests": {"nvidia.com/gpu": "1"}}}])
    assert not fits_alone(candidate, room())
    assert fits_alone(candidate, room(**{"nvidia.com/gpu": 1}))


def test_what_is_taken_is_no_longer_free():
    host = room()
    host.take(pod(containers=[container("3")]))
    assert not fits_alone(pod(containers=[container("2")]), host)


@pytest.mark.parametrize(
    ("toleration", "bears"),
    [
        ({"key": "nvidia.com/gpu", "operator": "Equal", "value": "present"}, True),
        ({"key": "nvidia.com/gpu", "value": "absent"}, False),
        ({"key": "nvidia.com/gpu", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_taint_keeps_away_who_does_not_tolerate_it(toleration: dict[str, str], bears: bool):
    assert tolerates(pod(tolerations=[toleration]), [TAINT]) is bears


def test_a_taint_that_only_asks_keeps_nobody_away():
    assert tolerates(pod(), [{**TAINT, "effect": "PreferNoSchedule"}])
    assert not tolerates(pod(), [TAINT])


def test_a_selector_asks_for_all_of_its_labels():
    candidate = pod(nodeSelector={"card": "A10", "zone": "h"})
    assert not fits_alone(candidate, room(labels={"card": "A10"}))
    assert fits_alone(candidate, room(labels={"card": "A10", "zone": "h"}))


@pytest.mark.parametrize(
    ("expression", "fit"),
    [
        ({"key": "card", "operator": "In", "values": ["T4", "A10"]}, True),
        ({"key": "card", "operator": "In", "values": ["T4"]}, False),
        ({"key": "card", "operator": "NotIn", "values": ["T4"]}, True),
        ({"key": "other", "operator": "NotIn", "values": ["T4"]}, True),
        ({"key": "card", "operator": "Exists"}, True),
        ({"key": "card", "operator": "DoesNotExist"}, False),
        ({"key": "memory", "operator": "Gt", "values": ["20"]}, True),
        ({"key": "memory", "operator": "Lt", "values": ["20"]}, False),
        ({"key": "card", "operator": "In", "values": []}, False),
    ],
)
def test_a_term_of_an_affinity_is_read_as_kubernetes_reads_it(
    expression: dict[str, Any], fit: bool
):
    candidate = pod(affinity=affinity(expression))
    assert fits_alone(candidate, room(labels={"card": "A10", "memory": "22"})) is fit


def test_terms_of_an_affinity_are_alternatives_and_an_empty_one_is_none():
    no, yes = (
        {"key": "card", "operator": "In", "values": ["T4"]},
        {"key": "card", "operator": "Exists"},
    )
    assert fits_alone(pod(affinity=affinity(no, yes)), room(labels={"card": "A10"}))
    terms = {"nodeSelectorTerms": [{}]}
    empty = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    assert not fits_alone(pod(affinity=empty), room())


def test_an_affinity_can_name_a_node():
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    candidate = pod(affinity=affinity(field, kind="matchFields"))
    assert fits_alone(candidate, room("n1"))
    assert not fits_alone(candidate, room("n2"))


def test_pods_that_keep_apart_do_not_share_a_node_whoever_says_so():
    worker = pod("w1", {"app": "cache"}, affinity=apart(app="cache"))
    plain = pod("w2", {"app": "cache"})
    host = room()
    host.take(worker)
    assert not fits_alone(plain, host)
    host = room()
    host.take(plain)
    assert not fits_alone(worker, host)
    assert fits(worker, room("n2"), [host])


def test_pods_that_keep_apart_in_a_zone_do_not_share_it():
    worker = pod("w1", {"app": "cache"}, affinity=apart("zone", app="cache"))
    host, neighbour = room("n1", {"zone": "h"}), room("n2", {"zone": "h"})
    host.take(pod("w2", {"app": "cache"}))
    assert not fits(worker, neighbour, [host, neighbour])
    assert fits(worker, room("n3", {"zone": "l"}), [host, neighbour])


def test_pods_of_another_namespace_are_not_meant():
    neighbour = pod("w2", {"app": "cache"})
    neighbour["metadata"]["namespace"] = "elsewhere"
    host = room()
    host.take(neighbour)
    assert fits_alone(pod("w1", {"app": "cache"}, affinity=apart(app="cache")), host)


def test_pods_that_belong_together_follow_the_first_which_stands_anywhere():
    pair = together(app="pair")
    host, neighbour = room("n1"), room("n2")
    first, second = (
        pod("p1", {"app": "pair"}, affinity=pair),
        pod("p2", {"app": "pair"}, affinity=pair),
    )
    assert fits(first, host, [host, neighbour])
    host.take(first)
    assert fits(second, host, [host, neighbour])
    assert not fits(second, neighbour, [host, neighbour])
    assert not fits(pod("x", affinity=together(app="nobody")), host, [host, neighbour])
