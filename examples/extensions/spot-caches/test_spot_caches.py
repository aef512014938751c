"""Cases of the rules of `stacks.checks.spot_caches`."""

from ..environments import dev
from .cases import Case, refusals

CASES = [
    Case(
        "caches_keep_their_nodes",
        "a cache on spot nodes",
        dev,
        {"pools[cache].spot": {}},
        (
            "pools[cache].spot is given, but it must be left out, as models[qwen].cache is kept on "
            "the pool: spot nodes are reclaimed, and the model is then read from its store again."
        ),
        {"pools[t4].spot": {}},
    ),
]

test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
