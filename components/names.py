"""Forms of names: one form per thing, whoever reads it.

A form is a pattern, what to say of it, and the page that it is from. Stack file, components and
custom resources validate by the same form, so that all of them take the same texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from .args import Because, Fault, TextForm, Words
from .quantity import Quantity, is_quantity, parse

_KUBERNETES_NAMES: Final = (
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
)
LONGEST_LABEL: Final = 63
"""Characters of a DNS label and of the value of a Kubernetes label."""
LONGEST_SUBDOMAIN: Final = 253
"""Characters of a host name, and of the name of most Kubernetes objects."""


@dataclass(frozen=True)
class Form:
    """Which texts a name may be."""

    pattern: str
    """Regular expression of a whole name, its length included."""
    want: str
    """The same in words, so that `it must be {want}` reads well."""
    longest: int
    """Most characters."""
    source: str | None = None
    """Page that says so."""

    def allows(self, name: str) -> bool:
        """Whether the name has the form."""
        return re.fullmatch(self.pattern, name) is not None

    @property
    def json_pattern(self) -> str:
        """The pattern as a JSON Schema wants it."""
        return f"^{self.pattern}$"

    def faults(self, field: str, name: object, why: str) -> Iterator[Fault]:
        """Refuses a name of another form; an Output passes unread."""
        if isinstance(name, str) and not self.allows(name):
            yield Fault(field, name, self.want, why, self.source)


# --- Kubernetes and Helm -------------------------------------------------------------------------

DNS_1035_LABEL: Final = Form(
    r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?",
    "lower-case letters, digits and '-', from a letter to a letter or digit, at most 63",
    LONGEST_LABEL,
    _KUBERNETES_NAMES,
)
"""Name of a Service, and of what becomes one."""
DNS_1123_LABEL: Final = Form(
    r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
    "lower-case letters, digits and '-', '-' neither first nor last, at most 63",
    LONGEST_LABEL,
    _KUBERNETES_NAMES,
)
"""Name of a namespace, and of what becomes part of a host."""
DNS_1123_SUBDOMAIN: Final = Form(
    r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
    "lower-case letters, digits, '-' and '.', a letter or digit at both ends of each part, "
    "at most 253",
    LONGEST_SUBDOMAIN,
    _KUBERNETES_NAMES,
)
"""Name of most Kubernetes objects: a Secret, a ConfigMap, a claim, an IngressClass."""
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
LABEL_VALUE: Final = Form(
    r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?",
    "63 letters, digits, hyphens, dots and underscores at most",
    LONGEST_LABEL,
)
"""Value of a label."""
LABEL_KEY: Final = Form(
    r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?",
    "a label key such as 'pool' or 'example.com/pool'",
    LONGEST_SUBDOMAIN + 1 + LONGEST_LABEL,
)
"""Key of a label, of a taint and of an annotation."""
STATEFUL_SET: Final = Form(
    r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?",
    "lower-case letters, digits and '-', at most 52",
    # Each pod has the label controller-revision-hash, whose value is the name, '-' and up to ten
    # characters: kubernetes 1.34.1, pkg/controller/history and statefulset, read 2026-11.
    LONGEST_LABEL - 11,
    "https://github.com/kubernetes/kubernetes/issues/64023",
)
"""Name of a StatefulSet: its pods have it in a label."""
HELM_RELEASE: Final = Form(
    r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?",
    "lower-case letters, digits and '-', at most 53",
    # Helm 3, pkg/chartutil/validate_name.go
    53,
    "https://helm.sh/docs/chart_template_guide/getting_started/",
)
"""Name of a Helm release."""
ServiceName = Annotated[str, TextForm(DNS_1035_LABEL.faults), Because("Kubernetes takes no other")]
"""Type of a name that is a DNS-1035 label: of a Service, and of what becomes one."""
PartOfNames = Annotated[ServiceName, Because("it becomes part of resource names")]
"""Type of the name of what other names are made of."""
LabelName = Annotated[str, TextForm(DNS_1123_LABEL.faults), Because("Kubernetes takes no other")]
"""Type of a name that is a DNS-1123 label."""
NamespaceName = Annotated[LabelName, Because("it names a namespace")]
"""Type of the name of a namespace."""
ObjectName = Annotated[
    str, TextForm(DNS_1123_SUBDOMAIN.faults), Because("Kubernetes takes no other")
]
"""Type of the name of most Kubernetes objects."""


def secret_name_faults(field: str, name: object, why: str) -> Iterator[Fault]:
    """Refuses what is not the name of a Secret, without showing it: it may be the secret."""
    if isinstance(name, str) and not DNS_1123_SUBDOMAIN.allows(name):
        want = "the name of a Secret: a-z, 0-9, - and ."
        yield Fault(field, Words("something else"), want, why)


SecretName = Annotated[str, TextForm(secret_name_faults), Because("no Secret is called otherwise")]
"""Type of the name of a Secret, which is not shown where it is none."""
LabelKey = Annotated[str, TextForm(LABEL_KEY.faults), Because("Kubernetes takes no other")]
"""Type of the key of a label."""
LabelValue = Annotated[
    str, TextForm(LABEL_VALUE.faults), Because("Kubernetes takes no other value")
]
"""Type of the value of a label."""
# --- Alibaba Cloud -------------------------------------------------------------------------------

ACK_CLUSTER: Final = Form(
    r"[A-Za-z0-9][A-Za-z0-9-]{0,62}",
    "1 to 63 letters, digits and hyphens, no hyphen first",
    63,
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/developer-reference/"
    "api-cs-2015-12-15-createcluster",
)
"""Name of an ACK cluster."""
ClusterName = Annotated[str, TextForm(ACK_CLUSTER.faults), Because("ACK takes no other name")]
"""Type of the name of an ACK cluster."""
ACK_NODE_POOL: Final = Form(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}",
    "1 to 63 letters, digits, hyphens and underscores, a letter or digit first",
    63,
)
"""Name of a node pool."""
NodePoolName = Annotated[str, TextForm(ACK_NODE_POOL.faults), Because("ACK takes no other name")]
"""Type of the name of a node pool."""
SLS_PROJECT: Final = Form(
    r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "3 to 63 lowercase letters, digits and hyphens, no hyphen at either end",
    63,
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/log_project",
)
"""Name of a project of the Log Service."""
LogProjectName = Annotated[str, TextForm(SLS_PROJECT.faults), Because("SLS takes no other name")]
"""Type of the name of a project of SLS."""
OSS_BUCKET: Final = Form(
    r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "3 to 63 lowercase letters, digits and hyphens, no hyphen at either end",
    63,
    "https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions",
)
"""Name of a bucket."""
BucketName = Annotated[str, TextForm(OSS_BUCKET.faults), Because("OSS takes no other name")]
"""Type of the name of a bucket."""
RAM_ROLE: Final = Form(
    # A role may have dots, but its policy, which bears the same name, may not.
    r"[A-Za-z0-9-]{1,64}",
    "1 to 64 letters, digits and hyphens",
    64,
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/ram_policy",
)
"""Name of a RAM role and of its policy."""
NAS_ACCESS_GROUP: Final = Form(
    r"[A-Za-z][A-Za-z0-9_-]{2,63}",
    "3 to 64 letters, digits, hyphens and underscores, a letter first",
    64,
    "https://www.alibabacloud.com/help/en/nas/developer-reference/"
    "api-nas-2017-06-26-createaccessgroup",
)
"""Name of an access group of NAS."""
AccessGroupName = Annotated[
    str, TextForm(NAS_ACCESS_GROUP.faults), Because("NAS takes no other name")
]
"""Type of the name of an access group of NAS."""
INSTANCE_TYPE: Final = Form(
    r"ecs\.[a-z0-9-]+\.[a-z0-9-]+",
    "an ECS type such as 'ecs.gn7i-c32g1.8xlarge'",
    LONGEST_LABEL,
    "https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families",
)
"""Name of an ECS instance type, which nodes carry as a label."""
DRIVER_VERSION: Final = Form(r"\d+(\.\d+){1,2}", "a version such as '550.144.03'", LONGEST_LABEL)
"""Version of the NVIDIA driver."""


def _id(prefix: str) -> Form:
    """The form of what the cloud makes up and begins with a prefix."""
    want = f"an ID such as '{prefix}2ze0a1b2c3d4e5f6g7h8i'"
    return Form(rf"{prefix}[0-9a-z]+", want, LONGEST_LABEL)


VPC: Final = _id("vpc-")
"""ID of a VPC."""
VpcId = Annotated[str, TextForm(VPC.faults), Because("a VPC is known by it")]
"""Type of the ID of a VPC."""
VSWITCH: Final = _id("vsw-")
"""ID of a vSwitch."""
VswitchId = Annotated[str, TextForm(VSWITCH.faults), Because("a vSwitch is known by it")]
"""Type of the ID of a vSwitch."""
SECURITY_GROUP: Final = _id("sg-")
"""ID of a security group."""
SecurityGroupId = Annotated[
    str, TextForm(SECURITY_GROUP.faults), Because("a security group is known by it")
]
"""Type of the ID of a security group."""
DEPLOYMENT_SET: Final = _id("ds-")
"""ID of a deployment set."""
DeploymentSetId = Annotated[
    str, TextForm(DEPLOYMENT_SET.faults), Because("a deployment set is known by it")
]
"""Type of the ID of a deployment set."""
RESOURCE_GROUP: Final = _id("rg-")
"""ID of a resource group."""
ResourceGroupId = Annotated[
    str, TextForm(RESOURCE_GROUP.faults), Because("a resource group is known by it")
]
"""Type of the ID of a resource group."""
CLUSTER_ID: Final = Form(
    r"c[0-9a-z]+", "an ID such as 'c0a1b2c3d4e5f60718293a4b5c6d7e8f9', not a name", LONGEST_LABEL
)
"""ID of an ACK cluster."""
ClusterId = Annotated[str, TextForm(CLUSTER_ID.faults), Because("ACK knows a cluster by it")]
"""Type of the ID of an ACK cluster."""
KMS_KEY: Final = Form(
    r"[0-9a-z]+(-[0-9a-z]+)+",
    "an ID such as 'key-hzz0a1b2c3d4e5f6g7h8i' or '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9', "
    "neither an alias nor an ARN",
    LONGEST_LABEL,
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/kms_key",
)
"""ID of a key of KMS."""
KmsKeyId = Annotated[str, TextForm(KMS_KEY.faults), Because("KMS knows a key by it")]
"""Type of the ID of a key of KMS."""
WORKER_ROLE: Final = Form(
    r"[A-Za-z0-9._][A-Za-z0-9._-]{0,63}",
    "its name, of 1 to 64 letters, digits, '.', '_' and '-', '-' not first, and no ARN",
    64,
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/ram_role",
)
"""Name of a RAM role that exists, whose policies have names of their own."""
RamRoleName = Annotated[str, TextForm(WORKER_ROLE.faults), Because("a role is known by it")]
"""Type of the name of a RAM role that exists."""
KEY_PAIR: Final = Form(
    r"(?!https?://)[A-Za-z\u4e00-\u9fa5][\w\u4e00-\u9fa5:-]{1,127}",
    "2 to 128 letters, digits, '_', ':' and '-', a letter first",
    128,
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/ecs_key_pair",
)
"""Name of a key pair of ECS."""
KeyPairName = Annotated[str, TextForm(KEY_PAIR.faults), Because("ECS takes no other name")]
"""Type of the name of a key pair."""
# Page cs_kubernetes_node_pool of the provider, argument tags, read 2026-11.
_TAG: Final = r"(?!aliyun|acs:)(?!.*https?://).{%s,128}"
_TAG_WANT: Final = "{}128 characters, neither 'aliyun' nor 'acs:' first, and no http:// or https://"
TAG_KEY: Final = Form(_TAG % 1, _TAG_WANT.format("1 to "), 128)
"""Key of a tag."""
TAG_VALUE: Final = Form(_TAG % 0, _TAG_WANT.format("at most "), 128)
"""Value of a tag."""
TagKey = Annotated[str, TextForm(TAG_KEY.faults), Because("the cloud takes no other tag")]
"""Type of the key of a tag."""
TagValue = Annotated[str, TextForm(TAG_VALUE.faults), Because("the cloud takes no other tag")]
"""Type of the value of a tag."""
InstanceType = Annotated[str, TextForm(INSTANCE_TYPE.faults), Because("ECS knows a type by it")]
"""Type of the name of an ECS instance type."""
DriverVersion = Annotated[str, Field(pattern=DRIVER_VERSION.json_pattern)]
"""Type of a version of the NVIDIA driver, which an editor knows too."""


def shorter(room: int) -> str:
    """What is wanted of a name that is too long."""
    return f"at most {room} long" if room > 0 else "shorter, and so must be what it is joined to"


def size_faults(field: str, text: str, why: str) -> Iterator[Fault]:
    """Refuses a size below a kibibyte, such as 64m, of which m means thousandths."""
    if is_quantity(text) and parse(text) < 1024:
        yield Fault(field, text, "1Ki or more, with a unit such as Mi or Gi", why)


ByteSize = Annotated[
    Quantity, TextForm(size_faults), Because("without a unit it is bytes, and m is thousandths")
]
"""Type of an amount of bytes."""


def dashed(text: str, longest: int = LONGEST_LABEL) -> str:
    """A text in lower-case letters, digits and `-`, as near to a label as it comes.

    Args:
        text: Any text, e.g. `Qwen2.5-7B`.
        longest: How many letters it may have.

    Returns:
        E.g. `qwen2-5-7b`; it may begin with a digit, or be empty.
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:longest].strip("-")
