"""What `diff` says of a pool whose nodes come to hand out their cards otherwise."""

from typing import Any

from plan.diff.compare import compare
from plan.diff.sharing import switched
from tests.stacks.environments import dev, merged, planned


def sentences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    alone = {"training": [], "models[qwen].placement.pools": ["t4"]}
    plans = [planned(merged(dev(), {**alone, **changes})) for changes in (old, new)]
    return list(switched(compare(*plans)))


def test_another_mode_gives_cards_out_twice() -> None:
    assert sentences({}, {"pools[a10].gpu_sharing": "share"}) == [
        "This changes how the node pool a10-pool hands out its cards, from default to share: where "
        "pods run on them, ACK gives the same card out twice. Drain the pool first, or make "
        "another one."
    ]


def test_other_labels_and_new_pools_are_no_danger() -> None:
    assert sentences({}, {"pools[a10].labels": {"team": "chat"}}) == []
    pool = {"name": "new", "gpu": "L20", "instance_types": ["ecs.gn8is.2xlarge"], "size": 1}
    assert sentences({}, {"pools[+]": {**pool, "gpu_sharing": "cgpu"}}) == []
