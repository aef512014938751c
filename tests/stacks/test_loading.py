"""A stack loads what it has: each model of a custom resource takes a plan part of a millisecond."""

import subprocess
import sys
from typing import Final

from .environments import ROOT

OFTEN: Final = {
    "affinity",
    "core",
    "elastic_quota",
    "knative",
    "model",
    "monitoring",
    "scheduling",
    "volumes",
}
"""Modules of `components.crds` whose models are loaded with every stack."""

LOADED: Final = """
import sys
import stacks
from components.crds.model import CrdModel

for model in CrdModel.__subclasses__():
    print(model.__module__.rpartition(".")[2])
"""


def test_custom_resources_are_loaded_by_the_stacks_that_have_them() -> None:
    """What others need of them, such as a label, is in a module without models; who declares one
    asks `crds` for it: `from .. import crds`, then `crds.InferenceService`."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADED],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert {*done.stdout.split()} <= OFTEN
