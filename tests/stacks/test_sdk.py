"""The SDK's debug messages are held back, and nothing else is."""

from importlib.util import module_from_spec
from types import SimpleNamespace

import pulumi
import pytest

from stacks import silence_sdk
from stacks.sdk import SWITCH


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches an engine, by the SDK as it came."""
    messages: list[str] = []
    engine = SimpleNamespace(Log=lambda request: messages.append(request.message))
    # A program that was planned before has silenced the one that is loaded.
    fresh = module_from_spec(pulumi.log.__spec__)
    pulumi.log.__spec__.loader.exec_module(fresh)
    monkeypatch.setattr(fresh, "get_engine", lambda: engine)
    monkeypatch.setattr(pulumi, "log", fresh)
    return messages


def test_the_engine_hears_warnings_and_errors_but_not_each_step_of_the_sdk(
    heard: list[str],
) -> None:
    silence_sdk()
    pulumi.log.debug("resource registration prepared")
    pulumi.log.warn("private")
    pulumi.log.error("refused")
    assert heard == ["private", "refused"]


def test_the_environment_lets_the_steps_of_the_sdk_through(
    heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, "true")
    silence_sdk()
    pulumi.log.debug("resource registration prepared")
    assert heard == ["resource registration prepared"]
