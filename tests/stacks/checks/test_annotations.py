"""Cases of the rules of `stacks.checks.annotations`."""

import re
from pathlib import Path
from typing import Final

from components.catalog.pulumi_annotations import FORMS

from ..environments import dev, hybrid
from .cases import Case, refusals, surprises
from .parts import NOTES, SCALING

ROOT: Final = Path(__file__).parents[3]
KEY: Final = re.compile(r"(?<![.\w])pulumi\.com/[A-Za-z]+")

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

KSERVE: Final = "models[qwen-chat].serve.kserve.annotations"

SURPRISES = [
    Case(
        "annotations_that_pulumi_reads",
        "a key that Pulumi does not know",
        hybrid,
        {KSERVE: {"pulumi.com/deletionPropagation": "background"}},
        f"{KSERVE}[pulumi.com/deletionPropagation] is background: Pulumi passes it over in "
        "silence. It takes skipAwait, replaceUnready, patchForce, timeoutSeconds, "
        "deletionPropagationPolicy, waitFor, patchFieldManager.",
        {KSERVE: {"pulumi.com/deletionPropagationPolicy": "Background"}},
    ),
    Case(
        "annotations_that_pulumi_reads",
        "a value that Pulumi does not know",
        hybrid,
        {KSERVE: {"pulumi.com/timeoutSeconds": "10m"}},
        f"{KSERVE}[pulumi.com/timeoutSeconds] is 10m: Pulumi passes it over in silence. It takes "
        "whole seconds, such as 600.",
        {KSERVE: {"pulumi.com/timeoutSeconds": "600"}},
    ),
    Case(
        "annotations_that_pulumi_reads",
        "an annotation of pods",
        dev,
        {NOTES: {"pulumi.com/skipAwait": "true"}},
        f"{NOTES}[pulumi.com/skipAwait] is true: Pulumi reads no annotation of pods, and this "
        "does nothing.",
        {NOTES: {"example.com/skipAwait": "true"}},
    ),
]

test_it_warns, test_it_is_silent_at_the_edge = surprises(SURPRISES)


def test_what_components_tell_pulumi_is_what_it_reads() -> None:
    sources = (ROOT / "components").rglob("*.py")
    keys = {key for path in sources for key in KEY.findall(path.read_text())}
    assert {"pulumi.com/skipAwait", "pulumi.com/waitFor"} <= keys <= set(FORMS)
