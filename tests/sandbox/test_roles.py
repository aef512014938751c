"""The pace of roles in a sandbox, step by step."""

import pytest

from sandbox.nodes.roles import RoleState, next_sizes

READY, SCHEDULED = "OrderReady", "OrderScheduled"


def state(desired: int, current: int, ready: int | None = None, scheduled: int = 0) -> RoleState:
    return RoleState(desired, current, scheduled, current if ready is None else ready)


@pytest.mark.parametrize(
    ("prefill", "decode", "skew", "progression", "sizes"),
    [
        (state(10, 0), state(10, 0), 0.1, READY, (1, 1)),
        (state(10, 1), state(10, 1), 0.1, READY, (2, 2)),
        (state(10, 2, ready=1), state(10, 2), 0.1, READY, (2, 2)),
        # To the controller as to us, 0.2 and 0.1 are a little more than 0.3.
        (state(10, 2, ready=1), state(10, 2), 0.1, "", (4, 4)),
        (state(10, 5), state(10, 2), 0.2, READY, (5, 4)),
        (state(10, 0), state(10, 0), 1.0, READY, (10, 10)),
        # Whoever has all it should have holds nobody back, and shrinks at once.
        (state(1, 1), state(8, 2), 0.5, READY, (1, 6)),
        (state(2, 8), state(4, 2), 0.1, READY, (2, 3)),
        # Pods are compared with instances: of two pods each, half of them do.
        (state(4, 2, scheduled=2), state(4, 2, scheduled=2), 0.25, SCHEDULED, (3, 3)),
        (state(4, 2, scheduled=1), state(4, 2, scheduled=2), 0.25, SCHEDULED, (2, 2)),
    ],
)
def test_roles_keep_pace(
    prefill: RoleState, decode: RoleState, skew: float, progression: str, sizes: tuple[int, int]
) -> None:
    states = {"prefill": prefill, "decode": decode}
    assert tuple(next_sizes(states, skew, progression).values()) == sizes
