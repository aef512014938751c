"""Serves the components: Pulumi runs this folder, from a copy of the whole repository."""

import sys
from pathlib import Path

# The library is beside the plugin: nothing has to be built or installed.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from pulumi.provider import main  # noqa: E402

from components.plugin.host import Host  # noqa: E402

main(Host(), sys.argv[1:])
