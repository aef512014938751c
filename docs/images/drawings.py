"""Draws the pictures of `docs/concepts`: boxes in columns and rows, and arrows between them.

    .venv/bin/python docs/images/drawings.py [--check]

Each is written twice, for light and for dark pages. `--check` ends with an error if one is not what
this file says.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent / "concepts"
COLUMN, ROW, WIDTH, HEIGHT, MARGIN = 244, 112, 176, 68, 14
FONT: Final = "font-family='system-ui, sans-serif'"
COLOURS: Final[Mapping[str, Mapping[str, str]]] = {
    "light": {
        **{"page": "#ffffff", "text": "#1d2129", "note": "#4a5160", "line": "#5b6475"},
        **{"plain": "#f3f5f9", "ours": "#e3e8fb", "gpu": "#e2f4e6", "wait": "#fdf1d8"},
        "stop": "#fbe3e3",
    },
    "dark": {
        **{"page": "#1e2129", "text": "#eef0f5", "note": "#b9bfcd", "line": "#9aa3b5"},
        **{"plain": "#2b303c", "ours": "#2c3768", "gpu": "#1f4a32", "wait": "#584615"},
        "stop": "#5a2a2e",
    },
}


@dataclass(frozen=True)
class Box:
    """A thing: where it stands, its name, a line below, and what colour it has."""

    column: float
    row: float
    name: str
    note: str = ""
    kind: str = "plain"

    @property
    def left(self) -> float:
        """In pixels."""
        return MARGIN + self.column * COLUMN

    @property
    def top(self) -> float:
        """In pixels."""
        return MARGIN + self.row * ROW

    def side(self, other: "Box") -> tuple[float, float]:
        """The middle of the side that looks at another box."""
        across, down = other.column - self.column, other.row - self.row
        x, y = self.left + WIDTH / 2, self.top + HEIGHT / 2
        if abs(across) > abs(down) or (across and abs(across) == abs(down) and down <= 0):
            return x + (WIDTH / 2 if across > 0 else -WIDTH / 2), y
        return x, y + (HEIGHT / 2 if down > 0 else -HEIGHT / 2)


@dataclass(frozen=True)
class Drawing:
    """A picture: its boxes, and arrows between their names with a word each."""

    boxes: tuple[Box, ...]
    arrows: tuple[tuple[str, str, str], ...]
    dashed: tuple[tuple[str, str], ...] = ()
    """Arrows that are no flow of requests or data."""

    def svg(self, colours: Mapping[str, str]) -> str:
        """The picture in the colours of a page."""
        width = max(box.left for box in self.boxes) + WIDTH + MARGIN
        height = max(box.top for box in self.boxes) + HEIGHT + MARGIN
        named = {box.name: box for box in self.boxes}
        parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:g} {height:g}' "
            f"width='{width:g}' height='{height:g}' {FONT}>",
            "<defs><marker id='tip' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' "
            f"markerHeight='7' orient='auto-start-reverse'><path d='M0 0L10 5L0 10z' "
            f"fill='{colours['line']}'/></marker></defs>",
            f"<rect width='100%' height='100%' fill='{colours['page']}'/>",
            *(self._arrow(named[tail], named[head], colours) for tail, head, _ in self.arrows),
            *(part for box in self.boxes for part in _box(box, colours)),
            *(
                _word(named[tail], named[head], word, colours)
                for tail, head, word in self.arrows
                if word
            ),
            "</svg>",
        ]
        return "\n".join([*parts, ""])

    def _arrow(self, tail: Box, head: Box, colours: Mapping[str, str]) -> str:
        (x1, y1), (x2, y2) = tail.side(head), head.side(tail)
        dash = " stroke-dasharray='6 5'" if (tail.name, head.name) in self.dashed else ""
        return (
            f"<path d='M{x1:g} {y1:g}L{x2:g} {y2:g}' stroke='{colours['line']}' stroke-width='2'"
            f"{dash} fill='none' marker-end='url(#tip)'/>"
        )


def _box(box: Box, colours: Mapping[str, str]) -> Iterator[str]:
    middle = box.left + WIDTH / 2
    yield (
        f"<rect x='{box.left:g}' y='{box.top:g}' width='{WIDTH}' height='{HEIGHT}' rx='8' "
        f"fill='{colours[box.kind]}' stroke='{colours['line']}' stroke-width='1.2'/>"
    )
    lines = box.note.split("\n") if box.note else []
    first = box.top + HEIGHT / 2 + 5 - 8 * len(lines)
    yield _text(middle, first, box.name, colours["text"], 17, " font-weight='600'")
    for at, line in enumerate(lines, 1):
        yield _text(middle, first + 17 * at, line, colours["note"], 14)


def _word(tail: Box, head: Box, word: str, colours: Mapping[str, str]) -> str:
    (x1, y1), (x2, y2) = tail.side(head), head.side(tail)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    if y1 == y2:
        return _text(x, y - 8, word, colours["note"], 14)
    around = 7.2 * len(word) + 8
    return (
        f"<rect x='{x - around / 2:g}' y='{y - 10:g}' width='{around:g}' height='20' "
        f"fill='{colours['page']}'/>" + _text(x, y + 4, word, colours["note"], 14)
    )


def _text(x: float, y: float, words: str, colour: str, size: int, more: str = "") -> str:
    return (
        f"<text x='{x:g}' y='{y:g}' text-anchor='middle' font-size='{size}' fill='{colour}'{more}>"
        f"{escape(words)}</text>"
    )


DRAWINGS: Final[Mapping[str, Drawing]] = {
    "architecture": Drawing(
        (
            Box(0, 0, "requests"),
            Box(1, 0, "Knative", "scales on requests\nin hand", "ours"),
            Box(2, 0, "ResourcePolicy", "order of pools,\npreemption", "ours"),
            Box(2, 1, "A10 nodes", "fixed", "gpu"),
            Box(2, 2, "T4 nodes", "autoscaled by\nGOATScaler", "gpu"),
            Box(1, 1, "cache nodes", "Fluid, in memory", "ours"),
            Box(0, 1, "OSS bucket", "read through RRSA"),
            Box(1, 2, "training Job", "low priority, resumes", "wait"),
            Box(0, 2, "NAS", "checkpoints"),
        ),
        (
            ("requests", "Knative", ""),
            ("Knative", "ResourcePolicy", ""),
            ("ResourcePolicy", "A10 nodes", "first"),
            ("A10 nodes", "T4 nodes", "then"),
            ("OSS bucket", "cache nodes", ""),
            ("cache nodes", "A10 nodes", ""),
            ("NAS", "training Job", ""),
            ("training Job", "T4 nodes", ""),
        ),
        (("training Job", "T4 nodes"),),
    ),
    "component": Drawing(
        (
            Box(0, 0.5, "arguments", "validated at once"),
            Box(1, 0.5, "KnativeModel", "a component", "ours"),
            Box(2, 0, "Service", "Knative's", "gpu"),
            Box(2, 1, "outputs", "host, URL, labels"),
            Box(0, 1.5, "a fault", "nothing is created", "stop"),
        ),
        (
            ("arguments", "KnativeModel", "right"),
            ("arguments", "a fault", "wrong"),
            ("KnativeModel", "Service", ""),
            ("KnativeModel", "outputs", ""),
        ),
    ),
    "placement": Drawing(
        (
            Box(0, 0, "a pod", "of the model qwen"),
            Box(1, 0, "unit 1: A10", "2 nodes, fixed", "gpu"),
            Box(2, 0, "runs", "", "gpu"),
            Box(1, 1, "preempt", "training gives way", "wait"),
            Box(1, 2, "unit 2: T4", "0..4 nodes", "gpu"),
            Box(2, 2, "waits", "a node is bought", "wait"),
        ),
        (
            ("a pod", "unit 1: A10", "first"),
            ("unit 1: A10", "runs", ""),
            ("unit 1: A10", "preempt", "full"),
            ("preempt", "runs", ""),
            ("preempt", "unit 2: T4", "nobody to"),
            ("unit 2: T4", "waits", "full"),
        ),
    ),
    "cache": Drawing(
        (
            Box(0, 0, "OSS bucket", "Qwen-7B-Chat-Int8"),
            Box(1, 0, "DataLoad", "fills it once", "ours"),
            Box(2, 0, "JindoRuntime", "2 x 20 GiB in memory", "ours"),
            Box(1, 1, "Dataset", "a claim of its own", "ours"),
            Box(2, 1, "a pod", "reads at the\nspeed of the network", "gpu"),
        ),
        (
            ("OSS bucket", "DataLoad", ""),
            ("DataLoad", "JindoRuntime", ""),
            ("JindoRuntime", "a pod", "hit"),
            ("Dataset", "a pod", "mount"),
        ),
    ),
    "knative": Drawing(
        (
            Box(0, 0, "requests", "Host: qwen..."),
            Box(1, 0, "gateway", "ALB, Kourier, ..."),
            Box(2, 0, "pods", "target 2 each", "gpu"),
            Box(1, 1, "activator", "holds requests\nwhile there is no pod", "wait"),
            Box(2, 1, "autoscaler", "windows of 60 and 6 s", "ours"),
        ),
        (
            ("requests", "gateway", ""),
            ("gateway", "pods", ""),
            ("gateway", "activator", "0 pods"),
            ("pods", "autoscaler", "in hand"),
            ("activator", "autoscaler", ""),
        ),
        (("pods", "autoscaler"), ("activator", "autoscaler")),
    ),
    "kserve": Drawing(
        (
            Box(0, 0, "requests"),
            Box(1, 0, "Ingress", "NGINX, ALB or MSE"),
            Box(2, 0, "pods", "IDC first, then cloud", "gpu"),
            Box(0, 1, "InferenceService", "KServe's", "ours"),
            Box(1, 1, "HPA", "scales the pods", "ours"),
            Box(2, 1, "Prometheus", "queue of vLLM, GPUs"),
        ),
        (
            ("requests", "Ingress", ""),
            ("Ingress", "pods", ""),
            ("InferenceService", "HPA", ""),
            ("pods", "Prometheus", "scraped"),
            ("Prometheus", "HPA", ""),
            ("HPA", "pods", ""),
        ),
        (("pods", "Prometheus"), ("Prometheus", "HPA"), ("HPA", "pods")),
    ),
    "gateway": Drawing(
        (
            Box(0, 0, "requests", "one address, a key"),
            Box(1, 0, "Gateway", "key, limits, model", "ours"),
            Box(2, 0, "limits", "counted in Redis", "wait"),
            Box(1, 1, "canary", "a share of requests"),
            Box(1, 2, "picker", "queue, KV cache,\nbeginning of the text", "ours"),
            Box(2, 2, "pods", "report what they hold", "gpu"),
        ),
        (
            ("requests", "Gateway", ""),
            ("Gateway", "limits", ""),
            ("Gateway", "canary", ""),
            ("canary", "picker", ""),
            ("picker", "pods", ""),
        ),
        (("Gateway", "limits"),),
    ),
    "roles": Drawing(
        (
            Box(0, 0, "requests"),
            Box(1, 0, "router", "one per model", "ours"),
            Box(2, 0, "prefill", "reads the prompt", "gpu"),
            Box(2, 1, "decode", "writes the answer", "gpu"),
            Box(1, 1, "an HPA per role", "queue, KV cache", "ours"),
            Box(0, 1, "policy", "neither runs ahead", "wait"),
        ),
        (
            ("requests", "router", ""),
            ("router", "prefill", "first"),
            ("prefill", "decode", "KV cache"),
            ("an HPA per role", "decode", ""),
            ("policy", "an HPA per role", ""),
        ),
        (("an HPA per role", "decode"), ("policy", "an HPA per role")),
    ),
    "plan": Drawing(
        (
            Box(0, 0, "stack file", "Pulumi.dev.yaml"),
            Box(1, 0, "validation", "checks and warnings", "ours"),
            Box(2, 0, "plan", "resources, money", "gpu"),
            Box(1, 1, "sentences", "field, value, remedy", "stop"),
            Box(2, 1, "diff", "of two revisions", "ours"),
        ),
        (
            ("stack file", "validation", ""),
            ("validation", "plan", "right"),
            ("validation", "sentences", "wrong"),
            ("plan", "diff", ""),
        ),
    ),
    "sandbox": Drawing(
        (
            Box(0, 0, "program", "yours, unchanged"),
            Box(1, 0, "Pulumi's engine", "the real one", "ours"),
            Box(2, 0, "cloud", "simulated", "wait"),
            Box(1, 1, "API server", "kube-apiserver, etcd", "ours"),
            Box(2, 1, "controllers", "Knative, KServe, Fluid,\nscheduler: real ones", "ours"),
            Box(2, 2, "nodes", "kwok: no container runs", "wait"),
        ),
        (
            ("program", "Pulumi's engine", ""),
            ("Pulumi's engine", "cloud", ""),
            ("Pulumi's engine", "API server", ""),
            ("API server", "controllers", ""),
            ("controllers", "nodes", ""),
        ),
    ),
    "simulator": Drawing(
        (
            Box(0, 0, "traffic", "a tide, a spike, a trace"),
            Box(1, 0, "engine", "queue, batches, KV", "gpu"),
            Box(2, 0, "waits", "to the first token"),
            Box(0, 1, "autoscaler", "KPA, HPA or KEDA", "ours"),
            Box(1, 1, "scheduler", "ResourcePolicy", "ours"),
            Box(2, 1, "nodes", "come after minutes", "wait"),
            Box(2, 2, "money", "node-hours, training"),
        ),
        (
            ("traffic", "engine", ""),
            ("engine", "waits", ""),
            ("traffic", "autoscaler", ""),
            ("autoscaler", "scheduler", "pods"),
            ("scheduler", "nodes", ""),
            ("scheduler", "engine", ""),
            ("nodes", "money", ""),
        ),
    ),
    "status": Drawing(
        (
            Box(0, 0, "store", "claim, files"),
            Box(1, 0, "cache", "bound, filled"),
            Box(2, 0, "placement", "a node, a card"),
            Box(2, 1, "start", "image, weights", "wait"),
            Box(1, 1, "service", "ready, scaled"),
            Box(0, 1, "door", "gateway, host", "gpu"),
        ),
        (
            ("store", "cache", ""),
            ("cache", "placement", ""),
            ("placement", "start", ""),
            ("start", "service", ""),
            ("service", "door", ""),
        ),
    ),
}
"""By the name of their files."""


def files() -> dict[Path, str]:
    """What every file says."""
    return {
        HERE / f"{name}-{scheme}.svg": drawing.svg(colours)
        for name, drawing in DRAWINGS.items()
        for scheme, colours in COLOURS.items()
    }


def stale() -> list[str]:
    """The files that say something else, and those that nobody draws."""
    wanted = files()
    return sorted(
        path.name
        for path in {*wanted, *HERE.glob("*.svg")}
        if not path.exists() or path.read_text() != wanted.get(path)
    )


if __name__ == "__main__":
    if "--check" not in sys.argv[1:]:
        HERE.mkdir(exist_ok=True)
        for path, text in files().items():
            path.write_text(text)
    elif outdated := stale():
        sys.exit(f"{', '.join(outdated)}: run: python docs/images/drawings.py")
