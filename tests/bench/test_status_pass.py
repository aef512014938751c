"""What is measured of a look at a stack that is up."""

from bench.status_pass import look
from status.cluster import KINDS


def test_every_look_asks_for_each_kind_once_however_many_models_there_are() -> None:
    less, more = look(2, 1), look(4, 2)
    assert less.requests == more.requests == len(KINDS)
    assert len(more.seconds) == 2
    assert less.mebibytes < more.mebibytes
