"""One graph of what runs where in a stack, which everything that shows a plan reads.

    scale.py      models and jobs, and how many pods each has
    volumes.py    claim -> dataset -> volume -> store, caches
    nodes.py      policy -> units -> pools, priorities
    inventory.py  what a plan knows beside its objects: URNs, dependencies, pools, bill
    gateways.py   gateway -> route -> picker -> pods
    build.py      joins them to the dataclasses of model.py

Each link is looked up by the names and labels that the cluster itself goes by, and one that leads
nowhere is a `Missing`, so that it shows before anything is created. The readers take manifests
(`plan.objects.Objects`), whoever gives them. Nothing in a graph is a sentence: `plan/words.py`
makes those.
"""

from .build import graph_of, read
from .inventory import Inventory
from .model import Graph

__all__ = ["Graph", "Inventory", "graph_of", "read"]
