"""Small stacks that keep or break one rule, with the sentences that break it says."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from components.catalog.labels import GPU_RESOURCE
from plan.model import SECRET, UNKNOWN, Plan, Resource
from plan.objects import section
from tests.resources import resource as resource_of

CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
BUCKET: Final = "alicloud:oss/bucket:Bucket"
BLOCK: Final = "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock"
FILE_SYSTEM: Final = "alicloud:nas/fileSystem:FileSystem"
POOL: Final = "alicloud:cs/nodePool:NodePool"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"

KEY_ID: Final = "LTAI5tExampleExample1234"

PRIVATE: Final[Mapping[str, Any]] = {"slbInternetEnabled": False, "deletionProtection": True}
ENCRYPTED: Final[Mapping[str, Any]] = {"systemDiskEncrypted": True}
IMAGE: Final = "docker.io/vllm/vllm-openai:v0.19.0"
GPU: Final[Mapping[str, Any]] = {"limits": {GPU_RESOURCE: "1"}}
PLACED: Final[Mapping[str, Any]] = {"nodeSelector": {"gpu": "a10"}}


@dataclass(frozen=True)
class Case:
    """A stack, and what one rule says of it; every other rule is silent."""

    about: str
    rule: str
    resources: Sequence[Resource]
    sentences: Sequence[str] = ()
    stack: str = "dev"
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        return plan_of(*self.resources, stack=self.stack)


def plan_of(*resources: Resource, stack: str = "dev") -> Plan:
    renamed = [
        Resource(**{**vars(resource), "urn": resource.urn.replace(":dev::", f":{stack}::")})
        for resource in resources
    ]
    return Plan("shop", stack, renamed)


def resource(
    type_: str, inputs: Mapping[str, Any], name: str = "one", *, protect: bool = False
) -> Resource:
    provider = "urn:pulumi:dev::shop::pulumi:providers:some::some::id"
    return resource_of(type_, name, inputs, provider=provider, protect=protect)


def manifest(api_version: str, kind: str, body: Mapping[str, Any], name: str = "one") -> Resource:
    metadata = {"name": name, "namespace": "models", **section(body, "metadata")}
    group = api_version if "/" in api_version else f"core/{api_version}"
    about = {**body, "apiVersion": api_version, "kind": kind, "metadata": metadata}
    return resource(f"kubernetes:{group}:{kind}", about, name)


def deployment(container: Mapping[str, Any], **pod: Any) -> Resource:
    spec = {"containers": [{"name": "server", "image": IMAGE, **container}], **pod}
    template = {"metadata": {"labels": {"app": "qwen"}}, "spec": spec}
    return manifest("apps/v1", "Deployment", {"spec": {"template": template}})


def config_map(**data: Any) -> Resource:
    return manifest("v1", "ConfigMap", {"data": data})


def policy(**spec: Any) -> Resource:
    return manifest("scheduling.alibabacloud.com/v1alpha1", "ResourcePolicy", {"spec": spec})


def bucket(**inputs: Any) -> Resource:
    return resource(BUCKET, {"bucket": "llm", **inputs})


def block(**inputs: Any) -> Resource:
    return resource(BLOCK, {"bucket": "llm", "blockPublicAccess": True, **inputs}, "block")


PRIORITIES: Final = manifest("scheduling.k8s.io/v1", "PriorityClass", {"value": 1}, "high")

_OPEN: Final = (
    "but it must be False, or exempt in the configuration of the policies: the whole internet "
    "reaches the API server until an access list stands before it. See docs/operations.md, Reach "
    "the API server"
)
_PLAIN: Final = (
    "but it must be True: models and checkpoints are readable to whoever gets hold of the disk or "
    "a snapshot."
)
_ANYBODY: Final = "anybody could read the models, or put others in their place."
_KEY: Final = (
    "but it must be left out: whoever may read the object can use it; RRSA gives pods their rights "
    "without a key. See https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/"
    "user-guide/use-rrsa-to-authorize-pods-to-access-different-cloud-services"
)
_MOVES: Final = (
    "but it must be one that stays: a digest (@sha256:...) or the tag of a release: replicas would "
    "differ by the day they start, and a rollback would bring nothing back."
)
_DELETES: Final = (
    "protect is False, but it must be True in production: a destroy, or a change that replaces it, "
    "deletes what it holds."
)
_NO_PRIORITY: Final = (
    "priorityClassName is missing, but it must be the name of a PriorityClass: pods with a "
    "priority preempt those without, and GPUs are what they compete for."
)
_NO_PLACE: Final = (
    "nodeSelector is missing, but it must be given, or required node affinity, or a ResourcePolicy "
    "that selects the pods: otherwise they land on any GPU, the dearest or one that cannot hold "
    "the model."
)

_EVERYBODY: Final = (
    '{"Statement": [{"Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"]}]}'
)
_MEMBERS: Final = (
    '{"Statement": [{"Effect": "Allow", "Principal": ["174"], "Action": ["oss:GetObject"]},'
    ' {"Effect": "Deny", "Principal": ["*"]},'
    ' {"Effect": "Allow", "Principal": ["*"], "Condition": {"Bool": {"acs:SecureTransport": []}}}]}'
)

REFUSED: Final = [
    Case(
        "a cluster with a public address",
        "no-public-api-server",
        [resource(CLUSTER, {"slbInternetEnabled": True})],
        [f"ManagedKubernetes one: slbInternetEnabled is True, {_OPEN}"],
    ),
    Case(
        "a cluster that gets a public address by default",
        "no-public-api-server",
        [resource(CLUSTER, {})],
        [f"ManagedKubernetes one: slbInternetEnabled is missing, {_OPEN}"],
    ),
    Case(
        "an edge cluster with a public address",
        "no-public-api-server",
        [resource("alicloud:cs/edgeKubernetes:EdgeKubernetes", {"slbInternetEnabled": True})],
        [f"EdgeKubernetes one: slbInternetEnabled is True, {_OPEN}"],
    ),
    Case(
        "a serverless cluster with a public address",
        "no-public-api-server",
        [
            resource(
                "alicloud:cs/serverlessKubernetes:ServerlessKubernetes",
                {"endpointPublicAccessEnabled": True},
            )
        ],
        [f"ServerlessKubernetes one: endpointPublicAccessEnabled is True, {_OPEN}"],
    ),
    Case(
        "an AccessKey ID in the text of a file",
        "no-access-key",
        [config_map(**{"core-site.xml": f"<value>{KEY_ID}</value>"})],
        [f"ConfigMap one: data.core-site.xml is an AccessKey ID, {_KEY}"],
    ),
    Case(
        "a secret key in the text of a file",
        "no-access-key",
        [config_map(**{"jindo.cfg": "[common]\nfs.oss.accessKeySecret = 6Vg\n"})],
        [f"ConfigMap one: data.jindo.cfg is a text with an AccessKey, {_KEY}"],
    ),
    Case(
        "an AccessKey in the environment of a container that prepares",
        "no-access-key",
        [
            deployment(
                {},
                initContainers=[
                    {
                        "name": "load",
                        "image": IMAGE,
                        "env": [{"name": "ALICLOUD_SECRET_KEY", "value": "6Vg"}],
                    }
                ],
            )
        ],
        [
            "Deployment one: spec.template.spec.initContainers[load].env[ALICLOUD_SECRET_KEY]"
            f".value is an AccessKey, {_KEY}"
        ],
    ),
    Case(
        "an AccessKey on the command line",
        "no-access-key",
        [deployment({"args": ["cp", f"--access-key-id={KEY_ID}", "--access-key-secret=6Vg"]})],
        [
            "Deployment one: spec.template.spec.containers[server].args[1] is an AccessKey ID, "
            f"{_KEY}",
            "Deployment one: spec.template.spec.containers[server].args[2] is a text with an "
            f"AccessKey, {_KEY}",
        ],
    ),
    Case(
        "an AccessKey in the attributes of a volume, be it a secret of Pulumi",
        "no-access-key",
        [
            manifest(
                "v1",
                "PersistentVolume",
                {
                    "spec": {
                        "csi": {
                            "volumeAttributes": {"akId": KEY_ID, "akSecret": SECRET, "path": "/"}
                        }
                    }
                },
            )
        ],
        [
            f"PersistentVolume one: spec.csi.volumeAttributes.akId is an AccessKey ID, {_KEY}",
            f"PersistentVolume one: spec.csi.volumeAttributes.akSecret is an AccessKey, {_KEY}",
        ],
    ),
    Case(
        "an AccessKey in an annotation",
        "no-access-key",
        [manifest("v1", "Namespace", {"metadata": {"annotations": {"note": f"key {KEY_ID}"}}})],
        [f"Namespace one: metadata.annotations.note is an AccessKey ID, {_KEY}"],
    ),
    Case(
        "an AccessKey ID in a Secret, which is but another spelling",
        "no-access-key",
        [
            manifest(
                "v1",
                "Secret",
                {"data": {"credentials": base64.b64encode(f"id={KEY_ID}".encode()).decode()}},
            )
        ],
        [f"Secret one: data.credentials is an AccessKey ID, {_KEY}"],
    ),
    Case(
        "an AccessKey in the values of a chart",
        "no-access-key",
        [resource(RELEASE, {"values": {"oss": {"AccessKeySecret": "6Vg"}}})],
        [f"Release one: values.oss.AccessKeySecret is an AccessKey, {_KEY}"],
    ),
    Case(
        "an AccessKey among the options of a dataset",
        "no-access-key",
        [
            manifest(
                "data.fluid.io/v1alpha1",
                "Dataset",
                {
                    "spec": {
                        "mounts": [
                            {"name": "data", "options": {"fs.oss.accessKeyId": "6Vg"}},
                        ]
                    }
                },
            )
        ],
        [f"Dataset one: spec.mounts[data].options.fs.oss.accessKeyId is an AccessKey, {_KEY}"],
    ),
    Case(
        "a pool whose system disk is not encrypted, since nothing says so",
        "encrypted-disks",
        [resource(POOL, {})],
        [f"NodePool one: systemDiskEncrypted is missing, {_PLAIN}"],
    ),
    Case(
        "a pool whose system disk is not encrypted, since null says the same",
        "encrypted-disks",
        [resource(POOL, {"systemDiskEncrypted": None})],
        [f"NodePool one: systemDiskEncrypted is missing, {_PLAIN}"],
    ),
    Case(
        "a pool with a data disk that is not encrypted",
        "encrypted-disks",
        [
            resource(
                POOL, {**ENCRYPTED, "dataDisks": [{"encrypted": "true"}, {"encrypted": "false"}]}
            )
        ],
        [f"NodePool one: dataDisks[1].encrypted is 'false', {_PLAIN}"],
    ),
    Case(
        "a disk that is not encrypted",
        "encrypted-disks",
        [resource("alicloud:ecs/ecsDisk:EcsDisk", {"encrypted": False})],
        [f"EcsDisk one: encrypted is False, {_PLAIN}"],
    ),
    Case(
        "a file system that is not encrypted",
        "encrypted-disks",
        [resource(FILE_SYSTEM, {"encryptType": 0})],
        [
            "FileSystem one: encryptType is 0, but it must be 1 (a key of NAS) or 2 (a key of "
            "KMS): models and checkpoints are readable to whoever gets hold of the disk or a "
            "snapshot. See https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/"
            "nas_file_system"
        ],
    ),
    Case(
        "a bucket with a public ACL",
        "no-public-bucket",
        [bucket(acl="public-read"), block()],
        [f"Bucket one: acl is 'public-read', but it must be 'private': {_ANYBODY}"],
    ),
    Case(
        "a public ACL of a bucket",
        "no-public-bucket",
        [
            resource(
                "alicloud:oss/bucketAcl:BucketAcl", {"bucket": "llm", "acl": "public-read-write"}
            )
        ],
        [f"BucketAcl one: acl is 'public-read-write', but it must be 'private': {_ANYBODY}"],
    ),
    Case(
        "a bucket's policy that lets in everybody",
        "no-public-bucket",
        [resource("alicloud:oss/bucketPolicy:BucketPolicy", {"policy": _EVERYBODY})],
        [
            "BucketPolicy one: policy.Statement[0].Principal is '*', but it must be named "
            f"accounts, or have a Condition: {_ANYBODY}"
        ],
    ),
    Case(
        "a block of public access that blocks nothing",
        "no-public-bucket",
        [block(blockPublicAccess=False)],
        [
            "BucketPublicAccessBlock block: blockPublicAccess is False, but it must be True: "
            f"{_ANYBODY}"
        ],
    ),
    Case(
        "a bucket that nothing keeps from being opened",
        "public-access-block",
        [bucket(), block(bucket="other")],
        [
            "Bucket one: bucket is 'llm', but it must be named by a BucketPublicAccessBlock of the "
            "stack: without one, an ACL or a policy made by hand opens the bucket later."
        ],
    ),
    Case(
        "a cluster of production that one call deletes",
        "deletion-protection",
        [resource(CLUSTER, {"slbInternetEnabled": False}, protect=True)],
        [
            "ManagedKubernetes one: deletionProtection is missing, but it must be True in "
            "production: one call deletes the cluster and every model on it."
        ],
        stack="prod",
    ),
    Case(
        "a cluster, a bucket and a file system of production that the stack may delete",
        "deletion-protection",
        [
            resource(CLUSTER, PRIVATE),
            bucket(),
            block(),
            resource(FILE_SYSTEM, {"encryptType": 1}),
        ],
        [
            f"ManagedKubernetes one: {_DELETES}",
            f"Bucket one: {_DELETES}",
            f"FileSystem one: {_DELETES}",
        ],
        stack="prod-shanghai",
    ),
    Case(
        "a production stack by another name",
        "deletion-protection",
        [resource(CLUSTER, PRIVATE)],
        [f"ManagedKubernetes one: {_DELETES}"],
        stack="live",
        settings={"stacks": ["live"]},
    ),
    Case(
        "GPU pods without a priority beside declared ones",
        "gpu-priority",
        [deployment({"resources": GPU}, **PLACED), PRIORITIES],
        [f"Deployment one: spec.template.spec.{_NO_PRIORITY}"],
    ),
    Case(
        "GPU pods of production without a priority",
        "gpu-priority",
        [deployment({"resources": GPU}, **PLACED)],
        [f"Deployment one: spec.template.spec.{_NO_PRIORITY}"],
        stack="prod",
    ),
    Case(
        "a KServe model on a share of a GPU without a priority",
        "gpu-priority",
        [
            manifest(
                "serving.kserve.io/v1beta1",
                "InferenceService",
                {
                    "spec": {
                        "predictor": {
                            **PLACED,
                            "model": {
                                "modelFormat": {"name": "vllm"},
                                "resources": {"limits": {"aliyun.com/gpu-mem": "8"}},
                            },
                        }
                    }
                },
            ),
            PRIORITIES,
        ],
        [f"InferenceService one: spec.predictor.{_NO_PRIORITY}"],
    ),
    Case(
        "GPU pods that run anywhere",
        "gpu-placement",
        [deployment({"resources": GPU}), policy(selector={"app": "other"})],
        [f"Deployment one: spec.template.spec.{_NO_PLACE}"],
    ),
    Case(
        "a CronJob whose GPU pods only prefer their nodes",
        "gpu-placement",
        [
            manifest(
                "batch/v1",
                "CronJob",
                {
                    "spec": {
                        "jobTemplate": {
                            "spec": {
                                "template": {
                                    "spec": {
                                        "affinity": {
                                            "nodeAffinity": {
                                                "preferredDuringSchedulingIgnoredDuringExecution": [
                                                    {"weight": 1}
                                                ]
                                            }
                                        },
                                        "containers": [{"image": IMAGE, "resources": GPU}],
                                    }
                                }
                            }
                        }
                    }
                },
            )
        ],
        [f"CronJob one: spec.jobTemplate.spec.template.spec.{_NO_PLACE}"],
    ),
    Case(
        "an image without a tag, from a registry with a port",
        "fixed-images",
        [deployment({"image": "registry.example.com:5000/vllm"})],
        [
            "Deployment one: spec.template.spec.containers[server].image is "
            f"'registry.example.com:5000/vllm', {_MOVES}"
        ],
    ),
    Case(
        "images of a Knative Service whose tags move",
        "fixed-images",
        [
            manifest(
                "serving.knative.dev/v1",
                "Service",
                {
                    "spec": {
                        "template": {
                            "spec": {
                                "initContainers": [{"image": "busybox:latest"}],
                                "containers": [{"image": "docker.io/vllm/vllm-openai:Nightly"}],
                            }
                        }
                    }
                },
            )
        ],
        [
            "Service one: spec.template.spec.initContainers[0].image is "
            f"'busybox:latest', {_MOVES}",
            "Service one: spec.template.spec.containers[0].image is "
            f"'docker.io/vllm/vllm-openai:Nightly', {_MOVES}",
        ],
    ),
    Case(
        "pods of a kind that is not known here",
        "fixed-images",
        [
            manifest(
                "kubeflow.org/v1",
                "PyTorchJob",
                {
                    "spec": {
                        "pytorchReplicaSpecs": {
                            "Worker": {"template": {"spec": {"containers": [{"image": "torch"}]}}}
                        }
                    }
                },
            )
        ],
        [
            "PyTorchJob one: spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].image is "
            f"'torch', {_MOVES}"
        ],
    ),
    Case(
        "a chart whose values name a tag that moves",
        "fixed-images",
        [resource(RELEASE, {"values": {"controller": {"image": "fluid", "tag": "latest"}}})],
        [f"Release one: values.controller.tag is 'latest', {_MOVES}"],
    ),
    Case(
        "a runtime of Fluid whose image moves",
        "fixed-images",
        [
            manifest(
                "data.fluid.io/v1alpha1",
                "JindoRuntime",
                {"spec": {"jindoVersion": {"image": "smartdata", "imageTag": "latest"}}},
            )
        ],
        [f"JindoRuntime one: spec.jindoVersion.imageTag is 'latest', {_MOVES}"],
    ),
    Case(
        "a tag that the team says moves",
        "fixed-images",
        [deployment({"image": "vllm:v1"})],
        [f"Deployment one: spec.template.spec.containers[server].image is 'vllm:v1', {_MOVES}"],
        settings={"moving_tags": ["v?"]},
    ),
    Case(
        "pools that may grow beyond the bounds",
        "cost-bounds",
        [
            resource(
                POOL,
                {
                    **ENCRYPTED,
                    "instanceTypes": ["ecs.gn7i-c32g1.8xlarge"],
                    "scalingConfig": {"enable": True, "minSize": 0, "maxSize": 9},
                },
            )
        ],
        [
            "Stack dev: the number of GPUs of all node pools at their largest is 9, but it must be "
            "at most 8: the bill may follow; if so many are meant, raise most_gpus of cost-bounds.",
            "Stack dev: the number of node-hours a month of all node pools at their largest is "
            "6570, but it must be at most 1000: the bill may follow; if so many are meant, raise "
            "most_node_hours of cost-bounds.",
        ],
        settings={"most_gpus": 8, "most_node_hours": 1000},
    ),
]

ACCEPTED: Final = [
    Case("a private cluster", "no-public-api-server", [resource(CLUSTER, PRIVATE)]),
    Case(
        "a cluster of which nobody knows yet",
        "no-public-api-server",
        [resource(CLUSTER, {"slbInternetEnabled": UNKNOWN})],
    ),
    Case(
        "a serverless cluster, which is private by default",
        "no-public-api-server",
        [resource("alicloud:cs/serverlessKubernetes:ServerlessKubernetes", {})],
    ),
    Case(
        "a public cluster that is exempt",
        "no-public-api-server",
        [resource(CLUSTER, {"slbInternetEnabled": True})],
        settings={"exempt": ["dev/*"]},
    ),
    Case(
        "references to keys, a word like their prefix, and keys that are not known yet",
        "no-access-key",
        [
            config_map(
                akId=UNKNOWN,
                akSecret="",
                akIdFile="/run/key",
                text="LTAI",
                script="--access-key-id=$KEY_ID",
            ),
            deployment(
                {
                    "env": [
                        {"name": "ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"key": "akId"}}},
                        {"name": "BREAK_ID", "value": "7"},
                    ]
                }
            ),
            resource(
                "alicloud:ecs/instance:Instance", {**ENCRYPTED, "userData": f"id={KEY_ID}"}, "vm"
            ),
        ],
    ),
    Case(
        "encrypted disks, and one of which nobody knows yet",
        "encrypted-disks",
        [
            resource(POOL, {**ENCRYPTED, "dataDisks": [{"encrypted": UNKNOWN}, UNKNOWN]}),
            resource(FILE_SYSTEM, {"encryptType": 2}),
            resource(FILE_SYSTEM, {"encryptType": UNKNOWN}, "unknown"),
        ],
    ),
    Case(
        "a pool that machines of an IDC join",
        "encrypted-disks",
        [resource(POOL, {"type": "edge"})],
    ),
    Case(
        "private buckets, and a policy for members",
        "no-public-bucket",
        [
            bucket(acl="private", policy=_MEMBERS),
            block(),
            resource("alicloud:oss/bucketPolicy:BucketPolicy", {"policy": UNKNOWN}),
        ],
    ),
    Case(
        "a block of a bucket whose name is not known yet",
        "public-access-block",
        [bucket(), block(bucket=UNKNOWN)],
    ),
    Case(
        "a bucket whose name is not known yet",
        "public-access-block",
        [bucket(bucket=UNKNOWN), block()],
    ),
    Case(
        "protected resources in production, unprotected ones elsewhere",
        "deletion-protection",
        [
            resource(CLUSTER, PRIVATE, protect=True),
            resource(FILE_SYSTEM, {"encryptType": 1}, protect=True),
        ],
        stack="prod",
    ),
    Case(
        "unprotected resources outside production",
        "deletion-protection",
        [resource(CLUSTER, PRIVATE), bucket(), block()],
        stack="production-like",
    ),
    Case(
        "GPU pods with a priority that is not known yet",
        "gpu-priority",
        [deployment({"resources": GPU}, **PLACED, priorityClassName=UNKNOWN), PRIORITIES],
        stack="prod",
    ),
    Case(
        "GPU pods where nobody has a priority",
        "gpu-priority",
        [deployment({"resources": GPU}, **PLACED)],
    ),
    Case(
        "pods without a GPU, and a runtime of KServe whose models say where they run",
        "gpu-placement",
        [
            deployment({"resources": {"limits": {GPU_RESOURCE: "0", "cpu": "4"}}}),
            manifest(
                "serving.kserve.io/v1alpha1",
                "ServingRuntime",
                {"spec": {"containers": [{"image": IMAGE, "resources": GPU}]}},
            ),
        ],
        stack="prod",
    ),
    Case(
        "GPU pods that a policy selects",
        "gpu-placement",
        [deployment({"resources": GPU}), policy(selector={"app": "qwen"})],
    ),
    Case(
        "a Knative Service that a policy selects by the label of Knative",
        "gpu-placement",
        [
            manifest(
                "serving.knative.dev/v1",
                "Service",
                {
                    "spec": {
                        "template": {"spec": {"containers": [{"image": IMAGE, "resources": GPU}]}}
                    }
                },
            ),
            policy(selector={"serving.knative.dev/service": "one"}),
        ],
    ),
    Case(
        "images by digest and by release, and one that is not known yet",
        "fixed-images",
        [
            deployment({"image": f"vllm:latest@sha256:{'0' * 64}"}),
            manifest("v1", "Pod", {"spec": {"containers": [{"image": UNKNOWN}]}}),
            resource(
                RELEASE,
                {
                    "values": {
                        "image": "fluid",
                        "tag": "v1.0.6",
                        "other": {"image": {"tag": UNKNOWN}},
                    }
                },
            ),
        ],
    ),
    Case(
        "an image by digest, whatever tag stands before it",
        "fixed-images",
        [deployment({"image": f"vllm:v1@sha256:{'0' * 64}"})],
        settings={"moving_tags": ["*"]},
    ),
    Case(
        "pools within the bounds, and some whose size nobody knows",
        "cost-bounds",
        [
            resource(
                POOL,
                {**ENCRYPTED, "instanceTypes": ["ecs.gn7i-c32g1.8xlarge"], "desiredSize": 64},
            ),
            resource(POOL, {**ENCRYPTED, "desiredSize": UNKNOWN}, "unknown"),
        ],
    ),
]
