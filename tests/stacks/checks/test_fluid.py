"""Cases of the rules of `stacks.checks.fluid`."""

from ..environments import dev
from .cases import Case, refusals
from .parts import roles

CASES = [
    Case(
        "fluid_runs_on_the_image",
        "cache nodes without Fluid's plugin",
        dev,
        {"pools[cache].image_type": "ContainerOS"},
        (
            "pools[cache].image_type is 'ContainerOS', but it must be AliyunLinux3 or another "
            "image than ContainerOS: Fluid does not support ContainerOS."
        ),
        {"pools[cache].image_type": "AliyunLinux4ContainerOptimized"},
    ),
    Case(
        "fluid_runs_on_the_image",
        "GPU nodes without Fluid's plugin",
        dev,
        {"pools[t4].image_type": "ContainerOS"},
        (
            "pools[t4].image_type is 'ContainerOS', but it must be AliyunLinux3 or another image "
            "than ContainerOS: Fluid does not support ContainerOS."
        ),
        {"pools[system].image_type": "ContainerOS"},
    ),
    Case(
        "fluid_runs_on_the_image",
        "nodes of one role without Fluid's plugin",
        roles,
        {
            "models[qwen].cache": {"pool": "system", "workers": 1, "quota": "20Gi"},
            "pools[l20].image_type": "ContainerOS",
        },
        (
            "pools[l20].image_type is 'ContainerOS', but it must be AliyunLinux3 or another image "
            "than ContainerOS: Fluid does not support ContainerOS."
        ),
        {"pools[l20].image_type": "ContainerOS"},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
