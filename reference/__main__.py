"""`python -m reference [--check]`: writes the reference and the bindings, or says what is stale."""

import sys

from . import bindings, pages

if __name__ == "__main__":
    if "--check" not in sys.argv[1:]:
        pages.write()
        bindings.write()
    elif outdated := [*pages.stale(), *bindings.stale()]:
        names = ", ".join(str(path.relative_to(pages.ROOT)) for path in outdated)
        sys.exit(f"{names}: not what the code and the SDKs say; run: make reference")
