"""Cases of the rules of `stacks.checks.cluster`."""

from typing import Final

from ..environments import GONE, Raw, dev, existing, hybrid, prod
from .cases import Case, refusals, surprises
from .parts import TERWAY, TERWAY_EDGE, own_ack_cluster, own_vpc

PODS: Final = "10.0.64.0/18"
NETWORK: Raw = dev()["network"]
TAINT: Final = {"key": "team", "value": "llm"}


CASES = [
    Case(
        "AckClusterArgs",
        "an API server for the whole Internet",
        dev,
        {"cluster.public_endpoint": {"allowed_cidrs": ["0.0.0.0/0"]}},
        (
            "cluster.public_endpoint.allowed_cidrs[0] is '0.0.0.0/0', but it must be an IPv4 range "
            "of /8 or narrower, such as 203.0.113.7/32: the API server is for named networks, not "
            "for the Internet."
        ),
        {"cluster.public_endpoint": {"allowed_cidrs": ["203.0.113.7/32"]}},
    ),
    Case(
        "AckClusterArgs",
        "a maintenance window at a time of no zone",
        prod,
        {"cluster.maintenance_window.start": "2026-12-01T02:00:00"},
        (
            "cluster.maintenance_window.start is '2026-12-01T02:00:00', but it must be a time with "
            "its zone, such as '2026-11-26T03:00:00.000+08:00': without one, nobody knows when it "
            "is."
        ),
        {"cluster.maintenance_window.start": "2026-12-01T02:00:00+08:00"},
    ),
    Case(
        "enough_nodes_carry_the_platform",
        "pools that have a taint throughout",
        dev,
        {"pools[system].taints": [TAINT], "pools[cache].taints": [TAINT]},
        (
            "pools is tainted throughout, but it must be a pool with at least one node and no "
            "taint: the controllers of the platform have nowhere to run."
        ),
        {
            "pools[system].taints": [{**TAINT, "effect": "PreferNoSchedule"}],
            "pools[cache].taints": [TAINT],
        },
    ),
    Case(
        "sections_suit_the_profile",
        "a cluster of ours without a region",
        dev,
        {"region": GONE},
        ("region is missing, but it must be given: profile pro creates a cluster."),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "a cluster of ours without a network",
        dev,
        {"network": GONE},
        ("network is missing, but it must be given: profile pro creates a cluster."),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "a cluster of ours without pools",
        dev,
        {"pools": GONE},
        ("pools is missing, but it must be given: profile pro creates a cluster."),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "a kubeconfig for a cluster of ours",
        dev,
        {"kubeconfig": {"secure": "v1:A:B"}},
        (
            "kubeconfig is given, but it must be left out, or cluster.id given: profile pro "
            "creates its cluster and its pools."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "nodes for a cluster of ours",
        dev,
        {"nodes": [{"name": "gpu", "node_selector": {"a": "b"}}]},
        (
            "nodes is given, but it must be left out, or cluster.id given: profile pro creates its "
            "cluster and its pools."
        ),
        {"nodes": []},
    ),
    Case(
        "sections_suit_the_profile",
        "an existing cluster without a kubeconfig",
        existing,
        {"kubeconfig": GONE},
        (
            "kubeconfig is missing, but it must be set, by `pulumi config set --secret "
            "ack-inference:kubeconfig`: profile existing reaches a cluster by kubeconfig and "
            "knows nodes by label."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "an existing cluster without nodes",
        existing,
        {"nodes": GONE},
        (
            "nodes is missing, but it must be given: profile existing reaches a cluster by "
            "kubeconfig and knows nodes by label."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "a network for an existing cluster",
        existing,
        {"network": NETWORK},
        (
            "network is given, but it must be left out, or profile pro or edge with cluster.id: an "
            "existing cluster is used as it is; name its nodes under nodes."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "pools for an existing cluster",
        existing,
        {"pools": [{"name": "system", "instance_types": ["ecs.g7.2xlarge"], "size": 1}]},
        (
            "pools is given, but it must be left out, or profile pro or edge with cluster.id: an "
            "existing cluster is used as it is; name its nodes under nodes."
        ),
        {"pools": []},
    ),
    Case(
        "sections_suit_the_profile",
        "machines of an IDC for a cluster in the cloud alone",
        dev,
        {"edge_pools": [{"name": "idc"}]},
        (
            "edge_pools is given, but it must be left out, or cluster.profile edge: only an ACK "
            "Edge cluster takes in machines of an IDC."
        ),
        {"edge_pools": []},
    ),
    Case(
        "sections_suit_the_profile",
        "edge pools for an existing cluster",
        existing,
        {"edge_pools": [{"name": "idc"}]},
        (
            "edge_pools is given, but it must be left out, or profile pro or edge with cluster.id: "
            "an existing cluster is used as it is; name its nodes under nodes."
        ),
        {"edge_pools": []},
    ),
    Case(
        "plugins_suit_the_profile",
        "Terway in an IDC",
        hybrid,
        TERWAY,
        (
            "network.plugin is 'terway', but it must be 'flannel' or 'terway-edge': a cluster of "
            "profile edge has no other."
        ),
        TERWAY_EDGE,
    ),
    Case(
        "plugins_suit_the_profile",
        "a plugin for IDCs in a cluster in the cloud alone",
        dev,
        {"network.plugin": "terway-edge", "network.dedicated_line": True},
        (
            "network.plugin is 'terway-edge', but it must be 'terway' or 'flannel': a cluster of "
            "profile pro has no other."
        ),
        {"network.dedicated_line": True},
    ),
    Case(
        "zones_lie_in_the_region",
        "a zone of another region",
        dev,
        {"region": "cn-shanghai"},
        (
            "network.zones[cn-beijing-h].id is 'cn-beijing-h', but it must be a zone of "
            "cn-shanghai, or region cn-beijing: the VPC lies in that region."
        ),
        {"region": "ap-southeast-1", "network.zones[cn-beijing-h].id": "ap-southeast-1a"},
    ),
    Case(
        "AckClusterArgs",
        "Services on the addresses of the VPC",
        dev,
        {"network.service_cidr": "10.0.240.0/20"},
        (
            "network.service_cidr is '10.0.240.0/20', but it must be apart from network.cidr "
            "(10.0.0.0/16): an address can belong to one range only."
        ),
        {"network.service_cidr": "10.1.0.0/20"},
    ),
    Case(
        "NetworkArgs",
        "a vSwitch outside of the VPC",
        dev,
        {"network.zones[cn-beijing-h].cidr": "10.1.0.0/20"},
        (
            "network.zones[cn-beijing-h].cidr is '10.1.0.0/20', but it must be inside the VPC "
            "(10.0.0.0/16): a vSwitch is a part of its VPC."
        ),
        {"network.zones[cn-beijing-h].cidr": "10.0.240.0/20"},
    ),
    Case(
        "NetworkArgs",
        "pods on the addresses of nodes",
        dev,
        {"network.zones[cn-beijing-h].pod_cidr": "10.0.0.0/18"},
        (
            "network.zones[cn-beijing-h].pod_cidr is '10.0.0.0/18', but it must be apart from "
            "zones[cn-beijing-h].cidr (10.0.0.0/20): an address can belong to one range only."
        ),
        {"network.zones[cn-beijing-h].pod_cidr": "10.0.16.0/20"},
    ),
    Case(
        "pools_use_zones_of_the_network",
        "a pool in a zone that the network has not",
        dev,
        {"pools[a10].zones": ["cn-beijing-k"]},
        (
            "pools[a10].zones is 'cn-beijing-k', but it must be one of cn-beijing-h: a pool's "
            "nodes stand in a vSwitch of the network."
        ),
        {"pools[a10].zones": ["cn-beijing-h"]},
    ),
    Case(
        "enough_nodes_carry_the_platform",
        "no node for controllers",
        dev,
        {"pools[system].size": 0, "pools[cache].dedicated": True},
        (
            "pools is dedicated or empty throughout, but it must be a pool with at least one "
            "node that is not dedicated to GPU pods: the controllers of the platform have "
            "nowhere to run."
        ),
        {"pools[system].size": 1, "pools[cache].dedicated": True},
    ),
    Case(
        "sections_suit_the_profile",
        "tags where nothing is created that takes them",
        existing,
        {"tags": {"team": "llm"}},
        ("tags is given, but it must be left out: profile existing creates nothing in a cloud."),
        {"tags": {}},
    ),
    Case(
        "sections_suit_the_profile",
        "a resource group where nothing is created",
        existing,
        {"resource_group_id": "rg-acfm0a1b2c3d4e5"},
        (
            "resource_group_id is given, but it must be left out: profile existing creates nothing "
            "in a cloud."
        ),
        {},
    ),
    Case(
        "sections_suit_the_profile",
        "an ACK cluster that exists, without its region",
        own_ack_cluster,
        {"region": GONE, "stores[models]": {"name": "models", "claim": {"name": "models"}}},
        ("region is missing, but it must be given: the cluster of cluster.id is looked up there."),
        {"stores[models]": {"name": "models", "claim": {"name": "models"}}},
    ),
    Case(
        "sections_suit_the_profile",
        "an ACK cluster that exists, and nothing to place pods on",
        own_ack_cluster,
        {"pools": [], "nodes": []},
        (
            "pools is missing, but it must be given, or else nodes: pods are placed on pools that "
            "the stack creates, or on nodes that are there."
        ),
        {"pools": [], "network": GONE, "models[qwen].placement.pools": ["own-a10"]},
    ),
    Case(
        "sections_suit_the_profile",
        "new pools in an ACK cluster that exists, without vSwitches",
        own_ack_cluster,
        {"network": GONE},
        ("network is missing, but it must be given: new nodes stand in its vSwitches."),
        {"nodes": [], "models[qwen].placement.pools": ["a10"]},
    ),
    Case(
        "sections_suit_the_profile",
        "a new VPC for an ACK cluster that exists",
        own_ack_cluster,
        {
            "network.vpc_id": GONE,
            "network.cidr": "10.0.0.0/16",
            "network.zones": [{"id": "cn-beijing-h", "cidr": "10.0.0.0/20"}],
        },
        (
            "network.vpc_id is missing, but it must be given: new nodes stand in the VPC of the "
            "cluster."
        ),
        {"network.cidr": "10.0.0.0/16"},
    ),
    Case(
        "sections_suit_the_profile",
        "addresses of Services for an ACK cluster that exists",
        own_ack_cluster,
        {"network.service_cidr": "172.21.0.0/20"},
        (
            "network.service_cidr is '172.21.0.0/20', but it must be left out: the cluster of "
            "cluster.id has it already."
        ),
        {"network.plugin": "flannel"},
    ),
    Case(
        "sections_suit_the_profile",
        "vSwitches of pods for an ACK cluster that exists",
        own_ack_cluster,
        {"network.zones[cn-beijing-h].pod_vswitch_id": "vsw-2zeb"},
        (
            "network.zones[cn-beijing-h].pod_vswitch_id is 'vsw-2zeb', but it must be left out: "
            "the cluster of cluster.id knows the vSwitches of its pods."
        ),
        {"network.nat": "create"},
    ),
    Case(
        "sections_suit_the_profile",
        "a context of a kubeconfig that ACK is asked for",
        own_ack_cluster,
        {"cluster.context": "prod"},
        (
            "cluster.context is 'prod', but it must be left out: without the key kubeconfig, ACK "
            "is asked for one, which has one context."
        ),
        {"cluster.context": "prod", "kubeconfig": {"secure": "v1:A:B"}},
    ),
    Case(
        "networks_say_the_range_of_a_vpc",
        "a public endpoint in a VPC whose range nobody says",
        own_vpc,
        {"network.cidr": GONE, "cluster.public_endpoint": {"allowed_cidrs": ["203.0.113.7/32"]}},
        (
            "network.cidr is missing, but it must be given: the access list of "
            "cluster.public_endpoint has to let in the nodes."
        ),
        {"network.cidr": GONE},
    ),
    Case(
        "networks_say_the_range_of_a_vpc",
        "a new file system in a VPC whose range nobody says",
        own_vpc,
        {"network.cidr": GONE, "stores[models]": {"name": "models", "nas": {}}},
        (
            "network.cidr is missing, but it must be given: the file system of stores[models] lets "
            "in the addresses of the VPC."
        ),
        {"stores[models]": {"name": "models", "nas": {}}},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)

TAGS = {f"key-{number}": "x" for number in range(20)}
SURPRISES = [
    Case(
        "regions_are_known",
        "a region that is misspelt",
        dev,
        {
            "region": "cn-bejing",
            "network.zones": [{"id": "cn-bejing-h", "cidr": "10.0.0.0/20", "pod_cidr": PODS}],
        },
        (
            "region is cn-bejing, which is none of the 41 regions that are known here (did you "
            "mean 'cn-beijing'?): unless it is newer than those, `up` reaches no API there."
        ),
        {},
    ),
    Case(
        "pools_repair_themselves_where_somebody_looks",
        "a pool in a cluster that may lack what looks at its nodes",
        own_ack_cluster,
        {},
        (
            "a10: ACK refuses pools that repair or upgrade themselves in "
            "c0a1b2c3d4e5f60718293a4b5c6d7e8f9 with InvalidParameter.Management, unless it has "
            "ack-node-problem-detector, which looks at nodes and which newer clusters come "
            "without: install it before, and name it in cluster.addons, or set auto_repair to "
            "false."
        ),
        {"cluster.addons": [{"name": "ack-node-problem-detector"}]},
    ),
    Case(
        "pools_repair_themselves_where_somebody_looks",
        "a pool that ACK upgrades in such a cluster",
        own_ack_cluster,
        {"pools[a10].auto_repair": False, "pools[a10].auto_upgrade": True},
        (
            "a10: ACK refuses pools that repair or upgrade themselves in "
            "c0a1b2c3d4e5f60718293a4b5c6d7e8f9 with InvalidParameter.Management, unless it has "
            "ack-node-problem-detector, which looks at nodes and which newer clusters come "
            "without: install it before, and name it in cluster.addons, or set auto_repair to "
            "false."
        ),
        {"pools[a10].auto_repair": False},
    ),
    Case(
        "addons_are_called_as_acks_api_has_them",
        "an add-on by the name of what it runs",
        dev,
        {"cluster.addons": [{"name": "nginx-ingress"}]},
        (
            "cluster.addons[nginx-ingress] is no add-on that is known here, and "
            "nginx-ingress-controller is: ACK refuses what it does not know."
        ),
        {"cluster.addons": [{"name": "nginx-ingress-controller"}]},
    ),
    Case(
        "addons_are_called_as_acks_api_has_them",
        "an add-on that is mistyped",
        dev,
        {"cluster.addons": [{"name": "arms-promethues"}]},
        (
            "cluster.addons[arms-promethues] is no add-on that is known here, and arms-prometheus "
            "is: ACK refuses what it does not know."
        ),
        {"cluster.addons": [{"name": "ack-of-tomorrow"}]},
    ),
    Case(
        "tags_find_room",
        "more tags than a resource takes",
        dev,
        {"tags": {**TAGS, "team": "x"}},
        (
            "tags come to 21, and a resource of Alibaba Cloud takes 20: what has more is not "
            "created."
        ),
        {"tags": TAGS},
    ),
    Case(
        "tags_find_room",
        "a pool whose own are too many beside those of the environment",
        dev,
        {"tags": TAGS, "pools[a10].tags": {"team": "x", "key-0": "y"}},
        (
            "pools[a10].tags come to 21, with those of the environment, and a resource of Alibaba "
            "Cloud takes 20: what has more is not created."
        ),
        {"tags": TAGS, "pools[a10].tags": {"key-0": "y"}},
    ),
    Case(
        "private_clusters_need_a_way_in",
        "an API server that answers inside the VPC alone",
        dev,
        {},
        (
            "The API server has a private address only: run `pulumi up` where it can be reached "
            "(a runner in the VPC, a VPN). cluster.public_endpoint opens it to the Internet, and a "
            "policy refuses that until policy-config.json exempts the stack: see "
            "docs/operations.md, Reach the API server."
        ),
        {"cluster.public_endpoint": {"allowed_cidrs": ["203.0.113.7/32"]}},
    ),
]
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
