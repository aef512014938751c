"""Ways to load a model."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from components.args import Args, Because, Fault
from components.crds.formats import ImageReference
from components.hosts import url_form
from components.serving.load_generators import Generator
from components.serving.load_test import RUN, job_name
from components.serving.scenarios import Connections, Prompt, Scenario
from components.serving.training_job import name_faults

from .stores import VolumeSection

_URL: Final = "http://qwen.inference"


class LoadTestSection(Args):
    """A way to load a model, and to measure how long its users wait."""

    name: str
    """Name of the test."""
    model: str
    """Name of an entry of `models`."""
    served_name: str | None = None
    """Name that requests put into `model`: an alias or a LoRA adapter of it. Default: its first."""
    scenario: Scenario
    """How the model is loaded: exactly one of the kinds."""
    prompt: Prompt = Prompt()
    """What every request asks."""
    run: str | None = Field(default=None, pattern=RUN, examples=["first"])
    """Asks for a run, and names it. Left out, the test is only declared. Another value starts it
    again, and nothing else does."""
    generator: Generator = Generator.INFERENCE_PERF
    """Program that sends the requests. The default knows every scenario."""
    image: ImageReference | None = None
    """Image of the generator, e.g. in a registry of one's own. Default: its makers'; hey has none.
    """
    kubectl_image: ImageReference | None = None
    """Image that has kubectl, for a cold start. Default: Kubernetes' own, whose registry cannot be
    reached from mainland China."""
    url: Annotated[str | None, url_form(_URL), Because("requests are sent to it")] = Field(
        default=None, examples=[_URL]
    )
    """Address of the model inside the cluster. Default: that of its Service."""
    connections: Connections = Connections.NEW
    """Whether each request opens one, which then reaches any pod, or goes on with one that is open.
    By default as somebody who has just come."""
    results: VolumeSection | None = None
    """Folder that keeps the reports, writable by user 65532. Left out, the log alone has them."""

    def _faults(self) -> Iterator[Fault]:
        yield from name_faults(self.job_name)

    @property
    def job_name(self) -> str:
        """Name of the Job that a run is."""
        return job_name(self.name, self.run)
