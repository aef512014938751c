"""What an operation of the engine costs and leaves: one run of its program, and no open secret."""

from typing import Any

import pulumi
import pytest
import yaml
from pulumi import automation

from sandbox.engine import DESTROY, PREVIEW, REFRESH, UP, Engine

from .boxes import needs_engine

pytestmark = needs_engine

CANARY = "canary-9c41"
TOKEN = "shop:token"  # noqa: S105  a key of the configuration


def program() -> None:
    pulumi.export("plain", {"zones": ["h", "k"], "size": 3})
    pulumi.export("token", pulumi.Output.secret(CANARY))
    pulumi.export("inside", {"logins": [{"user": "ops", "key": pulumi.Output.secret(CANARY)}]})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    engine = Engine(folder, "dev", folder / "engine")
    engine.configure({}, {})
    return engine


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Verbs that the engine's program was run with."""
    verbs: list[str] = []
    run = automation.PulumiCommand.run

    def note(self: Any, args: list[str], *rest: Any, **options: Any) -> Any:
        verbs.append(args[0])
        return run(self, args, *rest, **options)

    monkeypatch.setattr(automation.PulumiCommand, "run", note)
    return verbs


def encrypted(engine: Engine) -> str:
    settings = yaml.safe_load(engine.stack_file.read_text())
    secret: str = settings["config"][TOKEN]["secure"]
    return secret


def test_outputs_are_those_that_the_engine_tells_and_no_secret_is_open(engine: Engine) -> None:
    outcome = engine.run(UP, "", program=program)
    assert outcome.outputs == {
        "plain": {"zones": ["h", "k"], "size": 3},
        "token": "[secret]",
        "inside": {"logins": [{"user": "ops", "key": "[secret]"}]},
    }
    outputs = engine._stack.workspace.stack_outputs("dev")
    assert {key for key in outputs if outputs[key].secret} == {"token"}
    assert outputs["plain"].value == outcome.outputs["plain"]
    assert CANARY not in str(outcome)


@pytest.mark.parametrize("operation", [PREVIEW, UP, REFRESH, DESTROY])
def test_an_operation_is_one_run_of_the_engine(
    engine: Engine, operation: str, commands: list[str]
) -> None:
    outcome = engine.run(operation, "", program=program)
    assert not outcome.errors
    assert commands == [operation]


def test_a_secret_is_encrypted_once_and_another_one_anew(
    engine: Engine, commands: list[str]
) -> None:
    engine.configure({}, {TOKEN: CANARY})
    first = encrypted(engine)
    engine.configure({"shop:zones": 2}, {TOKEN: CANARY})
    assert encrypted(engine) == first
    assert len(commands) == 1
    assert engine._stack.get_config(TOKEN).value == CANARY
    engine.configure({}, {TOKEN: "canary-another"})
    assert encrypted(engine) != first
    assert engine._stack.get_config(TOKEN).value == "canary-another"
    assert CANARY not in engine.stack_file.read_text()
