"""Whatever stands in a stack file, it is refused in sentences, or it plans."""

import os
import re
from typing import Final

from hypothesis import HealthCheck, given, settings

from plan.model import Marker, Plan
from stacks.arguments.cloud import name_prefix
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
    case: tuple[str, Raw],
) -> None:
    stack, raw = case
    validation = validate(raw, name_prefix(PROJECT, stack))
    assert (validation.environment is None) == bool(validation.faults)
    sentences = [str(fault) for fault in validation.faults]
    assert [sentence for sentence in sentences if not SENTENCE.fullmatch(sentence)] == []
    assert [sentence for sentence in sentences if MARK in sentence] == []
    assert len(set(sentences)) == len(sentences)
    if validation.environment is not None:
        assert all(isinstance(warning, str) for warning in find_warnings(validation.environment))


@settings(SETTINGS, max_examples=10 * FACTOR)
@given(broken_files(most=2))
def test_what_is_accepted_plans_and_passes_every_schema(case: tuple[str, Raw]) -> None:
    stack, raw = case
    if not validate(raw, name_prefix(PROJECT, stack)).faults:
        plan = planned(raw, stack=stack)
        assert mistakes(plan) == []
        assert MARK not in repr(plan)


def mistakes(plan: Plan) -> list[str]:
    """What an API server or the provider would refuse, by schemas and by what names may be."""
    faults = [f"{name}: {error}" for name, errors in cloud_errors(plan).items() for error in errors]
    identities = set()
    for manifest in plan.manifests():
        kind, metadata = manifest["kind"], manifest["metadata"]
        if has_crd(manifest) and crd_schemas.CRDS.is_dir():
            faults += [f"{kind}: {error}" for error in crd_schemas.errors(manifest)]
        name, namespace = metadata["name"], metadata.get("namespace", "default")
        if not isinstance(name, Marker) and not re.fullmatch(r"[a-z0-9.-]{1,253}", name):
            faults.append(f"{kind}: no name: {name}")
        if not DNS_LABEL.fullmatch(namespace):
            faults.append(f"{kind}: no namespace: {namespace}")
        if (manifest["apiVersion"], kind, namespace, name) in identities:
            faults.append(f"{kind}: twice: {name}")
        identities.add((manifest["apiVersion"], kind, namespace, name))
        for key, value in labels_in(manifest):
            if not LABEL_KEY.fullmatch(key):
                faults.append(f"{kind}: no label key: {key}")
            plain = isinstance(value, str) and not isinstance(value, Marker)
            if plain and value and not LABEL_NAME.fullmatch(value):
                faults.append(f"{kind}: no label value: {value}")
    return faults


def has_crd(manifest: Raw) -> bool:
    group = manifest["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io") and manifest["kind"] not in NO_CRD


def cloud_errors(plan: Plan) -> dict[str, list[str]]:
    return provider_schema.errors_in(plan) if provider_schema.SCHEMA.is_file() else {}
