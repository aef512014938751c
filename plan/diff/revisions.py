"""Plans two revisions of a project, each in a clean checkout with its own dependencies."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ..model import Plan
from ..refused import Refused
from ..stack_file import PROJECT_FILE, stack_names, stack_path
from ..wire import from_wire
from .compare import compare
from .report import PlanRefusal, Report, StackReport

TOOL: Final = Path(__file__).parents[2]
LOCK: Final = "requirements.lock"
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
ENVIRONMENTS: Final = CACHE / "ack-inference" / "environments"
"""Where the dependencies of other revisions are kept."""
WORKING_TREE: Final = "working tree"
STDERR: Final = 2
"""Where whatever is said on the way goes, so that standard output is the diff alone."""

Planned = Mapping[str, Plan | PlanRefusal]
PolicyCheck = Callable[[Plan, Path], tuple[Sequence[str], Sequence[str]]]
"""Says which policies a plan of the project in a folder breaks: what refuses it, what warns."""


@dataclass(frozen=True)
class Revision:
    """A version of a project that can be planned."""

    name: str
    """As the user named it."""
    root: Path
    """Folder of its Pulumi.yaml."""

    @property
    def stacks(self) -> list[str]:
        """Names of the stacks that it has."""
        return stack_names(self.root)


def report(
    project: Path,
    base: str,
    head: str | None,
    stacks: Sequence[str],
    check: PolicyCheck = lambda plan, root: ((), ()),
) -> Report:
    """Plans two revisions of a project, and compares them stack by stack.

    Args:
        project: Folder of Pulumi.yaml.
        base: What stands: a commit, or a folder with a Pulumi.yaml.
        head: What is wanted, likewise; None for the project as it is, with what is not committed.
        stacks: Names; all stacks of both revisions where there are none.
        check: Holds what is wanted against policies; none by default.

    Raises:
        Refused: A revision or a stack does not exist, or `check` raises it.
    """
    with checked_out(project, base) as before, checked_out(project, head) as after:
        names = list(dict.fromkeys(stacks)) or sorted({*before.stacks, *after.stacks})
        for name in names:
            if name not in before.stacks:
                stack_path(after.root, name)
        olds, news = _plan_both((before, after), names)
        sections = [
            with_violations(_section(name, olds.get(name), news.get(name)), after.root, check)
            for name in names
        ]
    return Report(before.name, after.name, sections)


def with_violations(section: StackReport, root: Path, check: PolicyCheck) -> StackReport:
    """The section with what policies say of the stack as it will be."""
    if section.diff is None or section.diff.after is None:
        return section
    violations, advice = check(section.diff.after, root)
    return replace(section, violations=violations, advice=advice)


@contextlib.contextmanager
def checked_out(project: Path, name: str | None) -> Iterator[Revision]:
    """A revision in a folder that stays as it is until it is planned.

    Raises:
        Refused: There is no such commit and no such folder.
    """
    if name is None:
        yield Revision(WORKING_TREE, project.resolve())
    elif (Path(name) / PROJECT_FILE).is_file():
        yield Revision(name, Path(name).resolve())
    else:
        commit, folder = _commit(project, name)
        with tempfile.TemporaryDirectory(prefix="ack-inference-") as parent:
            root = Path(parent).resolve()
            _extract(project, commit, root)
            if not (root / folder / PROJECT_FILE).is_file():
                raise Refused(f"Revision {name!r}", f"{PROJECT_FILE} does not exist in it.")
            with _compiled(root, commit):
                yield Revision(name, root / folder)


@contextlib.contextmanager
def _compiled(root: Path, commit: str) -> Iterator[None]:
    """Keeps what Python compiles of a commit until another one is checked out.

    It fits the next time too: every file of a commit has the commit's own time.
    """
    if not sys.pycache_prefix:
        yield
        return
    kept = Path(sys.pycache_prefix, "revisions", commit)
    compiled = Path(sys.pycache_prefix, *root.parts[1:])
    compiled.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # There is none yet, or another run has it.
        kept.rename(compiled)
    try:
        yield
    finally:
        shutil.rmtree(kept.parent, ignore_errors=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # Nothing was compiled, or another run was quicker.
            compiled.rename(kept)
        shutil.rmtree(compiled, ignore_errors=True)


def _commit(project: Path, name: str) -> tuple[str, str]:
    """ID of a commit, and the folder of the project in it."""
    try:
        folder = _git(project, "rev-parse", "--show-prefix").strip()
        commit = _git(
            project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
    except FileNotFoundError:
        raise Refused(f"Revision {name!r}", "git is not installed.") from None
    except subprocess.CalledProcessError:
        raise Refused(
            f"Revision {name!r}",
            f"{name!r} is no commit of the repository in {str(project)!r}, and no folder with a "
            f"{PROJECT_FILE}; a branch of a remote has to be fetched first.",
        ) from None
    return commit.strip(), folder


def _git(project: Path, *arguments: str) -> str:
    command = ["git", "-C", str(project), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _extract(project: Path, commit: str, root: Path) -> None:
    top = _git(project, "rev-parse", "--show-toplevel").strip()
    archive = ["git", "-C", top, "archive", "--format=tar", commit]
    with (
        subprocess.Popen(archive, stdout=subprocess.PIPE) as packing,  # noqa: S603
        contextlib.suppress(tarfile.ReadError),  # A commit without a file is no archive.
        tarfile.open(fileobj=packing.stdout, mode="r|") as tar,
    ):
        tar.extractall(root, filter=_inside)  # noqa: S202  filtered


def _inside(member: tarfile.TarInfo, root: str) -> tarfile.TarInfo | None:
    """Leaves out what would lie or lead outside of the checkout, such as an absolute link."""
    with contextlib.suppress(tarfile.FilterError):
        return tarfile.data_filter(member, root)
    return None


def _section(
    stack: str, old: Plan | PlanRefusal | None, new: Plan | PlanRefusal | None
) -> StackReport:
    if isinstance(old, PlanRefusal) or isinstance(new, PlanRefusal):
        refusals = [side for side in (old, new) if isinstance(side, PlanRefusal)]
        return StackReport(stack, None, refusals)
    return StackReport(stack, compare(old, new))


def _plan_both(
    revisions: tuple[Revision, Revision], stacks: Sequence[str]
) -> tuple[Planned, Planned]:
    """Plans each revision in a process of its own, both at the same time."""
    salt = secrets.token_hex(16)
    pythons = [interpreter(revision) for revision in revisions]
    with tempfile.TemporaryDirectory(prefix="ack-inference-") as folder:
        answers = [Path(folder, side) for side in ("before", "after")]
        workers = [
            _start(python, revision, stacks, salt, answer)
            for python, revision, answer in zip(pythons, revisions, answers, strict=True)
        ]
        try:
            for worker in workers:
                worker.wait()
        finally:
            for worker in workers:
                worker.kill()
        old, new = map(_read, revisions, answers)
        return old, new


def _start(
    python: Path, revision: Revision, stacks: Sequence[str], salt: str, answer: Path
) -> "subprocess.Popen[bytes]":
    question = {
        "root": str(revision.root),
        "stacks": [name for name in stacks if name in revision.stacks],
        "salt": salt,
        "answer": str(answer),
    }
    code = (
        f"import sys; sys.path.insert(0, {str(TOOL)!r}); "
        "from plan.diff.worker import main; main(sys.argv[1])"
    )
    prefix = [f"-Xpycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }
    # -P: the folder in which the command is run is not on the path.
    command = [str(python), "-P", *prefix, "-c", code, json.dumps(question)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=STDERR, env=environment)  # noqa: S603


def _read(revision: Revision, answer: Path) -> Planned:
    if not answer.exists():
        raise Refused(
            f"Revision {revision.name!r}",
            "Python ended before it had planned it; what it said stands above.",
        )
    return {
        name: _result(revision, outcome) for name, outcome in json.loads(answer.read_text()).items()
    }


def _result(revision: Revision, outcome: Mapping[str, Any]) -> Plan | PlanRefusal:
    if "plan" in outcome:
        return from_wire(outcome["plan"])
    return PlanRefusal(revision.name, tuple(outcome["refused"]))


def interpreter(revision: Revision) -> Path:
    """An interpreter with the dependencies of a revision: this one, where they are the same."""
    lock, own_lock = revision.root / LOCK, TOOL / LOCK
    if not lock.is_file() or (own_lock.is_file() and lock.read_bytes() == own_lock.read_bytes()):
        return Path(sys.executable)
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = ENVIRONMENTS / digest
    if not folder.exists():
        _install(lock, folder)
    return folder / "bin" / "python"


def _install(lock: Path, folder: Path) -> None:
    """Makes an environment; it takes its place only when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    try:
        python = str(new / "bin" / "python")
        steps: list[list[str]] = [[sys.executable, "-m", "venv"]]
        uv = Path(sys.executable).with_name("uv")
        if uv.exists():
            steps = [[*steps[0], "--without-pip", str(new)]]
            steps.append([str(uv), "pip", "sync", "--quiet", "--python", python])
        else:
            steps = [[*steps[0], str(new)], [python, "-m", "pip", "install", "--quiet", "-r"]]
        for step in [steps[0], [*steps[1], "--require-hashes", str(lock)]]:
            subprocess.run(step, check=True, stdout=STDERR)  # noqa: S603
        with contextlib.suppress(OSError):  # Another run was quicker.
            new.rename(folder)
    except subprocess.CalledProcessError as error:
        raise Refused(
            f"{lock.name} of the revision", f"its dependencies cannot be installed: {error}."
        ) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
