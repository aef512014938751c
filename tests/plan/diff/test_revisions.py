"""Two revisions of a small project in a repository of its own, each planned in its own process."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from plan.diff import revisions
from plan.diff.compare import ChangeKind
from plan.diff.revisions import WORKING_TREE, checked_out, report
from plan.model import Plan
from plan.refused import Refused

PROGRAM: Final = """
import pulumi
from shop.names import NAME

size = pulumi.Config().require("size")
pulumi.CustomResource("shop:index:Notes", NAME, {"size": size})
print("said by the program")
"""


def git(folder: Path, *arguments: str) -> str:
    about = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *about, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write(root: Path, size: str, name: str = "notes", program: str = PROGRAM) -> None:
    (root / "shop").mkdir(exist_ok=True)
    (root / "shop/names.py").write_text(f"NAME = {name!r}\n")
    (root / "__main__.py").write_text(program)
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (root / "Pulumi.dev.yaml").write_text(f"config:\n  shop:size: {size}\n")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder of a repository, with two commits and a change that is in none."""
    root = tmp_path / "repository" / "deploy"
    root.mkdir(parents=True)
    git(root.parent, "init", "--initial-branch=main")
    for size in ("one", "two"):
        write(root, size)
        git(root, "add", ".")
        git(root, "commit", "--message", size)
    write(root, "three")
    return root


def sizes(project: Path, base: str, head: str | None) -> tuple[object, object]:
    [section] = report(project, base, head, []).sections
    assert section.diff is not None
    [change] = section.diff.changes
    [size] = [item for item in change.properties if item.path == "size"]
    return size.old, size.new


def test_two_commits_are_compared_and_neither_is_the_working_tree(project: Path) -> None:
    assert sizes(project, "HEAD~1", "HEAD") == ("one", "two")


def test_what_is_compiled_of_a_commit_is_kept_until_another_is_checked_out(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path / "compiled"
    monkeypatch.setattr(sys, "pycache_prefix", str(prefix))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    command = [sys.executable, f"-Xpycache_prefix={prefix}", "-c", "import shop.names"]

    def compiled() -> list[tuple[str, int]]:
        return [(file.name, file.stat().st_mtime_ns) for file in prefix.rglob("names.*.pyc")]

    for commit, is_kept in [("main", False), ("main", True), ("main~1", False), ("main", False)]:
        cache = compiled()
        with checked_out(project, commit) as revision:
            folder = Path(f"{prefix}{revision.root}")
            assert folder.exists() == is_kept
            subprocess.run(command, check=True, cwd=revision.root)
            assert folder.exists()
            assert (compiled() == cache) == is_kept
        assert not folder.exists()
        assert len(compiled()) == 1


def test_without_a_head_the_project_is_taken_as_it_is(project: Path) -> None:
    assert sizes(project, "main", None) == ("two", "three")
    with checked_out(project, None) as revision:
        assert (revision.name, revision.root) == (WORKING_TREE, project)


def test_a_folder_is_a_revision_too(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    write(folder, "four")
    assert sizes(project, "HEAD", str(folder)) == ("two", "four")


def test_each_revision_runs_its_own_modules(project: Path) -> None:
    write(project, "two", name="renamed")
    [section] = report(project, "HEAD", None, []).sections
    assert section.diff is not None
    by_name = {change.resource.name: change.kind for change in section.diff.changes}
    assert by_name == {"renamed": ChangeKind.CREATED, "notes": ChangeKind.DELETED}


def test_a_stack_that_only_one_revision_has_comes_or_goes(project: Path) -> None:
    shutil.move(project / "Pulumi.dev.yaml", project / "Pulumi.prod.yaml")
    diffs = {section.stack: section.diff for section in report(project, "HEAD", None, []).sections}
    kinds = {name: [change.kind for change in diff.changes] for name, diff in diffs.items() if diff}
    assert kinds == {"dev": [ChangeKind.DELETED], "prod": [ChangeKind.CREATED]}


def test_only_the_named_stacks_are_compared(project: Path) -> None:
    (project / "Pulumi.prod.yaml").write_text("config: {shop:size: x}\n")
    assert [section.stack for section in report(project, "HEAD", None, ["prod"]).sections] == [
        "prod"
    ]
    with pytest.raises(Refused, match=r"Pulumi.pord.yaml does not exist. Did you mean 'prod'"):
        report(project, "HEAD", None, ["pord"])


def test_a_revision_that_is_refused_says_why_and_the_rest_is_compared(project: Path) -> None:
    (project / "Pulumi.prod.yaml").write_text("config: {shop:other: x}\n")
    sections = {section.stack: section for section in report(project, "HEAD", None, []).sections}
    assert sections["dev"].diff is not None
    [refusal] = sections["prod"].refusals
    assert refusal.revision == WORKING_TREE
    assert refusal.sentences[0] == "Missing required configuration variable 'shop:size'"


def test_a_program_that_crashes_says_where_to_whoever_runs_the_diff(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, "x", program="1 / 0")
    [section] = report(project, "HEAD", None, []).sections
    [refusal] = section.refusals
    assert refusal.sentences == ("__main__.py fails: ZeroDivisionError: division by zero",)
    assert "Traceback" in capfd.readouterr().err


def test_policies_judge_what_is_wanted_with_the_folder_that_it_is_in(project: Path) -> None:
    calls = []

    def judge(plan: Plan, root: Path) -> tuple[list[str], list[str]]:
        calls.append((plan.stack, (root / "Pulumi.yaml").is_file(), root == project))
        return ["refused."], ["advised."]

    [section] = report(project, "main~1", "main", [], judge).sections
    assert (section.violations, section.advice) == (["refused."], ["advised."])
    assert calls == [("dev", True, False)]


def test_a_program_that_ends_python_is_a_sentence(project: Path) -> None:
    write(project, "x", program="import os; os._exit(7)")
    with pytest.raises(Refused, match="Python ended before it had planned it"):
        report(project, "HEAD", None, [])


@pytest.mark.parametrize("name", ["nowhere", "--upload-pack=x", "HEAD:deploy"])
def test_a_revision_that_does_not_exist_is_a_sentence(project: Path, name: str) -> None:
    with pytest.raises(Refused, match="is no commit of the repository in"):
        report(project, name, None, [])


def test_a_commit_without_the_project_is_a_sentence(project: Path) -> None:
    git(project, "rm", "-r", "--cached", "--quiet", ".")
    git(project, "commit", "--allow-empty", "--message", "gone")
    with pytest.raises(Refused, match=r"Pulumi.yaml does not exist in it"):
        report(project, "HEAD", None, [])


def test_a_link_that_leads_out_of_the_repository_is_left_out(project: Path) -> None:
    (project / "shop/outside").symlink_to("/etc")
    git(project, "add", ".")
    git(project, "commit", "--message", "link")
    with checked_out(project, "HEAD") as revision:
        assert not (revision.root / "shop/outside").is_symlink()
        assert (revision.root / "shop/names.py").is_file()


def test_nothing_is_left_behind_and_the_repository_stays_as_it_was(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = git(project, "status", "--porcelain"), git(project, "worktree", "list")
    report(project, "HEAD~1", "HEAD", [])
    assert list(temporary.iterdir()) == []
    assert (git(project, "status", "--porcelain"), git(project, "worktree", "list")) == before


def test_what_a_program_prints_is_no_part_of_a_diff(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report(project, "HEAD", None, [])
    streams = capfd.readouterr()
    assert "said by the program" not in streams.out
    assert "said by the program" in streams.err


def test_other_dependencies_are_installed_once(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "requirements.lock").write_text("other==1\n")
    monkeypatch.setattr(revisions, "ENVIRONMENTS", tmp_path / "environments")
    locks = []

    def install(lock: Path, folder: Path) -> None:
        locks.append(lock.read_text())
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/python").symlink_to(sys.executable)

    monkeypatch.setattr(revisions, "_install", install)
    for _ in range(2):
        with checked_out(project, None) as revision:
            assert revisions.interpreter(revision) != Path(sys.executable)
    assert locks == ["other==1\n"]
    shutil.copy(revisions.TOOL / "requirements.lock", project)
    with checked_out(project, None) as revision:
        assert revisions.interpreter(revision) == Path(sys.executable)


def test_an_environment_that_cannot_be_made_is_a_sentence_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("no such requirement\n")
    with pytest.raises(Refused, match="its dependencies cannot be installed"):
        revisions._install(lock, tmp_path / "environments" / "abc")
    assert list((tmp_path / "environments").iterdir()) == []
