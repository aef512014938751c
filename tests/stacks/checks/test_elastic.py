"""Cases of the rules of `stacks.checks.elastic`."""

from ..environments import GONE, dev, prod
from .cases import Case, surprises
from .parts import own_ack_cluster

SURPRISES = [
    Case(
        "pods_are_sure_of_a_new_node",
        "a pod that takes more of a new node than is sure",
        dev,
        {"models[qwen].server.resources.cpu": "17"},
        (
            "models[qwen].server.resources.cpu is 17, 71% of ecs.gn6i-c24g1.6xlarge in pool t4: "
            "GOATScaler guesses what a new node will offer, and is sure of 70% only. Try whether "
            "it adds a node for such a pod, or ask for less."
        ),
        # 16.8 is 70 %; and no node is added to a pool of a fixed size.
        {"models[qwen].server.resources.cpu": "16800m"},
    ),
    Case(
        "pods_are_sure_of_a_new_node",
        "training that takes more memory of a new node than is sure",
        dev,
        {"training[finetune].resources.memory": "66Gi"},
        (
            "training[finetune].resources.memory is 66Gi, 71% of ecs.gn6i-c24g1.6xlarge in pool "
            "t4: GOATScaler guesses what a new node will offer, and is sure of 70% only. Try "
            "whether it adds a node for such a pod, or ask for less."
        ),
        {
            "training[finetune].resources.memory": "66Gi",
            "training[finetune].placement.pools": ["a10"],
        },
    ),
    Case(
        "spot_pools_buy_spot",
        "a spot pool that buys on demand",
        prod,
        {"pools[a10-spot].spot.compensate_with_on_demand": True},
        (
            "pools[a10-spot].spot.compensate_with_on_demand is true: GOATScaler does not look at "
            "the stock of spot instances, and buys on demand even where there are some. The plan "
            "prices the pool on demand."
        ),
        {},
    ),
    Case(
        "spot_pools_have_spot_nodes",
        "a spot pool whose nodes are all at the full price",
        prod,
        {"pools[a10-spot].spot.on_demand_base": 12},
        (
            "pools[a10-spot].spot.on_demand_base is 12, and autoscale.max is 12: all nodes are "
            "bought at the full price, and none is a spot instance."
        ),
        {"pools[a10-spot].spot.on_demand_base": 11},
    ),
    Case(
        "an_existing_cluster_scales_nodes",
        "an autoscaled pool in a cluster whose autoscaling is left as it is",
        own_ack_cluster,
        {"pools[a10].size": GONE, "pools[a10].autoscale": {"min": 0, "max": 2}},
        (
            "pools a10 are autoscaled, and the cluster of cluster.id scales nodes only if that is "
            "turned on there. With cluster.autoscaling the stack turns it on, and replaces the "
            "settings that the cluster has."
        ),
        {
            "pools[a10].size": GONE,
            "pools[a10].autoscale": {"min": 0, "max": 2},
            "cluster.autoscaling": {},
        },
    ),
]


test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
