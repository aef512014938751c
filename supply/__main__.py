"""`python -m supply sbom FOLDER` writes the bills of materials, `python -m supply audit` audits."""

import sys
from pathlib import Path

from .audit import faults
from .bills import bills
from .tools import Failed


def main(arguments: list[str]) -> None:
    """Does one of the two, or ends with a sentence."""
    try:
        match arguments:
            case ["sbom", folder]:
                Path(folder).mkdir(parents=True, exist_ok=True)
                for name, text in bills():
                    Path(folder, name).write_text(text)
            case ["audit"]:
                if sentences := [*faults()]:
                    sys.exit("\n".join(sentences))
            case _:
                sys.exit(str(__doc__))
    except Failed as failed:
        sys.exit(str(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
