"""LeaderWorkerSets, for models on several nodes."""

from collections.abc import Iterator
from typing import Final

from components.args import Fault
from components.crds.llm_inference_service_labels import workload_name
from components.platform import LeaderWorkerSets, LeaderWorkerSetsArgs
from components.platform.leader_worker_sets import LeaderWorkerSetsChart
from components.serving.leader_worker_model import service_name

from ..needs import LEADER_WORKER_SETS as NAME
from ..needs import Needs
from ..sections.environment import Environment
from .platform import controller, edge_faults

LEADER_WORKER_SETS: Final = controller(
    NAME, LeaderWorkerSets, LeaderWorkerSetsArgs, LeaderWorkerSetsChart
)


# --- checks --------------------------------------------------------------------------------------


@LEADER_WORKER_SETS.check
def groups_run_in_one_network(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """Pods of a group talk to each other all the time, which machines of an IDC often cannot."""
    why = (
        "ACK documents gang scheduling for ACK Pro alone, and pods of a group need a network that "
        "machines of an IDC have with each other at best"
    )
    yield from edge_faults(environment, needs, NAME, why)


@LEADER_WORKER_SETS.check
def names_of_groups_are_their_own(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A set has a headless Service called as it is, and its leaders have one beside it."""
    owners = {model.name: f"models[{model.name}].name" for model in environment.models}
    owners |= {
        job.name: f"training[{job.name}].name"
        for job in environment.training
        if job.parallelism > 1
    }
    for path, model in needs.models(NAME):
        is_set = model.serve.leader_worker is not None
        headless = model.name if is_set else workload_name(model.name, groups=True)
        for name in (headless, service_name(model.name)) if is_set else (headless,):
            owner = owners.get(name)
            if owner is not None and owner != f"{path}.name":
                why = f"{path} has a Service of that name"
                yield Fault(owner, name, "another one", why)
