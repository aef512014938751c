"""What a section's fields are marked with, for documents and editors."""

from typing import Final

from pydantic import JsonValue

IMMUTABLE: Final[dict[str, JsonValue]] = {"immutable": True}
"""Mark of a field whose change replaces a cluster, a pool or a volume."""
