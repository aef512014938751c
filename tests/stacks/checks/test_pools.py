"""Cases of the rules of `stacks.checks.pools`."""

from ..environments import dev
from .cases import Case, refusals
from .parts import CARDS, NO_CARD

CASES = [
    Case(
        "instance_types_are_known",
        "an instance type that nobody knows",
        dev,
        {"pools[system].instance_types": ["ecs.g7.2xlarg"]},
        (
            "pools[system].instance_types is 'ecs.g7.2xlarg', but it must be a type of the "
            "catalogue (did you mean 'ecs.g7.2xlarge'?), or described under instance_types: "
            "whether pods fit depends on its size."
        ),
        {
            "pools[system].instance_types": ["ecs.g9.2xlarge"],
            "instance_types": [{"name": "ecs.g9.2xlarge", "vcpus": 8, "memory_gib": 32}],
        },
    ),
    Case(
        "instance_types_are_known",
        "a described instance type with a card that nobody knows",
        dev,
        {
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": NO_CARD}
            ]
        },
        (
            f"instance_types[ecs.gn9.large].gpu is '{NO_CARD}', but it must be one of {CARDS}: "
            "its node label and memory stand in the catalogue."
        ),
        {
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": "L20"}
            ]
        },
    ),
    Case(
        "instance_types_have_the_card",
        "a pool that claims another card",
        dev,
        {"pools[a10].gpu": "L20"},
        ("pools[a10].gpu is 'L20', but it must be A10: ecs.gn7i-c32g1.8xlarge has A10."),
        {},
    ),
    Case(
        "instance_types_have_the_card",
        "a pool that hides its card",
        dev,
        {"pools[+]": {"name": "hidden", "instance_types": ["ecs.gn6i-c24g1.6xlarge"], "size": 0}},
        ("pools[hidden].gpu is missing, but it must be T4: ecs.gn6i-c24g1.6xlarge has T4."),
        {
            "pools[+]": {
                "name": "hidden",
                "instance_types": ["ecs.gn6i-c24g1.6xlarge"],
                "size": 0,
                "gpu": "T4",
            }
        },
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
