"""The simulated `alicloud` plugin."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from plan.changes import changes
from plan.providers import alicloud, deletes_first

from ..conditions import Conditions
from ..plugin import Difference, OperationError, Plugin, PropertyFault, Request, State
from ..values import UNKNOWN, Values
from . import behaviour, schema
from .cloud_file import CloudFile, Existing

CLUSTERS: Final = "alicloud:cs/getManagedKubernetesClusters:getManagedKubernetesClusters"
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

    def check(self, request: Request) -> tuple[Values, list[PropertyFault]]:
        """By the provider's schema; a type that it does not list is unknown to the sandbox."""
        if request.type not in alicloud.resources():
            reason = "the sandbox does not know this type; its row belongs into alicloud.json"
            return request.inputs, [PropertyFault("", reason)]
        return request.inputs, schema.faults(request.type, request.inputs)

    def diff(self, request: Request) -> Difference:
        """What changed in the inputs; a new resource with the ID of the old one comes after it."""
        altered = tuple(changes(request.old_inputs, request.inputs))
        replacing = frozenset(
            change for change in altered if alicloud.replaces(request.type, change)
        )
        return Difference(
            altered, replacing, bool(replacing) and deletes_first(request.type, altered)
        )

    def create(self, request: Request) -> State:
        """Makes a resource in the cloud file."""
        if request.preview:
            unknown = dict.fromkeys(schema.computed(request.type), UNKNOWN)
            return State("", {**schema.defaults(request.type), **unknown, **request.inputs})
        id_ = behaviour.identity(request.type, request.inputs)
        self._refuse(request, id_, self.cloud.resources())
        if request.type == behaviour.CLUSTER:
            self.clusters.start(id_)
        if request.type == behaviour.ADDON:
            self.clusters.install(request.inputs["clusterId"], request.inputs["name"])
        with self.cloud.changing() as resources:
            self._refuse(request, id_, resources)
            resources.append(
                Existing(
                    request.type, id_, request.name, request.inputs, self._outputs(request, id_)
                )
            )
        return self._state(request.type, id_)

    def read(self, request: Request) -> State | None:
        """Reads the cloud file."""
        if self.cloud.find(request.type, request.id) is None:
            return None
        return self._state(request.type, request.id)

    def update(self, request: Request) -> State:
        """Changes a resource in the cloud file."""
        if request.preview:
            existing = self.cloud.find(request.type, request.id)
            return State(request.id, {**(existing.outputs if existing else {}), **request.inputs})
        with self.cloud.changing() as resources:
            at = self._find(resources, request)
            old_outputs = resources[at].outputs
            computed = {
                key: old_outputs[key] for key in schema.computed(request.type) if key in old_outputs
            }
            outputs = {**self._outputs(request, request.id), **computed}
            resources[at] = Existing(
                request.type, request.id, request.name, request.inputs, outputs
            )
        return self._state(request.type, request.id)

    def delete(self, request: Request) -> None:
        """Deletes a resource that no other one needs."""
        existing = self.cloud.find(request.type, request.id)
        if existing is None:
            return
        for dependant in self.cloud.resources():
            for name, type_, id_ in behaviour.references(dependant.type, dependant.inputs):
                if (type_, id_) == (request.type, request.id):
                    raise OperationError(
                        f"DependencyViolation: {request.id} is {name} of "
                        f"{dependant.type} {dependant.id}"
                    )
        if existing.inputs.get("deletionProtection"):
            raise OperationError(f"DeletionProtected: deletion protection of {request.id} is on")
        if request.type == behaviour.CLUSTER:
            self.clusters.remove(request.id)
        if request.type == behaviour.ADDON:
            self.clusters.uninstall(existing.inputs["clusterId"], existing.inputs["name"])
        with self.cloud.changing() as resources:
            del resources[self._find(resources, request)]

    def invoke(self, token: str, arguments: Values) -> Values:
        """Describes clusters, and hands out access to one at an address that is not private."""
        if token == CLUSTERS:
            return {**arguments, "id": "", **self._clusters(arguments["ids"])}
        if token != CREDENTIAL:
            return super().invoke(token, arguments)
        cluster_id = arguments["clusterId"]
        if self.cloud.find(behaviour.CLUSTER, cluster_id) is None:
            raise OperationError(f"ErrorClusterNotFound: there is no cluster {cluster_id}")
        return {
            **arguments,
            "id": cluster_id,
            "clusterName": "",
            "expiration": "2026-01-01T02:00:00Z",
            "kubeConfig": self.clusters.kubeconfig(cluster_id),
            "certificateAuthorities": [],
        }

    def _clusters(self, ids: Sequence[str]) -> Values:
        """Those clusters of these IDs that exist, as the data source describes them."""
        existing = [self.cloud.find(behaviour.CLUSTER, id_) for id_ in ids]
        clusters = [
            {
                **dict.fromkeys(("availabilityZone", "natGatewayId", "securityGroupId"), ""),
                **dict.fromkeys(("name", "vpcId"), ""),
                "id": cluster.id,
                "state": "running",
                "workerNodes": [],
                "connections": self._connections(cluster.id),
                "rrsaConfig": cluster.outputs["rrsaMetadata"],
            }
            for cluster in existing
            if cluster is not None
        ]
        return {"clusters": clusters, "names": [""] * len(clusters)}

    def _connections(self, cluster_id: str) -> list[Values]:
        return [
            {
                "apiServerInternet": "",
                "apiServerIntranet": self.clusters.address(cluster_id),
                "masterPublicIp": "",
                "serviceDomain": f"*.{cluster_id}.{self.region}.alicontainer.com",
            }
        ]

    def _outputs(self, request: Request, id_: str) -> Values:
        outputs = behaviour.outputs(request.type, id_, request.inputs, self.region)
        if request.type == behaviour.CLUSTER:
            outputs["connections"] = self._connections(id_)
            # The provider leaves it out when told to; a stack has to keep it secret all the same.
            outputs["certificateAuthorities"] = [
                {"clusterCert": "", "clientCert": "", "clientKey": f"client-key-of-{id_}"}
            ]
        return outputs

    def _state(self, type_: str, id_: str) -> State:
        existing = self.cloud.find(type_, id_)
        if existing is None:
            raise OperationError(f"NotFound: there is no {type_} {id_}")
        return State(id_, existing.outputs, existing.inputs, schema.secret(type_))

    def _find(self, resources: Sequence[Existing], request: Request) -> int:
        for index, resource in enumerate(resources):
            if (resource.type, resource.id) == (request.type, request.id):
                return index
        raise OperationError(f"NotFound: there is no {request.type} {request.id}")

    def _refuse(self, request: Request, id_: str, resources: Sequence[Existing]) -> None:
        ids = {(resource.type, resource.id) for resource in resources}
        if (request.type, id_) in ids:
            raise OperationError(f"AlreadyExists: there is a {request.type} {id_} already")
        for name, type_, target in behaviour.references(request.type, request.inputs):
            if (type_, target) not in ids:
                raise OperationError(f"NotFound: {name} is {target}, but there is no such {type_}")
        if request.type == behaviour.SWITCH:
            _refuse_overlap(request.inputs, resources)


def _refuse_overlap(inputs: Mapping[str, Any], resources: Sequence[Existing]) -> None:
    network = ipaddress.ip_network(inputs["cidrBlock"])
    for resource in resources:
        if resource.type != behaviour.SWITCH or resource.inputs["vpcId"] != inputs["vpcId"]:
            continue
        if network.overlaps(ipaddress.ip_network(resource.inputs["cidrBlock"])):
            raise OperationError(
                f"InvalidCidrBlock.Overlapped: {network} overlaps with {resource.id} in this VPC"
            )
