"""Canaries in every secret place, and that none is found outside the cloud and its clusters."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import pytest

from plan.diff.document import to_json
from plan.diff.markdown import to_markdown
from plan.diff.page import render_page
from plan.diff.preview import read_preview
from plan.diff.report import Report
from sandbox.engine import Outcome
from sandbox.run import Sandbox
from tests.plan.diff.test_forms import printed

from .boxes import Life

PLACES: Final = ("engine/state", "engine/workspace", "engine/home")
"""What the engine keeps: state, history, backups, configuration, logs."""
KEYS: Final = {
    "ALICLOUD_ACCESS_KEY": "canary-access-key-1f0c",
    "ALICLOUD_SECRET_KEY": "canary-secret-key-7a3e",
    "ALICLOUD_SECURITY_TOKEN": "canary-security-token-5b2d",
}
"""Credentials as the provider finds them."""


def canaries(box: Sandbox) -> dict[str, str]:
    """Every secret of a sandbox, by what it is."""
    secrets = {path.name: path.read_text() for path in (box.folder / "secrets").glob("*")}
    for cluster in box.clusters.names():
        server = box.clusters.find(cluster)
        secrets[f"token of {cluster}"] = server.token
        secrets[f"certificate of {cluster}"] = f"client-key-of-{cluster}"
    return {**secrets, **KEYS}


def leaks(box: Sandbox, log: str) -> list[str]:
    """Where a secret is found that should not be."""
    texts = {"what the engine said": log.encode(), **texts_outside(box)}
    return [
        f"{what} in {where}"
        for what, secret in canaries(box).items()
        for where, text in texts.items()
        if secret.encode() in text
    ]


def texts_outside(box: Sandbox) -> dict[str, bytes]:
    """All that is kept outside of the cloud and its clusters, by its path: some 20 MB."""
    return {
        str(path.relative_to(box.folder)): path.read_bytes()
        for place in PLACES
        for path in (box.folder / place).rglob("*")
        if path.is_file()
    }


def everything(outcome: Outcome) -> str:
    return f"{outcome.log} {outcome.errors} {outcome.outputs} {outcome.steps}"


class Secrets:
    """Asked of a stack that is up: part of its life in test_lifecycle.py."""

    options: ClassVar[Mapping[str, Any]] = {"debug": True, "diff": True}

    @pytest.fixture(scope="class")
    @classmethod
    def moved(cls, life: Life) -> str:
        """What the engine prints of a change of many resources."""
        life.box.configure(lambda config: config.update(namespace="moved"))
        try:
            return life.box.preview(json=True).log
        finally:
            life.box.configure()

    def test_no_secret_leaves_the_cloud(self, life: Life):
        outcomes = [life.previewed, life.came_up, life.box.refresh(debug=True)]
        assert len(canaries(life.box)) >= 2
        assert leaks(life.box, " ".join([*map(everything, outcomes), *life.steps])) == []

    @pytest.mark.parametrize("form", [to_markdown, to_json, render_page, printed])
    def test_no_secret_is_in_a_diff_of_the_engine(
        self, box: Sandbox, moved: str, form: Callable[[Report], str]
    ):
        assert leaks(box, moved) == []
        assert leaks(box, form(read_preview(moved, []))) == []

    def test_a_secret_that_leaks_is_found(self, box: Sandbox):
        leaked = next(iter(canaries(box).values()))
        assert leaks(box, f"... {leaked} ...")
