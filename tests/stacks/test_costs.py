"""What the stacks of this repository cost, as far as prices are known."""

import json
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from plan.bill import Bill
from plan.cost import bill
from plan.cost_render import pool_table
from plan.record import record
from plan.run import plan
from stacks import Secrets, deploy
from stacks.load import load

from .environments import NAMES, ROOT, Raw, prod

CONTRACT: Raw = {
    "currency": "CNY",
    "source": "framework contract",
    "date": "2026-10-01",
    "nodes_hourly": {"ecs.g7.2xlarge": 2, "ecs.gn7i-c32g1.16xlarge": 25},
    "spot_hourly": {"ecs.gn7i-c32g1.8xlarge": 4, "ecs.gn7i-c32g1.16xlarge": 8},
    "control_plane_hourly": 3,
}


def bill_of(raw: Raw) -> Bill:
    """The bill of a configuration that the engine hands over."""
    config = {
        f"ack-inference:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in raw.items()
    }
    return bill(record(lambda: deploy(load(), Secrets()), config=config))


def lines(body: RenderableType | None, width: int) -> list[str]:
    out = StringIO()
    Console(file=out, width=width, markup=False).print(body or "")
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("stack", NAMES)
def test_the_pools_of_every_stack_fit_a_terminal_of_100_columns(stack: str) -> None:
    table = pool_table(bill(plan(stack, ROOT)))
    assert lines(table, 100) == lines(table, 1000)


def test_the_prices_of_the_stack_file_leave_nothing_of_it_unpriced() -> None:
    invoice = bill_of(prod(prices=CONTRACT))
    pools = {pool.name: str(pool.money) for pool in invoice.pools}
    assert pools["system"] == "CNY 5,840"
    # 4.5 of 12 nodes on demand at 25, the others spot at 8, all of the dearer type.
    assert pools["a10-spot"] == "CNY 0..125,925"
    fees = {fee.name: str(fee.money) for fee in invoice.fees}
    assert fees["control plane"] == "CNY 2,190"
    assert not invoice.partial
    assert not any("price" in gap for gap in invoice.unpriced)


def test_a_cluster_that_is_not_ours_is_not_billed() -> None:
    assert bill(plan("existing", ROOT)) == Bill([], [], [])


@pytest.mark.parametrize(
    ("stack", "named"),
    [
        ("dev", {"load balancer of Knative's gateway"}),
        ("prod", {"load balancer of Knative's gateway"}),
        ("hybrid", {"Managed Service for Prometheus"}),
    ],
)
def test_every_load_balancer_and_metered_service_of_a_stack_is_billed_or_named(
    stack: str, named: set[str]
) -> None:
    invoice = bill(plan(stack, ROOT))
    fees = {fee.name for fee in invoice.fees}
    assert "API server load balancer" in fees
    assert ("ingress load balancer" in fees) == (stack == "hybrid")
    assert named <= {*invoice.unpriced}
