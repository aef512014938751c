"""Rules over files that pods fetch by themselves: models of hubs, and imports into a store."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.args import MISSING, Fault, Words
from components.serving.vllm_command import VllmCommand, read_arguments, read_command
from components.serving.vllm_sources import is_hub_name
from plan import kinds
from plan.model import Plan, Resource
from plan.objects import items, kind_of, section, text_of, texts_of
from plan.pods import containers, pods_in

from .model import Finding, Settings
from .workloads import Images

_IMPORT: Final = "IMPORT"
"""Variable that tells an import what to fetch."""
_STORAGE: Final = "STORAGE_URI"
"""Variable that tells KServe what to fetch for a container."""
_BUCKET: Final = "oss"
"""Kind of source whose revision is one's own name."""
_HF: Final = "hf://"
_S3: Final = "s3://"
_FILES: Final = (
    ".bst",
    ".gguf",
    ".joblib",
    ".mar",
    ".onnx",
    ".pkl",
    ".pt",
    ".tar.gz",
    ".tgz",
    ".zip",
)
"""How names end that are of one file; a folder may have a dot too, as Qwen2.5-7B does."""
_WANT: Final = "a commit, a digest or the tag of a release"
_WHY: Final = "what it stands for changes, and pods that start later serve another model"


def unchecked_imports(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Imports by plain HTTP that hold nothing against a checksum."""
    for resource, path, settings in _imports(plan):
        endpoint = text_of(settings, "endpoint")
        if endpoint.lower().startswith("http://") and not settings.get("sha256"):
            want = "an address of https, or sha256 given of each file"
            why = "whoever is on the way may put other files in the place of the model's"
            got = Words("an address of plain HTTP")
            yield resource, Fault(f"{path}[{_IMPORT}].endpoint", got, want, why)


def moving_models(plan: Plan, settings: Images) -> Iterator[Finding]:
    """Models of a hub without a revision, or with that of a branch."""
    for resource, path, source in _imports(plan):
        revision = text_of(source, "revision")
        if source.get("kind") != _BUCKET and settings.moves(revision):
            field = f"{path}[{_IMPORT}].revision"
            yield resource, Fault(field, revision or MISSING, _WANT, _WHY)
    pods = pods_in(plan)
    for resource in plan.resources:
        for group in pods.get(resource.urn, ()):
            for path, container in containers(group):
                command = _command(container)
                if command is None or not _is_of_a_hub(command.model or ""):
                    continue
                revision = command.flags.get("--revision", "")
                if settings.moves(revision) and command.is_whole:
                    field = f"{path}.args[--revision]"
                    yield resource, Fault(field, revision or MISSING, _WANT, _WHY)


def open_folders(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Folders of S3 that KServe fetches together with those whose names begin alike.

    findings/kserve-fetches-the-neighbours.sh
    """
    for resource, field, uri in _fetched(plan):
        path = uri.removeprefix(_S3).partition("/")[2]
        if uri.startswith(_S3) and path and not path.endswith(("/", *_FILES)):
            why = "KServe fetches all whose names begin so, the models beside it too"
            yield resource, Fault(field, uri, f"{uri}/", why)


def half_models(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Models of Hugging Face that KServe fetches into each pod, and may take half of for whole.

    findings/kserve-takes-half-a-model.sh
    """
    for resource, field, uri in _fetched(plan):
        if uri.startswith(_HF):
            want = "pvc:// of a folder that is filled once"
            why = (
                "where the hub is not reached when KServe's initializer starts again, half of the "
                "model passes for whole"
            )
            yield resource, Fault(field, uri, want, why)


def _fetched(plan: Plan) -> Iterator[tuple[Resource, str, str]]:
    """What KServe fetches, with the resource and the path that say so.

    Servers of an LLMInferenceService without an initializer read it by themselves.
    """
    for resource in plan.resources:
        if resource.manifest is not None and kind_of(resource.manifest)[0] == kinds.KSERVE:
            spec = section(resource.manifest, "spec")
            if section(spec, "storageInitializer").get("enabled") is not False:
                for field, uri in _addresses(spec, "spec"):
                    yield resource, field, uri


def _addresses(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Addresses of what KServe fetches, with their paths."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            names_files = key in ("storageUri", "uri") or (
                key == "value" and value.get("name") == _STORAGE
            )
            if names_files and isinstance(part, str):
                yield f"{path}.{key}", part
            else:
                yield from _addresses(part, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from _addresses(part, f"{path}[{number}]")


def _is_of_a_hub(model: str) -> bool:
    """Whether a model is one of a hub's owner; one without an owner may be anything."""
    return is_hub_name(model) and "/" in model


def _command(container: Mapping[str, Any]) -> VllmCommand | None:
    """What a container tells vLLM; the image of vLLM's server needs no command."""
    command, args = texts_of(container, "command"), texts_of(container, "args")
    if not command and "vllm-openai" in text_of(container, "image"):
        return read_arguments(args)
    return read_command([*command, *args])


def _imports(plan: Plan) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    """What each import is told, with the path of the variable."""
    pods = pods_in(plan)
    for resource in plan.resources:
        for group in pods.get(resource.urn, ()):
            for path, container in containers(group):
                for variable in items(container, "env"):
                    settings = _settings(variable)
                    if variable.get("name") == _IMPORT and "kind" in settings:
                        yield resource, f"{path}.env", settings


def _settings(variable: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return section(json.loads(text_of(variable, "value")))
    except ValueError:
        return {}
