"""The controller of RoleBasedGroups, simulated: its module cannot be had.

What it does is in `sandbox/nodes/roles.py`.
"""

from pathlib import Path
from typing import Final

from components.catalog.charts import CHARTS
from components.crds.role_based_group_labels import API_VERSION, KIND

from .controller import PYTHON, Controller, ControlPlane, Daemon


def _daemons(plane: ControlPlane) -> list[Daemon]:
    arguments = ["-m", "sandbox.nodes.roles", str(plane.folder)]
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    return [Daemon("rbgs-manager", PYTHON, arguments, environment)]


CONTROLLER: Final = Controller(
    "the simulated controller of RoleBasedGroups",
    CHARTS["rbgs"].version,
    _daemons,
    kinds=frozenset({(API_VERSION, KIND)}),
)
