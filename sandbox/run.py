"""A sandbox: one stack of a project, its cloud, its clusters and its state, all in one folder."""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import yaml

from components.platform.knative import NAMESPACE as KNATIVE_SERVING
from plan.machine_facts import facts
from plan.machines import LivePool, pools
from plan.refused import Refused
from plan.stack_file import read_stack, stack_path
from stacks.arguments.cloud import name_prefix
from stacks.needs import (
    GATEWAY,
    KSERVE,
    LEADER_WORKER_SETS,
    LLM_INFERENCE_SERVICES,
    ROLE_BASED_GROUPS,
    Needs,
)
from stacks.platforms.present import present_knative
from stacks.runtimes import needs_of
from stacks.sections.environment import Environment
from stacks.sections.platform import CertManagerMode
from stacks.validation import validate

from .cloud.brought import bring
from .cloud.cloud_file import CloudFile
from .cloud.plugin import CloudPlugin
from .clusters import LocalClusters
from .conditions import Conditions, NodeConditions, read_node_conditions
from .engine import DESTROY, PREVIEW, REFRESH, UP, Engine, Outcome
from .kubernetes import installs
from .kubernetes.client import Manifest, namespace_manifest
from .kubernetes.plugin import KubernetesPlugin, look_up
from .nodes.autoscaler import CLOUD, CONDITIONS, FACTS, read_facts
from .plugin import serving
from .private import write_private

Edit = Callable[[dict[str, Any]], None]

OWN_CLUSTER: Final = "existing"
"""The cluster of a stack that brings its own."""


class Sandbox:
    """Everything that one stack needs to come up without an account.

    Kept in a folder, so that a second `up` finds what the first one made.
    """

    def __init__(
        self,
        root: Path,
        stack: str,
        folder: Path,
        definitions: Path | None,
        nodes: NodeConditions | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Finds the sandbox in a folder, or prepares a new one.

        Args:
            root: Folder of the program.
            stack: Name of the stack.
            folder: Where everything is kept; nothing else may use it.
            definitions: Folder of upstream's CRDs; None for CRDs without a schema.
            nodes: Gives its clusters nodes, which then stay. Default: as it was; at first, none.
            say: Told before a program is built that a controller needs.
        """
        self.root = root.resolve()
        self.stack = stack
        self.folder = folder.resolve()
        self.cloud = CloudFile(self.folder / CLOUD)
        self.clusters = LocalClusters(self.folder, definitions, say)
        self.conditions = Conditions()
        self.engine = Engine(self.root, stack, self.folder / "engine")
        self._nodes = nodes
        self._plugins = ""
        self._own_cluster = OWN_CLUSTER

    @property
    def kubeconfigs(self) -> dict[str, Path]:
        """Access to each cluster, as a file for kubectl."""
        files = {}
        for cluster_id in self.clusters.names():
            path = self.folder / f"{cluster_id}.kubeconfig"
            write_private(path, self.clusters.find(cluster_id).kubeconfig)
            files[cluster_id] = path
        return files

    @contextmanager
    def running(self) -> Iterator["Sandbox"]:
        """Runs plugins, API servers and simulated controllers; the API servers go on afterwards."""
        plugins = (
            CloudPlugin(self.conditions, self.cloud, self.clusters),
            KubernetesPlugin(self.conditions, self.clusters),
        )
        if self._nodes is not None:
            self.set_nodes(self._nodes)
        with self.clusters, serving(*plugins) as self._plugins:
            self.configure()
            yield self

    def set_nodes(self, conditions: NodeConditions) -> None:
        """Sets how long nodes take and what is sold out, from now on."""
        conditions.write(self.folder / CONDITIONS)

    def pools(self, cluster_id: str) -> list[LivePool]:
        """The pools of a cluster, as its nodes are made from."""
        machines = read_node_conditions(self.folder / CONDITIONS).machines
        there = read_facts(self.folder / FACTS)
        return pools(self.cloud.resources(), there, cluster_id, machines)

    def configure(self, edit: Edit = lambda _: None) -> None:
        """Hands the stack's configuration to the engine, with secrets of the sandbox's own.

        Args:
            edit: Changes the configuration before, by its keys without the project's name; the
                stack's file stays as it is.

        Raises:
            Refused: The configuration cannot be deployed; one sentence per fault.
        """
        file = read_stack(self.root, self.stack)
        path = stack_path(self.root, self.stack)
        config = yaml.safe_load(path.read_text())["config"]
        section = f"{file.project}:"
        settings = {key.removeprefix(section): value for key, value in config.items()}
        edit(settings)
        validation = validate(settings, name_prefix(file.project, file.stack))
        if validation.environment is None:
            raise Refused(path.name, *validation.sentences)
        if self.clusters.have_nodes:
            machines = read_node_conditions(self.folder / CONDITIONS).machines
            document = asdict(facts(validation.environment, machines))
            write_private(self.folder / FACTS, json.dumps(document))
        environment = validation.environment
        if not environment.existing:
            bring(self.cloud, environment, environment.region or "")
        if environment.keda:
            self.clusters.bring_everywhere(installs.KEDA)
        if not environment.creates_cluster:
            self._own_cluster = environment.cluster.id or OWN_CLUSTER
            parts = parts_before(environment)
            self.clusters.start(self._own_cluster, there_before(environment), parts)
        hidden = {key: self._secret(key) for key in file.secret_keys}
        plain = {f"{section}{key}": value for key, value in settings.items()}
        self.engine.configure({k: v for k, v in plain.items() if k not in hidden}, hidden)

    def preview(self, **options: Any) -> Outcome:
        """What an `up` would do."""
        return self._run(PREVIEW, **options)

    def up(self, **options: Any) -> Outcome:
        """Brings the stack to what its configuration says."""
        return self._run(UP, **options)

    def refresh(self, **options: Any) -> Outcome:
        """Brings the state to what is there."""
        return self._run(REFRESH, **options)

    def destroy(self, **options: Any) -> Outcome:
        """Deletes all that the stack made."""
        return self._run(DESTROY, run_program=True, **options)

    def settle(self) -> None:
        """Follows the advice after an update that was cut off: records what exists of it.

        What the cut-off update had begun is first brought to its end, as a cloud does.
        """
        self.conditions.wait_until_quiet()
        exists = {}
        for operation in self.engine.pending():
            resource = operation["resource"]
            if operation["type"] == "creating" and (id_ := self._look_up(resource)):
                exists[resource["urn"]] = id_
        self.engine.settle(exists)
        self.refresh()

    def _look_up(self, resource: dict[str, Any]) -> str | None:
        """ID of a resource that exists, though the state does not know it."""
        ids = {(stored["type"], stored.get("id")) for stored in self.engine.export()["resources"]}
        if resource["type"].startswith("alicloud:"):
            name = resource["urn"].rpartition("::")[2]
            candidates = [
                existing.id
                for existing in self.cloud.resources()
                if (existing.type, existing.name) == (resource["type"], name)
            ]
            return next((id_ for id_ in candidates if (resource["type"], id_) not in ids), None)
        for cluster in self.clusters.names():
            if (id_ := look_up(self.clusters.find(cluster).client, resource)) is not None:
                return id_
        return None

    def remove(self) -> None:
        """Ends every process, and deletes the folder."""
        self.clusters.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, operation: str, **options: Any) -> Outcome:
        return self.engine.run(operation, self._plugins, **options)

    def _secret(self, key: str) -> str:
        """A value that is found wherever it leaks; access to a cluster of its own is a real one."""
        name = key.rpartition(":")[2]
        if name == "kubeconfig":
            return self.clusters.find(self._own_cluster).kubeconfig
        path = self.folder / "secrets" / name
        if not path.exists():
            write_private(path, f"https://canary-{secrets.token_hex(8)}.invalid")
        return path.read_text()


def there_before(environment: Environment) -> list[Manifest]:
    """What the owner of an existing cluster has made: a namespace, and the stores in it."""
    stores = [
        manifest
        for store in environment.stores
        if store.claim
        for manifest in _store(environment.namespace, store.claim.name)
    ]
    filled = stores or any(store.oss and store.oss.secret for store in environment.stores)
    return [namespace_manifest(environment.namespace), *stores] if filled else []


def parts_before(environment: Environment) -> list[installs.Install]:
    """The parts of the platform that its owner has installed, set as the models need them."""
    needs = Needs(needs_of(environment))
    parts: list[installs.Install] = []
    if environment.cert_manager_mode is CertManagerMode.PRESENT:
        parts.append(installs.CHARTS["cert-manager"])
    if config := present_knative(environment, needs):
        parts.append(installs.KNATIVE_CORE._replace(namespace=KNATIVE_SERVING, config=config))
    if not environment.kserve.install and needs.sections(KSERVE):
        parts += [installs.CHARTS["kserve-crd"], installs.CHARTS["kserve-resources"]]
    if not environment.leader_worker_sets.install and needs.sections(LEADER_WORKER_SETS):
        parts.append(installs.CHARTS["lws"])
    if environment.gateway and environment.gateway.inference_types:
        parts.append(installs.INFERENCE)
    if environment.gateway and not environment.gateway.install and needs.sections(GATEWAY):
        parts.append(installs.CHARTS["gateway-helm"])
    llm = environment.llm_inference_services
    if not llm.install and needs.sections(LLM_INFERENCE_SERVICES):
        parts += [
            installs.CHARTS[name] for name in ("kserve-llmisvc-crd", "kserve-llmisvc-resources")
        ]
    if not environment.role_based_groups.install and needs.sections(ROLE_BASED_GROUPS):
        parts.append(installs.CHARTS["rbgs"])
    if not environment.fluid.install and any(model.cache for model in environment.models):
        parts.append(installs.CHARTS["fluid"])
    if environment.existing and environment.gpu_metrics is not None:
        parts.append(installs.CHARTS["kube-prometheus-stack"])  # whose Prometheus it is
    return parts


def _store(in_namespace: str, claim: str) -> list[Manifest]:
    """A claim, and the volume that is made for it."""
    about = {"namespace": in_namespace, "name": claim}
    terms = {"accessModes": ["ReadOnlyMany"], "storageClassName": "", "volumeName": claim}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": claim},
            "spec": {
                "accessModes": ["ReadOnlyMany"],
                "capacity": {"storage": "1Gi"},
                "claimRef": about,
                "nfs": {"server": "nas.invalid", "path": "/"},
                "persistentVolumeReclaimPolicy": "Retain",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": about,
            "spec": {**terms, "resources": {"requests": {"storage": "1Gi"}}},
        },
    ]


def find_sandboxes(folder: Path) -> list[str]:
    """Names of the stacks that have a sandbox in a folder."""
    return sorted(path.parent.name for path in folder.glob("*/engine"))
