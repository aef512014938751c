"""Cases of the rules of `stacks.checks.pools`."""

from ..environments import GONE, dev, existing, hybrid
from .cases import Case, refusals, surprises
from .parts import CARDS, NO_CARD

CARD_TAINT = {"key": "nvidia.com/gpu", "value": "present"}
CASES = [
    Case(
        "PoolSection",
        "the taint of GPU pools with another value",
        dev,
        {"pools[a10].taints": [{"key": "nvidia.com/gpu", "value": "true"}]},
        (
            "pools[a10].taints[nvidia.com/gpu].value is 'true', but it must be present, or the "
            "taint left out, or dedicated false: the nodes have it by themselves, for pods that "
            "need a GPU, and Kubernetes takes one taint per key and effect."
        ),
        {"pools[a10].taints": [CARD_TAINT, {**CARD_TAINT, "effect": "NoExecute"}]},
    ),
    Case(
        "PoolSection",
        "the same of a pool that has no such taint",
        dev,
        {"pools[a10].taints": [{"key": "nvidia.com/gpu"}]},
        (
            "pools[a10].taints[nvidia.com/gpu].value is missing, but it must be present, or the "
            "taint left out, or dedicated false: the nodes have it by themselves, for pods that "
            "need a GPU, and Kubernetes takes one taint per key and effect."
        ),
        {"pools[a10].taints": [{"key": "nvidia.com/gpu"}], "pools[a10].dedicated": False},
    ),
    Case(
        "instance_types_are_known",
        "an instance type that nobody knows",
        dev,
        {"pools[system].instance_types": ["ecs.g7.2xlarg"]},
        (
            "pools[system].instance_types is 'ecs.g7.2xlarg', but it must be a type of the "
            "catalogue (did you mean 'ecs.g7.2xlarge'?), or described under instance_types: "
            "whether pods fit depends on its size."
        ),
        {
            "pools[system].instance_types": ["ecs.g9.2xlarge"],
            "instance_types": [{"name": "ecs.g9.2xlarge", "vcpus": 8, "memory_gib": 32}],
        },
    ),
    Case(
        "cards_are_known",
        "a described instance type with a card that nobody knows",
        dev,
        {
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": NO_CARD}
            ]
        },
        (
            f"instance_types[ecs.gn9.large].gpu is '{NO_CARD}', but it must be one of {CARDS}, "
            "or described under gpus: its memory and compute capability decide what runs on it."
        ),
        {
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": "L20"}
            ]
        },
    ),
    Case(
        "instance_types_have_the_card",
        "a pool that claims another card",
        dev,
        {"pools[a10].gpu": "L20"},
        ("pools[a10].gpu is 'L20', but it must be A10: ecs.gn7i-c32g1.8xlarge has A10."),
        {},
    ),
    Case(
        "instance_types_have_the_card",
        "a pool that hides its card",
        dev,
        {"pools[+]": {"name": "hidden", "instance_types": ["ecs.gn6i-c24g1.6xlarge"], "size": 0}},
        ("pools[hidden].gpu is missing, but it must be T4: ecs.gn6i-c24g1.6xlarge has T4."),
        {
            "pools[+]": {
                "name": "hidden",
                "instance_types": ["ecs.gn6i-c24g1.6xlarge"],
                "size": 0,
                "gpu": "T4",
            }
        },
    ),
    Case(
        "described_cards_are_new",
        "a card of the catalogue with other figures",
        existing,
        {
            "gpus": [
                {"name": "H20", "label": "NVIDIA-H20", "memory_gib": 96, "compute_capability": 9.0}
            ]
        },
        (
            "gpus[H20].memory_gib is 96, but it must be 95: the catalogue has H20; another card "
            "has another name."
        ),
        {
            "gpus": [
                {"name": "H20", "label": "NVIDIA-H20", "memory_gib": 95, "compute_capability": 9.0}
            ]
        },
    ),
    Case(
        "described_cards_are_new",
        "a card of the catalogue with another bandwidth",
        existing,
        {
            "gpus": [
                {"name": "H20", "memory_gib": 95, "compute_capability": 9.0, "bandwidth_gbs": 4800}
            ]
        },
        (
            "gpus[H20].bandwidth_gbs is 4800, but it must be 4000: the catalogue has H20; another "
            "card has another name."
        ),
        {
            "gpus": [
                {"name": "H20", "memory_gib": 95, "compute_capability": 9.0, "bandwidth_gbs": 4000}
            ]
        },
    ),
    Case(
        "described_cards_are_new",
        "the label of a card of the catalogue",
        existing,
        {
            "gpus": [
                {
                    "name": "H20-3e",
                    "label": "NVIDIA-L20",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                }
            ]
        },
        (
            "gpus[H20-3e].label is 'NVIDIA-L20', but it must be the label of another card, or gpu"
            " L20 used: nodes with that label have L20 cards, of the catalogue."
        ),
        {
            "gpus": [
                {
                    "name": "H20-3e",
                    "label": "NVIDIA-H20-3e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                }
            ]
        },
    ),
    Case(
        "described_cards_are_new",
        "two cards with one label",
        existing,
        {
            "gpus": [
                {
                    "name": "H20-3e",
                    "label": "NVIDIA-H20-3e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                },
                {
                    "name": "H20-4e",
                    "label": "NVIDIA-H20-3e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                },
            ]
        },
        (
            "gpus[H20-4e].label is 'NVIDIA-H20-3e', but it must be that of one card: H20-3e and "
            "H20-4e have it, and pods of one would land on the other."
        ),
        {
            "gpus": [
                {
                    "name": "H20-3e",
                    "label": "NVIDIA-H20-3e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                },
                {
                    "name": "H20-4e",
                    "label": "NVIDIA-H20-4e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                },
            ]
        },
    ),
    Case(
        "cards_are_known",
        "a card as its node label has it",
        existing,
        {"nodes[gpu].gpu": "Tesla-T4"},
        (
            f"nodes[gpu].gpu is 'Tesla-T4', but it must be one of {CARDS} (did you mean 'T4'?), or "
            "described under gpus: its memory and compute capability decide what runs on it."
        ),
        {"nodes[gpu].gpu": "T4"},
    ),
    Case(
        "instance_types_are_known",
        "a type of a family that is not known, of which another one has another card",
        dev,
        {"pools[a10].instance_types": ["ecs.gn9gc.4xlarge"]},
        (
            "pools[a10].instance_types is 'ecs.gn9gc.4xlarge', but it must be a type of the "
            "catalogue, or described under instance_types: whether pods fit depends on its size."
        ),
        {},
    ),
    *(
        Case(
            "cards_are_known",
            f"{name}, which is no name here",
            existing,
            {"nodes[gpu].gpu": name},
            (
                f"nodes[gpu].gpu is '{name}', but it must be one of {CARDS}{meant}, or described "
                "under gpus: its memory and compute capability decide what runs on it."
            ),
            {"nodes[gpu].gpu": "T4"},
        )
        for name, meant in (
            ("NVIDIA A10", " (did you mean 'A10'?)"),
            ("A100 80G", " (did you mean 'A100'?)"),
            ("V100-32G", " (did you mean 'V100-32GB'?)"),
            # Other cards, though their names are much alike.
            ("A10G", ""),
            ("B200", ""),
            ("H20-3e", ""),
        )
    ),
    Case(
        "cards_are_known",
        "a described card under another name",
        existing,
        {
            "gpus": [
                {
                    "name": "H20-3e",
                    "label": "NVIDIA-H20-3e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                }
            ],
            "nodes[gpu].gpu": "H20-3E",
        },
        (
            f"nodes[gpu].gpu is 'H20-3E', but it must be one of H20-3e, {CARDS} (did you mean "
            "'H20-3e'?), or described under gpus: its memory and compute capability decide what "
            "runs on it."
        ),
        {
            "gpus": [
                {
                    "name": "H20-3e",
                    "label": "NVIDIA-H20-3e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                }
            ],
            "nodes[gpu].gpu": "H20-3e",
        },
    ),
    Case(
        "drivers_run_the_cards",
        "a driver that is older than a card",
        existing,
        {
            "gpus": [
                {
                    "name": "H20-3e",
                    "label": "NVIDIA-H20-3e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                    "driver": "590.10",
                }
            ],
            "nodes[gpu].gpu": "H20-3e",
        },
        (
            "nodes[gpu].driver is '580.126.09', but it must be 590.10 or later: "
            "gpus[H20-3e].driver says that older ones do not run the card."
        ),
        {
            "gpus": [
                {
                    "name": "H20-3e",
                    "label": "NVIDIA-H20-3e",
                    "memory_gib": 139,
                    "compute_capability": 9.0,
                    "driver": "580.9",
                }
            ],
            "nodes[gpu].gpu": "H20-3e",
        },
    ),
]

SURPRISES = [
    *(
        Case(
            "labels_have_a_domain_of_their_own",
            f"a label of Kubernetes' own on nodes of {pools}",
            hybrid,
            {f"{pools}.labels": {"node-role.kubernetes.io/gpu": ""}},
            (
                f"{pools}.labels has node-role.kubernetes.io/gpu, and Kubernetes keeps "
                "kubernetes.io and k8s.io for itself: a kubelet that is told it by --node-labels "
                "exits, and the node does not join. Take a domain of your own, or "
                "node.kubernetes.io."
            ),
            {f"{pools}.labels": {"node.kubernetes.io/gpu": "", "example.com/k8s.io": ""}},
        )
        for pools in ("pools[elastic]", "edge_pools[idc]")
    ),
    Case(
        "cards_that_nobody_names",
        "cards of machines of which nobody says the kind",
        existing,
        {"nodes[gpu].gpu": GONE},
        (
            "nodes[gpu].gpu is left out, though nodes[gpu].allocatable has GPUs: whether models "
            "fit their memory, and what their compute capability and driver can run, is not "
            "checked. Name the card, or describe it under gpus."
        ),
        {},
    ),
]

test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_warned_of, test_what_is_just_inside_is_not_warned_of = surprises(SURPRISES)
