"""RoleBasedGroups, for models with prefill and decode apart."""

from collections.abc import Iterator
from typing import Final

from components.args import Fault
from components.platform import RoleBasedGroups, RoleBasedGroupsArgs
from components.platform.role_based_groups import RoleBasedGroupsChart
from components.serving.roles_router import router_account

from ..needs import ROLE_BASED_GROUPS as NAME
from ..needs import Needs
from ..sections.environment import Environment
from .platform import controller, edge_faults

ROLE_BASED_GROUPS: Final = controller(
    NAME, RoleBasedGroups, RoleBasedGroupsArgs, RoleBasedGroupsChart
)


# --- checks --------------------------------------------------------------------------------------


@ROLE_BASED_GROUPS.check
def roles_run_in_one_network(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """The KV cache of each prompt goes from prefill to decode."""
    why = "the KV cache of each prompt crosses a network that machines of an IDC have at best"
    yield from edge_faults(environment, needs, NAME, why)


@ROLE_BASED_GROUPS.check
def names_of_roles_are_their_own(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A group has objects called by its roles: an HPA, an adapter, a ServiceAccount."""
    owners = {model.name: f"models[{model.name}].name" for model in environment.models}
    owners |= {job.name: f"training[{job.name}].name" for job in environment.training}
    for path, model in needs.models(NAME):
        made = [f"{model.name}-prefill", f"{model.name}-decode", router_account(model.name)]
        for name in made:
            if name in owners:
                why = f"{path} has objects of that name"
                yield Fault(owners[name], name, "another one", why)
