"""How long do others take to render the same Kubernetes objects?

Wall time, since Node works beside Python. By turns, in processes of their own: `ack-inference plan
--json` of a stack of many models, cdk8s in Python with the same objects as data, and `helm
template` of a chart that has them as values. Both peers are asked in their leanest way, and check
nothing.
cdk8s is installed into an environment of its own (it needs Node), Helm is built once (it needs Go).

    python -m bench.peers
    python -m bench.peers --models 10 100
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import yaml

from plan.run import plan
from sandbox import binaries

from .models import STACK, project
from .plan_overhead import PLAN
from .process import by_turns, compiling_into, cost
from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
MODELS: Final = (10, 100, 1000)
TIMES: Final = {10: 5, 100: 3, 1000: 1}
CDK8S_LOCK: Final = Path(__file__).with_name("requirements-cdk8s.txt")
CDK8S: Final = """
import json
import sys

from cdk8s import ApiObject, ApiObjectMetadata, App, Chart, JsonPatch

given, folder = sys.argv[1:]
app = App(outdir=folder)
chart = Chart(app, "models")
for number, one in enumerate(json.load(open(given))):
    about = ApiObjectMetadata(**one.pop("metadata"))
    made = ApiObject(
        chart,
        f"object-{number}",
        api_version=one.pop("apiVersion"),
        kind=one.pop("kind"),
        metadata=about,
    )
    for key, value in one.items():
        made.add_json_patch(JsonPatch.add(f"/{key}", value))
app.synth()
"""
TEMPLATE: Final = "{{ range .Values.objects }}\n---\n{{ toYaml . }}\n{{ end }}"


def cdk8s_python(folder: Path) -> str:
    """An environment with cdk8s, from the hashed lock.

    Raises:
        binaries.Unavailable: Node is missing.
    """
    if shutil.which("node") is None:
        raise binaries.Unavailable("cdk8s needs Node 18 or later.")
    uv = Path(sys.executable).with_name("uv")
    python = folder / "bin" / "python"
    for arguments in (
        ["venv", "--quiet", str(folder), "--python", sys.executable],
        ["pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(CDK8S_LOCK)],
    ):
        subprocess.run([str(uv), *arguments], check=True)  # noqa: S603
    return str(python)


def written(objects: Sequence[dict[str, object]], folder: Path) -> tuple[Path, Path]:
    """The objects as data for cdk8s, and as a chart for Helm."""
    objects_file, chart = folder / "objects.json", folder / "chart"
    plain = json.loads(json.dumps(objects))
    objects_file.write_text(json.dumps(plain))
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: models, version: 0.1.0}\n")
    (chart / "templates" / "objects.yaml").write_text(TEMPLATE)
    (chart / "values.yaml").write_text(yaml.safe_dump({"objects": plain}))
    return objects_file, chart


def rows(size: int, times: int, python: str, helm: Path) -> Iterator[RatioRow]:
    """One size of stack against each peer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = project(folder / "project", ROOT, size)
        objects = plan(STACK, root).manifests()
        objects_file, chart = written(objects, folder)
        environment = compiling_into(folder / "compiled")
        program = [sys.executable, "-W", "ignore", "-c", PLAN]
        commands = {
            "ours": [*program, "plan", STACK, "--json", "--project", str(root)],
            "cdk8s": [python, "-c", CDK8S, str(objects_file), str(folder / "synthesized")],
            "helm template": [str(helm), "template", str(chart)],
        }
        cost([*program, "plan", "dev", "--project", str(ROOT)], environment)  # compiles
        cost([python, "-c", "import cdk8s"], environment)
        costs = by_turns(commands, times, environment)
    mine, *rivals = ((peer, median(run.wall for run in runs)) for peer, runs in costs.items())
    for peer, wall in rivals:
        limit = 0.9 if (peer, size) == ("cdk8s", MODELS[-1]) else None
        detail = f"{mine[1]:.2f} s : {wall:.2f} s, {len(objects)} objects"
        yield RatioRow(f"plan {size} models : {peer}", mine[1] / wall, limit, detail)


def measure(sizes: Sequence[int] = MODELS) -> list[RatioRow]:
    """Every size against every peer."""
    with tempfile.TemporaryDirectory() as folder:
        python, helm = cdk8s_python(Path(folder)), binaries.find("helm", print)
        return [row for size in sizes for row in rows(size, TIMES.get(size, 3), python, helm)]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="*", type=int, default=list(MODELS))
    show(measure(parser.parse_args().models))


if __name__ == "__main__":
    main()
