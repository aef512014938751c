"""Types of resources and kinds of objects that several readers of a plan ask for, by name."""

from typing import Final

from components.crds.leader_worker_labels import API_VERSION as LEADER_WORKER_VERSION
from components.crds.leader_worker_labels import KIND as LEADER_WORKER_KIND
from components.crds.llm_inference_service_labels import KIND as LLM_KIND
from components.crds.role_based_group_labels import GROUP as ROLES_GROUP
from components.crds.role_based_group_labels import KIND as ROLES_KIND

# --- type tokens of Pulumi -----------------------------------------------------------------------

ADDON: Final = "alicloud:cs/kubernetesAddon:KubernetesAddon"
BUCKET: Final = "alicloud:oss/bucket:Bucket"
CLOUD: Final = "pulumi:providers:alicloud"
CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
CONNECTION: Final = "pulumi:providers:kubernetes"
FILE_SYSTEM: Final = "alicloud:nas/fileSystem:FileSystem"
HELM_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
KNATIVE_SERVING: Final = "kubernetes:operator.knative.dev/v1beta1:KnativeServing"
LOG_PROJECT: Final = "alicloud:log/project:Project"
NAT_GATEWAY: Final = "alicloud:vpc/natGateway:NatGateway"
NODE_POOL: Final = "alicloud:cs/nodePool:NodePool"
PUBLIC_ADDRESS: Final = "alicloud:ecs/eipAddress:EipAddress"
SWITCH: Final = "alicloud:vpc/switch:Switch"

# --- API groups, and groups with a kind ----------------------------------------------------------

FLUID: Final = "data.fluid.io"
KNATIVE: Final = "serving.knative.dev"
KSERVE: Final = "serving.kserve.io"

BUDGET: Final = ("policy", "PodDisruptionBudget")
CLAIM: Final = ("", "PersistentVolumeClaim")
DATASET: Final = (FLUID, "Dataset")
DATA_LOAD: Final = (FLUID, "DataLoad")
GROUPS: Final = (LEADER_WORKER_VERSION.partition("/")[0], LEADER_WORKER_KIND)
HPA: Final = ("autoscaling", "HorizontalPodAutoscaler")
INFERENCE_SERVICE: Final = (KSERVE, "InferenceService")
JINDO_RUNTIME: Final = (FLUID, "JindoRuntime")
JOB: Final = ("batch", "Job")
KNATIVE_SERVICE: Final = (KNATIVE, "Service")
LLM_INFERENCE_SERVICE: Final = (KSERVE, LLM_KIND)
RESOURCE_POLICY: Final = ("scheduling.alibabacloud.com", "ResourcePolicy")
ROLES: Final = (ROLES_GROUP, ROLES_KIND)
SCALED_OBJECT: Final = ("keda.sh", "ScaledObject")
VOLUME: Final = ("", "PersistentVolume")
