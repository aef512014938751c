"""What `diff` says where an autoscaler takes over a number of pods, or gives it back."""

from typing import Final

from plan.diff.compare import compare
from plan.diff.dangers import headlines
from tests.stacks.checks.parts import groups, roles
from tests.stacks.environments import Raw, merged, planned

SCALE: Final = "models[deepseek].serve.leader_worker.scale"
PREFILL: Final = "models[qwen].serve.roles.prefill.scale"
BY_QUEUE: Final = {"min": 1, "max": 2, "metric": "vllm_num_requests_waiting", "target": 4}
FIXED: Final = {"min": 2, "max": 2}
METRICS: Final = {"install": False}
APPLY: Final = "`kubectl apply --server-side"


def change(old: Raw, new: Raw) -> list[str]:
    return headlines(compare(planned(old), planned(new)))


def with_metrics(scale: Raw) -> Raw:
    return merged(groups(), {"gpu_metrics": METRICS, SCALE: scale})


def test_groups_of_which_nobody_says_the_number_any_more_go_to_one() -> None:
    [sentence] = change(with_metrics(FIXED), with_metrics(BY_QUEUE))
    assert sentence == (
        "The replicas of deepseek-groups go from 2 to 1 until the autoscaler brings them back. "
        f"Before the update, {APPLY} --field-manager=autoscaler -f - <<< "
        '\'{"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "metadata": '
        '{"name": "deepseek", "namespace": "inference"}, "spec": {"replicas": 2}}\'` keeps them.'
    )


def test_a_number_that_an_autoscaler_has_set_is_in_the_way_of_a_fixed_one() -> None:
    said = change(with_metrics(BY_QUEUE), with_metrics(FIXED))
    [sentence] = [line for line in said if "fails" in line]
    assert f"then {APPLY} --force-conflicts --field-manager=autoscaler" in sentence
    assert '"spec": {"replicas": 2}' in sentence


def test_one_group_that_is_to_scale_loses_none() -> None:
    said = change(with_metrics({"max": 1}), with_metrics(BY_QUEUE))
    assert not [line for line in said if "replicas" in line]


def test_so_does_each_role_by_its_name() -> None:
    said = change(merged(roles(), {PREFILL: FIXED}), roles())
    [sentence] = [line for line in said if "The replicas of prefill" in line]
    assert "go from 2 to 1" in sentence
    assert '"spec": {"roles": [{"name": "prefill", "replicas": 2}]}' in sentence
