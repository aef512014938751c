"""How long is `dev` in Terraform and Helm, and which mistakes does each way refuse?

The same cloud, models and jobs as `Pulumi.dev.yaml`, written by hand in `terraform` and `chart`.
Each mistake is made in both, and asked of what can be asked before anything is created:

- `ack-inference plan`, by its validation;
- Terraform's own `fmt`: `validate` wants the provider, which `terraform init` downloads;
- Helm's own `lint` and `template`;
- with --kubeconfig, an API server that has the kinds, by a strict dry run of what Helm renders, as
  that of `ack-inference sandbox up existing --nodes`, with Knative's own webhook before it.

    python -m bench.comparison [--kubeconfig FILE]
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes import config as access
from kubernetes import dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from rich.console import Console
from rich.table import Table

from sandbox import binaries
from stacks.sections.environment import PROJECT
from stacks.validation import validate

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
OURS: Final = "Pulumi.dev.yaml"


@dataclass(frozen=True)
class Mistake:
    """A mistake that is easily made, in each way of writing the environment."""

    words: str
    ours: tuple[str, str]
    """What stands in the stack file, and what is written in its place."""
    file: str
    """File of Terraform or Helm that has the same."""
    theirs: tuple[str, str]
    """Likewise, in that file."""


A10: Final = "ecs.gn7i-c32g1.8xlarge"
VALUES: Final = "chart/values.yaml"
MODEL: Final = "chart/templates/model.yaml"
MAIN: Final = "terraform/main.tf"
PRIORITY: Final = ("priority: inference-high-priority", "priority: infrence-high-priority")
MISTAKES: Final = (
    Mistake(
        "a pod that fits no node of its pool",
        (A10, "ecs.gn7i-c16g1.4xlarge"),
        MAIN,
        (A10, "ecs.gn7i-c16g1.4xlarge"),
    ),
    Mistake("a misspelt priority", PRIORITY, VALUES, PRIORITY),
    Mistake(
        "the least above the most",
        ("min: 1, max: 3}", "min: 3, max: 1}"),
        VALUES,
        ("min: 1, max: 3}", "min: 3, max: 1}"),
    ),
    Mistake(
        "a cache smaller than its model",
        ("size: 11Gi}", "size: 110Gi}"),
        VALUES,
        ("size: 11Gi\n", "size: 110Gi\n"),
    ),
    Mistake(
        "a cache on nodes that nobody creates",
        ("cache: {pool: cache,", "cache: {pool: caches,"),
        VALUES,
        ("instanceType: ecs.g8i.24xlarge", "instanceType: ecs.g8i.32xlarge"),
    ),
    Mistake(
        "a pool that does not exist in a placement",
        ("{pools: [a10, t4], preempt_policy", "{pools: [a10, t5], preempt_policy"),
        VALUES,
        ("{card: Tesla-T4,", "{card: Tesla-T5,"),
    ),
    Mistake(
        "more autoscaled nodes at least than at most",
        ("autoscale: {min: 0, max: 4}", "autoscale: {min: 5, max: 4}"),
        MAIN,
        ("min = 0, max = 4", "min = 5, max = 4"),
    ),
    Mistake(
        "a range of pods that overlaps that of the nodes",
        ("pod_cidr: 10.0.64.0/18", "pod_cidr: 10.0.0.0/18"),
        MAIN,
        ('"10.0.64.0/18"', '"10.0.0.0/18"'),
    ),
    Mistake(
        "a flag of vLLM that does not exist",
        ("max_model_len: 6144", "max_model_length: 6144"),
        VALUES,
        ("--max-model-len=6144", "--max-model-length=6144"),
    ),
    Mistake(
        "a number format that the card cannot compute",
        ("quantization: gptq", "quantization: fp8"),
        VALUES,
        ("--quantization=gptq", "--quantization=fp8"),
    ),
    Mistake(
        "a unit of memory that Kubernetes does not know",
        ("memory: 64Gi, gpus: 1}", "memory: 64GB, gpus: 1}"),
        VALUES,
        ("memory: 64Gi, gpus: 1}", "memory: 64GB, gpus: 1}"),
    ),
    Mistake(
        "an unknown key",
        ("mount_path: /mnt/models/Qwen", "mountpath: /mnt/models/Qwen"),
        MODEL,
        ("mountPath: {{ $model.mountPath }}", "mountpath: {{ $model.mountPath }}"),
    ),
    Mistake(
        "a bucket's name that OSS refuses",
        ("{bucket: ack-inference-dev-models}", "{bucket: Ack_Inference_Models}"),
        "terraform/storage.tf",
        ('"ack-inference-dev-models"', '"Ack_Inference_Models"'),
    ),
    Mistake(
        "an instance type that is not sold",
        ("ecs.gn6i-c24g1.6xlarge", "ecs.gn6i-c24g1.7xlarge"),
        MAIN,
        ("ecs.gn6i-c24g1.6xlarge", "ecs.gn6i-c24g1.7xlarge"),
    ),
)
"""All of them would show only in the cloud, or in a pod that never starts."""


def lines(*paths: Path) -> int:
    """Lines that say something: neither blank nor a comment."""
    texts = (line.strip() for path in paths for line in path.read_text().splitlines())
    return sum(1 for line in texts if line and not line.startswith("#"))


def changed(path: Path, change: tuple[str, str]) -> None:
    """Writes a mistake into a file.

    Raises:
        ValueError: What it changes does not stand there.
    """
    text, (right, wrong) = path.read_text(), change
    if right not in text:
        raise ValueError(f"{path.name} has no {right!r}.")
    path.write_text(text.replace(right, wrong))


def ours(mistake: Mistake | None) -> str:
    """What the validation of the stack file says first, or nothing."""
    text = (ROOT / OURS).read_text()
    if mistake:
        text = text.replace(*mistake.ours)
    keys = yaml.safe_load(text)["config"]
    environment = {key.removeprefix(f"{PROJECT}:"): value for key, value in keys.items()}
    return next((str(fault) for fault in validate(environment).faults), "")


def _run(*command: str | Path) -> str:
    done = subprocess.run(  # noqa: S603  the programs named above
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    said = (done.stderr or done.stdout).strip()
    return (said.splitlines() or ["refused"])[-1] if done.returncode else ""


def terraform(folder: Path) -> str:
    """What Terraform says of the files, or nothing."""
    return _run("terraform", "fmt", "-check", folder / "terraform")


def helm(program: Path, folder: Path) -> str:
    """What Helm says of the chart, or nothing."""
    chart = folder / "chart"
    return _run(program, "lint", "--strict", chart) or _run(program, "template", chart)


def connected(kubeconfig: str) -> Any:
    """A client of a cluster; the package has no types."""
    access_of: Any = access
    client_of: Any = dynamic
    return client_of.DynamicClient(access_of.new_client_from_config(kubeconfig))


def dry_runs(client: Any, program: Path, folder: Path) -> Iterator[str]:
    """What an API server says of the objects that Helm renders."""
    rendered = subprocess.run(  # noqa: S603  our own chart
        # In a namespace of its own: there the objects of the stack do not stand in the way.
        [program, "template", folder / "chart", "--set", "namespace=default"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for manifest in yaml.safe_load_all(rendered):
        if manifest and (said := _dry_run(client, manifest)):
            yield said


def _dry_run(client: Any, manifest: Mapping[str, Any]) -> str:
    try:
        kind = client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
        client.server_side_apply(
            kind,
            body=manifest,
            name=manifest["metadata"]["name"],
            namespace=manifest["metadata"].get("namespace"),
            field_manager="comparison",
            force_conflicts=True,
            query_params=[("dryRun", "All"), ("fieldValidation", "Strict")],
        )
    except ResourceNotFoundError:
        return f"no kind {manifest['kind']}"
    except ApiException as refused:
        message = re.search(r'"message":"(.*?)","', str(refused.body))
        return message[1] if message else str(refused.reason)
    return ""


def asked(arguments: argparse.Namespace) -> dict[str, Callable[[Path], str]]:
    """Whom a copy of the folder is shown, by name."""
    program = binaries.find("helm")
    judges: dict[str, Callable[[Path], str]] = {"Helm": lambda folder: helm(program, folder)}
    if shutil.which("terraform"):
        judges["Terraform fmt"] = terraform
    if arguments.kubeconfig:
        client = connected(arguments.kubeconfig)
        usual = {*dry_runs(client, program, HERE)}

        def server(folder: Path) -> str:
            return next(
                (said for said in dry_runs(client, program, folder) if said not in usual), ""
            )

        judges["API server"] = server
    return judges


def main() -> int:
    """Counts and asks; ends with 1 if what is right is refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig")
    arguments = parser.parse_args()
    console = Console(width=160)
    terraform_files, chart = (
        sorted(HERE.glob("terraform/*.tf")),
        sorted(HERE.glob("chart/**/*.yaml")),
    )
    console.print(
        f"lines: {OURS} {lines(ROOT / OURS)}; Terraform {lines(*terraform_files)} + "
        f"Helm {lines(*chart)} = {lines(*terraform_files, *chart)}"
    )
    judges = asked(arguments)
    table = Table("mistake", "plan", *judges)
    counts, sentences = dict.fromkeys(("plan", *judges), 0), []
    for mistake in (None, *MISTAKES):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(HERE, folder, dirs_exist_ok=True)
            if mistake:
                changed(folder / mistake.file, mistake.theirs)
            answers = {"plan": ours(mistake), **{who: ask(folder) for who, ask in judges.items()}}
        if mistake is None:
            if any(answers.values()):
                console.print(f"What is right is refused: {answers}")
                return 1
            continue
        counts = {who: counts[who] + bool(answer) for who, answer in answers.items()}
        table.add_row(mistake.words, *("refused" if answer else "-" for answer in answers.values()))
        sentences += [
            f"{mistake.words}: {who}: {answer}" for who, answer in answers.items() if answer
        ]
    table.add_row(f"of {len(MISTAKES)}", *(str(number) for number in counts.values()))
    console.print(table)
    for sentence in sentences:
        console.print(f"  {sentence}", soft_wrap=True, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
