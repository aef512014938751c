"""The console script `ack-inference`: thin verbs over the rooms of this repository."""

from .cluster import doctor, status
from .loadtest import loadtest
from .plan import diff, plan, upgrade_plan
from .program import REFUSED, main
from .sandbox import sandbox
from .simulate import simulate
from .stack_file import SCHEMA, adopt, explain, new, schema

__all__ = ["REFUSED", "SCHEMA", "main"]

for verb in (
    new,
    adopt,
    explain,
    schema,
    plan,
    diff,
    upgrade_plan,
    status,
    doctor,
    simulate,
    sandbox,
    loadtest,
):
    main.add_command(verb)
