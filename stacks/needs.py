"""Which models need which platform: all that a rule is told of the runtimes that serve them.

A rule that asked for a section of `serve` by name would not hold for a runtime of tomorrow.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from .sections.environment import Environment
from .sections.models import ModelSection

CERT_MANAGER: Final = "cert-manager"
GATEWAY: Final = "gateway"
KNATIVE: Final = "knative"
KSERVE: Final = "kserve"
LLM_INFERENCE_SERVICES: Final = "llm-inference-services"
LEADER_WORKER_SETS: Final = "leader-worker-sets"
ROLE_BASED_GROUPS: Final = "role-based-groups"
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

    def behind_ingress(self, environment: Environment) -> Sequence[ModelSection]:
        """Models with an Ingress: those with a host, and KServe's own that no Knative runs.

        Behind the gateway a model is cluster-local, of which KServe makes none.
        """
        return [
            model
            for model in self.sections(KSERVE)
            if not self.on_knative(model)
            and (
                model.ingress
                or (model.serve.llm is None and not environment.is_behind_gateway(model))
            )
        ]
