from typing import Any

import pytest

from components.serving.pod import ModelArgs, model_pod
from components.serving.pod_parts import SideContainer
from components.serving.training_job import TrainingJobArgs, _variables
from components.serving.variables import in_order

from .arguments import job, model, server

ENV = {"A_URL": "http://$(HOST):$(PORT_OF)/", "HOST": "$(BASE).svc", "BASE": "qwen", "PORT_OF": "1"}
ORDER = ["BASE", "HOST", "PORT_OF", "A_URL"]


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ({"B": "", "A": ""}, ["A", "B"]),
        ({"A": "$(B)", "B": "", "C": ""}, ["B", "A", "C"]),
        (ENV, ORDER),
        # Escaped, its own name, a Secret's, a source that is no text: nothing to wait for.
        ({"A": "$$(B)", "B": ""}, ["A", "B"]),
        ({"A": "$(A):more", "B": ""}, ["A", "B"]),
        ({"A": "$(TOKEN)", "B": ""}, ["A", "B"]),
        ({"A": {"valueFrom": {}}, "B": ""}, ["A", "B"]),
        ({"A": "$(B)", "B": "$(A)", "C": ""}, ["C", "A", "B"]),
    ],
)
def test_a_variable_stands_behind_those_that_it_names(values: dict[str, Any], order: list[str]):
    assert list(in_order(values)) == order


def test_every_container_of_a_stack_has_them_so():
    pod = model_pod(
        ModelArgs.of(
            model(
                server=server(env=ENV),
                serve=None,
            )
        )
    )
    side = SideContainer.of({"name": "side", "image": "a/b:1", "env": ENV}).container([])
    lists = [
        pod["containers"][0]["env"],
        side["env"],
        _variables("job", TrainingJobArgs.of(job(env=ENV))),
    ]
    for variables in lists:
        names = [variable["name"] for variable in variables]
        assert [name for name in names if name in ENV] == ORDER
