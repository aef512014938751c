"""Which models need which platform: all that a rule is told of the runtimes that serve them.

A rule that asked for a section of `serve` by name would not hold for a runtime of tomorrow.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from .sections.models import ModelSection

CERT_MANAGER: Final = "cert-manager"
GATEWAY: Final = "gateway"
KNATIVE: Final = "knative"
KSERVE: Final = "kserve"
LEADER_WORKER_SETS: Final = "leader-worker-sets"
"""Names of platforms that rules go by, which are those of their components."""


class Needs:
    """The models that need each platform, whoever serves them."""

    def __init__(self, pairs: Iterable[tuple[ModelSection, str]]) -> None:
        self._models: dict[str, list[ModelSection]] = {}
        for model, platform in pairs:
            self._models.setdefault(platform, []).append(model)
        # Asked for every model by several rules: not to be looked up among all of them.
        self._on_knative = {id(model) for model in self.sections(KNATIVE)}

    def sections(self, platform: str) -> Sequence[ModelSection]:
        """The models that need a platform, by the platform's name."""
        return self._models.get(platform, ())

    def models(self, platform: str) -> Sequence[tuple[str, ModelSection]]:
        """The same, each with its field path."""
        return [(f"models[{model.name}]", model) for model in self.sections(platform)]

    def on_knative(self, model: ModelSection) -> bool:
        """Whether Knative runs a model's pods, be it below KServe."""
        return id(model) in self._on_knative

    @property
    def has_ingress(self) -> bool:
        """Whether KServe makes an Ingress of a model: not of one that Knative runs."""
        return not all(map(self.on_knative, self.sections(KSERVE)))
