"""Cases of the rules of `stacks.checks.sharing`."""

from ..environments import GONE, dev, existing, hybrid
from .cases import Case, refusals, surprises

PART = {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"}

CASES = [
    Case(
        "pools_are_labelled_as_they_share",
        "machines of an IDC labelled for parts of cards",
        hybrid,
        {"edge_pools[idc].labels": {"ack.node.gpu.schedule": "cgpu"}},
        (
            "edge_pools[idc].labels[ack.node.gpu.schedule] is 'cgpu', but it must be 'default', or "
            "left out: nodes of any other mode have no nvidia.com/gpu, which models[qwen-chat], "
            "models[qwen-queue] ask for. See "
            "https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {"edge_pools[idc].labels": {"ack.node.gpu.schedule": "default"}},
    ),
    Case(
        "pools_are_labelled_as_they_share",
        "machines of an IDC with the older label",
        hybrid,
        {"edge_pools[idc].labels": {"gpushare": "true"}},
        (
            "edge_pools[idc].labels[gpushare] is 'true', but it must be left out: nodes with this "
            "label share their cards, and have no nvidia.com/gpu, which models[qwen-chat], "
            "models[qwen-queue] ask for."
        ),
        {"edge_pools[idc].labels": {"gpushare": "false"}},
    ),
    Case(
        "pools_have_the_labels_that_pods_look_for",
        "a card by the name that the stack file has for it",
        dev,
        {"pools[a10].labels": {"aliyun.accelerator/nvidia_name": "A10"}},
        (
            "pools[a10].labels[aliyun.accelerator/nvidia_name] is 'A10', but it must be "
            "'NVIDIA-A10', or left out: ACK sets it on nodes with A10, and pods find their nodes "
            "by it."
        ),
        {"pools[a10].labels": {"aliyun.accelerator/nvidia_name": "NVIDIA-A10"}},
    ),
    Case(
        "pools_have_the_labels_that_pods_look_for",
        "the ID of another pool",
        hybrid,
        {"edge_pools[idc].labels": {"alibabacloud.com/nodepool-id": "np1a2b3c"}},
        (
            "edge_pools[idc].labels[alibabacloud.com/nodepool-id] is 'np1a2b3c', but it must be "
            "left out: ACK sets it to the ID of the pool, by which pods find their nodes."
        ),
        # Of machines, ACK may say no card: their pods go by the pool.
        {"edge_pools[idc].labels": {"aliyun.accelerator/nvidia_name": "V100"}},
    ),
    Case(
        "pools_are_labelled_as_they_share",
        "cards that are shared, for pods that ask for whole ones",
        dev,
        {"pools[a10].labels": {"ack.node.gpu.schedule": "cgpu"}},
        (
            "pools[a10].labels[ack.node.gpu.schedule] is 'cgpu', but it must be 'default', or "
            "left out, with gpu_sharing cgpu on the pool and resources.gpu_memory in place of "
            "gpus: nodes of any other mode have no nvidia.com/gpu, which models[qwen], "
            "training[finetune] ask for. See "
            "https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {"pools[a10].labels": {"ack.node.gpu.schedule": "default"}},
    ),
    Case(
        "pools_are_labelled_as_they_share",
        "nodes of an existing cluster that share cards",
        existing,
        {"nodes[gpu].node_selector": {"ack.node.gpu.schedule": "topology"}, "training": []},
        (
            "nodes[gpu].node_selector[ack.node.gpu.schedule] is 'topology', but it must be "
            "'default', or left out: nodes of any other mode have no nvidia.com/gpu, which "
            "models[qwen] asks for. See https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {"nodes[gpu].node_selector": {"ack.node.gpu.placement": "spread"}, "training": []},
    ),
    Case(
        "pools_are_labelled_as_they_share",
        "cards that are shared by the label of the first cGPU",
        dev,
        {"pools[a10].labels": {"cgpu": "true"}},
        (
            "pools[a10].labels[cgpu] is 'true', but it must be left out, with gpu_sharing cgpu on"
            " the pool and resources.gpu_memory in place of gpus: nodes with this label share "
            "their cards, and have no nvidia.com/gpu, which models[qwen], training[finetune] ask "
            "for."
        ),
        {"pools[a10].labels": {"cgpu": "false"}},
    ),
    Case(
        "pools_are_labelled_as_they_share",
        "cards that are shared by the oldest label, though the new one says whole ones",
        dev,
        {"pools[t4].labels": {"gpushare": "true", "ack.node.gpu.schedule": "default"}},
        (
            "pools[t4].labels[gpushare] is 'true', but it must be left out, with gpu_sharing cgpu"
            " on the pool and resources.gpu_memory in place of gpus: nodes with this label share "
            "their cards, and have no nvidia.com/gpu, which models[qwen], training[finetune] ask "
            "for."
        ),
        {"pools[t4].labels": {"gpushare": "false", "ack.node.gpu.schedule": "default"}},
    ),
    Case(
        "pools_are_labelled_as_they_share",
        "nodes of an existing cluster that share cards by an old label",
        existing,
        {"nodes[gpu].node_selector": {"gpushare": "true"}, "training": []},
        (
            "nodes[gpu].node_selector[gpushare] is 'true', but it must be left out, with "
            "gpu_sharing cgpu on the pool and resources.gpu_memory in place of gpus: nodes with "
            "this label share their cards, and have no nvidia.com/gpu, which models[qwen] asks "
            "for."
        ),
        {"nodes[gpu].node_selector": {"gpu": "true"}, "training": []},
    ),
    Case(
        "pools_are_labelled_as_they_share",
        "a pool without askers may share its cards",
        dev,
        {"pools[t4].labels": {"cgpu": "true"}, "training": []},
        (
            "pools[t4].labels[cgpu] is 'true', but it must be left out, with gpu_sharing cgpu on "
            "the pool and resources.gpu_memory in place of gpus: nodes with this label share "
            "their cards, and have no nvidia.com/gpu, which models[qwen] asks for."
        ),
        {
            "pools[t4].labels": {"cgpu": "true"},
            "models[qwen].placement.pools": ["a10"],
            "training": [],
        },
    ),
    Case(
        "pods_ask_for_what_pools_hand_out",
        "a whole card on a pool that hands out parts",
        dev,
        {"pools[a10].gpu_sharing": "cgpu", "models[qwen].placement.pools": ["a10"], "training": []},
        (
            "models[qwen].server.resources.gpus is 1, but it must be left out, and gpu_memory "
            "given, or pool a10 of gpu_sharing exclusive: its cards are handed out by gpu_sharing"
            " cgpu. See https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "16", "memory": "64Gi", "gpu_memory": "8Gi"},
        },
    ),
    Case(
        "pods_ask_for_what_pools_hand_out",
        "a part of a card on a pool of whole ones",
        dev,
        {
            "models[qwen].server.resources": {"cpu": "16", "memory": "64Gi", "gpu_memory": "8Gi"},
            "models[qwen].placement.pools": ["a10"],
            "training": [],
        },
        (
            "models[qwen].server.resources.gpu_memory is '8Gi', but it must be left out, and gpus"
            " given, or pool a10 of gpu_sharing share, cgpu, core_mem, mps: its cards are handed "
            "out by gpu_sharing exclusive. See "
            "https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {
            "pools[a10].gpu_sharing": "core_mem",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "16", "memory": "64Gi", "gpu_memory": "8Gi"},
        },
    ),
    Case(
        "pods_ask_for_what_pools_hand_out",
        "memory on a pool that is divided by MIG",
        existing,
        {
            "nodes[gpu].gpu": "A100",
            "nodes[gpu].gpu_sharing": "mig",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"},
            "training": [],
        },
        (
            "models[qwen].server.resources.gpu_memory is '11Gi', but it must be left out, and mig"
            " given, or pool gpu of gpu_sharing share, cgpu, core_mem, mps: its cards are handed "
            "out by gpu_sharing mig. See https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {
            "nodes[gpu].gpu": "A100",
            "nodes[gpu].gpu_sharing": "mig",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "mig": "1g.20gb"},
            "training": [],
        },
    ),
    Case(
        "pods_ask_for_what_pools_hand_out",
        "compute of a card that is shared by memory alone",
        dev,
        {
            "pools[a10].gpu_sharing": "mps",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {
                "cpu": "16",
                "memory": "64Gi",
                "gpu_memory": "8Gi",
                "gpu_cores": 30,
            },
        },
        (
            "models[qwen].server.resources.gpu_cores is 30, but it must be left out, or "
            "gpu_sharing core_mem on pool a10: no other way to share a card counts its compute. "
            "See https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {
            "pools[a10].gpu_sharing": "core_mem",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {
                "cpu": "16",
                "memory": "64Gi",
                "gpu_memory": "8Gi",
                "gpu_cores": 30,
            },
        },
    ),
    Case(
        "parts_fit_their_cards",
        "a part that is larger than a card",
        dev,
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "16", "memory": "64Gi", "gpu_memory": "23Gi"},
        },
        (
            "models[qwen].server.resources.gpu_memory is '23Gi', but it must be at most 22Gi on "
            "pool a10: a card of A10 has no more, and a part is of one card."
        ),
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "16", "memory": "64Gi", "gpu_memory": "22Gi"},
        },
    ),
    Case(
        "parts_fit_their_cards",
        "an instance of a card that has no MIG",
        existing,
        {
            "nodes[gpu].gpu_sharing": "mig",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "mig": "1g.5gb"},
            "training": [],
        },
        (
            "models[qwen].server.resources.mig is '1g.5gb', but it must be left out on pool gpu: "
            "A10 has no MIG."
        ),
        {
            "nodes[gpu].gpu": "A100-40GB",
            "nodes[gpu].gpu_sharing": "mig",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "mig": "1g.5gb"},
            "training": [],
        },
    ),
    Case(
        "parts_fit_their_cards",
        "a profile of another card",
        existing,
        {
            "nodes[gpu].gpu": "H20",
            "nodes[gpu].gpu_sharing": "mig",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "mig": "1g.10gb"},
            "training": [],
        },
        (
            "models[qwen].server.resources.mig is '1g.10gb', but it must be one of 1g.12gb, "
            "1g.24gb, 2g.24gb, 3g.48gb, 4g.48gb, 7g.96gb on pool gpu: H20 has no such profile."
        ),
        {
            "nodes[gpu].gpu": "H20",
            "nodes[gpu].gpu_sharing": "mig",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "mig": "2g.24gb"},
            "training": [],
        },
    ),
    Case(
        "servers_keep_to_their_part",
        "a server that takes more than its part of a card that it sees whole",
        existing,
        {
            "nodes[gpu].gpu_sharing": "share",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"},
            "models[qwen].server.vllm.gpu_memory_utilization": 0.51,
            "training": [],
        },
        (
            "models[qwen].server.vllm.gpu_memory_utilization is 0.51, but it must be 0.5 or less,"
            " or left out: on pool gpu vLLM sees all 22 GiB of the card, of which gpu_memory 11Gi"
            " is its part: others would lose theirs."
        ),
        {
            "nodes[gpu].gpu_sharing": "share",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"},
            "models[qwen].server.vllm.gpu_memory_utilization": 0.5,
            "training": [],
        },
    ),
    Case(
        "servers_keep_to_their_part",
        "a command that leaves vLLM its default",
        existing,
        {
            "nodes[gpu].gpu_sharing": "share",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"},
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": ["vllm", "serve", "/mnt/models/qwen", "--port", "8080"],
            "training": [],
        },
        (
            "models[qwen].server.command is one by which vLLM takes 0.9 of a card, but it must be"
            " one with --gpu-memory-utilization 0.5: on pool gpu vLLM sees all 22 GiB of the "
            "card, of which gpu_memory 11Gi is its part: others would lose theirs."
        ),
        {
            "nodes[gpu].gpu_sharing": "share",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"},
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": [
                "vllm",
                "serve",
                "/mnt/models/qwen",
                "--port",
                "8080",
                "--gpu-memory-utilization",
                "0.45",
            ],
            "training": [],
        },
    ),
    Case(
        "sharing_suits_the_cluster",
        "a shared pool of an Edge cluster",
        hybrid,
        {
            "pools[+]": {
                "name": "x",
                "gpu": "A10",
                "instance_types": ["ecs.gn7i-c8g1.2xlarge"],
                "size": 1,
                "gpu_sharing": "cgpu",
            }
        },
        (
            "pools[x].gpu_sharing is 'cgpu', but it must be 'exclusive', or left out: ACK shares "
            "cards on managed Pro clusters alone. See "
            "https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {
            "pools[+]": {
                "name": "x",
                "gpu": "A10",
                "instance_types": ["ecs.gn7i-c8g1.2xlarge"],
                "size": 1,
                "gpu_sharing": "exclusive",
            }
        },
    ),
    Case(
        "machines_offer_what_is_asked",
        "more devices than a node has",
        existing,
        {
            "nodes[gpu].allocatable.extended": {"aliyun/erdma": 1},
            "models[qwen].server.resources.extended": {"aliyun/erdma": 2},
        },
        (
            "models[qwen].server.resources.extended[aliyun/erdma] is 2, but it must be at most 1 "
            "on pool gpu: nodes[gpu].allocatable.extended offers 1."
        ),
        {
            "nodes[gpu].allocatable.extended": {"aliyun/erdma": 2},
            "models[qwen].server.resources.extended": {"aliyun/erdma": 2},
        },
    ),
    Case(
        "machines_offer_what_is_asked",
        "devices that a node does not have",
        existing,
        {
            "nodes[gpu].allocatable.extended": {"example.com/nic": 1},
            "models[qwen].server.resources.extended": {"aliyun/erdma": 1},
        },
        (
            "models[qwen].server.resources.extended[aliyun/erdma] is 1, but it must be left out: "
            "nodes[gpu].allocatable.extended offers none of it."
        ),
        {
            "nodes[gpu].allocatable.extended": {"example.com/nic": 1},
            "models[qwen].server.resources.extended": {"example.com/nic": 1},
        },
    ),
]

SURPRISES = [
    Case(
        "nodes_may_lack_what_is_asked",
        "RDMA on a type that no page says has it",
        dev,
        {"models[qwen].server.resources.extended": {"aliyun/erdma": 1}},
        (
            "models[qwen].server.resources.extended asks for aliyun/erdma, and no page says that "
            "ecs.gn7i-c32g1.8xlarge has an elastic RDMA interface: on pool a10 pods stay pending "
            "unless its nodes have it."
        ),
        {
            "models[qwen].server.resources.extended": {"aliyun/erdma": 1},
            "pools[a10].gpu": "L20",
            "pools[a10].instance_types": ["ecs.gn8is-2x.8xlarge"],
        },
    ),
    Case(
        "nodes_may_lack_what_is_asked",
        "a device that nothing here installs",
        dev,
        {"models[qwen].server.resources.extended": {"example.com/nic": 1}},
        (
            "models[qwen].server.resources.extended asks for example.com/nic, and nothing here "
            "installs what offers it: on pool t4 pods stay pending unless its nodes have it."
        ),
        {},
    ),
    Case(
        "nodes_may_lack_what_is_asked",
        "a device of machines that do not say what they offer",
        existing,
        {"models[qwen].server.resources.extended": {"example.com/nic": 1}},
        (
            "models[qwen].server.resources.extended asks for example.com/nic, and "
            "nodes[gpu].allocatable.extended does not offer it: on pool gpu pods stay pending "
            "unless its nodes have it."
        ),
        {
            "models[qwen].server.resources.extended": {"example.com/nic": 1},
            "nodes[gpu].allocatable.extended": {"example.com/nic": 1},
        },
    ),
    Case(
        "types_have_mig",
        "MIG on virtual machines",
        dev,
        {
            "pools[+]": {
                "name": "new",
                "gpu": "A100",
                "gpu_sharing": "mig",
                "instance_types": ["ecs.gn7e-c16g1.4xlarge"],
                "size": 1,
            }
        },
        (
            "pools[new].gpu_sharing is mig, and ECS says of bare metal alone that it has MIG, not "
            "of ecs.gn7e-c16g1.4xlarge: where its cards are not divided, pods stay pending."
        ),
        {
            "pools[+]": {
                "name": "new",
                "gpu": "A100",
                "gpu_sharing": "mig",
                "instance_types": ["ecs.ebmgn7e.32xlarge"],
                "size": 1,
            }
        },
    ),
    Case(
        "parts_under_mps_are_set",
        "a part by MPS, of which vLLM may see the whole card",
        existing,
        {"nodes[gpu].gpu_sharing": "mps", "models[qwen].server.resources": PART, "training": []},
        (
            "models[qwen] has 11 GiB of a card on pool gpu by MPS, and no page says whether vLLM "
            "sees these or the whole card: if it fails to start for want of memory, set "
            "vllm.gpu_memory_utilization to 0.45."
        ),
        {
            "nodes[gpu].gpu_sharing": "mps",
            "models[qwen].server.resources": PART,
            "models[qwen].server.vllm.gpu_memory_utilization": 0.45,
            "training": [],
        },
    ),
]

test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_warned_of, test_what_is_just_inside_is_not_warned_of = surprises(SURPRISES)
