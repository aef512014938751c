"""What a tag publishes, made by the commands of the workflow itself."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
GITHUB: Final = ROOT / ".github"
COPIED: Final = ("README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "requirements.lock")
VERSION: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
TAG: Final = f"v{VERSION}"


def step(title: str) -> str:
    """The commands of a step of the job that builds."""
    workflow = yaml.safe_load((GITHUB / "workflows" / "release.yml").read_text())
    [entry] = [entry for entry in workflow["jobs"]["build"]["steps"] if entry.get("name") == title]
    return str(entry["run"])


HOLD: Final = step("Hold the tag against the version, the changelog and main")
BUILD: Final = step("Build the packages and the plugin")
TRY: Final = step("Import the wheel and serve the plugin, away from the repository")


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", *who, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of main at a commit that is about to be released, as the runner has it."""
    return clone(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a clone, with what is released of it."""
    folder = clone(tmp_path_factory.mktemp("release"))
    for script in (HOLD, BUILD):
        done = run(script, folder)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def clone(folder: Path) -> Path:
    """Makes a clone in an empty folder."""
    skipped = shutil.ignore_patterns("__pycache__", ".venv")
    shutil.copytree(ROOT / "components", folder / "components", ignore=skipped)
    for name in COPIED:
        shutil.copy(ROOT / name, folder)
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## Unreleased", f"## {VERSION}", 1))
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / ".gitignore").write_text("__pycache__/\n.venv\ndist/\nrelease/\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A release")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / ".venv" / "bin" / "python").chmod(0o755)
    return folder


def run(script: str, checkout: Path, tag: str = TAG) -> subprocess.CompletedProcess[str]:
    """Runs the commands as GitHub does: the first that fails ends them."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    environment = {**os.environ, "GITHUB_REF_NAME": tag}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)


def test_a_tag_that_is_the_version_and_is_in_the_changelog_may_be_published(checkout: Path) -> None:
    done = run(HOLD, checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    notes = (checkout / "release" / "notes.md").read_text()
    assert "Preview:" in notes
    assert "# Changelog" not in notes


def test_a_tag_of_another_version_is_refused(checkout: Path) -> None:
    done = run(HOLD, checkout, "v99.0.0")
    assert done.returncode == 1
    assert f"The tag is v99.0.0, but it must be {TAG}" in done.stdout


@pytest.mark.parametrize("title", ["## Unreleased", f"## {VERSION}0", "## 99.0.0"])
def test_a_version_that_the_changelog_does_not_have_is_refused(checkout: Path, title: str) -> None:
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace(f"## {VERSION}", title))
    done = run(HOLD, checkout)
    assert done.returncode == 1
    assert f"no section '## {VERSION}'" in done.stdout


def test_the_notes_are_those_of_the_version_alone(checkout: Path) -> None:
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(
        f"# Changelog\n\n## {VERSION} (2026-11-22)\n\n- This.\n\n## 0.0.1\n\n- Old.\n"
    )
    assert run(HOLD, checkout).returncode == 0
    assert (checkout / "release" / "notes.md").read_text().strip() == "- This."


def test_a_tag_beside_main_is_refused(checkout: Path) -> None:
    (checkout / "LICENSE").write_text("Mine.\n")
    git(checkout, "commit", "--all", "--quiet", "--message", "Not reviewed")
    done = run(HOLD, checkout)
    assert done.returncode == 1
    assert "The tag is not on main" in done.stdout


def test_what_is_built_works_away_from_the_repository(built: Path) -> None:
    """Does not prove that pip finds the dependencies, nor that PyPI takes the files."""
    done = run(TRY, built)
    assert done.returncode == 0, done.stdout + done.stderr
    name = f"pulumi_ack_inference-{VERSION}"
    assert {path.name for path in (built / "dist").iterdir()} == {
        f"{name}.tar.gz",
        f"{name}-py3-none-any.whl",
    }
    with zipfile.ZipFile(built / "dist" / f"{name}-py3-none-any.whl") as wheel:
        assert "pulumi_ack_inference/py.typed" in wheel.namelist()
    with tarfile.open(built / "release" / f"ack-inference-plugin-{TAG}.tar.gz") as plugin:
        files = {member.name.partition("/")[2] for member in plugin.getmembers()}
    assert {"components/plugin/PulumiPlugin.yaml", "requirements.lock", "pyproject.toml"} <= files


def test_a_plugin_of_another_version_is_not_published(built: Path) -> None:
    done = run(TRY, built, "v99.0.0")
    assert f"The plugin says it is {TAG}, but it must be v99.0.0" in done.stderr


def jobs() -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load((GITHUB / "workflows" / "release.yml").read_text())
    return dict(workflow["jobs"])


def test_whatever_is_released_was_attested_first() -> None:
    """Does not prove that GitHub attests it."""
    [provenance] = [step for step in jobs()["attest"]["steps"] if step.get("id") == "provenance"]
    attested = {*provenance["with"]["subject-path"].split()}
    [release] = [step["run"] for step in jobs()["release"]["steps"] if "run" in step]
    released = {*re.findall(r"\b(?:packages|release|bills)/[\w.*]+", release)}
    assert released - {"release/notes.md"} == {path.replace(".cdx.json", "") for path in attested}
    assert jobs()["attest"]["needs"] == ["build", "bills"]
    assert jobs()["publish"]["needs"] == "attest"
    assert jobs()["release"]["needs"] == "publish"


def test_the_job_that_may_publish_builds_nothing_and_installs_what_signs() -> None:
    runs = [step["run"] for step in jobs()["publish"]["steps"] if "run" in step]
    assert [run for run in runs if run.startswith("make")] == ["make .venv/.sign"]
    assert len(runs) == 3
    names = [name for name, job in jobs().items() if "environment" in job]
    assert names == ["publish"]


def forms() -> list[Path]:
    return [path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]


@pytest.mark.parametrize("form", forms(), ids=lambda path: path.name)
def test_an_issue_form_is_one_that_github_shows(form: Path) -> None:
    document: dict[str, Any] = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= set(document)
    fields = document["body"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert {field["type"] for field in fields} <= {"textarea", "input"}
    assert all(re.fullmatch(r"[\w-]+", field["id"]) for field in fields)
    assert all(field["attributes"]["label"] for field in fields)


def test_the_hooks_run_what_lint_runs() -> None:
    """But for options: a hook may repair what lint only finds."""

    def words(command: str) -> list[str]:
        return [word for word in command.split() if not word.startswith(("-", "$"))]

    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    makefile = (ROOT / "Makefile").read_text()
    [checks] = re.findall(r"^CHECKS := (.+)$", makefile, re.MULTILINE)
    recipes = dict(re.findall(r"^([\w-]+):\n\t@\$\(BIN\)/(.+)$", makefile, re.MULTILINE))
    entries = [hook["entry"].removeprefix(".venv/bin/") for hook in hooks]
    assert sorted(map(words, entries)) == sorted(words(recipes[name]) for name in checks.split())
