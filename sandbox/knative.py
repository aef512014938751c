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
class Served:
    """What a plan has Knative serve, and what its platform tells Knative."""

    services: Sequence[Mapping[str, Any]]
    """Manifests. What is unknown in them stays: Knative reads none of the fields that it is in."""
    features: Mapping[str, str]
    """Data of the ConfigMap config-features."""
    defaults: Mapping[str, str]
    """Data of the ConfigMap config-defaults."""


def served(plan: Plan) -> Served:
    """The Services of a plan, and what its platform sets, by ACK's add-on or by the operator."""
    services = [one for one in plan.manifests("Service") if one["apiVersion"] == API_VERSION]
    config = _configuration(plan)
    return Served(services, config.get("features", {}), config.get("defaults", {}))


def judge(
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
    asked = {"features": dict(features), "defaults": dict(defaults), "services": list(services)}
    program = binaries.find("knative-check")
    result = subprocess.run([program], input=json.dumps(asked), capture_output=True, text=True)
    if result.returncode:
        raise ValueError(result.stderr.strip())
    answers: list[str] = json.loads(result.stdout)
    return answers


def _configuration(plan: Plan) -> dict[str, Mapping[str, str]]:
    """Data of Knative's ConfigMaps, by their names without `config-`."""
    found: dict[str, Mapping[str, str]] = {}
    for one in plan.manifests("ConfigMap"):
        if one["metadata"].get("namespace") == NAMESPACE:
            found[one["metadata"]["name"].removeprefix("config-")] = one["data"]
    for one in plan.manifests("KnativeServing"):
        found |= one["spec"].get("config", {})
    return found
