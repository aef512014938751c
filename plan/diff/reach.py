"""Where things are after a change: the region of the cloud, and the hosts of models."""

from collections.abc import Iterator
from typing import Final

from ..kinds import CLOUD
from .compare import StackDiff

_HOST: Final = "_host"


def moved_region(diff: StackDiff) -> Iterator[str]:
    """A sentence where the provider goes to another region, and what stands does not go with it.

    A change of its settings replaces nothing unless a provider says so, and this one says it of
    none: pulumi-terraform-bridge 3.120.0, `DiffConfig` in pkg/tfbridge/provider.go;
    pulumi-alicloud at 9d2b1e4 of 2026-08-14, provider/resources.go.
    """
    for change, _ in diff.updated(CLOUD):
        for changed in change.properties:
            if changed.path == "region":
                yield (
                    f"This looks for everything in {changed.new} that stands in {changed.old}: "
                    "`pulumi up` finds none of it there, and what it says is unchanged or updated "
                    f"stays in {changed.old} and is paid for. Destroy the stack first, or make one "
                    "of another name."
                )


def moved_hosts(diff: StackDiff) -> Iterator[str]:
    """A sentence on the models that answer under another host, and no more under their own."""
    models = [
        f"{output.path.removesuffix(_HOST)} (was {output.old}, will be {output.new})"
        for output in diff.outputs
        if output.path.endswith(_HOST) and type(output.old) is type(output.new) is str
    ]
    if models:
        yield (
            f"Another host, and no answer under the old one: {', '.join(models)}. Tell whoever "
            "asks, and mend names and certificates."
        )
