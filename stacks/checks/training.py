"""Training jobs: pods that have to meet, their processes, and how they give way."""

import re
from collections.abc import Iterator
from typing import Final

from components.args import Fault, Words
from components.serving.launchers import Launch, Launcher, read_launch
from components.serving.vllm_command import expanded
from components.serving.vllm_sources import is_below

from ..sections.environment import Environment
from ..sections.pools import EdgePoolSection
from ..sections.training import TrainingSection
from .rules import check, warning

_ENDS_WELL: Final = re.compile(
    r"""trap\s+(["'])[^"']*\bexit\s+0\s*;?\s*\1(?:\s+\w+)*?\s+(?:SIGTERM|TERM|15)\b"""
)
"""A shell's trap whose last word is `exit 0`."""


@check
def pods_of_a_job_reach_each_other(environment: Environment) -> Iterator[Fault]:
    """Machines of an IDC often cannot reach the pods of others."""
    for job in environment.training:
        for pool in environment.placed(job.placement) if job.parallelism > 1 else []:
            if isinstance(pool, EdgePoolSection) and not pool.interconnected:
                want = f"1, or edge_pools[{pool.name}].interconnected true where it is so"
                why = f"pods of the job talk to each other, and those on {pool.name} cannot"
                yield Fault(f"training[{job.name}].parallelism", job.parallelism, want, why)


@check
def launchers_start_a_process_per_card(environment: Environment) -> Iterator[Fault]:
    """More processes than cards end at once, and pods that do not wait for all train alone."""
    for job in environment.training:
        launch = _launch(job)
        if launch is not None:
            yield from _pod_faults(job, launch)
            yield from _process_faults(job, launch)


@warning
def cards_have_a_process(environment: Environment) -> Iterator[str]:
    """Cards that a job asks for, and starts nothing on."""
    for job in environment.training:
        launch = _launch(job)
        flag, processes, cards = _processes(job, launch) if launch else ("", None, 0)
        if launch and processes is not None and processes < cards:
            yield (
                f"training[{job.name}].command starts {processes} "
                f"process{'' if processes == 1 else 'es'} by {flag}, and the job asks for {cards} "
                "cards: the others stay idle, unless each process takes several."
            )


@warning
def giving_way_is_no_success(environment: Environment) -> Iterator[str]:
    """A pod that ends with 0 after SIGTERM has completed its part, and is not made again.

    A Job's failure policy is asked about pods that failed alone: what preempts a pod marks it, and
    its code decides. findings/job-counts-each-preemption.sh
    """
    for job in environment.training:
        if _ENDS_WELL.search(" ".join(job.command)):
            yield (
                f"training[{job.name}].command traps SIGTERM and ends with 0: a pod that gives way "
                "then counts as done, and the job does not start it again. End with another code."
            )


@warning
def jobs_write_beside_the_models(environment: Environment) -> Iterator[str]:
    """Who serves a folder does not expect other files in it, and a cache does not see them."""
    for job in environment.training:
        folder = job.checkpoint.path
        for model in environment.models:
            read = model.volume
            if read is None or read.source or read.store != job.checkpoint.store:
                continue
            if is_below(folder, read.path) and read.path.strip("/"):
                yield (
                    f"training[{job.name}].checkpoint.path is {folder}, and models[{model.name}] "
                    f"serves {read.path} of the same store: what the job writes is among the files "
                    "that new pods load. Give it a folder of its own, and copy what is done."
                )


def _launch(job: TrainingSection) -> Launch | None:
    return read_launch(expanded(job.command, job.env))


def _pod_faults(job: TrainingSection, launch: Launch) -> Iterator[Fault]:
    field, pods = f"training[{job.name}].command", job.parallelism
    if launch.launcher is Launcher.DEEPSPEED and pods > 1 and "--no-ssh" not in launch.flags:
        want = "one with torchrun, or with --no_ssh"
        why = "deepspeed starts processes of other pods by ssh, which no pod answers: each of "
        why += f"the {pods} would train alone"
        yield Fault(field, Words("one with deepspeed"), want, why)
    flag = "--num-machines" if launch.launcher is Launcher.ACCELERATE else "--nnodes"
    standalone = launch.launcher is Launcher.TORCHRUN and "--standalone" in launch.flags
    text = launch.flags.get(flag, "")
    nodes = re.fullmatch(r"(\d{1,6})(?::(\d{1,6}))?", text)
    if standalone and pods > 1:
        want = "one without it"
        why = f"each of the {pods} pods would train alone"
        yield Fault(field, Words("one with --standalone"), want, why)
    elif nodes and not int(nodes[1]) <= pods <= int(nodes[2] or nodes[1]):
        want = f"one with {pods}, or without it for torchrun, or parallelism {text}"
        if launch.launcher is not Launcher.TORCHRUN:
            want = f"one with {pods}, or parallelism {text}"
        why = "the processes of so many pods wait for each other"
        yield Fault(field, Words(f"one with {_spelled(flag)} {text}"), want, why)


def _process_faults(job: TrainingSection, launch: Launch) -> Iterator[Fault]:
    flag, processes, cards = _processes(job, launch)
    if processes is not None and processes > cards > 0:
        got = Words(f"one with {_spelled(flag)} {processes}")
        want = f"one with {cards} at most, or resources.gpus given to match"
        why = "each process takes a card of its own, and ends where there is none"
        yield Fault(f"training[{job.name}].command", got, want, why)


def _processes(job: TrainingSection, launch: Launch) -> tuple[str, int | None, int]:
    """The flag that counts processes, its value, and the cards that they share."""
    cards = job.resources.gpus or 0
    if "--cpu" in launch.flags:
        return "--cpu", None, cards
    match launch.launcher:
        case Launcher.ACCELERATE:
            return "--num-processes", launch.number("--num-processes"), cards * job.parallelism
        case Launcher.DEEPSPEED:
            return "--num-gpus", launch.number("--num-gpus"), cards
    return "--nproc-per-node", launch.number("--nproc-per-node"), cards


def _spelled(flag: str) -> str:
    """A flag as most write it."""
    return f"--{flag.removeprefix('--').replace('-', '_')}"


@check
def training_gives_way(environment: Environment) -> Iterator[Fault]:
    """Preemption goes from high to low, so training on shared pools must be lower."""
    values = {entry.name: entry.value for entry in environment.priorities}
    for job in environment.training:
        for model in environment.models:
            shared = set(job.placement.pools) & set(model.pools)
            low, high = values.get(job.priority), values.get(model.priority or "", 0)
            unknown = model.priority is not None and model.priority not in values
            if not shared or low is None or unknown or low < high:
                continue
            want = f"of a value below {high}, the priority of models[{model.name}]"
            why = f"they share {', '.join(sorted(shared))}, and only lower pods are preempted"
            yield Fault(f"training[{job.name}].priority", job.priority, want, why)
