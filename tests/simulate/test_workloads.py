"""Which pods there are, and which of them end first."""

import math

from simulate.workloads import PodController, Workloads, deletion_order

from .clusters import LOW, cluster, node, places, policy, submit, template


def test_a_replica_set_has_as_many_pods_as_it_is_told_and_replaces_one_that_ends_at_once():
    placement = cluster({"a10": 3})
    workloads = Workloads(placement)
    qwen = template()
    workloads.scale(qwen, 2)
    created = workloads.reconcile(0).created
    placement.schedule(0)
    assert places(placement) == {"qwen": {"a10": 2}}
    placement.end(1, created[0])
    [successor] = workloads.reconcile(1).created
    assert successor.name not in {pod.name for pod in created}
    workloads.gone(5, created[0])
    assert not workloads.reconcile(5).created
    workloads.scale(qwen, 0)
    assert len(workloads.reconcile(6).ended) == 2


def test_a_job_replaces_a_pod_once_it_is_gone_and_waits_twice_as_long_each_time():
    placement = cluster({"a10": 1})
    workloads = Workloads(placement)
    workloads.scale(template("train", LOW), 1, PodController.JOB)
    now = 0.0
    for seconds in (10, 20, 40, 80, 160, 320, 600, 600):
        [pod] = workloads.reconcile(now).created
        placement.schedule(now)
        placement.end(now, pod)
        assert not workloads.reconcile(now).created
        workloads.gone(now, pod)
        assert not workloads.reconcile(now).created
        assert workloads.next_time(now) == now + seconds
        now += seconds
    [pod] = workloads.reconcile(now).created
    workloads.gone(now, pod, succeeded=True)
    assert not workloads.reconcile(now + 9999).created
    assert workloads.next_time(now) == math.inf


def test_jobs_wait_only_where_they_back_off():
    placement = cluster({"a10": 1})
    workloads = Workloads(placement, backs_off=False)
    workloads.scale(template("train", LOW), 1, PodController.JOB)
    [pod] = workloads.reconcile(0).created
    workloads.gone(1, pod)
    assert len(workloads.reconcile(1).created) == 1


def test_a_success_forgets_the_failures_before():
    placement = cluster({})
    workloads = Workloads(placement)
    workloads.scale(template("train", LOW), 2, PodController.JOB)
    first, second = workloads.reconcile(0).created
    workloads.gone(0, first)
    workloads.gone(0, second, succeeded=True)
    assert workloads.by_name["train"].failures == 0


def test_a_pod_without_a_node_ends_before_one_that_has_one_though_that_is_newer():
    placement = cluster({})
    qwen = template()
    [waiting] = submit(placement, 0, qwen)
    placement.add_node(1, node("a10"))
    placed = placement.submit(1, "placed", qwen, node="a10-1")
    assert deletion_order(9, [placed, waiting]) == [waiting, placed]


def test_a_pod_that_is_not_ready_ends_before_one_that_is_then_the_cheaper_one_though_older():
    placement = cluster({"t4": 1}, [policy()])
    [elsewhere] = submit(placement, 0, template())
    for number in (1, 2):
        placement.add_node(1, node("a10", number))
    first, second = submit(placement, 1, elsewhere.template, 2)
    for pod in (second, elsewhere):
        placement.set_ready(1, pod)
    assert deletion_order(9, [second, elsewhere, first]) == [first, elsewhere, second]


def test_of_pods_of_one_cost_that_share_a_node_with_more_ends_first_then_the_younger():
    placement = cluster({"a10": 3})
    workload = template(gpus=0)
    pods = [
        placement.submit(0, name, workload, node=where)
        for name, where in (("a", "a10-1"), ("b", "a10-2"), ("c", "a10-2"), ("d", "a10-3"))
    ]
    for pod, ready in zip(pods, (900, 1, 1, 1), strict=True):
        placement.set_ready(ready, pod)
    order = [pod.name for pod in deletion_order(1000, pods)]
    assert order == ["c", "b", "a", "d"]


def test_ages_count_as_equal_within_a_power_of_two():
    placement = cluster({"a10": 3})
    pods = [
        placement.submit(0, name, template(gpus=0), node=f"a10-{number}")
        for number, name in enumerate("abc", 1)
    ]
    for pod, ready in zip(pods, (100, 50, 900), strict=True):
        placement.set_ready(ready, pod)
    # b has been ready for longer than a, but not for twice as long: the newer pod ends first.
    assert [pod.name for pod in deletion_order(1000, pods)] == ["c", "b", "a"]
