import pytest

from components.serving.launchers import Launcher, read_launch


@pytest.mark.parametrize(
    ("words", "launcher", "flag", "number"),
    [
        (["torchrun", "--nproc_per_node=2", "train.py"], Launcher.TORCHRUN, "--nproc-per-node", 2),
        (["torchrun", "--nnodes", "4", "-m", "train"], Launcher.TORCHRUN, "--nnodes", 4),
        (
            ["torchrun", "--standalone", "t.py", "--nnodes", "2"],
            Launcher.TORCHRUN,
            "--nnodes",
            None,
        ),
        (["torchrun", "train.py", "--nnodes=2"], Launcher.TORCHRUN, "--nnodes", None),
        (["torchrun", "--nproc-per-node", "gpu"], Launcher.TORCHRUN, "--nproc-per-node", None),
        (
            ["python", "-m", "torch.distributed.run", "--nnodes=2", "t.py"],
            Launcher.TORCHRUN,
            "--nnodes",
            2,
        ),
        (["sh", "-c", "cd /w && torchrun --nnodes 2 t.py"], Launcher.TORCHRUN, "--nnodes", 2),
        (
            ["accelerate", "launch", "--num_processes", "8", "train.py"],
            Launcher.ACCELERATE,
            "--num-processes",
            8,
        ),
        (["/opt/bin/deepspeed", "--num_gpus=2", "t.py"], Launcher.DEEPSPEED, "--num-gpus", 2),
    ],
)
def test_a_launcher_is_seen_with_its_own_flags(
    words: list[str], launcher: Launcher, flag: str, number: int | None
):
    launch = read_launch(words)
    assert launch is not None
    assert (launch.launcher, launch.number(flag)) == (launcher, number)


@pytest.mark.parametrize(
    "words",
    [["python", "train.py"], ["llamafactory-cli", "train", "x.yaml"], ["accelerate", "config"], []],
)
def test_other_programs_launch_nothing(words: list[str]):
    assert read_launch(words) is None
