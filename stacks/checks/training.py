"""Training jobs of several pods, which have to meet."""

from collections.abc import Iterator

from components.args import Fault
from components.crds.kserve import deployment_name

from ..environment import EdgePool, Environment
from .rules import check
from .views import placed


@check()
def rendezvous_names_are_free(environment: Environment) -> Iterator[Fault]:
    """Pods of a job meet at a Service of its name, and KServe makes one for each model."""
    services = {deployment_name(m.name): m.name for m in environment.models if m.serve.kserve}
    for job in environment.training:
        if job.parallelism > 1 and job.name in services:
            want = f"another one than {job.name}"
            why = f"KServe makes a Service of that name for models[{services[job.name]}]"
            yield Fault(f"training[{job.name}].name", job.name, want, why)


@check()
def pods_of_a_job_reach_each_other(environment: Environment) -> Iterator[Fault]:
    """Machines of an IDC often cannot reach the pods of others."""
    for job in environment.training:
        for pool in placed(environment, job.placement) if job.parallelism > 1 else []:
            if isinstance(pool, EdgePool) and not pool.interconnected:
                want = f"1, or edge_pools[{pool.name}].interconnected true where it is so"
                why = f"pods of the job talk to each other, and those on {pool.name} cannot"
                yield Fault(f"training[{job.name}].parallelism", job.parallelism, want, why)
