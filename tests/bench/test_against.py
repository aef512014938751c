import os
from pathlib import Path

from bench.against import Side, row
from bench.process import ProcessCost
from plan.diff.revisions import Revision


def costs(seconds: float, mib: int) -> ProcessCost:
    return ProcessCost(seconds, seconds, mib * 2**20)


def test_the_ratio_is_taken_pair_by_pair_so_that_a_busy_minute_hits_both() -> None:
    quiet, busy = (costs(1, 100), costs(1.1, 80)), (costs(3, 100), costs(3.3, 80))
    dev = row("plan dev", [quiet, busy, quiet])
    assert round(dev.ratio, 6) == 1.1
    assert not dev.is_met
    assert dev.detail == "1.10 s : 1.00 s, wall 1.10; 80 : 100 MiB; 3 pairs"


def test_a_change_that_costs_five_per_cent_is_let_pass() -> None:
    assert row("dev", [(costs(1, 1), costs(1.05, 1))]).is_met


def test_a_revision_is_planned_by_its_own_program(tmp_path: Path) -> None:
    """Not by ours: what it costs is what is asked."""
    (tmp_path / "cli.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        "def main():\n    Path(__file__).with_name('ran').write_text(' '.join(sys.argv[1:]))\n"
    )
    Side(Revision("other", tmp_path), tmp_path).plan("dev", os.environ)
    assert (tmp_path / "ran").read_text() == f"plan dev --json --project {tmp_path}"


def test_the_engine_previews_by_the_benchmark_of_the_revision_itself(tmp_path: Path) -> None:
    """In the folder of the revision, so that all of its modules are its own."""
    for module, text in {
        "sandbox/engine": "PREVIEW = 'preview'",
        "bench/engine_overhead": (
            "from contextlib import nullcontext\nOURS = 'ours'\n"
            "class _Bench:\n"
            "    def __init__(self, root, stack, folder, compiled): self.stack = stack\n"
            "    def box(self): return nullcontext(self.stack)\n"
            "    def run(self, *words):\n"
            "        assert words == ('dev', 'preview', 'ours')\n"
            "        return {'wall': 2, 'processor': 3}\n"
        ),
    }.items():
        path = tmp_path / f"{module}.py"
        path.parent.mkdir()
        path.write_text(text)
    side = Side(Revision("other", tmp_path), tmp_path)
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    assert side.preview("dev", environment) == ProcessCost(3, 2, 0)
    assert row("preview dev", [(costs(1, 0), costs(1, 0))]).detail.endswith("wall 1.00; 1 pairs")
