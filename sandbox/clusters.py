"""The clusters of a sandbox: an API server of its own for each."""

import json
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from .conditions import read_node_conditions
from .controllers import core, running
from .controllers.controller import ControlPlane, beside
from .kubernetes import controllers, crds, installs, server
from .kubernetes.client import ApiClient, Manifest
from .nodes.autoscaler import CONDITIONS


class LocalClusters:
    """Control planes on this machine, kept in a folder from one command to the next."""

    def __init__(
        self,
        sandbox: Path,
        definitions: Path | None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Finds the clusters that are there.

        Args:
            sandbox: Folder of the sandbox. Where it has node conditions, the clusters have nodes.
            definitions: Folder of upstream's CRDs; None for those of upstream's modules where there
                are nodes, and for CRDs without a schema where there are none.
            say: Told before a program is built that a controller needs.
        """
        self._sandbox = sandbox
        self._folder = sandbox / "clusters"
        self._definitions = definitions
        self._say = say
        self._controllers: dict[str, controllers.SimulatedControllers] = {}
        self._there_before: list[installs.Install] = []

    def __enter__(self) -> "LocalClusters":
        for cluster_id in self.names():
            self._run(cluster_id)
        return self

    def __exit__(self, *_: object) -> None:
        for simulated in self._controllers.values():
            simulated.stop()
        self._controllers.clear()

    @property
    def have_nodes(self) -> bool:
        """Whether pods are scheduled and run there, by the real controllers."""
        return (self._sandbox / CONDITIONS).exists()

    @property
    def definitions(self) -> Path | None:
        """Folder of upstream's CRDs; None for CRDs without a schema.

        Raises:
            Unavailable: There are nodes, and upstream's modules cannot be had.
        """
        if self._definitions is None and self.have_nodes:
            return crds.upstream()
        return self._definitions

    def names(self) -> list[str]:
        """IDs of the clusters that exist."""
        return sorted(path.parent.name for path in self._folder.glob("*/server.json"))

    def start(
        self,
        cluster_id: str,
        there_before: Iterable[Manifest] = (),
        parts: Iterable[installs.Install] = (),
    ) -> None:
        """Starts a control plane with what every cluster of ACK has; one that runs is kept.

        Args:
            cluster_id: ID of the cluster.
            there_before: Objects that were there before the stack.
            parts: Parts of the platform that were there before it.
        """
        client = self._run(cluster_id)
        baseline = self._folder / cluster_id / "baseline.json"
        if not baseline.exists():
            for manifest in there_before:
                client.apply(manifest, "owner")
            for part in parts:
                self.bring(client, part)
            objects = controllers.created(self.find(cluster_id).objects())
            baseline.write_text(json.dumps([describe(manifest) for manifest in objects]))

    def bring_everywhere(self, what: installs.Install) -> None:
        """Installs something in each cluster, also in those that are still to come."""
        if what not in self._there_before:
            self._there_before.append(what)
        for cluster_id in self._controllers:
            self.bring(self.find(cluster_id).client, what)

    def remove(self, cluster_id: str) -> None:
        """Removes a control plane, and remembers which objects were left in it."""
        api_server = self.find(cluster_id)
        remaining = self.leftovers(cluster_id)
        if simulated := self._controllers.pop(cluster_id, None):
            simulated.stop()
        running.stop(self._folder / cluster_id)
        api_server.remove()
        with (self._folder / "leftovers.txt").open("a") as file:
            file.writelines(f"{cluster_id} {line}\n" for line in remaining)

    def stop(self) -> None:
        """Ends all control planes, and forgets them."""
        self.__exit__()
        for cluster_id in self.names():
            running.stop(self._folder / cluster_id)
            self.find(cluster_id).stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def find(self, cluster_id: str) -> server.ApiServer:
        """The API server of a cluster."""
        api_server = server.find(self._folder / cluster_id)
        if api_server is None:
            raise LookupError(f"there is no cluster {cluster_id}")
        return api_server

    def created_objects(self, cluster_id: str) -> list[Manifest]:
        """Every object that was not there when the cluster was new."""
        before = set(json.loads((self._folder / cluster_id / "baseline.json").read_text()))
        objects = controllers.created(self.find(cluster_id).objects())
        return [manifest for manifest in objects if describe(manifest) not in before]

    def leftovers(self, cluster_id: str) -> list[str]:
        """The same as text."""
        return sorted(describe(manifest) for manifest in self.created_objects(cluster_id))

    def left_behind(self) -> list[str]:
        """What was still in a cluster when it was removed."""
        path = self._folder / "leftovers.txt"
        return path.read_text().splitlines() if path.exists() else []

    def address(self, cluster_id: str) -> str:
        """Where the API server answers."""
        return self.find(cluster_id).url

    def kubeconfig(self, cluster_id: str) -> str:
        """Access at an address that is not the private one."""
        return self.find(cluster_id).public_kubeconfig

    def install(self, cluster_id: str, addon: str) -> None:
        """Installs an add-on."""
        what = installs.ADDONS.get(addon, installs.Install())
        self.bring(self.find(cluster_id).client, what)

    def uninstall(self, cluster_id: str, addon: str) -> None:
        """Removes an add-on."""
        what = installs.ADDONS.get(addon, installs.Install())
        self.remove_from(self.find(cluster_id).client, what)

    def bring(self, client: ApiClient, what: installs.Install) -> None:
        """Installs something in a cluster, with its real controllers where there are nodes."""
        installs.install(client, what, self.definitions)
        if self.have_nodes and what.controllers:
            running.start(self._plane_of(client), what.controllers, self._say)

    def remove_from(self, client: ApiClient, what: installs.Install) -> None:
        """Removes it, its controllers last: they let go of their objects."""
        installs.uninstall(client, what)
        if self.have_nodes and what.controllers:
            running.end_controllers(self._plane_of(client), what.controllers)

    def plane(self, cluster_id: str) -> ControlPlane:
        """Where controllers of a cluster run."""
        conditions = read_node_conditions(self._sandbox / CONDITIONS)
        return beside(self.find(cluster_id), self._sandbox, conditions)

    def _plane_of(self, client: ApiClient) -> ControlPlane:
        [cluster_id] = [name for name in self.names() if self.address(name) == client.url]
        return self.plane(cluster_id)

    def _run(self, cluster_id: str) -> ApiClient:
        folder = self._folder / cluster_id
        api_server = server.start(folder, nodes=self.have_nodes)
        client = api_server.client
        if cluster_id not in self._controllers:
            self.bring(client, installs.BASE)
            if self.have_nodes:
                running.start(self.plane(cluster_id), core.CONTROL_PLANE, self._say)
            for what in self._there_before:
                self.bring(client, what)
            self._controllers[cluster_id] = controllers.SimulatedControllers(
                api_server,
                client,
                partial(self.bring, client),
                partial(running.kinds, folder),
            )
        return client


def describe(manifest: Manifest) -> str:
    """Kind, namespace and name of an object."""
    about = manifest["metadata"]
    return " ".join(filter(None, [manifest["kind"], about.get("namespace"), about["name"]]))
