"""The simulated `kubernetes` plugin: forwards objects to a real API server."""

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import yaml

from plan.changes import changes
from plan.kinds import HELM_RELEASE
from plan.providers import deletes_first
from plan.providers.kubernetes import is_patch, replaces

from ..conditions import Conditions
from ..plugin import Difference, OperationError, Plugin, PropertyFault, Request, State, Unready
from ..values import Values, has_unknown, without_nothing
from . import installs, releases
from .client import ApiClient, StatusError, UnknownKind
from .waiting import is_skipped, unfinished, wait

DELETE_SECONDS: Final = 60
MANAGER: Final = "pulumi-kubernetes"


class Installer(Protocol):
    """Who knows what comes with a chart."""

    def bring(self, client: ApiClient, what: installs.Install) -> None:
        """Installs something in a cluster."""

    def remove_from(self, client: ApiClient, what: installs.Install) -> None:
        """Removes it."""


class KubernetesPlugin(Plugin):
    """Applies on the server's side under strict validation, as a dry run in a preview."""

    package = "kubernetes"
    version = "4.34.2"

    def __init__(self, conditions: Conditions, installer: Installer) -> None:
        super().__init__(conditions)
        self._installer = installer
        self._client: ApiClient | None = None
        self._forces = False

    @property
    def client(self) -> ApiClient:
        """The cluster of the configured kubeconfig."""
        if self._client is None:
            raise OperationError("the kubernetes provider has no kubeconfig yet")
        return self._client

    def configure(self, values: Values) -> None:
        """Takes the kubeconfig, and whether fields are taken from other managers."""
        self._forces = values.get("enablePatchForce") == "true"
        self._client = _connect(values["kubeconfig"]) if values.get("kubeconfig") else None

    def diff_config(self, old: Values, new: Values) -> Difference:
        """Another cluster is another provider, and so are all objects in it."""
        altered = tuple(changes(old, new))
        return Difference(altered, frozenset(altered if _is_another(old, new) else ()))

    def check(self, request: Request) -> tuple[Values, list[PropertyFault]]:
        """A name of its own for an object without one."""
        if request.type == HELM_RELEASE:
            return request.inputs, []
        old = request.old_inputs.get("metadata") or {}
        about = dict(request.inputs.get("metadata") or {})
        if "name" not in about and "generateName" not in about:
            digest = hashlib.sha256(request.urn.encode()).hexdigest()[:8]
            about["name"] = old.get("name") or f"{request.name}-{digest}"
        return {**request.inputs, "metadata": about}, []

    def diff(self, request: Request) -> Difference:
        """What changed; an object that only another one can replace goes first, under its name."""
        altered = tuple(changes(request.old_inputs, request.inputs))
        replacing = frozenset(
            change for change in altered if replaces(request.type, request.inputs, change)
        )
        return Difference(
            altered, replacing, bool(replacing) and deletes_first(request.type, altered)
        )

    def create(self, request: Request) -> State:
        """Applies the object, and waits until it shows what it is to show."""
        if request.preview:
            if not self._is_there(request):
                self._dry_run(request)
            return State("", request.inputs)
        return self._apply(request)

    def update(self, request: Request) -> State:
        """The same; fields that are no longer wanted are given up."""
        if request.preview:
            self._dry_run(request)
            return State(request.id, request.inputs)
        return self._apply(request)

    def read(self, request: Request) -> State | None:
        """The object as it is, seen through the fields that the program sets."""
        if request.type == HELM_RELEASE:
            values = releases.find(self.client, request.id)
            return None if values is None else State(request.id, values, values)
        try:
            live = self.client.get(_located(request))
        except UnknownKind:
            return None
        if live is None:
            return None
        state = State(request.id, _outputs(live), _visible(request.inputs, live))
        if reason := unfinished(request.inputs, live):
            raise Unready(state, reason)
        return state

    def delete(self, request: Request) -> None:
        """Deletes the object, or gives up the fields of a patch; returns once it is gone."""
        if request.type == HELM_RELEASE:
            releases.uninstall(
                self.client,
                request.id,
                request.inputs,
                partial(self._installer.remove_from, self.client),
            )
        elif is_patch(request.type):
            self._give_up(request)
        else:
            self._remove(request)

    def _apply(self, request: Request) -> State:
        if request.type == HELM_RELEASE:
            bring = partial(self._installer.bring, self.client)
            id_ = releases.install(self.client, request.inputs, bring)
            return State(id_, {**request.inputs, "status": {"status": "deployed"}})
        manifest = without_nothing(request.inputs)
        if is_patch(request.type) and self.client.get(manifest) is None:
            raise OperationError(f"{_described(manifest)} does not exist, so it cannot be patched")
        try:
            live = self.client.apply(manifest, _manager(request), force=self._takes(manifest))
        except StatusError as refused:
            raise OperationError(f"{_described(manifest)}: {refused}") from None
        live, missing = wait(self.client, live)
        state = State(_address(manifest), _outputs(live), request.inputs)
        if missing:
            raise Unready(state, missing)
        return state

    def _dry_run(self, request: Request) -> None:
        manifest = without_nothing(request.inputs)
        if request.type == HELM_RELEASE or is_patch(request.type) or has_unknown(manifest):
            return
        try:
            self.client.apply(
                manifest, _manager(request), dry_run=True, force=self._takes(manifest)
            )
        except StatusError as refused:
            # Its namespace or its kind may be made by this very update.
            if refused.code != 404:
                raise OperationError(f"{_described(manifest)}: {refused}") from None

    def _takes(self, manifest: Mapping[str, Any]) -> bool:
        annotations = manifest["metadata"].get("annotations") or {}
        return self._forces or annotations.get("pulumi.com/patchForce") == "true"

    def _is_there(self, request: Request) -> bool:
        """Whether there is an object of this name, which the new one then replaces."""
        if request.type == HELM_RELEASE or has_unknown(request.inputs):
            return False
        try:
            return self.client.get(request.inputs) is not None
        except UnknownKind:
            return False

    def _remove(self, request: Request) -> None:
        manifest = _located(request)
        if manifest["kind"] == "Job" and is_skipped(request.inputs):
            self.client.delete(manifest)
            return
        try:
            gone = self.client.remove(manifest, request.timeout or DELETE_SECONDS)
        except UnknownKind:
            return
        if not gone:
            raise OperationError(f"{_described(manifest)} is still there: a finalizer holds it")

    def _give_up(self, request: Request) -> None:
        manifest = _located(request)
        if self.client.get(manifest) is not None:
            self.client.apply(manifest, _manager(request))


def look_up(client: ApiClient, resource: Mapping[str, Any]) -> str | None:
    """ID of an object or release that exists, by what the state says of it."""
    inputs = resource["inputs"]
    if resource["type"] == HELM_RELEASE:
        id_ = f"{inputs['namespace']}/{inputs['name']}"
        return id_ if releases.find(client, id_) is not None else None
    try:
        return _address(inputs) if client.get(inputs) is not None else None
    except UnknownKind:
        return None


def _connect(kubeconfig: str) -> ApiClient:
    document = yaml.safe_load(kubeconfig)
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    return ApiClient(cluster["server"], user["token"], Path(cluster["certificate-authority"]))


def _is_another(old: Values, new: Values) -> bool:
    """Whether a provider leads to another cluster: by name if both have one, else by address.

    DiffConfig of pulumi-kubernetes, f47bc2d6f199 of 2026-01-15.
    """
    named = [values.get("clusterIdentifier") for values in (old, new)]
    return len({*named}) > 1 if all(named) else _addresses(old) != _addresses(new)


def _addresses(values: Values) -> list[str]:
    document = yaml.safe_load(values.get("kubeconfig") or "") or {}
    return [entry["cluster"]["server"] for entry in document.get("clusters", [])]


def _manager(request: Request) -> str:
    if not is_patch(request.type):
        return MANAGER
    return f"{MANAGER}-{hashlib.sha256(request.urn.encode()).hexdigest()[:8]}"


def _located(request: Request) -> dict[str, Any]:
    namespace, _, name = request.id.rpartition("/")
    about = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": request.inputs["apiVersion"],
        "kind": request.inputs["kind"],
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


def _visible(declared: Any, live: Any) -> Any:
    """What is there of what is wanted; what others added is not ours."""
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        return {key: _visible(value, live[key]) for key, value in declared.items() if key in live}
    if isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live):
        return [_visible(*pair) for pair in zip(declared, live, strict=True)]
    return live
