"""vLLM releases against cards and drivers."""

from collections.abc import Iterator
from typing import Final

from components.args import MISSING, Fault
from components.catalog.gpus import GPUS
from components.catalog.vllm import (
    MINIMUM_CAPABILITY,
    MINIMUM_DRIVER,
    V100_CAPABILITY,
    V100_DROPPED,
    VllmImage,
    vllm_image,
)

from ..environment import (
    AnyPool,
    EdgePool,
    Environment,
    Model,
    Nodes,
    Pool,
)
from .views import models, placed

SECTIONS: Final = {Pool: "pools", EdgePool: "edge_pools", Nodes: "nodes"}
"""Sections of the stack file that pools of a kind stand in."""


def vllm_runs_on_the_cards(environment: Environment) -> Iterator[Fault]:
    """Releases drop cards, and number formats need newer ones."""
    for path, model in models(environment):
        image = vllm_image(model.server.image)
        for pool in placed(environment, model.placement):
            gpu = GPUS.get(pool.gpu or "")
            if gpu is None:
                continue
            if (
                image
                and image.version >= V100_DROPPED
                and gpu.compute_capability <= V100_CAPABILITY
            ):
                want = f"a vLLM below 0.9.0, or placed without pool {pool.name}"
                why = f"vLLM {image.release} has no kernels for {pool.gpu}"
                yield Fault(f"{path}.server.image", model.server.image, want, why)
            for field, value in _formats(model):
                minimum = MINIMUM_CAPABILITY.get(value)
                if minimum is not None and gpu.compute_capability < minimum:
                    want = f"another format, or placed without pool {pool.name}"
                    why = f"{value} needs compute capability {minimum}, {pool.gpu} has "
                    why += f"{gpu.compute_capability}"
                    yield Fault(f"{path}.server.vllm.{field}", value, want, why)


def drivers_run_the_image(environment: Environment) -> Iterator[Fault]:
    """CUDA 13 needs a newer driver than most nodes have."""
    for path, model in models(environment):
        image = vllm_image(model.server.image)
        if image is None:
            continue
        for pool in placed(environment, model.placement):
            section = SECTIONS[type(pool)]
            yield from _driver_faults(f"{section}[{pool.name}].driver", pool, image, path)


def _driver_faults(field: str, pool: AnyPool, image: VllmImage, path: str) -> Iterator[Fault]:
    minimum = MINIMUM_DRIVER.get(image.cuda)
    if minimum is None or pool.gpu is None:
        return
    why = f"{path}.server.image is vLLM {image.release} with CUDA {image.cuda}"
    if pool.driver is None:
        if image.cuda >= max(MINIMUM_DRIVER):
            yield Fault(field, MISSING, f"given, at {minimum} or later", why)
    elif int(pool.driver.split(".")[0]) < minimum:
        want = f"{minimum} or later, or the image one with -cu129 in its tag"
        yield Fault(field, pool.driver, want, why)


def _formats(model: Model) -> Iterator[tuple[str, str]]:
    vllm = model.server.vllm
    if vllm and vllm.quantization:
        yield "quantization", vllm.quantization.value
    if vllm and vllm.dtype:
        yield "dtype", vllm.dtype.value
