"""Drives Pulumi's engine on a stack: an inline program, attached plugins, state in a folder."""

import json
import logging
import os
import runpy
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import yaml
from pulumi import automation
from pulumi.automation._stack import StackInitMode
from pulumi.runtime import _grpc_settings, rpc

from plan.model import STACK_TYPE
from plan.run import as_main_program
from plan.stack_file import PROJECT_FILE, project_beside

from . import binaries
from .private import write_private

PREVIEW: Final = "preview"
UP: Final = "up"
REFRESH: Final = "refresh"
DESTROY: Final = "destroy"

_HANDED_ON: Final = ("PULUMI_SKIP_CHECKPOINTS",)

_PENDING_HEADER: Final = (
    "The last update was cut off in the middle of this, and nobody knows how it ended. Another one "
    "would do it a second time. Look what is there, and then, line by line:"
)
_PENDING_ADVICE: Final = (
    "  pulumi cancel",
    "  pulumi refresh --clear-pending-creates    # forgets what is pending",
    "and after it what is commented above, where the resource exists. Then run the update again.",
)


def _advice(operation: Mapping[str, Any]) -> list[str]:
    """What is pending, and how to take it in if it exists."""
    resource = operation["resource"]
    name = resource["urn"].rpartition("::")[2]
    lines = [f"  {operation['type']} {resource['type']} {name}"]
    if operation["type"] == "creating":
        parent = f" --parent parent={resource['parent']}" if "parent" in resource else ""
        provider = f" --provider provider={resource['provider'].rpartition('::')[0]}"
        options = f"{parent}{provider} --protect=false --generate-code=false"
        lines.append(f"    # pulumi import {resource['type']} {name} <id>{options}")
    return lines


class Pending(Exception):
    """An earlier update was cut off in the middle; says what to do about it."""

    def __init__(self, operations: Sequence[Mapping[str, Any]]) -> None:
        lines = [line for operation in operations for line in _advice(operation)]
        super().__init__("\n".join([_PENDING_HEADER, *lines, *_PENDING_ADVICE]))


@dataclass(frozen=True)
class EngineStep:
    """What the engine does with one resource."""

    op: str
    """Such as `create`, `update`, `replace`, `delete` or `same`."""
    urn: str
    paths: frozenset[str] = frozenset()
    """Properties that differ."""
    replacing: frozenset[str] = frozenset()
    """Those that only a new resource can have."""

    @property
    def type(self) -> str:
        """Type token."""
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        """Name in the program."""
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True)
class Outcome:
    """What came of an operation of the engine."""

    steps: tuple[EngineStep, ...]
    errors: tuple[str, ...] = ()
    """What went wrong, one text per resource; empty where all went well."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Outputs of the stack, after an `up`; secrets read `[secret]`."""
    log: str = ""
    """Everything that the engine printed."""

    @property
    def changes(self) -> tuple[EngineStep, ...]:
        """Steps that are not `same`, and are not the parts of a replacement."""
        parts = {"same", "refresh", "create-replacement", "delete-replaced", "read"}
        return tuple(step for step in self.steps if step.op not in parts)


OnStep = Callable[[EngineStep], None]

# An engine that ends before the program leaves it without anybody to answer: no news to the user.
logging.getLogger("grpc._server").disabled = True
# An engine may get the port of an earlier one; gRPC would still call that port unreachable.
_grpc_settings._GRPC_CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))


class Engine:
    """One stack of one project, in a folder that nothing else uses."""

    def __init__(self, root: Path, stack: str, folder: Path) -> None:
        """Prepares a workspace; nothing is run yet.

        Args:
            root: Folder of the program.
            stack: Name of the stack.
            folder: Where workspace and state are kept.
        """
        self.root = root
        self.stack = stack
        self.folder = folder
        self.project: str = yaml.safe_load((root / "Pulumi.yaml").read_text())["name"]
        self._encrypted: dict[tuple[Any, str, str], Any] = {}

    @property
    def stack_file(self) -> Path:
        """The copy of the stack file that the engine reads."""
        return self.folder / "workspace" / f"Pulumi.{self.stack}.yaml"

    @property
    def state_file(self) -> Path:
        """The state as the engine keeps it, its secrets encrypted; absent before the first use."""
        return self.folder / "state" / ".pulumi" / "stacks" / self.project / f"{self.stack}.json"

    @property
    def passphrase(self) -> str:
        """Encrypts the secrets in state and configuration; made once."""
        path = self.folder / "passphrase"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text()

    def configure(self, config: Mapping[str, Any], hidden: Mapping[str, str]) -> None:
        """Writes the stack's configuration, with its secrets encrypted.

        Args:
            config: Full keys (`ack-inference:region`) to plain values.
            hidden: Full keys to secrets.
        """
        self.stack_file.parent.mkdir(parents=True, exist_ok=True)
        (self.stack_file.parent / PROJECT_FILE).write_text(project_beside(self.root))
        salt = self._settings().get("encryptionsalt")
        encrypted = {
            key: self._encrypted[salt, key, text]
            for key, text in hidden.items()
            if (salt, key, text) in self._encrypted
        }
        salted = {"encryptionsalt": salt} if salt else {}
        settings = {**salted, "config": {**config, **encrypted}}
        self.stack_file.write_text(yaml.safe_dump(settings))
        if unencrypted := {key: hidden[key] for key in hidden.keys() - encrypted.keys()}:
            values = {
                key: automation.ConfigValue(text, secret=True) for key, text in unencrypted.items()
            }
            self._stack.set_all_config(values)
            self._remember(unencrypted)

    def _remember(self, hidden: Mapping[str, str]) -> None:
        """Keeps what the engine made of secrets, since it takes half a second to encrypt them."""
        settings = self._settings()
        for key, text in hidden.items():
            encrypted = settings["config"][key]
            self._encrypted[settings["encryptionsalt"], key, text] = encrypted

    def _settings(self) -> dict[str, Any]:
        path = self.stack_file
        return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}

    def run(
        self,
        operation: str,
        plugins: str,
        *,
        on_step: OnStep = lambda _: None,
        program: automation.PulumiFn | None = None,
        **options: Any,
    ) -> Outcome:
        """Runs one operation of the engine.

        Args:
            operation: `preview`, `up`, `refresh` or `destroy`.
            plugins: Where the plugins listen, as the engine's own setting has it.
            on_step: Told every step that is done.
            program: Runs in place of the project's `__main__.py`.
            options: Further options of the Automation API's function.

        Raises:
            Pending: An earlier update was cut off, and this one would make a second copy.
        """
        workspace = self._stack.workspace
        workspace.program = program or self._program
        workspace.env_vars = {**workspace.env_vars, "PULUMI_DEBUG_PROVIDERS": plugins}
        if operation in (PREVIEW, UP) and (pending := self.pending()):
            raise Pending(pending)
        watch = _Watch(on_step)
        printed = list[str]()
        try:
            getattr(self._stack, operation)(
                on_event=watch, on_output=printed.append, color="never", **options
            )
        except automation.CommandError as error:
            return Outcome(
                tuple(watch.steps), tuple(watch.errors or [str(error)]), log="".join(printed)
            )
        outputs = self.outputs() if operation == UP else {}
        return Outcome(tuple(watch.steps), outputs=outputs, log="".join(printed))

    def outputs(self) -> Mapping[str, Any]:
        """Outputs of the stack after its last update; every secret in them reads `[secret]`."""
        for resource in self.stored().get("resources") or []:
            if resource["type"] == STACK_TYPE:
                outputs: Mapping[str, Any] = _masked(resource.get("outputs") or {})
                return outputs
        return {}

    def pending(self) -> Sequence[Mapping[str, Any]]:
        """Operations that an earlier update began, and whose end nobody knows.

        Those of components and of providers are none: they exist in the state only.
        """
        if not self.stored().get("pending_operations"):
            return []
        begun: Sequence[Mapping[str, Any]] = self.export()["pending_operations"]
        return [operation for operation in begun if "provider" in operation["resource"]]

    def settle(self, exists: Mapping[str, str]) -> None:
        """Ends what an earlier update left pending: takes in what exists, and forgets the rest.

        Args:
            exists: ID of every pending create that has happened, by its URN.
        """
        self._stack.cancel()
        state = dict(self.export())
        resources = [
            {**operation["resource"], "id": exists[operation["resource"]["urn"]]}
            for operation in self.pending()
            if operation["resource"]["urn"] in exists
        ]
        state["resources"] = [*state["resources"], *resources]
        state["pending_operations"] = []
        self.adopt(state)

    def adopt(self, deployment: Mapping[str, Any]) -> None:
        """Puts another state in place of the present one."""
        self._stack.import_stack(automation.Deployment(version=3, deployment=deployment))

    def stored(self) -> Mapping[str, Any]:
        """The state as its file has it, secrets encrypted: what `export` gives, without a run."""
        if not self.state_file.exists():
            return {}
        latest: Mapping[str, Any] = json.loads(self.state_file.read_text())["checkpoint"]["latest"]
        return latest or {}

    def export(self) -> Mapping[str, Any]:
        """The state with its secrets in the clear, unlike its file: never to be shown or stored."""
        return self._stack.export_stack().deployment or {}

    @cached_property
    def _stack(self) -> automation.Stack:
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        self.stack_file.parent.mkdir(parents=True, exist_ok=True)
        (self.stack_file.parent / PROJECT_FILE).write_text(project_beside(self.root))
        workspace = _Workspace(
            work_dir=str(self.stack_file.parent),
            pulumi_home=str(self.folder / "home"),
            pulumi_command=_command(binaries.find("pulumi")),
            program=self._program,
            env_vars={
                "PULUMI_BACKEND_URL": f"file://{state}",
                "PULUMI_CONFIG_PASSPHRASE": self.passphrase,
                "PULUMI_SELF_MANAGED_STATE_GZIP": "false",  # the state is read here too
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                # It lives for seconds: to collect its garbage takes a tenth of them.
                "GOGC": os.environ.get("GOGC", "400"),
                # The plugins are attached; the real ones would be downloaded all the same.
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                **{key: os.environ[key] for key in _HANDED_ON if key in os.environ},
            },
        )
        exists = self.state_file.exists()
        return _Stack(
            self.stack, workspace, StackInitMode.SELECT if exists else StackInitMode.CREATE
        )

    def _program(self) -> None:
        with as_main_program(self.root):
            runpy.run_path("__main__.py", run_name="__main__")


class _Workspace(automation.LocalWorkspace):
    """Selects no stack: every command names its own, and to select one takes half a second."""

    def select_stack(self, stack_name: str) -> None:
        """Does nothing."""


class _Stack(automation.Stack):
    """Does not ask for outputs and history after each operation: three more runs of the engine."""

    def outputs(self) -> automation.OutputMap:
        """None; `Engine.outputs` reads them where they are wanted."""
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:
        """An empty summary, in place of the one that nobody reads."""
        return automation.UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")


@cache
def _command(path: Path) -> automation.PulumiCommand:
    """The engine's program, whose version is asked for once in a process."""
    return automation.PulumiCommand(root=str(path.parents[1]))


def _masked(value: Any) -> Any:
    """A value of a state, with `[secret]` in place of every secret."""
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
        return "[secret]"
    return {key: _masked(item) for key, item in value.items()}


class _Watch:
    """Listens to the engine's events."""

    def __init__(self, on_step: OnStep) -> None:
        self.steps: list[EngineStep] = []
        self.errors: list[str] = []
        self._on_step = on_step

    def __call__(self, event: automation.EngineEvent) -> None:
        if event.resource_pre_event is not None:
            self.steps.append(_step(event.resource_pre_event.metadata))
        if event.res_outputs_event is not None:
            self._on_step(_step(event.res_outputs_event.metadata))
        diagnostic = event.diagnostic_event
        if diagnostic is not None and diagnostic.severity == "error":
            name = diagnostic.urn.rpartition("::")[2] if diagnostic.urn else ""
            self.errors.append(
                f"{name}: {diagnostic.message.strip()}" if name else diagnostic.message.strip()
            )


def _step(about: automation.StepEventMetadata) -> EngineStep:
    detailed = about.detailed_diff or {}
    replacing = {p for p, change in detailed.items() if change.diff_kind.value.endswith("replace")}
    return EngineStep(str(about.op.value), about.urn, frozenset(detailed), frozenset(replacing))
