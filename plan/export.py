"""Writes a plan for other tools: JSON, and Kubernetes objects as files."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from .cost import bill
from .cost_export import bill_document
from .model import Marker, Plan, Resource
from .objects import section
from .providers.kubernetes import is_patch
from .refused import Refused

_MARK: Final = "# Planned by ack-inference"
_FIRST_KEYS: Final = ("apiVersion", "kind", "metadata")


def to_json(plan: Plan) -> str:
    """The whole plan and its bill, sorted; a marker stands for what is secret or not known yet."""
    document = {
        "project": plan.project,
        "stack": plan.stack,
        "resources": [
            _entry(resource)
            for resource in sorted(plan.resources, key=lambda resource: resource.urn)
        ],
        "outputs": plan.outputs,
        "bill": bill_document(bill(plan)),
        "warnings": sorted(plan.warnings),
    }
    return json.dumps(document, indent=2)


def write_manifests(plan: Plan, folder: Path) -> list[Path]:
    """Writes each Kubernetes object of a plan to a file of its own, and removes stale ones.

    Helm releases are not objects, and are left out. A patch says so in its header. Files that
    this function did not write are left alone.

    Returns:
        The files, sorted.

    Raises:
        Refused: A file of the same name was written by someone else.
    """
    files = {folder / name: text for name, text in _files(plan).items()}
    foreign = sorted(path.name for path in files if path.exists() and not _is_ours(path))
    if foreign:
        raise Refused(
            f"Folder {str(folder)!r}",
            *(
                f"{name} was not written by a plan; move it, or name another folder."
                for name in foreign
            ),
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        _replace(path, text)
    for path in folder.glob("*.yaml"):
        if path not in files and _is_ours(path):
            path.unlink()
    return sorted(files)


def _entry(resource: Resource) -> Mapping[str, Any]:
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "parent": resource.parent,
        "custom": resource.custom,
        "provider": resource.provider,
        "dependencies": resource.dependencies,
        "protect": resource.protect,
        "ignoreChanges": resource.ignore_changes,
        "inputs": resource.inputs,
    }


def _files(plan: Plan) -> Mapping[str, str]:
    objects = [
        (resource, manifest)
        for resource in plan.resources
        if (manifest := resource.manifest) is not None
    ]
    names = Counter(_file_name(resource, manifest) for resource, manifest in objects)
    files = {}
    for resource, manifest in objects:
        name = _file_name(resource, manifest)
        if names[name] > 1:
            group = str(manifest["apiVersion"]).partition("/")[0]
            name = _file_name(resource, manifest, group, resource.name)
        files[f"{name}.yaml"] = _header(plan, resource) + _yaml(manifest)
    return files


def _file_name(resource: Resource, manifest: Mapping[str, Any], *more: str) -> str:
    metadata = section(manifest, "metadata")
    name = metadata.get("name")
    parts = [
        str(manifest["kind"]).lower(),
        "patch" if is_patch(resource.type) else None,
        metadata.get("namespace"),
        resource.name if name is None or isinstance(name, Marker) else name,
        *more,
    ]
    return re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(str(part) for part in parts if part))


def _header(plan: Plan, resource: Resource) -> str:
    patch = (
        "# A patch of an object that something else owns: kubectl apply --server-side\n"
        if is_patch(resource.type)
        else ""
    )
    return f"{_MARK}: stack {plan.stack} of {plan.project}, resource {resource.name}\n{patch}"


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.read_bytes().startswith(_MARK.encode())


def _yaml(manifest: Mapping[str, Any]) -> str:
    first = {key: manifest[key] for key in _FIRST_KEYS if key in manifest}
    return yaml.dump({**first, **manifest}, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Knows the markers, and repeats a value rather than to point at it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(Marker, yaml.SafeDumper.represent_str)


def _replace(path: Path, text: str) -> None:
    """Puts a file in place in one step, so that no reader finds half of it."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
