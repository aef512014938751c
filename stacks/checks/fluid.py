"""Where Fluid runs."""

from collections.abc import Iterator

from components.args import Fault
from components.cloud.node_pool import ImageType

from ..sections.environment import Environment
from ..sections.pools import PoolSection
from .rules import check
from .views import cached


@check
def fluid_runs_on_the_image(environment: Environment) -> Iterator[Fault]:
    """Fluid mounts caches by a CSI plugin that ContainerOS does not carry."""
    why = "Fluid does not support ContainerOS"
    want = f"{ImageType.ALIYUN_LINUX_3} or another image than ContainerOS"
    refused: set[str] = set()
    for _, cache, model in cached(environment):
        for name in [cache.pool, *model.pools]:
            pool = environment.pool(name)
            on_container_os = (
                isinstance(pool, PoolSection) and pool.image_type is ImageType.CONTAINER_OS
            )
            if on_container_os and name not in refused:
                refused.add(name)
                yield Fault(f"pools[{name}].image_type", ImageType.CONTAINER_OS, want, why)
