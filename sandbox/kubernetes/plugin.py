"""The simulated `kubernetes` plugin: forwards objects to a real API server."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from plan.changes import changes
from plan.providers import deletes_first
from plan.providers.kubernetes import RELEASE, is_patch, replaces

from ..conditions import Conditions
from ..plugin import Difference, Failure, Fault, Plugin, Request, State, Unready
from ..values import Values, has_unknown, without_nothing
from . import releases
from .client import Client, Refused, UnknownKind
from .waiting import is_skipped, unfinished, wait

DELETE_SECONDS: Final = 60
MANAGER: Final = "pulumi-kubernetes"


class KubernetesPlugin(Plugin):
    """Applies on the server's side under strict validation, as a dry run in a preview."""

    package = "kubernetes"
    version = "4.34.2"

    def __init__(self, conditions: Conditions, definitions: Path | None) -> None:
        super().__init__(conditions)
        self._definitions = definitions
        self._client: Client | None = None
        self._forces = False

    @property
    def client(self) -> Client:
        """The cluster of the configured kubeconfig."""
        if self._client is None:
            raise Failure("the kubernetes provider has no kubeconfig yet")
        return self._client

    def configure(self, values: Values) -> None:
        """Takes the kubeconfig, and whether fields are taken from other managers."""
        self._forces = values.get("enablePatchForce") == "true"
        self._client = _connect(values["kubeconfig"]) if values.get("kubeconfig") else None

    def diff_config(self, old: Values, new: Values) -> Difference:
        """Another cluster is another provider, and so are all objects in it."""
        found = tuple(changes(old, new))
        return Difference(found, frozenset(found if _cluster(old) != _cluster(new) else ()))

    def check(self, asked: Request) -> tuple[Values, list[Fault]]:
        """A name of its own for an object without one."""
        if asked.type == RELEASE:
            return asked.inputs, []
        old = asked.old_inputs.get("metadata") or {}
        about = dict(asked.inputs.get("metadata") or {})
        if "name" not in about and "generateName" not in about:
            digest = hashlib.sha256(asked.urn.encode()).hexdigest()[:8]
            about["name"] = old.get("name") or f"{asked.name}-{digest}"
        return {**asked.inputs, "metadata": about}, []

    def diff(self, asked: Request) -> Difference:
        """What changed; an object that only another one can replace goes first, under its name."""
        found = tuple(changes(asked.old_inputs, asked.inputs))
        replacing = frozenset(one for one in found if replaces(asked.type, asked.inputs, one))
        return Difference(found, replacing, bool(replacing) and deletes_first(asked.type, found))

    def create(self, asked: Request) -> State:
        """Applies the object, and waits until it shows what it is to show."""
        if asked.preview:
            if not self._is_there(asked):
                self._rehearse(asked)
            return State("", asked.inputs)
        return self._apply(asked)

    def update(self, asked: Request) -> State:
        """The same; fields that are no longer wanted are given up."""
        if asked.preview:
            self._rehearse(asked)
            return State(asked.id, asked.inputs)
        return self._apply(asked)

    def read(self, asked: Request) -> State | None:
        """The object as it is, seen through the fields that the program sets."""
        if asked.type == RELEASE:
            values = releases.find(self.client, asked.id)
            return None if values is None else State(asked.id, values, values)
        try:
            live = self.client.get(_located(asked))
        except UnknownKind:
            return None
        if live is None:
            return None
        state = State(asked.id, _outputs(live), _seen(asked.inputs, live))
        if reason := unfinished(asked.inputs, live):
            raise Unready(state, reason)
        return state

    def delete(self, asked: Request) -> None:
        """Deletes the object, or gives up the fields of a patch; returns once it is gone."""
        if asked.type == RELEASE:
            releases.uninstall(self.client, asked.id, asked.inputs)
        elif is_patch(asked.type):
            self._give_up(asked)
        else:
            self._remove(asked)

    def _apply(self, asked: Request) -> State:
        if asked.type == RELEASE:
            id_ = releases.install(self.client, asked.inputs, self._definitions)
            return State(id_, {**asked.inputs, "status": {"status": "deployed"}})
        manifest = without_nothing(asked.inputs)
        if is_patch(asked.type) and self.client.get(manifest) is None:
            raise Failure(f"{_described(manifest)} does not exist, so it cannot be patched")
        try:
            live = self.client.apply(manifest, _manager(asked), force=self._takes(manifest))
        except Refused as refused:
            raise Failure(f"{_described(manifest)}: {refused}") from None
        live, missing = wait(self.client, live)
        state = State(_address(manifest), _outputs(live), asked.inputs)
        if missing:
            raise Unready(state, missing)
        return state

    def _rehearse(self, asked: Request) -> None:
        manifest = without_nothing(asked.inputs)
        if asked.type == RELEASE or is_patch(asked.type) or has_unknown(manifest):
            return
        try:
            self.client.apply(manifest, _manager(asked), dry_run=True, force=self._takes(manifest))
        except Refused as refused:
            # Its namespace or its kind may be made by this very update.
            if refused.code != 404:
                raise Failure(f"{_described(manifest)}: {refused}") from None

    def _takes(self, manifest: Mapping[str, Any]) -> bool:
        annotations = manifest["metadata"].get("annotations") or {}
        return self._forces or annotations.get("pulumi.com/patchForce") == "true"

    def _is_there(self, asked: Request) -> bool:
        """Whether there is an object of this name, which the new one then replaces."""
        if asked.type == RELEASE or has_unknown(asked.inputs):
            return False
        try:
            return self.client.get(asked.inputs) is not None
        except UnknownKind:
            return False

    def _remove(self, asked: Request) -> None:
        manifest = _located(asked)
        if manifest["kind"] == "Job" and is_skipped(asked.inputs):
            self.client.delete(manifest)
            return
        try:
            gone = self.client.remove(manifest, asked.timeout or DELETE_SECONDS)
        except UnknownKind:
            return
        if not gone:
            raise Failure(f"{_described(manifest)} is still there: a finalizer holds it")

    def _give_up(self, asked: Request) -> None:
        manifest = _located(asked)
        if self.client.get(manifest) is not None:
            self.client.apply(manifest, _manager(asked))


def look_up(client: Client, resource: Mapping[str, Any]) -> str | None:
    """ID of an object or release that exists, by what the state says of it."""
    inputs = resource["inputs"]
    if resource["type"] == RELEASE:
        id_ = f"{inputs['namespace']}/{inputs['name']}"
        return id_ if releases.find(client, id_) is not None else None
    try:
        return _address(inputs) if client.get(inputs) is not None else None
    except UnknownKind:
        return None


def _connect(kubeconfig: str) -> Client:
    known = yaml.safe_load(kubeconfig)
    cluster, user = known["clusters"][0]["cluster"], known["users"][0]["user"]
    return Client(cluster["server"], user["token"], Path(cluster["certificate-authority"]))


def _cluster(values: Values) -> object:
    if identifier := values.get("clusterIdentifier"):
        return identifier
    known = yaml.safe_load(values.get("kubeconfig") or "") or {}
    return [one["cluster"]["server"] for one in known.get("clusters", [])]


def _manager(asked: Request) -> str:
    if not is_patch(asked.type):
        return MANAGER
    return f"{MANAGER}-{hashlib.sha256(asked.urn.encode()).hexdigest()[:8]}"


def _located(asked: Request) -> dict[str, Any]:
    namespace, _, name = asked.id.rpartition("/")
    about = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": asked.inputs["apiVersion"],
        "kind": asked.inputs["kind"],
        "metadata": about,
    }


def _address(manifest: Mapping[str, Any]) -> str:
    about = manifest.get("metadata") or {}
    return "/".join(filter(None, [about.get("namespace"), about.get("name")]))


def _described(manifest: Mapping[str, Any]) -> str:
    return f"{manifest['kind']} {_address(manifest)}"


def _outputs(live: Mapping[str, Any]) -> Values:
    about = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    return {**live, "metadata": about}


def _seen(wanted: Any, live: Any) -> Any:
    """What is there of what is wanted; what others added is not ours."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return {key: _seen(value, live[key]) for key, value in wanted.items() if key in live}
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [_seen(*pair) for pair in zip(wanted, live, strict=True)]
    return live
