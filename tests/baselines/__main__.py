"""`python -m tests.baselines`: accepts what the code promises now."""

from .facts import BASELINE, promises

BASELINE.write_text("\n".join(promises()) + "\n")
