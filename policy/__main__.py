"""What the engine runs for `--policy-pack policy`: `python policy`, with the pack's own modules."""

import sys
from pathlib import Path

# The engine puts this folder on the path, and the rules are a package in the folder above.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from policy.pack import serve  # noqa: E402

serve()
