"""What a cluster has of the platform, with its releases."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plan.kinds import INFERENCE_SERVICE, KNATIVE_SERVICE
from plan.objects import Manifest, Objects, items, section, text_of
from status.cluster import LiveCluster

from .models import host_domain, ingress_class
from .workloads import LiveWorkload, Notes

CONTROLLERS: Final[Mapping[str, tuple[str, str]]] = {
    "knative": ("knative-serving", "controller"),
    "kserve": ("kserve", "kserve-controller-manager"),
    "cert_manager": ("cert-manager", "cert-manager"),
    "fluid": ("fluid-system", "dataset-controller"),
}
"""Deployments that tell the release of a part, as its makers call them."""
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "knative": KNATIVE_SERVICE,
    "kserve": INFERENCE_SERVICE,
    "fluid": ("data.fluid.io", "Dataset"),
}
"""A kind of each part that defines some: where the API server knows it, the part is there."""
NAMES: Final[Mapping[str, str]] = {
    "knative": "Knative",
    "kserve": "KServe",
    "cert_manager": "cert-manager",
    "fluid": "Fluid",
}
FORMS: Final[Mapping[str, str]] = {
    "knative": r"v?(\d+\.\d+)(\.\d+)?",
    "kserve": r"(v\d+\.\d+\.\d+(-rc\d+)?)",
    "cert_manager": r"(v\d+\.\d+\.\d+)",
}
"""How `version` of a part is written, in its group; Fluid's says what is installed alone."""

Section = dict[str, Any]


def present(cluster: LiveCluster) -> dict[str, str]:
    """The parts that a cluster has, each with its release; empty where that cannot be told."""
    parts = {}
    for part, (namespace, name) in CONTROLLERS.items():
        controller = cluster.objects.get("apps", "Deployment", name, namespace)
        kind = KINDS.get(part)
        if controller is not None or (kind is not None and kind not in cluster.absent):
            parts[part] = _release(controller) if controller else ""
    if "kserve" in parts:
        # KServe's webhooks have their certificates from it, whoever has set it up.
        parts.setdefault("cert_manager", "")
    return parts


def _release(controller: Manifest) -> str:
    """Of the label that charts set, or else of the image."""
    labels = {
        **section(controller, "spec", "template", "metadata", "labels"),
        **section(controller, "metadata", "labels"),
    }
    told = str(labels.get("app.kubernetes.io/version", ""))
    if re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-rc\d+)?", told):
        return told
    for container in items(section(controller, "spec", "template", "spec"), "containers"):
        if match := re.search(r":(v?\d+\.\d+(\.\d+)?(-rc\d+)?)(@|$)", text_of(container, "image")):
            return match[1]
    return ""


def sections(
    parts: Mapping[str, str],
    workloads: Sequence[LiveWorkload],
    seconds: int,
    objects: Objects,
    notes: Notes,
) -> Section:
    """The parts that are there as sections of a stack file.

    Args:
        parts: What `present` says.
        workloads: The models, whose hosts tell the domain.
        seconds: Longest request of a model that Knative serves.
        objects: What the cluster has.
        notes: Is told what is not known.
    """
    config: Section = {}
    for part, release in parts.items():
        config[part] = {"install": False}
        form = FORMS.get(part)
        match = re.fullmatch(form, release) if form else None
        if match:
            config[part]["version"] = match[1]
        elif form and (part != "cert_manager" or release):
            notes.say(NAMES[part], "no controller tells its release; write it into version.")
    kinds = {"knative": "Knative Service", "kserve": "InferenceService"}
    for part, kind in kinds.items():
        if part not in config:
            continue
        served = [workload for workload in workloads if workload.kind == kind]
        domains = {domain for entry in served if (domain := host_domain(entry))}
        if len(domains) == 1:
            config[part]["domain"] = domains.pop()
        elif served:
            notes.say(
                NAMES[part],
                "the hosts of its models tell no one domain, so that example.com stands for it; "
                "write yours into domain.",
            )
    if "knative" in config and seconds > 600:
        config["knative"]["max_request_seconds"] = seconds
    if "kserve" in config:
        classes = {name for entry in workloads if (name := ingress_class(entry, objects))}
        config["kserve"]["ingress_controller"] = "present"
        if len(classes) == 1:
            config["kserve"]["ingress_class"] = classes.pop()
    return config
