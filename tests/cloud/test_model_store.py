import json
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.cloud import (
    ModelBucket,
    ModelBucketArgs,
    ModelFileSystem,
    ModelFileSystemArgs,
    ModelStore,
    ModelStoreArgs,
)
from plan.model import Plan
from plan.record import record
from tests.provider_schema import errors_in, needs_schema

from .refusals import refusal, refusals

BUCKET = "alicloud:oss/bucket:Bucket"
POLICY = "alicloud:ram/policy:Policy"
ROLE = "alicloud:ram/role:Role"
ATTACHMENT = "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment"
FILE_SYSTEM = "alicloud:nas/fileSystem:FileSystem"
ACCESS_RULE = "alicloud:nas/accessRule:AccessRule"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
VOLUME = "kubernetes:core/v1:PersistentVolume"
PROVIDER = "pulumi:providers:kubernetes"

OSS = {
    "bucket": "llm-models",
    "path": "/Qwen-7B-Chat-Int8",
    "region": "cn-beijing",
    "role_name": "qwen",
    "oidc_issuer_url": "https://issuer/c1",
    "oidc_provider_arn": "acs:ram::1:oidc-provider/ack-rrsa-c1",
}
NAS = {"server": "0a1b2c.cn-beijing.nas.aliyuncs.com", "path": "/models"}


def store(**changes: Any) -> dict[str, Any]:
    smallest = {"claim_name": "qwen", "namespace": "serving", "size": "15Gi", "oss": OSS}
    return {key: value for key, value in {**smallest, **changes}.items() if value is not None}


def nas_store(**changes: Any) -> dict[str, Any]:
    return store(**{"oss": None, "nas": NAS, **changes})


def planned(args: dict[str, Any]) -> Plan:
    def program() -> None:
        component = ModelStore("qwen", ModelStoreArgs.of(args))
        for name in ("claim_name", "volume_name", "uri", "upload_command"):
            pulumi.export(name, getattr(component, name))

    return record(program)


def volume(args: dict[str, Any]) -> Any:
    [manifest] = planned(args).manifests("PersistentVolume")
    return manifest["spec"]


def statements(args: dict[str, Any]) -> Any:
    [policy] = planned(args).of(POLICY)
    return json.loads(policy.inputs["policyDocument"])["Statement"]


def test_the_claim_is_bound_to_its_volume_and_no_other() -> None:
    plan = planned(store())
    [claim], [volume] = plan.manifests("PersistentVolumeClaim"), plan.manifests("PersistentVolume")
    assert claim["metadata"] == {"name": "qwen", "namespace": "serving"}
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"] == "serving-qwen"
    assert claim["spec"]["storageClassName"] == ""
    assert "storageClassName" not in volume["spec"]
    assert claim["spec"]["accessModes"] == volume["spec"]["accessModes"] == ["ReadOnlyMany"]


def test_a_claim_is_replaced_with_a_volume_that_is_made_anew_under_its_name() -> None:
    [claim] = planned(store()).of(CLAIM)
    assert list(claim.replace_on_changes) == ["spec"]


def test_models_outlive_their_claim() -> None:
    assert volume(store())["persistentVolumeReclaimPolicy"] == "Retain"


def test_a_bucket_is_mounted_inside_the_region_and_without_an_access_key() -> None:
    assert volume(store())["csi"] == {
        "driver": "ossplugin.csi.alibabacloud.com",
        "volumeHandle": "serving-qwen",
        "readOnly": True,
        "volumeAttributes": {
            "bucket": "llm-models",
            "path": "/Qwen-7B-Chat-Int8",
            "url": "https://oss-cn-beijing-internal.aliyuncs.com",
            "fuseType": "ossfs2",
            "authType": "rrsa",
            "roleName": "qwen",
        },
    }


def test_the_older_client_shows_files_to_every_user() -> None:
    attributes = volume(store(oss={**OSS, "fuse_type": "ossfs"}))["csi"]["volumeAttributes"]
    assert attributes["otherOpts"] == "-o umask=022 -o allow_other"


def test_mount_options_replace_the_defaults() -> None:
    oss = {**OSS, "fuse_type": "ossfs", "mount_options": ["umask=077"]}
    assert volume(store(oss=oss))["csi"]["volumeAttributes"]["otherOpts"] == "-o umask=077"


def test_a_service_account_of_its_own_is_trusted_and_used() -> None:
    plan = planned(store(oss={**OSS, "fuse_service_account": "qwen-fuse"}))
    [role], [volume] = plan.of(ROLE), plan.manifests("PersistentVolume")
    assert "system:serviceaccount:ack-csi-fuse:qwen-fuse" in role.inputs["assumeRolePolicyDocument"]
    assert volume["spec"]["csi"]["volumeAttributes"]["serviceAccountName"] == "qwen-fuse"


def test_the_clients_of_the_csi_driver_may_assume_the_role() -> None:
    [role] = planned(store()).of(ROLE)
    trusted = "system:serviceaccount:ack-csi-fuse:csi-fuse-ossfs"
    assert trusted in role.inputs["assumeRolePolicyDocument"]


def test_a_volume_may_read_its_folder_and_nothing_else() -> None:
    assert statements(store()) == [
        {
            "Effect": "Allow",
            "Action": ["oss:Get*", "oss:List*"],
            "Resource": ["acs:oss:*:*:llm-models", "acs:oss:*:*:llm-models/Qwen-7B-Chat-Int8/*"],
        }
    ]


def test_a_writable_volume_may_write_to_its_folder_too() -> None:
    _, write = statements(store(writable=True))
    assert write["Resource"] == ["acs:oss:*:*:llm-models/Qwen-7B-Chat-Int8/*"]
    assert "oss:PutObject" in write["Action"]
    assert volume(store(writable=True))["accessModes"] == ["ReadWriteMany"]
    assert "readOnly" not in volume(store(writable=True))["csi"]


def test_a_key_of_its_own_is_allowed_by_name() -> None:
    _, decrypt = statements(store(oss={**OSS, "kms_key_arn": "acs:kms:*:*:key/key-1"}))
    assert decrypt["Resource"] == ["acs:kms:*:*:key/key-1"]


def test_the_root_of_a_bucket_is_all_of_it() -> None:
    plan = planned(store(oss={key: value for key, value in OSS.items() if key != "path"}))
    [policy] = plan.of(POLICY)
    [statement] = json.loads(policy.inputs["policyDocument"])["Statement"]
    assert statement["Resource"] == ["acs:oss:*:*:llm-models", "acs:oss:*:*:llm-models/*"]
    assert plan.outputs["uri"] == "oss://llm-models/"


def test_a_volume_waits_for_the_rights_of_its_role() -> None:
    plan = planned(store())
    [volume], [attachment] = plan.of(VOLUME), plan.of(ATTACHMENT)
    assert attachment.urn in volume.dependencies


def test_the_bucket_itself_is_never_touched() -> None:
    assert not [
        resource
        for resource in planned(store()).resources
        if resource.type.startswith("alicloud:oss")
    ]


def test_a_file_system_is_mounted_read_only_over_nfs() -> None:
    spec = volume(nas_store())
    assert spec["mountOptions"] == ["nolock", "tcp", "noresvport", "ro"]
    assert spec["csi"]["driver"] == "nasplugin.csi.alibabacloud.com"
    assert spec["csi"]["volumeAttributes"] == {**NAS, "vers": "3"}
    assert "ro" not in volume(nas_store(writable=True))["mountOptions"]


def cpfs_store(**cpfs: Any) -> dict[str, Any]:
    return store(oss=None, cpfs=cpfs)


def test_cpfs_is_mounted_by_nfs_below_its_root() -> None:
    for path in ("/qwen", "/share/qwen"):
        spec = volume(cpfs_store(server="cpfs-0a1b.cn-beijing.cpfs.aliyuncs.com", path=path))
        assert spec["csi"]["driver"] == "nasplugin.csi.alibabacloud.com"
        assert spec["csi"]["volumeAttributes"] == {
            "mountProtocol": "cpfs-nfs",
            "path": "/share/qwen",
            "server": "cpfs-0a1b.cn-beijing.cpfs.aliyuncs.com",
            "volumeAs": "subpath",
        }
        assert {"hard", "noresvport", "vers=3", "ro"} <= set(spec["mountOptions"])


def test_a_folder_that_only_begins_like_the_root_of_cpfs_stays_whole() -> None:
    spec = volume(cpfs_store(server="cpfs-0a1b.cn-beijing.cpfs.aliyuncs.com", path="/shared"))
    assert spec["csi"]["volumeAttributes"]["path"] == "/share/shared"


def test_cpfs_for_lingjun_is_mounted_by_its_id() -> None:
    server = "cpfs-0a1b-vpc-2c.cn-beijing.cpfs.aliyuncs.com"
    spec = volume(cpfs_store(file_system_id="bmcpfs-0a1b", server=server, path="/qwen"))
    assert spec["csi"]["driver"] == "bmcpfsplugin.csi.alibabacloud.com"
    assert spec["csi"]["volumeHandle"] == "bmcpfs-0a1b"
    assert spec["csi"]["volumeAttributes"] == {"vpcMountTarget": server, "path": "/qwen"}
    assert volume(cpfs_store(file_system_id="bmcpfs-0a1b"))["csi"].get("volumeAttributes", {}) == {}


def test_a_file_system_needs_no_role() -> None:
    assert planned(nas_store()).of(ROLE) == []


def test_the_outputs_say_where_models_are_and_how_they_get_there() -> None:
    bucket, file_system = planned(store()).outputs, planned(nas_store()).outputs
    assert bucket == {
        "claim_name": "qwen",
        "volume_name": "serving-qwen",
        "uri": "oss://llm-models/Qwen-7B-Chat-Int8/",
        "upload_command": "ossutil cp --recursive model/ oss://llm-models/Qwen-7B-Chat-Int8/"
        " --region cn-beijing --endpoint oss-cn-beijing-internal.aliyuncs.com",
    }
    assert file_system["uri"] == "nas://0a1b2c.cn-beijing.nas.aliyuncs.com/models/"
    assert "0a1b2c.cn-beijing.nas.aliyuncs.com:/ /mnt" in file_system["upload_command"]


def test_the_volume_goes_to_the_cluster_that_opts_name() -> None:
    def program() -> None:
        cluster = kubernetes.Provider("dev", cluster_identifier="c1")
        ModelStore("qwen", ModelStoreArgs.of(store()), pulumi.ResourceOptions(providers=[cluster]))

    plan = record(program, preview=False)
    [cluster], [volume], [role] = plan.of(PROVIDER), plan.of(VOLUME), plan.of(ROLE)
    assert volume.provider.startswith(cluster.urn)
    assert not role.provider.startswith(cluster.urn)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (store(nas=NAS), "oss is given beside nas, but it must be the only one of oss, nas, cpfs"),
        (store(oss=None), "oss is missing, but it must be given, or else nas or cpfs"),
        (cpfs_store(), "cpfs.server is missing, but it must be given, or file_system_id"),
        (
            cpfs_store(file_system_id="0a1b2c"),
            "cpfs.file_system_id is '0a1b2c', but it must be an ID such as bmcpfs-",
        ),
        (store(claim_name="Qwen"), "claim_name is 'Qwen', but it must be 1 to 63 lowercase"),
        (store(size="15GB"), "size is '15GB', but it must be a quantity of bytes such as '15Gi'"),
        (store(size="0"), "size is '0', but it must be a quantity of bytes"),
        (
            store(oss={**OSS, "bucket": "LLM"}),
            "oss.bucket is 'LLM', but it must be 3 to 63 lowercase letters",
        ),
        (
            store(oss={**OSS, "path": "Qwen"}),
            "oss.path is 'Qwen', but it must be an absolute path such as",
        ),
        (
            nas_store(nas={**NAS, "path": "/models/../secrets"}),
            "nas.path is '/models/../secrets', but it must be an absolute path",
        ),
        (
            store(oss={**OSS, "path": "/*"}),
            "oss.path is '/*', but it must be an absolute path",
        ),
        (
            store(oss={**OSS, "role_name": "a.b"}),
            "oss.role_name is 'a.b', but it must be 1 to 64 letters",
        ),
        (
            store(oss={**OSS, "fuse_service_account": "*"}),
            "oss.fuse_service_account is '*', but it must be lowercase letters",
        ),
        (
            store(oss={**OSS, "region": "beijing"}),
            "oss.region is 'beijing', but it must be a region such as 'cn-beijing'",
        ),
        (
            store(oss={**OSS, "fuse_type": "s3fs"}),
            "oss.fuse_type is 's3fs', but it must be one of 'ossfs' or 'ossfs2'",
        ),
    ],
)
def test_a_volume_that_cannot_be_mounted_is_refused(args: dict[str, Any], sentence: str) -> None:
    assert refusal(ModelStoreArgs, args).startswith(sentence)


def test_all_faults_are_told_at_once() -> None:
    assert len(refusals(ModelStoreArgs, store(claim_name="", size="", oss=None))) == 3


@pytest.mark.parametrize(
    "args",
    [
        store(claim_name="a" * 63),
        store(size="1"),
        store(oss={**OSS, "path": "/"}),
        store(oss={**OSS, "path": "/a/b/"}),
        store(oss={**OSS, "region": "ap-southeast-1"}),
    ],
)
def test_the_edges_of_what_is_allowed_are_accepted(args: dict[str, Any]) -> None:
    assert ModelStoreArgs.of(args)


def bucket_plan(**changes: Any) -> Plan:
    args = ModelBucketArgs.of({"bucket": "llm-models", **changes})
    return record(lambda: ModelBucket("models", args))


def test_a_new_bucket_is_private_encrypted_and_forgives() -> None:
    plan = bucket_plan()
    inputs = {resource.name: resource.inputs for resource in plan.resources if resource.custom}
    assert inputs["models-public-access-block"]["blockPublicAccess"] is True
    assert inputs["models-acl"]["acl"] == "private"
    assert inputs["models-versioning"]["status"] == "Enabled"
    assert inputs["models-encryption"]["sseAlgorithm"] == "AES256"
    assert inputs["models-tls"]["tlsVersions"] == ["TLSv1.2", "TLSv1.3"]


def test_old_versions_and_abandoned_uploads_do_not_pile_up() -> None:
    [bucket] = bucket_plan(noncurrent_days=90).of(BUCKET)
    versions, uploads = bucket.inputs["lifecycleRules"]
    assert versions["noncurrentVersionExpirations"] == [{"days": 90}]
    assert uploads["abortMultipartUploads"] == [{"days": 7}]


def test_a_bucket_does_not_undo_what_its_settings_say() -> None:
    [bucket] = bucket_plan().of(BUCKET)
    assert set(bucket.ignore_changes) == {"acl", "versioning", "serverSideEncryptionRule"}


def test_a_bucket_is_protected_unless_freed() -> None:
    assert [bucket.protect for bucket in bucket_plan().of(BUCKET)] == [True]
    assert [bucket.protect for bucket in bucket_plan(protect=False).of(BUCKET)] == [False]


def test_a_key_of_its_own_encrypts_a_bucket() -> None:
    [encryption] = [
        resource
        for resource in bucket_plan(kms_key_id="key-1").resources
        if resource.name.endswith("encryption")
    ]
    assert encryption.inputs["sseAlgorithm"] == "KMS"
    assert encryption.inputs["kmsMasterKeyId"] == "key-1"


@pytest.mark.parametrize("name", ["ab", "a" * 64, "-abc", "abc-", "Abc", "a_b"])
def test_a_bucket_name_that_oss_refuses_is_refused(name: str) -> None:
    sentence = refusal(ModelBucketArgs, {"bucket": name})
    assert sentence.startswith(f"bucket is '{name}', but it must be 3 to 63 lowercase letters")


def test_the_shortest_and_the_longest_bucket_name_are_accepted() -> None:
    assert ModelBucketArgs.of({"bucket": "abc"})
    assert ModelBucketArgs.of({"bucket": "a" * 63})


def files_plan(**changes: Any) -> Plan:
    args = {
        "access_group_name": "models",
        "vpc_id": "vpc-1",
        "vswitch_id": "vsw-h",
        "writer_cidr": "10.0.0.10/32",
        **changes,
    }
    return record(lambda: ModelFileSystem("models", ModelFileSystemArgs.of(args)))


def test_a_new_file_system_is_encrypted_and_protected() -> None:
    [file_system] = files_plan().of(FILE_SYSTEM)
    assert file_system.inputs["encryptType"] == 1
    assert file_system.protect
    assert [resource.protect for resource in files_plan(protect=False).of(FILE_SYSTEM)] == [False]


def test_readers_cannot_write() -> None:
    writers, readers = files_plan(reader_cidr="10.0.0.0/16").of(ACCESS_RULE)
    assert (writers.inputs["sourceCidrIp"], writers.inputs["rwAccessType"]) == (
        "10.0.0.10/32",
        "RDWR",
    )
    assert (readers.inputs["sourceCidrIp"], readers.inputs["rwAccessType"]) == (
        "10.0.0.0/16",
        "RDONLY",
    )
    assert writers.inputs["priority"] < readers.inputs["priority"]


def test_without_readers_only_writers_get_in() -> None:
    assert len(files_plan().of(ACCESS_RULE)) == 1


def test_a_file_system_that_nobody_can_fill_is_refused() -> None:
    args = {"access_group_name": "models", "vpc_id": "vpc-1", "vswitch_id": "vsw-h"}
    sentence = refusal(ModelFileSystemArgs, args)
    assert sentence.startswith("writer_cidr is missing, but it must be given")


@pytest.mark.parametrize("name", ["ab", "1models", "a" * 65])
def test_an_access_group_name_that_nas_refuses_is_refused(name: str) -> None:
    args = {
        "access_group_name": name,
        "vpc_id": "vpc-1",
        "vswitch_id": "vsw-h",
        "writer_cidr": "10.0.0.10/32",
    }
    sentence = refusal(ModelFileSystemArgs, args)
    assert sentence.startswith(f"access_group_name is '{name}', but it must be 3 to 64 letters")


@needs_schema
def test_the_provider_knows_every_input() -> None:
    assert errors_in(planned(store(writable=True))) == {}
    assert errors_in(bucket_plan(redundancy="ZRS", kms_key_id="key-1", tags={"a": "b"})) == {}
    assert errors_in(files_plan(reader_cidr="10.0.0.0/16", zone_id="cn-beijing-h")) == {}
