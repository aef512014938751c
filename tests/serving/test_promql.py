"""What a query of PromQL comes to, by how it is written."""

import pytest

from components.serving.promql import does_not_add_up


@pytest.mark.parametrize(
    ("query", "stays"),
    [
        ("avg(vllm:num_requests_waiting)", True),
        ("max(vllm:num_requests_waiting) by (namespace)", True),
        ("max(sum by (pod) (vllm:num_requests_waiting))", True),
        ("histogram_quantile(0.9, sum(rate(vllm:e2e_request_latency_seconds_bucket[2m])))", True),
        ("max(sum(vllm:num_requests_waiting))", False),
        ("max(sum(vllm:num_requests_waiting) or vector(0))", False),
        ("avg(count(vllm:num_requests_waiting))", False),
        ("sum(vllm:num_requests_waiting)", False),
        ("avg_over_time(sum(vllm:num_requests_waiting)[5m:1m])", False),
    ],
)
def test_the_highest_of_a_sum_grows_with_the_replicas_and_a_mean_does_not(
    query: str, stays: bool
) -> None:
    assert does_not_add_up(query) == stays
