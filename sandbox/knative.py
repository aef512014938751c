"""What Knative answers to the Services of a plan: its webhook's own code, run on manifests."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.crds.knative import API_VERSION
from components.platform.knative import NAMESPACE
from plan.model import Plan

from . import binaries


@dataclass(frozen=True)
class KnativeInputs:
    """What a plan has Knative serve, and what its platform tells Knative."""

    services: Sequence[Mapping[str, Any]]
    """Manifests. What is unknown in them stays: Knative reads none of the fields that it is in."""
    features: Mapping[str, str]
    """Data of the ConfigMap config-features."""
    defaults: Mapping[str, str]
    """Data of the ConfigMap config-defaults."""


def served(plan: Plan) -> KnativeInputs:
    """The Services of a plan, and what its platform sets, by ACK's add-on or by the operator."""
    services = [
        manifest for manifest in plan.manifests("Service") if manifest["apiVersion"] == API_VERSION
    ]
    config = configuration(plan)
    return KnativeInputs(services, config.get("features", {}), config.get("defaults", {}))


def validate(
    services: Sequence[Mapping[str, Any]], features: Mapping[str, str], defaults: Mapping[str, str]
) -> list[str]:
    """What Knative answers to each Service: why it refuses, or "" where it accepts.

    Args:
        services: Manifests.
        features: Data of config-features; what is left out is as Knative ships it.
        defaults: Data of config-defaults, likewise.

    Raises:
        binaries.Unavailable: Knative's code cannot be built here.
        ValueError: Knative cannot read a manifest or a setting.
    """
    document = {"features": dict(features), "defaults": dict(defaults), "services": list(services)}
    program = binaries.find("knative-check")
    result = subprocess.run([program], input=json.dumps(document), capture_output=True, text=True)
    if result.returncode:
        raise ValueError(result.stderr.strip())
    answers: list[str] = json.loads(result.stdout)
    return answers


def configuration(plan: Plan) -> dict[str, Mapping[str, str]]:
    """What a platform sets in Knative's ConfigMaps, by their names without `config-`."""
    data: dict[str, Mapping[str, str]] = {}
    for manifest in plan.manifests("ConfigMap"):
        if manifest["metadata"].get("namespace") == NAMESPACE:
            data[manifest["metadata"]["name"].removeprefix("config-")] = manifest["data"]
    for manifest in plan.manifests("KnativeServing"):
        data |= manifest["spec"].get("config", {})
    return data
