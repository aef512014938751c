"""Requests to an API server: server-side apply under strict validation, which few clients offer."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests
from urllib3.util import Retry

Manifest = Mapping[str, Any]

_TIMEOUT_SECONDS: Final = 30
_POD: Final = {"apiVersion": "v1", "kind": "Pod"}


class StatusError(Exception):
    """The API server's answer to a request that it did not carry out."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        """Such as `Invalid`, `Conflict` or `NotFound`."""


class UnknownKind(StatusError):
    """The API server has no resource of this apiVersion and kind: its CRD is not installed."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(404, "UnknownKind", f"no matches for kind {kind} in version {api_version}")


class ApiClient:
    """One user of one API server."""

    def __init__(self, url: str, token: str, certificate: Path) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.verify = str(certificate)
        # A kind that was defined just now is served a moment later; a server that is away is not
        # waited for.
        patience = Retry(
            20,
            connect=0,
            read=0,
            status_forcelist=[429],
            allowed_methods=None,
            backoff_factor=0.1,
            backoff_max=1,
        )
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=32, max_retries=patience)
        self._session.mount(url, adapter)
        self._resources: dict[str, list[dict[str, Any]]] = {}

    def is_ready(self) -> bool:
        """Whether it answers requests."""
        answer = self._session.get(f"{self.url}/readyz", timeout=_TIMEOUT_SECONDS)
        return answer.ok

    def apply(
        self, manifest: Manifest, manager: str, *, dry_run: bool = False, force: bool = False
    ) -> dict[str, Any]:
        """Applies an object with strict field validation, and returns it as it is stored.

        Args:
            manifest: The object, with those fields that the manager wants.
            manager: Who wants them.
            dry_run: Stores nothing.
            force: Takes fields from other managers.

        Raises:
            Refused: It is not valid, or another manager owns a field of it.
        """
        options = {"fieldManager": manager, "fieldValidation": "Strict"}
        if dry_run:
            options["dryRun"] = "All"
        if force:
            options["force"] = "true"
        headers = {"Content-Type": "application/apply-patch+yaml"}
        path = self._path(manifest)
        try:
            return self._send("PATCH", path, params=options, json=dict(manifest), headers=headers)
        except StatusError as refused:
            if refused.code == 404:
                self.check_kind(manifest["apiVersion"], manifest["kind"])
            raise

    def get(self, manifest: Manifest) -> dict[str, Any] | None:
        """The object of this apiVersion, kind, namespace and name, or None."""
        try:
            return self._send("GET", self._path(manifest))
        except StatusError as refused:
            if refused.code == 404:
                return None
            raise

    def delete(self, manifest: Manifest) -> None:
        """Asks for the end of an object; one that is not there is at its end."""
        try:
            self._send("DELETE", self._path(manifest), params={"propagationPolicy": "Background"})
        except StatusError as refused:
            if refused.code != 404:
                raise

    def delete_now(self, manifest: Manifest) -> None:
        """Deletes a pod whose containers have ended, as its kubelet does."""
        try:
            self._send("DELETE", self._path({**manifest, **_POD}), params={"gracePeriodSeconds": 0})
        except StatusError as refused:
            if refused.code != 404:
                raise

    def bind(self, pod: Manifest, node: str) -> None:
        """Puts a pod on a node, as a scheduler does; one that is on a node stays there."""
        if pod["spec"].get("nodeName"):
            return
        about = {key: pod["metadata"][key] for key in ("name", "namespace")}
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": about, "target": target}
        self._send("POST", f"{self._path({**pod, **_POD})}/binding", json=body)

    def token(self, namespace: str, account: str) -> str:
        """A token of a ServiceAccount, as a pod of it gets one."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        return str(self._send("POST", path, json=body)["status"]["token"])

    def remove(self, manifest: Manifest, seconds: float = 60) -> bool:
        """Deletes an object, and waits; False where something held it for so long."""
        until = time.monotonic() + seconds
        self.delete(manifest)
        while self.get(manifest) is not None:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def merge(
        self, manifest: Manifest, change: Manifest, manager: str, subresource: str = ""
    ) -> None:
        """Merges a change into an object, or into a subresource of it such as `status`."""
        path = "/".join(filter(None, [self._path(manifest), subresource]))
        headers = {"Content-Type": "application/merge-patch+json"}
        options = {"fieldManager": manager}
        self._send("PATCH", path, params=options, json=dict(change), headers=headers)

    def evict(self, pod: Manifest) -> bool:
        """Asks for the end of a pod as a drain does; False where a PodDisruptionBudget forbids it.

        Unlike a deletion it says so in the pod's conditions, which Jobs read.
        """
        about = {key: pod["metadata"][key] for key in ("name", "namespace")}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about}
        try:
            self._send("POST", f"{self._path({**pod, **_POD})}/eviction", json=body)
        except StatusError as refused:
            if refused.code == 429:
                return False
            if refused.code != 404:
                raise
        return True

    def finalize(self, namespace: Manifest) -> None:
        """Lets go of a namespace whose objects are gone."""
        body = {**namespace, "spec": {"finalizers": []}}
        self._send("PUT", f"{self._path(namespace)}/finalize", json=body)

    def list_objects(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind, in all namespaces; none where the kind is not known."""
        try:
            resource = self._resource(api_version, kind)
            document = self._send("GET", f"{_root(api_version)}/{resource['name']}")
        except StatusError as refused:
            if refused.code != 404:
                raise
            return []
        return [{"apiVersion": api_version, "kind": kind, **item} for item in document["items"]]

    def check_kind(self, api_version: str, kind: str) -> None:
        """Raises UnknownKind where there is no such kind by now."""
        self._resources.pop(api_version, None)
        self._resource(api_version, kind)

    def _path(self, manifest: Manifest) -> str:
        api_version, about = manifest["apiVersion"], manifest["metadata"]
        resource = self._resource(api_version, manifest["kind"])
        namespace = f"/namespaces/{about.get('namespace') or 'default'}"
        scope = namespace if resource["namespaced"] else ""
        return f"{_root(api_version)}{scope}/{resource['name']}/{about['name']}"

    def _resource(self, api_version: str, kind: str) -> dict[str, Any]:
        """The resource of a kind: as the server said before, or else as it says now."""
        for ask in (self._resources.get, self._discover):
            for resource in ask(api_version) or ():
                if resource["kind"] == kind and "/" not in resource["name"]:
                    return resource
        raise UnknownKind(api_version, kind)

    def _discover(self, api_version: str) -> list[dict[str, Any]]:
        try:
            resources: list[dict[str, Any]] = self._send("GET", _root(api_version))["resources"]
        except StatusError as refused:
            if refused.code != 404:
                raise
            resources = []
        self._resources[api_version] = resources
        return resources

    def _send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._session.request(
            method, f"{self.url}{path}", timeout=_TIMEOUT_SECONDS, **options
        )
        body = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
        if not answer.ok:
            message = body.get("message") or answer.text.strip()
            raise StatusError(answer.status_code, body.get("reason", ""), message)
        return body


def namespace_manifest(name: str) -> dict[str, Any]:
    """A namespace by its name."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
