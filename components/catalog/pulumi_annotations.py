"""Annotations by which an object tells Pulumi's Kubernetes provider how to handle it.

provider/pkg/metadata/annotations.go and overrides.go of pulumi-kubernetes, f47bc2d6f199 of
2026-01-15, read 2026-11. It takes any other for the object's own, without a word:
findings/pulumi-kubernetes-reads-annotations-by-the-letter.sh.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PULUMI_PREFIX: Final = "pulumi.com/"
SKIP_AWAIT: Final = f"{PULUMI_PREFIX}skipAwait"
"""`true` has nobody wait until an object is ready, nor for the end of a Job or a Deployment."""
WAIT_FOR: Final = f"{PULUMI_PREFIX}waitFor"
"""What an object has to come to before it counts as ready."""
TIMEOUT_SECONDS: Final = f"{PULUMI_PREFIX}timeoutSeconds"
"""For how long its creation, its update and its deletion are waited for."""
PATCH_FORCE: Final = f"{PULUMI_PREFIX}patchForce"
"""`true` takes fields over that others own."""
DELETION_PROPAGATION: Final = f"{PULUMI_PREFIX}deletionPropagationPolicy"
"""When what an object has made is deleted: before it (`foreground`, the default), or after."""

_SWITCH: Final = ("true or false", r"true|false")
FORMS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        SKIP_AWAIT: _SWITCH,
        f"{PULUMI_PREFIX}replaceUnready": _SWITCH,
        PATCH_FORCE: _SWITCH,
        TIMEOUT_SECONDS: ("whole seconds, such as 600", r"[+-]?\d+"),
        DELETION_PROPAGATION: (
            "foreground, background or orphan",
            r"(?i:foreground|background|orphan)",
        ),
        # Of these a wrong value ends the update, or there is none.
        WAIT_FOR: ("", r"(?s:.*)"),
        f"{PULUMI_PREFIX}patchFieldManager": ("", r"(?s:.*)"),
    }
)
"""Each annotation, with its values in words and as a pattern; any other value is passed over."""


def passed_over(key: str, value: str) -> str | None:
    """What the provider would read in place of an annotation that it passes over; else None."""
    if not key.startswith(PULUMI_PREFIX):
        return None
    if key not in FORMS:
        return ", ".join(form.removeprefix(PULUMI_PREFIX) for form in FORMS)
    words, pattern = FORMS[key]
    return None if re.fullmatch(pattern, value) else words
