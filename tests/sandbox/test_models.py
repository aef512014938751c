"""A sandbox answers in place of its models as they are declared."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from cli import main
from loadtest.fake_vllm import Behaviour, running
from plan.run import plan
from sandbox.models import behaviour_of, pretended
from tests.stacks.environments import ROOT


def of_stack(stack: str, **settings: float) -> dict[str, Behaviour]:
    planned = plan(stack, ROOT)
    return pretended(planned.manifests(), planned.outputs, **settings)


def test_a_model_goes_by_its_served_name_at_its_host() -> None:
    behaviours = of_stack("dev", ttft=0.4)
    assert {host: (behaviour.model, behaviour.ttft) for host, behaviour in behaviours.items()} == {
        "qwen.inference.example.com": ("qwen", 0.4)
    }


def test_only_a_model_that_scales_to_zero_begins_cold() -> None:
    assert [behaviour.cold for behaviour in of_stack("dev").values()] == [False]
    assert [behaviour.cold for behaviour in of_stack("existing").values()] == [True]


def test_models_of_kserve_are_answered_for_too() -> None:
    assert len(of_stack("hybrid")) == 2
    assert not any(behaviour.cold for behaviour in of_stack("hybrid").values())


def test_the_longest_batch_of_vllm_is_the_most_that_is_answered_at_a_time() -> None:
    pod = {"containers": [{"command": ["vllm", "serve"], "args": ["--max-num-seqs", "8"]}]}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "qwen"},
        "spec": {"template": {"spec": pod}},
    }
    assert behaviour_of(service).running == 8


def test_one_address_tells_models_by_the_host_that_is_asked() -> None:
    models = {"a.example.com": Behaviour(model="a"), "b.example.com": Behaviour(model="b")}

    async def names() -> list[str]:
        async with running(models) as url, aiohttp.ClientSession() as session:
            ids = []
            for host in models:
                async with session.get(f"{url}/models", headers={"Host": host}) as response:
                    ids.append((await response.json())["data"][0]["id"])
            return ids

    assert asyncio.run(names()) == ["a", "b"]


@pytest.mark.parametrize("stack", ["dev"])
def test_a_stack_that_is_not_up_is_refused_with_what_to_do(stack: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: ack-inference\nruntime: python\n")
    done = CliRunner().invoke(main, ["sandbox", "serve", stack, "--project", str(tmp_path)])
    assert done.exit_code == 2
    assert "It is not up: run ack-inference sandbox up dev." in done.stderr
