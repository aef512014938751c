"""Cases of the rules of `stacks.checks.training`."""

from typing import Final

from ..environments import dev, hybrid
from .cases import Case, refusals, surprises
from .parts import BIG_NODES, CONNECTED, LOW, pair, roles

ON_L20: Final = pair(
    placement={"pools": ["l20"]},
    parallelism=1,
    checkpoint={"store": "models", "size": "1Gi", "mount_path": "/checkpoints"},
)
CASES = [
    Case(
        "pods_of_a_job_reach_each_other",
        "a job of two pods on machines that cannot reach each other",
        hybrid,
        {"training": [pair()], **LOW},
        (
            "training[pair].parallelism is 2, but it must be 1, or "
            "edge_pools[idc].interconnected true where it is so: pods of the job talk to each "
            "other, and those on idc cannot."
        ),
        {"training": [pair()], **LOW, "edge_pools[idc]": CONNECTED},
    ),
    Case(
        "launchers_start_a_process_per_card",
        "more processes than the job has cards",
        dev,
        {"training[finetune].command": ["torchrun", "--nproc_per_node=2", "t.py"]},
        (
            "training[finetune].command is one with --nproc_per_node 2, but it must be one with "
            "1 at most, or resources.gpus given to match: each process takes a card of its own, "
            "and ends where there is none."
        ),
        {"training[finetune].command": ["torchrun", "--nproc_per_node=1", "t.py"]},
    ),
    Case(
        "launchers_start_a_process_per_card",
        "processes that wait for pods that never come",
        dev,
        {"training[finetune].command": ["torchrun", "--nnodes=2", "t.py"]},
        (
            "training[finetune].command is one with --nnodes 2, but it must be one with 1, or "
            "without it for torchrun, or parallelism 2: the processes of so many pods wait for "
            "each other."
        ),
        {"training[finetune].command": ["torchrun", "--nnodes=1:4", "t.py"]},
    ),
    Case(
        "launchers_start_a_process_per_card",
        "machines that wait for pods that never come",
        dev,
        {"training[finetune].command": ["accelerate", "launch", "--num_machines=2", "t.py"]},
        (
            "training[finetune].command is one with --num_machines 2, but it must be one with 1, "
            "or parallelism 2: the processes of so many pods wait for each other."
        ),
        {"training[finetune].command": ["accelerate", "launch", "--num_machines=1", "t.py"]},
    ),
    Case(
        "launchers_start_a_process_per_card",
        "pods that train alone",
        dev,
        {
            "training[finetune].parallelism": 2,
            "training[finetune].command": ["torchrun", "--standalone", "t.py"],
        },
        (
            "training[finetune].command is one with --standalone, but it must be one without it: "
            "each of the 2 pods would train alone."
        ),
        {"training[finetune].parallelism": 2, "training[finetune].command": ["torchrun", "t.py"]},
    ),
    Case(
        "launchers_start_a_process_per_card",
        "pods that a launcher reaches by ssh",
        dev,
        {"training[finetune].parallelism": 2, "training[finetune].command": ["deepspeed", "t.py"]},
        (
            "training[finetune].command is one with deepspeed, but it must be one with torchrun, "
            "or with --no_ssh: deepspeed starts processes of other pods by ssh, which no pod "
            "answers: each of the 2 would train alone."
        ),
        {
            "training[finetune].parallelism": 2,
            "training[finetune].command": ["deepspeed", "--no_ssh", "t.py"],
        },
    ),
    Case(
        "training_gives_way",
        "training that is worth as much as a model it shares pools with",
        dev,
        {"priorities[training-low-priority].value": 1000000},
        (
            "training[finetune].priority is 'training-low-priority', but it must be of a value "
            "below 1000000, the priority of models[qwen]: they share a10, t4, and only lower "
            "pods are preempted."
        ),
        {"priorities[training-low-priority].value": 999999},
    ),
    Case(
        "training_gives_way",
        "training that is worth as much as a model on the pools of one of its roles",
        roles,
        {
            "priorities": [{"name": "low", "value": -1}, {"name": "lower", "value": -2}],
            "models[qwen].priority": "low",
            "training": [ON_L20],
        },
        (
            "training[pair].priority is 'low', but it must be of a value below -1, the priority of "
            "models[qwen]: they share l20, and only lower pods are preempted."
        ),
        {
            "priorities": [{"name": "low", "value": -1}, {"name": "lower", "value": -2}],
            "models[qwen].priority": "low",
            "training": [{**ON_L20, "priority": "lower"}],
        },
    ),
]
SURPRISES = [
    Case(
        "giving_way_is_no_success",
        "a trap that ends with 0 once the checkpoint is saved",
        dev,
        {
            "training[finetune].command": [
                "bash",
                "-c",
                "trap 'save; exit 0' INT TERM; train & wait",
            ]
        },
        (
            "training[finetune].command traps SIGTERM and ends with 0: a pod that gives way then "
            "counts as done, and the job does not start it again. End with another code."
        ),
        {
            "training[finetune].command": [
                "bash",
                "-c",
                "trap 'save; exit 1' INT TERM; train & wait",
            ]
        },
    ),
    Case(
        "jobs_write_beside_the_models",
        "checkpoints in the folder of a model",
        dev,
        {
            "training[finetune].checkpoint.store": "models",
            "training[finetune].checkpoint.path": "/Qwen-7B-Chat-Int8/checkpoints",
        },
        (
            "training[finetune].checkpoint.path is /Qwen-7B-Chat-Int8/checkpoints, and "
            "models[qwen] serves /Qwen-7B-Chat-Int8 of the same store: what the job writes is "
            "among the files that new pods load. Give it a folder of its own, and copy what is "
            "done."
        ),
        {"training[finetune].checkpoint.path": "/Qwen-7B-Chat-Int8/checkpoints"},
    ),
    Case(
        "cards_have_a_process",
        "cards that no process takes",
        dev,
        {
            **BIG_NODES,
            "training[finetune].resources.gpus": 2,
            "training[finetune].placement.pools": ["a10"],
            "training[finetune].command": ["torchrun", "--nproc-per-node=1", "t.py"],
        },
        (
            "training[finetune].command starts 1 process by --nproc-per-node, and the job asks "
            "for 2 cards: the others stay idle, unless each process takes several."
        ),
        {
            **BIG_NODES,
            "training[finetune].resources.gpus": 2,
            "training[finetune].placement.pools": ["a10"],
            "training[finetune].command": ["torchrun", "t.py"],
        },
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
