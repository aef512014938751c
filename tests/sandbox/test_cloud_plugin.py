"""What the simulated cloud makes, keeps and refuses.

Does not prove that Alibaba Cloud answers the same.
"""

import importlib
import stat
import typing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from pulumi import _types

from sandbox.cloud import schema
from sandbox.cloud.cloud_file import CloudFile
from sandbox.cloud.plugin import CREDENTIAL, CloudPlugin
from sandbox.conditions import Conditions
from sandbox.plugin import Difference, OperationError, PropertyFault, Request, State
from sandbox.values import UNKNOWN, Values

REGION: Final = "cn-beijing"

ACCESS_GROUP: Final = "alicloud:nas/accessGroup:AccessGroup"
ADDON: Final = "alicloud:cs/kubernetesAddon:KubernetesAddon"
ATTACHMENT: Final = "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment"
BUCKET: Final = "alicloud:oss/bucket:Bucket"
BUCKET_ACL: Final = "alicloud:oss/bucketAcl:BucketAcl"
CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
EIP: Final = "alicloud:ecs/eipAddress:EipAddress"
EIP_ASSOCIATION: Final = "alicloud:ecs/eipAssociation:EipAssociation"
FILE_SYSTEM: Final = "alicloud:nas/fileSystem:FileSystem"
MOUNT_TARGET: Final = "alicloud:nas/mountTarget:MountTarget"
NAT: Final = "alicloud:vpc/natGateway:NatGateway"
NETWORK: Final = "alicloud:vpc/network:Network"
POLICY: Final = "alicloud:ram/policy:Policy"
POOL: Final = "alicloud:cs/nodePool:NodePool"
PROJECT: Final = "alicloud:log/project:Project"
ROLE: Final = "alicloud:ram/role:Role"
SWITCH: Final = "alicloud:vpc/switch:Switch"

SMALLEST: Final[Mapping[str, Values]] = {
    ACCESS_GROUP: {"accessGroupName": "models", "accessGroupType": "Vpc"},
    ADDON: {"clusterId": CLUSTER, "name": "knative"},
    ATTACHMENT: {"policyName": POLICY, "policyType": "Custom", "roleName": ROLE},
    BUCKET: {"bucket": "llm-models"},
    BUCKET_ACL: {"bucket": BUCKET, "acl": "private"},
    CLUSTER: {"vswitchIds": [SWITCH], "podVswitchIds": [SWITCH], "controlPlaneLogProject": PROJECT},
    EIP: {"bandwidth": "100"},
    EIP_ASSOCIATION: {"allocationId": EIP, "instanceId": NAT},
    FILE_SYSTEM: {"protocolType": "NFS", "storageType": "Performance"},
    MOUNT_TARGET: {"accessGroupName": ACCESS_GROUP, "fileSystemId": FILE_SYSTEM},
    NAT: {"vpcId": NETWORK, "vswitchId": SWITCH},
    NETWORK: {"cidrBlock": "10.0.0.0/8"},
    POLICY: {"policyName": "reader", "policyDocument": "{}"},
    POOL: {"clusterId": CLUSTER, "nodePoolName": "a10", "vswitchIds": [SWITCH]},
    PROJECT: {"projectName": "audit"},
    ROLE: {"roleName": "Reader", "assumeRolePolicyDocument": "{}"},
    SWITCH: {"vpcId": NETWORK, "cidrBlock": "10.0.0.0/24", "zoneId": "cn-beijing-h"},
    "alicloud:cs/autoscalingConfig:AutoscalingConfig": {"clusterId": CLUSTER},
    "alicloud:nas/accessRule:AccessRule": {"accessGroupName": ACCESS_GROUP},
    "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig": {"bucket": BUCKET, "enable": True},
    "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        "bucket": BUCKET,
        "blockPublicAccess": True,
    },
    "alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption": {
        "bucket": BUCKET,
        "sseAlgorithm": "AES256",
    },
    "alicloud:oss/bucketVersioning:BucketVersioning": {"bucket": BUCKET},
    "alicloud:vpc/snatEntry:SnatEntry": {
        "snatIp": "203.0.113.1",
        "snatTableId": "stb-1",
        "sourceVswitchId": SWITCH,
    },
}
"""What each type needs at least. A type token stands for the ID of the one resource of it."""

REFERENCES: Final = [
    (type_, name)
    for type_, inputs in SMALLEST.items()
    for name, value in inputs.items()
    if (value[0] if isinstance(value, list) else value) in SMALLEST
]


class Recorded:
    """Clusters that nobody starts: who asked for what is all that is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def start(self, cluster_id: str) -> None:
        self.asked.append(("start", cluster_id))

    def remove(self, cluster_id: str) -> None:
        self.asked.append(("remove", cluster_id))

    def address(self, cluster_id: str) -> str:
        """Another one each time, as after a restart."""
        self.asked.append(("address", cluster_id))
        return f"https://127.0.0.1:{6000 + len(self.asked)}"

    def kubeconfig(self, cluster_id: str) -> str:
        return f"kubeconfig of {cluster_id}"

    def install(self, cluster_id: str, addon: str) -> None:
        self.asked.append(("install", cluster_id, addon))

    def uninstall(self, cluster_id: str, addon: str) -> None:
        self.asked.append(("uninstall", cluster_id, addon))


class Account:
    """A cloud with nothing in it, asked as the engine asks."""

    def __init__(self, path: Path) -> None:
        self.cloud = CloudFile(path)
        self.clusters = Recorded()
        self.plugin = CloudPlugin(Conditions(), self.cloud, self.clusters)
        self.plugin.configure({"region": REGION})
        self._made: dict[str, State] = {}

    def one(self, type_: str) -> State:
        """The one resource of a type; made, with all that it needs, when it is first asked for."""
        if type_ not in self._made:
            self._made[type_] = self.create(type_)
        return self._made[type_]

    def inputs(self, type_: str, **changes: Any) -> Values:
        """The smallest inputs of a type, with IDs of what they refer to."""
        smallest = {**SMALLEST[type_], **changes}
        return {name: self._with_ids(value) for name, value in smallest.items()}

    def create(self, type_: str, *, preview: bool = False, **changes: Any) -> State:
        inputs = self.inputs(type_, **changes)
        return self.plugin.create(request(type_, inputs, preview=preview))

    def update(self, type_: str, *, preview: bool = False, **changes: Any) -> State:
        old = self.one(type_)
        new = {
            name: value for name, value in {**old.inputs, **changes}.items() if value is not None
        }
        return self.plugin.update(request(type_, new, old.id, old.inputs, preview=preview))

    def diff(self, type_: str, **changes: Any) -> Difference:
        old = self.one(type_)
        new = {**old.inputs, **changes}
        return self.plugin.diff(request(type_, new, old.id, old.inputs))

    def read(self, type_: str, id_: str) -> State | None:
        return self.plugin.read(request(type_, {}, id_))

    def delete(self, type_: str, id_: str) -> None:
        self.plugin.delete(request(type_, {}, id_))

    @property
    def ids(self) -> list[str]:
        return [resource.id for resource in self.cloud.resources()]

    def _with_ids(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._with_ids(item) for item in value]
        return self.one(value).id if value in SMALLEST else value


def request(
    type_: str,
    inputs: Values,
    id_: str = "",
    old_inputs: Values | None = None,
    *,
    preview: bool = False,
) -> Request:
    urn = f"urn:pulumi:dev::shop::{type_}::it"
    return Request(type_, "it", urn, inputs, id_, old_inputs or {}, preview)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(OperationError) as caught:
        act()
    return str(caught.value)


def types_in_the_sdk(type_: str) -> Mapping[str, Any]:
    """What the Python SDK makes of each output of a type, by its name on the wire."""
    _, module, name = type_.split(":")
    room = importlib.import_module(f"pulumi_alicloud.{module.partition('/')[0]}")
    types: Mapping[str, Any] = _types.resource_types(getattr(room, name))
    return types


def fits(value: object, type_: Any) -> bool:
    if typing.get_origin(type_) is Sequence:
        [item] = typing.get_args(type_)
        return isinstance(value, list) and all(fits(element, item) for element in value)
    if typing.get_origin(type_) is Mapping or type_ not in (str, int, float, bool):
        return isinstance(value, dict)
    return type(value) is type_


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "cloud.json")


def test_every_type_of_the_table_is_tried_here() -> None:
    assert set(SMALLEST) == set(schema.resources())


@pytest.mark.parametrize("type_", SMALLEST)
def test_a_resource_is_made_once_and_found_again(account: Account, type_: str) -> None:
    inputs = account.inputs(type_)
    assert account.plugin.check(request(type_, inputs)) == (inputs, [])
    before = account.ids
    state = account.create(type_)
    assert account.ids == [*before, state.id]
    assert (state.inputs, state.outputs["id"]) == (inputs, state.id)
    assert account.read(type_, state.id) == state


def test_an_output_has_the_type_that_the_sdk_reads(account: Account) -> None:
    """For all types at once, as the SDK takes seconds to import."""
    wrong = {
        f"{type_} {name}": value
        for type_ in SMALLEST
        for types in [types_in_the_sdk(type_)]
        for name, value in account.one(type_).outputs.items()
        if name in types and not fits(value, types[name])
    }
    assert wrong == {}


@pytest.mark.parametrize("type_", SMALLEST)
def test_outputs_hold_the_inputs_and_all_that_the_cloud_decides(
    account: Account, type_: str
) -> None:
    state = account.one(type_)
    assert state.inputs.items() <= state.outputs.items()
    assert set(schema.computed(type_)) <= set(state.outputs)


def test_a_cluster_answers_at_the_address_of_its_own_api_server(account: Account) -> None:
    cluster = account.one(CLUSTER)
    [connection] = cluster.outputs["connections"]
    assert connection["apiServerIntranet"].startswith("https://127.0.0.1:")
    assert connection["apiServerInternet"] == ""


def test_a_cluster_names_the_issuer_of_its_tokens(account: Account) -> None:
    cluster = account.one(CLUSTER)
    about = cluster.outputs["rrsaMetadata"]
    assert about["rrsaOidcIssuerUrl"] == (
        f"https://oidc-ack-{REGION}.oss-{REGION}.aliyuncs.com/{cluster.id}"
    )
    assert about["ramOidcProviderArn"].endswith(f":oidc-provider/{about['ramOidcProviderName']}")


def test_a_mount_target_and_a_node_pool_name_themselves_as_others_call_them(
    account: Account,
) -> None:
    target, pool = account.one(MOUNT_TARGET), account.one(POOL)
    assert target.outputs["mountTargetDomain"].endswith(f".{REGION}.nas.aliyuncs.com")
    assert pool.id == f"{account.one(CLUSTER).id}:{pool.outputs['nodePoolId']}"


def test_a_property_that_is_left_out_has_its_default(account: Account) -> None:
    assert account.one(BUCKET).outputs["storageClass"] == "Standard"
    ia = account.create(BUCKET, bucket="cold", storageClass="IA")
    assert ia.outputs["storageClass"] == "IA"


def test_what_the_provider_keeps_secret_comes_back_as_a_secret(account: Account) -> None:
    assert "password" in account.one(POOL).secrets
    assert account.one(BUCKET).secrets == frozenset()


def test_a_control_plane_starts_with_its_cluster_and_goes_with_it(account: Account) -> None:
    cluster = account.one(CLUSTER)
    assert ("start", cluster.id) in account.clusters.asked
    account.delete(CLUSTER, cluster.id)
    assert account.clusters.asked[-1] == ("remove", cluster.id)


def test_an_add_on_is_installed_into_its_cluster_and_goes_with_its_resource(
    account: Account,
) -> None:
    cluster, addon = account.one(CLUSTER), account.one(ADDON)
    assert account.clusters.asked[-1] == ("install", cluster.id, "knative")
    account.delete(ADDON, addon.id)
    assert account.clusters.asked[-1] == ("uninstall", cluster.id, "knative")


@pytest.mark.parametrize("type_", [ACCESS_GROUP, ADDON, BUCKET, POLICY, PROJECT, ROLE])
def test_a_name_is_taken_once(account: Account, type_: str) -> None:
    id_ = account.one(type_).id
    before, requests = account.ids, account.clusters.asked[:]
    assert refused(lambda: account.create(type_)) == (
        f"AlreadyExists: there is a {type_} {id_} already"
    )
    assert (account.ids, account.clusters.asked) == (before, requests)


@pytest.mark.parametrize("type_", [CLUSTER, EIP, FILE_SYSTEM, NAT, NETWORK, POOL])
def test_what_has_an_id_of_its_own_can_be_made_twice(account: Account, type_: str) -> None:
    assert account.one(type_).id != account.create(type_).id


def test_two_resources_of_different_types_may_share_a_name(account: Account) -> None:
    account.create(ROLE, roleName="reader")
    account.create(POLICY, policyName="reader")
    assert account.ids == ["reader", "reader"]


@pytest.mark.parametrize(("type_", "name"), REFERENCES)
def test_a_reference_to_what_is_not_there_is_refused(
    account: Account, type_: str, name: str
) -> None:
    referred = SMALLEST[type_][name]
    gone = ["gone-1"] if isinstance(referred, list) else "gone-1"
    inputs = {**account.inputs(type_), name: gone}
    before, requests = account.ids, account.clusters.asked[:]
    sentence = refused(lambda: account.plugin.create(request(type_, inputs)))
    assert sentence.startswith(f"NotFound: {name} is gone-1, but there is no such alicloud:")
    assert (account.ids, account.clusters.asked) == (before, requests)


@pytest.mark.parametrize(("type_", "name"), REFERENCES)
def test_what_another_one_needs_is_not_deleted(account: Account, type_: str, name: str) -> None:
    account.one(type_)
    referred = SMALLEST[type_][name]
    needed = referred[0] if isinstance(referred, list) else referred
    id_ = account.one(needed).id
    sentence = refused(lambda: account.delete(needed, id_))
    assert sentence.startswith(f"DependencyViolation: {id_} is ")
    assert id_ in account.ids


def test_the_refusal_names_who_needs_it(account: Account) -> None:
    cluster, addon = account.one(CLUSTER), account.one(ADDON)
    assert refused(lambda: account.delete(CLUSTER, cluster.id)) == (
        f"DependencyViolation: {cluster.id} is clusterId of {ADDON} {addon.id}"
    )


def test_all_can_be_deleted_the_other_way_round(account: Account) -> None:
    for type_ in SMALLEST:
        account.one(type_)
    assert len(account.ids) == len(SMALLEST)
    for resource in reversed(account.cloud.resources()):
        account.delete(resource.type, resource.id)
    assert account.ids == []


def test_what_is_gone_already_needs_no_deletion(account: Account) -> None:
    account.delete(CLUSTER, "c-gone")
    assert account.clusters.asked == []


@pytest.mark.parametrize("cidr", ["10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/16"])
def test_switches_of_one_vpc_do_not_overlap(account: Account, cidr: str) -> None:
    first = account.one(SWITCH)
    assert refused(lambda: account.create(SWITCH, cidrBlock=cidr)) == (
        f"InvalidCidrBlock.Overlapped: {cidr} overlaps with {first.id} in this VPC"
    )


def test_switches_that_touch_or_lie_in_another_vpc_are_accepted(account: Account) -> None:
    account.one(SWITCH)
    account.create(SWITCH, cidrBlock="10.0.1.0/24")
    account.create(SWITCH, vpcId=account.create(NETWORK).id)


@pytest.mark.parametrize("type_", [CLUSTER, EIP, NAT])
def test_what_is_protected_is_not_deleted_until_it_is_freed(account: Account, type_: str) -> None:
    id_ = account.one(type_).id
    account.update(type_, deletionProtection=True)
    assert refused(lambda: account.delete(type_, id_)) == (
        f"DeletionProtected: deletion protection of {id_} is on"
    )
    assert account.read(type_, id_)
    assert ("remove", id_) not in account.clusters.asked
    account.update(type_, deletionProtection=False)
    account.delete(type_, id_)
    assert account.read(type_, id_) is None


@pytest.mark.parametrize("type_", [BUCKET, CLUSTER, NETWORK, ROLE])
def test_an_update_keeps_what_the_cloud_decided(account: Account, type_: str) -> None:
    before = account.one(type_)
    after = account.update(type_, tags={"team": "serving"})
    decided = ["id", *schema.computed(type_)]
    assert [after.outputs[name] for name in decided] == [before.outputs[name] for name in decided]
    assert (after.id, after.outputs["tags"]) == (before.id, {"team": "serving"})
    assert account.read(type_, before.id) == after


def test_an_update_drops_what_is_no_longer_wanted(account: Account) -> None:
    account.update(NETWORK, description="models")
    after = account.update(NETWORK, description=None)
    assert "description" not in {**after.inputs, **after.outputs}


def test_an_update_keeps_the_order_in_which_things_were_made(account: Account) -> None:
    for type_ in (NETWORK, BUCKET, ROLE):
        account.one(type_)
    before = account.ids
    account.update(NETWORK, description="models")
    assert account.ids == before


def test_an_update_of_something_gone_is_refused(account: Account) -> None:
    network = account.one(NETWORK)
    account.delete(NETWORK, network.id)
    assert refused(lambda: account.update(NETWORK, description="models")) == (
        f"NotFound: there is no {NETWORK} {network.id}"
    )


@pytest.mark.parametrize(
    ("type_", "changed", "replaced", "delete_first"),
    [
        (BUCKET, {"storageClass": "IA"}, {"storageClass"}, True),
        (BUCKET, {"bucket": "other"}, {"bucket"}, False),
        (BUCKET, {"tags": {"team": "a"}}, set(), False),
        (BUCKET, {"storageClass": "IA", "forceDestroy": True}, {"storageClass"}, True),
        (NETWORK, {"isDefault": True}, {"isDefault"}, False),
        (CLUSTER, {"serviceCidr": "172.21.0.0/20"}, {"serviceCidr"}, False),
        (CLUSTER, {"version": "1.35"}, set(), False),
        (ADDON, {"clusterId": "c-other"}, {"clusterId"}, False),
        (ADDON, {"clusterId": UNKNOWN}, {"clusterId"}, False),
        (ADDON, {"version": "2"}, set(), False),
        (PROJECT, {}, set(), False),
    ],
)
def test_a_change_replaces_and_deletes_first_where_the_name_is_the_id(
    account: Account, type_: str, changed: Values, replaced: set[str], delete_first: bool
) -> None:
    diff = account.diff(type_, **changed)
    assert {change.path[0] for change in diff.changes} == set(changed)
    assert {change.name for change in diff.replacing} == replaced
    assert diff.delete_first is delete_first


@pytest.mark.parametrize("type_", SMALLEST)
def test_a_preview_makes_nothing_and_knows_nothing_that_the_cloud_decides(
    account: Account, type_: str
) -> None:
    inputs = account.inputs(type_)
    before, requests = account.ids, account.clusters.asked[:]
    state = account.plugin.create(request(type_, inputs, preview=True))
    assert (account.ids, account.clusters.asked) == (before, requests)
    assert state.id == ""
    values = {**schema.defaults(type_), **inputs}
    assert state.outputs == {**dict.fromkeys(schema.computed(type_), UNKNOWN), **values}


def test_a_preview_takes_a_reference_that_is_unknown(account: Account) -> None:
    assert account.create(POOL, preview=True, clusterId=UNKNOWN).outputs["clusterId"] == UNKNOWN


def test_a_preview_of_an_update_changes_nothing_and_knows_what_is_there(account: Account) -> None:
    before = account.one(NETWORK)
    state = account.update(NETWORK, preview=True, description="models")
    assert state.outputs == {**before.outputs, "description": "models"}
    assert account.read(NETWORK, before.id) == before


def test_what_is_gone_is_read_as_nothing(account: Account) -> None:
    bucket = account.one(BUCKET)
    account.delete(BUCKET, bucket.id)
    assert account.read(BUCKET, bucket.id) is None
    assert account.read(ROLE, "never-made") is None


def test_what_others_changed_is_read_as_it_is_now(account: Account) -> None:
    before = account.one(NETWORK)
    account.cloud.change(NETWORK, before.id, description="by hand")
    after = account.read(NETWORK, before.id)
    assert after is not None
    assert after.inputs == {**before.inputs, "description": "by hand"}
    assert after.outputs == {**before.outputs, "description": "by hand"}


def test_a_type_that_is_not_in_the_table_is_a_fault_that_says_where_it_belongs(
    account: Account,
) -> None:
    [fault] = account.plugin.check(request("alicloud:x/y:Z", {}))[1]
    assert fault == PropertyFault(
        "", "the sandbox does not know this type; its row belongs into alicloud.json"
    )


def test_access_to_a_cluster_comes_as_the_sdk_reads_it(account: Account) -> None:
    cluster = account.one(CLUSTER)
    result = account.plugin.invoke(CREDENTIAL, {"clusterId": cluster.id})
    sdk = importlib.import_module("pulumi_alicloud.cs")
    types = _types.output_type_types(sdk.GetClusterCredentialResult)
    wrong = {name: value for name, value in result.items() if not fits(value, types[name])}
    assert wrong == {}
    assert (result["clusterId"], result["kubeConfig"]) == (
        cluster.id,
        f"kubeconfig of {cluster.id}",
    )


def test_access_to_a_cluster_that_is_not_there_is_refused(account: Account) -> None:
    ask = {"clusterId": "c-gone"}
    assert refused(lambda: account.plugin.invoke(CREDENTIAL, ask)) == (
        "ErrorClusterNotFound: there is no cluster c-gone"
    )


def test_a_function_that_the_sandbox_does_not_have_is_refused(account: Account) -> None:
    function = "alicloud:index/getRegions:getRegions"
    assert refused(lambda: account.plugin.invoke(function, {})) == (
        f"alicloud has no function {function} in the sandbox"
    )


def test_the_cloud_is_there_for_the_next_process(account: Account) -> None:
    bucket = account.one(BUCKET)
    [resource] = CloudFile(account.cloud.path).resources()
    assert (resource.type, resource.id, resource.name) == (BUCKET, bucket.id, "it")
    assert (resource.inputs, resource.outputs) == (bucket.inputs, bucket.outputs)


def test_a_change_that_raises_stores_nothing(account: Account) -> None:
    def stumble() -> None:
        with account.cloud.changing() as resources:
            resources.clear()
            raise OperationError("in the middle")

    account.one(BUCKET)
    before = account.cloud.path.read_text()
    assert refused(stumble) == "in the middle"
    assert account.cloud.path.read_text() == before


def test_the_cloud_is_for_the_eyes_of_its_owner(account: Account) -> None:
    for type_ in (NETWORK, BUCKET):
        account.one(type_)
        assert stat.S_IMODE(account.cloud.path.stat().st_mode) == 0o600
    assert [path.name for path in account.cloud.path.parent.iterdir()] == ["cloud.json"]


def test_resources_that_are_made_at_the_same_time_are_all_there(account: Account) -> None:
    names = [f"bucket-{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: account.create(BUCKET, bucket=name), names))
    assert sorted(account.ids) == sorted(names)


def test_a_name_that_is_taken_meanwhile_is_refused(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = account.one(CLUSTER)

    def overtake(*_: str) -> None:
        monkeypatch.undo()
        account.one(ADDON)

    monkeypatch.setattr(account.clusters, "install", overtake)
    assert refused(lambda: account.create(ADDON)).startswith("AlreadyExists: ")
    assert account.ids.count(f"{cluster.id}:knative") == 1


def test_ids_look_as_they_do_in_the_cloud(account: Account) -> None:
    assert account.one(NETWORK).id.startswith("vpc-")
    assert account.one(SWITCH).id.startswith("vsw-")
    assert account.one(ADDON).id == f"{account.one(CLUSTER).id}:knative"
    assert account.one(ATTACHMENT).id == "reader:Custom:Reader"
