"""The files that pin what this repository runs."""

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

_HASHED: Final = "--hash=sha256:"


def locks(root: Path = ROOT) -> list[Path]:
    """The locks of Python packages: files whose packages all have hashes."""
    files = (path for pattern in ("*.lock", "*.txt") for path in _tracked(root, pattern))
    return sorted(path for path in files if _HASHED in path.read_text())


def modules(root: Path = ROOT) -> list[Path]:
    """The folders of Go modules."""
    return sorted(path.parent for path in _tracked(root, "*go.mod"))


def name_of(path: Path, root: Path = ROOT) -> str:
    """What a file or folder is called in the name of another one, e.g. `sandbox-tools-etcd`."""
    relative = path.relative_to(root)
    return "-".join((relative if path.is_dir() else relative.with_suffix("")).parts)


def _tracked(root: Path, pattern: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", pattern]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603
    return [root / name for name in done.stdout.splitlines()]
