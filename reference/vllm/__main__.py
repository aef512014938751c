"""`python -m reference.vllm [FOLDER]`: reads the releases, and writes the table of the catalog.

Each wheel is fetched by pip, read and thrown away: some 20 GB in all. FOLDER may hold releases
that are unpacked already, in folders called by their number.
"""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ..releases import spans, text
from .flags import read_choices, read_flags, read_keys, read_serve_flags
from .parsers import (
    REASONING,
    TOOL,
    read_architectures,
    read_connectors,
    read_parsers,
    read_variables,
)
from .quantization import read_quantization
from .series import read_series
from .sources import load

TABLE: Final = Path(__file__).parents[2] / "components/catalog/vllm/releases.json"
# Every release from the articles' own on; those of four parts (0.9.0.1, post1) repair packaging.
LINES: Final = (  # minor release, its first and its last patch
    (4, 1, 3), (5, 0, 5), (6, 0, 6), (7, 0, 3), (8, 0, 5), (9, 0, 2), (10, 0, 2), (11, 0, 2),
    (12, 0, 0), (13, 0, 0), (14, 0, 1), (15, 0, 1), (16, 0, 0), (17, 0, 1), (18, 0, 1), (19, 0, 1),
    (20, 0, 2), (21, 0, 0), (22, 0, 1), (23, 0, 0), (24, 0, 0), (25, 0, 1), (26, 0, 0), (27, 0, 1),
    (28, 0, 0), (29, 0, 0), (30, 0, 0), (31, 0, 0), (32, 0, 0), (33, 0, 0),
)  # fmt: skip
RELEASES: Final = tuple(
    f"0.{minor}.{patch}" for minor, first, last in LINES for patch in range(first, last + 1)
)


def table(releases: Iterable[str], folder: Path | None) -> dict[str, object]:
    """What the catalog says of the releases."""
    flags, serve, quantization, series = {}, {}, {}, {}
    choices, keys, tool, reasoning, variables = {}, {}, {}, {}, {}
    kv, ec, architectures = {}, {}, {}
    for release in releases:
        sources = load(release, folder)
        flags[release] = read_flags(sources)
        serve[release] = dict.fromkeys(read_serve_flags(sources), True)
        choices[release] = read_choices(sources)
        keys[release] = read_keys(sources)
        quantization[release] = read_quantization(sources)
        series[release] = dict.fromkeys(read_series(sources), True)
        tool[release] = dict.fromkeys(read_parsers(sources, TOOL), True)
        reasoning[release] = dict.fromkeys(read_parsers(sources, REASONING), True)
        variables[release] = read_variables(sources)
        kv[release] = dict.fromkeys(read_connectors(sources, "kv"), True)
        ec[release] = dict.fromkeys(read_connectors(sources, "ec"), True)
        architectures[release] = dict.fromkeys(read_architectures(sources), True)
    return {
        "read": datetime.now(UTC).date().isoformat(),
        "releases": list(flags),
        "flags": spans(flags),
        "serve": spans(serve),
        "choices": spans(choices),
        "keys": spans(keys),
        "quantization": spans(quantization),
        "series": spans(series),
        "tool_parsers": spans(tool),
        "reasoning_parsers": spans(reasoning),
        "variables": spans(variables),
        "kv_connectors": spans(kv),
        "ec_connectors": spans(ec),
        "architectures": spans(architectures),
    }


if __name__ == "__main__":
    cached = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    TABLE.write_text(text(table(RELEASES, cached)))
