"""Which licences a dependency may have: such as let others use, change and pass on what uses it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution
from types import MappingProxyType
from typing import Any, Final

ALLOWED: Final = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSD-Source-Code",
        "BSL-1.0",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "Python-2.0",
        "Unicode-3.0",
        "Unlicense",
        "Zlib",
    }
)
"""SPDX identifiers. Of MPL-2.0 only its own files stay under it."""

CLASSIFIERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Apache Software License": "Apache-2.0",
        "BSD License": "BSD-3-Clause",
        "ISC License (ISCL)": "ISC",
        "MIT License": "MIT",
        "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
        "Python Software Foundation License": "PSF-2.0",
        "The Unlicense (Unlicense)": "Unlicense",
        "3-Clause BSD License": "BSD-3-Clause",
    }
)
"""What packages say that have no SPDX expression, and what is meant."""

OTHERWISE: Final[Mapping[str, str]] = MappingProxyType(  # read in their LICENSE files, 2026-11
    {
        "github.com/git-pkgs/packageurl-go": "MIT",
        "github.com/google/cadvisor": "Apache-2.0",
        "github.com/opencontainers/go-digest": "Apache-2.0",  # CC-BY-SA-4.0 is of its documents
        "github.com/rcrowley/go-metrics": "BSD-2-Clause",
    }
)
"""Go modules whose licence is not what was detected, each with what it is."""

EXEMPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "github.com/sourcegraph/appdash-data": "It has no licence. Pulumi's command line contains "
        "it too; here it is built for the sandbox on the user's machine, and is in no release.",
    }
)
"""Go modules that are taken without a licence that is allowed, each with the reason."""


def python_faults(distributions: Iterable[Distribution]) -> Iterator[str]:
    """Which installed packages have no licence that is allowed, in sentences."""
    for distribution in distributions:
        expression = licence(distribution)
        if not is_allowed(expression):
            yield _sentence(f"{distribution.name} {distribution.version}", expression)


def licence(distribution: Distribution) -> str:
    """The SPDX expression of a package: what it says, or what its classifiers mean."""
    metadata = distribution.metadata
    if expressions := metadata.get_all("License-Expression"):
        return str(expressions[0])
    names = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or []
        if text.startswith("License ::")
    ]
    names = (
        [text for text in names if text != "OSI Approved"] or metadata.get_all("License") or [""]
    )
    # Where a package names several, its user may choose.
    return " OR ".join(CLASSIFIERS.get(text, text) for text in names)


def go_faults(bill: str) -> Iterator[str]:
    """Which components of a bill of Go modules have no licence that is allowed, in sentences."""
    for component in json.loads(bill).get("components", []):
        name, detected = component["name"], _detected(component)
        if name not in EXEMPT and not is_allowed(OTHERWISE.get(name, detected)):
            yield _sentence(f"{component['name']} {component['version']}", detected)


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression lets a component be used: of OR one part, of AND all."""
    # What is in brackets counts as one licence, allowed or not.
    while bracket := re.search(r"\(([^()]*)\)", expression):
        part = "MIT" if is_allowed(bracket[1]) else "-"
        expression = f"{expression[: bracket.start()]}{part}{expression[bracket.end() :]}"
    return any(
        all(part.strip() in ALLOWED for part in re.split(r"\s+AND\s+", alternative))
        for alternative in re.split(r"\s+OR\s+", expression)
    )


def _detected(component: Mapping[str, Any]) -> str:
    places = (component, component.get("evidence", {}))
    licences = [entry["license"] for place in places for entry in place.get("licenses", [])]
    return " AND ".join(entry.get("id") or entry.get("name", "") for entry in licences)


def _sentence(component: str, expression: str) -> str:
    has = f"is under {expression}" if expression else "does not say its licence"
    return (
        f"{component} {has}, which supply/licences.py does not allow: take another one, or add it "
        "there with the reason."
    )
