"""Cases of the rules of `stacks.checks.addresses`."""

from ..environments import GONE, dev, hybrid, prod
from .cases import Case, refusals, surprises
from .parts import SMALL, own_vpc

ZONE = "network.zones[cn-beijing-h]"
LEAST = "the system keeps 4 of each range, and 4 are left for nodes"

FLANNEL = {
    "network.plugin": "flannel",
    "network.pod_cidr": "172.20.0.0/20",
    f"{ZONE}.pod_cidr": GONE,
    "pools[a10].instance_types": ["ecs.gn7i-8x.32xlarge"],
    "training": GONE,
}

CASES = [
    Case(
        "vswitches_hold_the_fewest_nodes",
        "more nodes from the start than a vSwitch has addresses",
        dev,
        {f"{ZONE}.cidr": "10.0.0.0/29"},
        (
            f"{ZONE}.cidr is '10.0.0.0/29', but it must be a larger range, or another zone beside "
            f"it: {LEAST}, of which pools have 6 at the least."
        ),
        {f"{ZONE}.cidr": "10.0.0.0/28"},
    ),
    Case(
        "vswitches_hold_the_fewest_nodes",
        "a pool of one zone whose range is full, beside others that have room",
        prod,
        {
            "network.zones[cn-shanghai-b].cidr": "10.8.0.0/29",
            "pools[a10].zones": ["cn-shanghai-b"],
            "pools[a10].size": 5,
        },
        (
            "network.zones[cn-shanghai-b].cidr is '10.8.0.0/29', but it must be a larger range, or "
            f"another zone beside it: {LEAST}, of which pools have 5 at the least."
        ),
        {"network.zones[cn-shanghai-b].cidr": "10.8.0.0/29", "pools[a10].zones": ["cn-shanghai-b"]},
    ),
    Case(
        "vswitches_hold_the_fewest_nodes",
        "two zones that are too small together",
        prod,
        {
            "network.zones[cn-shanghai-b].cidr": "10.8.0.0/29",
            "network.zones[cn-shanghai-l].cidr": "10.8.16.0/29",
        },
        (
            "network.zones[cn-shanghai-b].cidr is '10.8.0.0/29', but it must be a larger range, or "
            "another zone beside it: the system keeps 4 of each range, and 8 are left for nodes, "
            "with network.zones[cn-shanghai-l].cidr (10.8.16.0/29), of which pools have 10 at the "
            "least."
        ),
        {
            "network.zones[cn-shanghai-b].cidr": "10.8.0.0/28",
            "network.zones[cn-shanghai-l].cidr": "10.8.16.0/29",
        },
    ),
    Case(
        "pod_ranges_hold_the_fewest_nodes",
        "more nodes from the start than a range of Flannel has shares",
        hybrid,
        {"network.pod_cidr": "172.20.0.0/23"},
        (
            "network.pod_cidr is '172.20.0.0/23', but it must be a larger range, or node_cidr_mask "
            "a smaller share of it: each node takes a share of its own, of which there are 2, and "
            "pools have 3 nodes at the least."
        ),
        {"network.pod_cidr": "172.20.0.0/23", "network.node_cidr_mask": 25},
    ),
    Case(
        "pods_of_a_new_cluster_have_addresses",
        "Terway in a VPC that exists, without vSwitches of pods",
        own_vpc,
        {"network.zones[cn-beijing-k].pod_vswitch_id": GONE},
        (
            "network.zones[cn-beijing-k].pod_vswitch_id is missing, but it must be given: Terway "
            "gives each pod an address of it."
        ),
        {
            "network.plugin": "flannel",
            "network.pod_cidr": "172.20.0.0/16",
            "network.node_cidr_mask": 25,
            "network.zones[cn-beijing-h].pod_vswitch_id": GONE,
            "network.zones[cn-beijing-k].pod_vswitch_id": GONE,
        },
    ),
    Case(
        "pods_fit_the_network_plugin",
        "a node whose share of Flannel's range is too small for its cards",
        dev,
        {**FLANNEL, "network.node_cidr_mask": 28},
        (
            "models[qwen].placement.pools is a10 with room for 16 pods a node, but it must be a "
            "pool with room for 18 pods a node: ecs.gn7i-8x.32xlarge has no more addresses, and "
            "its agents take 10."
        ),
        {**FLANNEL, "network.node_cidr_mask": 27},
    ),
    Case(
        "pods_fit_the_network_plugin",
        "a node with too few addresses",
        dev,
        {
            "instance_types": [{**SMALL, "ips_per_eni": 7}],
            "pools[t4].instance_types": ["ecs.gn6x.large"],
            "training[finetune].placement.pools": ["a10"],
        },
        (
            "models[qwen].placement.pools is t4 with room for 10 pods a node, but it must be a "
            "pool with room for 11 pods a node: ecs.gn6x.large has no more addresses, and its "
            "agents take 10."
        ),
        {
            "instance_types": [{**SMALL, "ips_per_eni": 8}],
            "pools[t4].instance_types": ["ecs.gn6x.large"],
            "training[finetune].placement.pools": ["a10"],
        },
    ),
]
SURPRISES = [
    Case(
        "vswitches_hold_the_most_nodes",
        "a pool that grows beyond its vSwitch",
        dev,
        {f"{ZONE}.cidr": "10.0.0.0/28", "pools[t4].autoscale.max": 7},
        (
            f"There are 12 addresses for nodes in {ZONE}.cidr (10.0.0.0/28), and pools grow to 13: "
            "the last ones are never bought. A cluster keeps its ranges."
        ),
        {f"{ZONE}.cidr": "10.0.0.0/28", "pools[t4].autoscale.max": 6},
    ),
    Case(
        "vswitches_hold_the_most_nodes",
        "the same under Flannel, whose pods have other addresses",
        hybrid,
        {"network.zones[cn-hangzhou-i].cidr": "10.16.0.0/29"},
        (
            "There are 4 addresses for nodes in network.zones[cn-hangzhou-i].cidr (10.16.0.0/29), "
            "and pools grow to 6: the last ones are never bought. A cluster keeps its ranges."
        ),
        {"network.zones[cn-hangzhou-i].cidr": "10.16.0.0/28"},
    ),
    Case(
        "pod_ranges_hold_the_most_nodes",
        "a pool that grows beyond the shares of Flannel's range",
        hybrid,
        {"network.pod_cidr": "172.20.0.0/22"},
        (
            "network.pod_cidr is 172.20.0.0/22, of which 4 nodes get a share each, and there may "
            "be 7, of each edge pool one machine counted: the last ones get no pods. A cluster "
            "keeps its ranges."
        ),
        {"network.pod_cidr": "172.20.0.0/21"},
    ),
    Case(
        "vswitches_hold_the_most_pods",
        "pods that find no address when all is busy",
        dev,
        {f"{ZONE}.pod_cidr": "10.0.64.0/28"},
        (
            f"There are 12 addresses for pods in {ZONE}.pod_cidr (10.0.64.0/28), and 10 nodes with "
            "4 pods of models and jobs, which is the most that there may be, need 14, beside those "
            "of the platform: pods then wait for one. A cluster keeps its ranges."
        ),
        {f"{ZONE}.pod_cidr": "10.0.64.0/28", "models[qwen].serve.knative.scale.max": 1},
    ),
]

test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
