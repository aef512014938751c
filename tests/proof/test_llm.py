"""What `proof llm` shows KServe's webhooks and controller, our rules say without them."""

import pytest

from proof.llm import EDGES, NO_POD, REFUSED, LLMCase, our_faults


@pytest.mark.parametrize("case", EDGES, ids=lambda case: case.title)
def test_what_just_passes_is_accepted(case: LLMCase) -> None:
    assert our_faults(case) == []


@pytest.mark.parametrize("case", [*REFUSED, *NO_POD], ids=lambda case: case.title)
def test_what_kserve_refuses_or_makes_no_pod_of_is_refused(case: LLMCase) -> None:
    assert our_faults(case)
