"""Cases of the rules of `stacks.checks.annotations`."""

from ..environments import dev
from .cases import Case, refusals
from .parts import NOTES, SCALING

CASES = [
    Case(
        "annotations_agree_with_fields",
        "an annotation that says something else than its field",
        dev,
        {NOTES: {f"{SCALING}min-scale": "2"}},
        (
            f"{NOTES}[{SCALING}min-scale] is '2', but it must be left out, and scale.min set: "
            "scale.min says 1, which sums, figures and prices go by."
        ),
        {NOTES: {f"{SCALING}min-scale": "1", f"{SCALING}window": "90s"}},
    ),
    Case(
        "annotations_agree_with_fields",
        "an HPA that would have to count requests",
        dev,
        {NOTES: {f"{SCALING}class": "hpa.autoscaling.knative.dev"}},
        (
            f"{NOTES}[{SCALING}metric] is missing, but it must be given, such as cpu: an HPA does "
            "not count requests, as scale.metric concurrency does."
        ),
        {NOTES: {f"{SCALING}class": "hpa.autoscaling.knative.dev", f"{SCALING}metric": "cpu"}},
    ),
    Case(
        "annotations_have_keys",
        "an annotation that the API server refuses",
        dev,
        {NOTES: {"our team": "x"}},
        (
            f"{NOTES}[our team] is 'our team', but it must be a key such as 'team' or "
            "'example.com/team': Kubernetes takes no other."
        ),
        {NOTES: {"example.com/team": "x y"}},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
