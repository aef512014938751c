"""Files that only their owner reads, written whole or not at all."""

from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Writes a file beside its place, and then moves it there; its folder is made if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(path)
