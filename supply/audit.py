"""Holds what is pinned against what is known of it."""

import json
from collections.abc import Iterator
from pathlib import Path

from .licences import go_faults
from .pins import ROOT, locks, modules
from .tools import Failed, go_bill, python_tool


def vulnerabilities(lock: Path) -> Iterator[str]:
    """The known vulnerabilities of a lock's packages, in sentences.

    A package that cannot be looked up is a fault too: silence would pass for health.
    """
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    # 1: something was found.
    text = python_tool("pip-audit", [*options, "--requirement", str(lock)], codes=(0, 1))
    yield from sentences(str(lock.relative_to(ROOT)), text)


def sentences(lock: str, text: str) -> Iterator[str]:
    """What pip-audit's JSON says."""
    for package in json.loads(text)["dependencies"]:
        if reason := package.get("skip_reason"):
            yield f"{lock}: {package['name']} could not be looked up: {reason}"
        for hole in package.get("vulns", []):
            fixed = ", ".join(hole["fix_versions"])
            names = ", ".join([hole["id"], *hole["aliases"]])
            repaired = f"repaired in {fixed}" if fixed else "no release repairs it"
            yield f"{lock}: {package['name']} {package['version']} has {names}: {repaired}."


def faults() -> Iterator[str]:
    """All that is wrong with what is pinned, in sentences: what could not be audited is, too."""
    for lock in locks():
        yield from _or_why_not(lock, vulnerabilities(lock))
    for module in modules():
        yield from _or_why_not(module, licences(module))


def licences(module: Path) -> Iterator[str]:
    """The licences of a Go module's modules that are not allowed, in sentences."""
    for fault in go_faults(go_bill(module)):
        yield f"{module.relative_to(ROOT)}: {fault}"


def _or_why_not(path: Path, sentences: Iterator[str]) -> Iterator[str]:
    try:
        yield from sentences
    except Failed as failed:
        yield f"{path.relative_to(ROOT)}: {failed}"
