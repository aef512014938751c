from pathlib import Path

from bench.against import command, row
from bench.process import ProcessCost, cost
from plan.diff.revisions import Revision


def costs(seconds: float, mib: int) -> ProcessCost:
    return ProcessCost(seconds, seconds, mib * 2**20)


def test_the_ratio_is_taken_pair_by_pair_so_that_a_busy_minute_hits_both() -> None:
    quiet, busy = (costs(1, 100), costs(1.1, 80)), (costs(3, 100), costs(3.3, 80))
    dev = row("dev", [quiet, busy, quiet])
    assert round(dev.ratio, 6) == 1.1
    assert not dev.is_met
    assert dev.detail == "1.10 s : 1.00 s, 80 : 100 MiB; 3 pairs"


def test_a_change_that_costs_five_per_cent_is_let_pass() -> None:
    assert row("dev", [(costs(1, 1), costs(1.05, 1))]).is_met


def test_a_revision_is_planned_by_its_own_program(tmp_path: Path) -> None:
    """Not by ours: what it costs is what is asked."""
    (tmp_path / "cli.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        "def main():\n    Path(__file__).with_name('ran').write_text(' '.join(sys.argv[1:]))\n"
    )
    cost(command(Revision("other", tmp_path), "dev"))
    assert (tmp_path / "ran").read_text() == f"plan dev --json --project {tmp_path}"
