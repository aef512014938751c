"""`python -m reference [--check]`: writes the reference, or says what of it is stale."""

import sys

from .pages import ROOT, stale, write

if __name__ == "__main__":
    if "--check" not in sys.argv[1:]:
        write()
    elif outdated := stale():
        names = ", ".join(str(path.relative_to(ROOT)) for path in outdated)
        sys.exit(f"{names}: not what the code says; run: make reference")
