"""What zizmor knows of attacks on workflows, beside our own rules."""

import subprocess
import sys
from pathlib import Path

import pytest

from .files import ROOT, text

ZIZMOR = Path(sys.executable).with_name("zizmor")

pytestmark = pytest.mark.skipif(
    not ZIZMOR.exists(), reason="zizmor is not installed: `make .venv/.dev` brings it."
)


def zizmor(path: Path) -> str:
    command = [str(ZIZMOR), "--offline", "--quiet", "--no-progress", "--color=never", str(path)]
    return subprocess.run(command, capture_output=True, text=True).stdout


def test_zizmor_finds_nothing() -> None:
    assert zizmor(ROOT / ".github").startswith("No findings to report.")


@pytest.mark.parametrize(
    ("name", "right", "wrong", "rule"),
    [
        ("diff.yml", "HEAD^1", "${{ github.head_ref }}", "template-injection"),
        ("checks.yml", "3d3c42e5aac5ba805825da76410c181273ba90b1", "main", "unpinned-uses"),
        ("checks.yml", "persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ("diff-comment.yml", "  # zizmor: ignore", "  # ignore", "dangerous-triggers"),
        ("release.yml", "cache: false", "cache: true", "cache-poisoning"),
    ],
)
def test_zizmor_finds_a_mistake(
    name: str, right: str, wrong: str, rule: str, tmp_path: Path
) -> None:
    assert right in text(name)
    path = tmp_path / ".github" / "workflows" / name
    path.parent.mkdir(parents=True)
    path.write_text(text(name).replace(right, wrong))
    assert f"[{rule}]" in zizmor(path)
