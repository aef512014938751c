from typing import Any

import pulumi
import pytest

from components.args import Args


def refusals(model: type[Args], values: dict[str, Any]) -> list[str]:
    """The sentences that refuse these inputs."""
    with pytest.raises(pulumi.RunError) as caught:
        model.of(values)
    heading, *sentences = str(caught.value).splitlines()
    assert heading == f"{model.__name__} is refused:"
    return sentences


def refusal(model: type[Args], values: dict[str, Any]) -> str:
    """The one sentence that refuses these inputs."""
    [sentence] = refusals(model, values)
    return sentence
