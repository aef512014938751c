"""The simulated `alicloud` plugin."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from plan.changes import changes
from plan.providers import alicloud, deletes_first

from ..conditions import Conditions
from ..plugin import Difference, Failure, Fault, Plugin, Request, State
from ..values import UNKNOWN, Values
from . import behaviour, schema
from .cloud_file import CloudFile, Existing

CREDENTIAL: Final = "alicloud:cs/getClusterCredential:getClusterCredential"


class Clusters(Protocol):
    """Where the control planes of the cloud's clusters run."""

    def start(self, cluster_id: str) -> None:
        """Starts the control plane of a cluster."""

    def remove(self, cluster_id: str) -> None:
        """Removes it, and all that is in it."""

    def address(self, cluster_id: str) -> str:
        """Address of its API server inside the VPC."""

    def kubeconfig(self, cluster_id: str) -> str:
        """Access to it, as the cloud hands it out."""

    def install(self, cluster_id: str, addon: str) -> None:
        """Installs an add-on."""

    def uninstall(self, cluster_id: str, addon: str) -> None:
        """Removes an add-on."""


class CloudPlugin(Plugin):
    """Checks as the provider does, and refuses what the cloud would refuse."""

    package = "alicloud"
    version = "4.0.0"

    def __init__(self, conditions: Conditions, cloud: CloudFile, clusters: Clusters) -> None:
        super().__init__(conditions)
        self.cloud = cloud
        self.clusters = clusters
        self.region = ""

    def configure(self, values: Values) -> None:
        """Takes the region."""
        self.region = values.get("region", "")

    def check(self, asked: Request) -> tuple[Values, list[Fault]]:
        """By the provider's schema; a type that it does not list is unknown to the sandbox."""
        if asked.type not in alicloud.resources():
            reason = "the sandbox does not know this type; its row belongs into alicloud.json"
            return asked.inputs, [Fault("", reason)]
        return asked.inputs, schema.faults(asked.type, asked.inputs)

    def diff(self, asked: Request) -> Difference:
        """What changed in the inputs; a new resource with the ID of the old one comes after it."""
        found = tuple(changes(asked.old_inputs, asked.inputs))
        replacing = frozenset(one for one in found if alicloud.replaces(asked.type, one))
        return Difference(found, replacing, bool(replacing) and deletes_first(asked.type, found))

    def create(self, asked: Request) -> State:
        """Makes a resource in the cloud file."""
        if asked.preview:
            unknown = dict.fromkeys(schema.computed(asked.type), UNKNOWN)
            return State("", {**schema.defaults(asked.type), **unknown, **asked.inputs})
        id_ = behaviour.identity(asked.type, asked.inputs)
        self._refuse(asked, id_, self.cloud.every())
        if asked.type == behaviour.CLUSTER:
            self.clusters.start(id_)
        if asked.type == behaviour.ADDON:
            self.clusters.install(asked.inputs["clusterId"], asked.inputs["name"])
        with self.cloud.changing() as resources:
            self._refuse(asked, id_, resources)
            resources.append(
                Existing(asked.type, id_, asked.name, asked.inputs, self._outputs(asked, id_))
            )
        return self._state(asked.type, id_)

    def read(self, asked: Request) -> State | None:
        """Reads the cloud file."""
        if self.cloud.find(asked.type, asked.id) is None:
            return None
        return self._state(asked.type, asked.id)

    def update(self, asked: Request) -> State:
        """Changes a resource in the cloud file."""
        if asked.preview:
            found = self.cloud.find(asked.type, asked.id)
            return State(asked.id, {**(found.outputs if found else {}), **asked.inputs})
        with self.cloud.changing() as resources:
            at = self._find(resources, asked)
            kept = resources[at].outputs
            computed = {key: kept[key] for key in schema.computed(asked.type) if key in kept}
            outputs = {**self._outputs(asked, asked.id), **computed}
            resources[at] = Existing(asked.type, asked.id, asked.name, asked.inputs, outputs)
        return self._state(asked.type, asked.id)

    def delete(self, asked: Request) -> None:
        """Deletes a resource that no other one needs."""
        found = self.cloud.find(asked.type, asked.id)
        if found is None:
            return
        for other in self.cloud.every():
            for name, type_, id_ in behaviour.references(other.type, other.inputs):
                if (type_, id_) == (asked.type, asked.id):
                    raise Failure(
                        f"DependencyViolation: {asked.id} is {name} of {other.type} {other.id}"
                    )
        if found.inputs.get("deletionProtection"):
            raise Failure(f"DeletionProtected: deletion protection of {asked.id} is on")
        if asked.type == behaviour.CLUSTER:
            self.clusters.remove(asked.id)
        if asked.type == behaviour.ADDON:
            self.clusters.uninstall(found.inputs["clusterId"], found.inputs["name"])
        with self.cloud.changing() as resources:
            del resources[self._find(resources, asked)]

    def invoke(self, token: str, arguments: Values) -> Values:
        """Hands out access to a cluster, at an address that is not the private one."""
        if token != CREDENTIAL:
            return super().invoke(token, arguments)
        cluster_id = arguments["clusterId"]
        if self.cloud.find(behaviour.CLUSTER, cluster_id) is None:
            raise Failure(f"ErrorClusterNotFound: there is no cluster {cluster_id}")
        return {
            **arguments,
            "id": cluster_id,
            "clusterName": "",
            "expiration": "2026-01-01T02:00:00Z",
            "kubeConfig": self.clusters.kubeconfig(cluster_id),
            "certificateAuthorities": [],
        }

    def _outputs(self, asked: Request, id_: str) -> Values:
        outputs = behaviour.outputs(asked.type, id_, asked.inputs, self.region)
        if asked.type == behaviour.CLUSTER:
            outputs["connections"] = [
                {
                    "apiServerInternet": "",
                    "apiServerIntranet": self.clusters.address(id_),
                    "masterPublicIp": "",
                    "serviceDomain": f"*.{id_}.{self.region}.alicontainer.com",
                }
            ]
            # The provider leaves it out when told to; a stack has to keep it secret all the same.
            outputs["certificateAuthorities"] = [
                {"clusterCert": "", "clientCert": "", "clientKey": f"client-key-of-{id_}"}
            ]
        return outputs

    def _state(self, type_: str, id_: str) -> State:
        found = self.cloud.find(type_, id_)
        if found is None:
            raise Failure(f"NotFound: there is no {type_} {id_}")
        return State(id_, found.outputs, found.inputs, schema.secret(type_))

    def _find(self, resources: Sequence[Existing], asked: Request) -> int:
        for index, one in enumerate(resources):
            if (one.type, one.id) == (asked.type, asked.id):
                return index
        raise Failure(f"NotFound: there is no {asked.type} {asked.id}")

    def _refuse(self, asked: Request, id_: str, resources: Sequence[Existing]) -> None:
        known = {(one.type, one.id) for one in resources}
        if (asked.type, id_) in known:
            raise Failure(f"AlreadyExists: there is a {asked.type} {id_} already")
        for name, type_, other in behaviour.references(asked.type, asked.inputs):
            if (type_, other) not in known:
                raise Failure(f"NotFound: {name} is {other}, but there is no such {type_}")
        if asked.type == behaviour.SWITCH:
            _refuse_overlap(asked.inputs, resources)


def _refuse_overlap(inputs: Mapping[str, Any], resources: Sequence[Existing]) -> None:
    network = ipaddress.ip_network(inputs["cidrBlock"])
    for one in resources:
        if one.type != behaviour.SWITCH or one.inputs["vpcId"] != inputs["vpcId"]:
            continue
        if network.overlaps(ipaddress.ip_network(one.inputs["cidrBlock"])):
            raise Failure(
                f"InvalidCidrBlock.Overlapped: {network} overlaps with {one.id} in this VPC"
            )
