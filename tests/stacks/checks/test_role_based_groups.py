"""Cases of the rules of `stacks.platforms.role_based_groups`."""

from ..environments import hybrid
from .cases import Case, refusals
from .parts import roles
from .test_roles import apart

CASES = [
    Case(
        "roles_run_in_one_network",
        "prefill and decode on an edge cluster",
        hybrid,
        {**apart(), "models[qwen-queue].server.image": "registry/server:1"},
        (
            "models[qwen-queue].serve.roles is given, but it must be left out on profile edge, or "
            "knative or kserve in its place: the KV cache of each prompt crosses a network that "
            "machines of an IDC have at best."
        ),
        {},
    ),
    Case(
        "names_of_roles_are_their_own",
        "a model that is called as a role of another one",
        roles,
        {"models[deepseek].name": "qwen-decode"},
        (
            "models[qwen-decode].name is 'qwen-decode', but it must be another one: models[qwen] "
            "has objects of that name."
        ),
        {"models[deepseek].name": "qwen-decoder"},
    ),
]

test_a_mistake_is_refused, test_the_value_beside_it_is_accepted = refusals(CASES)
