"""Looks at the pages of a site in Chromium: accessibility by axe-core, width, pictures.

Runs in website/.venv, after `npm ci --prefix website`:
`python -m website.browser FOLDER [PICTURES]`. Prints a line of JSON per page, screen and scheme.
"""

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, sync_playwright

from .pages import ROOT

AXE: Final = ROOT / "website" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS: Final = {"wide": 1280, "phone": 390}
Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
_RUN: Final = """async () => {
  const {violations} = await axe.run({resultTypes: ['violations']});
  return violations.map(({id, impact, help, nodes}) => ({
    id, impact, help, nodes: nodes.length,
    targets: nodes.slice(0, 3).map(node => node.target.join(' ')),
  }));
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def look(site: Path, addresses: list[str], pictures: Path | None) -> Iterator[dict[str, Any]]:
    """What is seen on each page, screen and scheme.

    Args:
        site: Folder of the site.
        addresses: Paths of pages, relative to it.
        pictures: Folder for a picture of each; none are taken without it.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not on PATH.")
    with sync_playwright() as playwright:
        # The pages are our own, and as root Chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in SCHEMES:
            for screen, width in SCREENS.items():
                yield from _on(
                    browser,
                    f"http://127.0.0.1:{server.server_port}",
                    addresses,
                    (screen, width, scheme),
                    pictures,
                )
        browser.close()
    server.shutdown()


def _on(
    browser: Browser,
    base: str,
    addresses: list[str],
    kind: tuple[str, int, Scheme],
    pictures: Path | None,
) -> Iterator[dict[str, Any]]:
    screen, width, scheme = kind
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    missing: list[str] = []
    page.on(
        "request",
        lambda request: missing.append(request.url) if not request.url.startswith(base) else None,
    )
    page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
    for address in addresses:
        if address.startswith("files/") and (screen, scheme) != ("wide", "light"):
            continue  # Pages that show a file are all alike.
        missing.clear()
        page.goto(f"{base}/{address}", wait_until="load")
        page.evaluate(AXE.read_text())
        violations = page.evaluate(_RUN)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if pictures:
            name = address.strip("/").replace("/", "-") or "index"
            page.screenshot(path=pictures / f"{name}-{screen}-{scheme}.png")
        yield {
            "page": address or "/",
            "screen": screen,
            "scheme": scheme,
            "violations": violations,
            "width": wide,
            "most_width": width,
            "elsewhere_or_missing": sorted({*missing}),
        }
    context.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    wanted = [str(path.parent.relative_to(folder)) for path in sorted(folder.rglob("index.html"))]
    names = ["" if name == "." else f"{name}/" for name in wanted]
    shots = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    chosen = sys.argv[3:] or names
    for row in look(folder, chosen, shots):
        sys.stdout.write(f"{json.dumps(row)}\n")
        sys.stdout.flush()
