"""Whatever stands in a stack file, it is refused in sentences, or it plans."""

import os
import re
from typing import Final

from hypothesis import HealthCheck, given, settings

from plan.model import Marker, Plan
from stacks.arguments import name_prefix
from stacks.placeholders import MARK
from stacks.sections.environment import PROJECT
from stacks.validation import find_warnings, validate
from tests import crd_schemas, provider_schema

from .environments import Raw, planned
from .mutations import broken_files
from .test_plans import DNS_LABEL, LABEL_KEY, LABEL_NAME, NO_CRD, labels_in

SENTENCE: Final = re.compile(
    r"[^\n]+ is [^\n]+, but it must be [^\n]+: [^\n]+\.( See https://\S+)?"
)
FACTOR: Final = int(os.environ.get("ACK_INFERENCE_EXAMPLES", "1"))
"""How many times as many examples are tried; with more than 1, other ones each time. Every night it
is 25, which makes them 10,000: .github/workflows/proof.yml."""

settings.register_profile(
    "stacks",
    derandomize=FACTOR == 1,
    database=None,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
SETTINGS: Final = settings.get_profile("stacks")


@settings(SETTINGS, max_examples=400 * FACTOR)
@given(broken_files())
def test_any_change_of_a_file_ends_in_sentences_or_in_an_environment(
    found: tuple[str, Raw],
) -> None:
    stack, raw = found
    validation = validate(raw, name_prefix(PROJECT, stack))
    assert (validation.environment is None) == bool(validation.faults)
    sentences = [str(fault) for fault in validation.faults]
    assert [one for one in sentences if not SENTENCE.fullmatch(one)] == []
    assert [one for one in sentences if MARK in one] == []
    assert len(set(sentences)) == len(sentences)
    if validation.environment is not None:
        assert all(isinstance(one, str) for one in find_warnings(validation.environment))


@settings(SETTINGS, max_examples=10 * FACTOR)
@given(broken_files(most=2))
def test_what_is_accepted_plans_and_passes_every_schema(found: tuple[str, Raw]) -> None:
    stack, raw = found
    if not validate(raw, name_prefix(PROJECT, stack)).faults:
        plan = planned(raw, stack=stack)
        assert mistakes(plan) == []
        assert MARK not in repr(plan)


def mistakes(plan: Plan) -> list[str]:
    """What an API server or the provider would refuse, by schemas and by what names may be."""
    found = [f"{name}: {one}" for name, many in cloud_errors(plan).items() for one in many]
    seen = set()
    for one in plan.manifests():
        kind, metadata = one["kind"], one["metadata"]
        if has_crd(one) and crd_schemas.CRDS.is_dir():
            found += [f"{kind}: {error}" for error in crd_schemas.errors(one)]
        name, namespace = metadata["name"], metadata.get("namespace", "default")
        if not isinstance(name, Marker) and not re.fullmatch(r"[a-z0-9.-]{1,253}", name):
            found.append(f"{kind}: no name: {name}")
        if not DNS_LABEL.fullmatch(namespace):
            found.append(f"{kind}: no namespace: {namespace}")
        if (one["apiVersion"], kind, namespace, name) in seen:
            found.append(f"{kind}: twice: {name}")
        seen.add((one["apiVersion"], kind, namespace, name))
        for key, value in labels_in(one):
            if not LABEL_KEY.fullmatch(key):
                found.append(f"{kind}: no label key: {key}")
            plain = isinstance(value, str) and not isinstance(value, Marker)
            if plain and value and not LABEL_NAME.fullmatch(value):
                found.append(f"{kind}: no label value: {value}")
    return found


def has_crd(manifest: Raw) -> bool:
    group = manifest["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io") and manifest["kind"] not in NO_CRD


def cloud_errors(plan: Plan) -> dict[str, list[str]]:
    return provider_schema.errors_in(plan) if provider_schema.SCHEMA.is_file() else {}
