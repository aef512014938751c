"""By what RoleBasedGroups and their pods are known.

github.com/sgl-project/rbg v0.7.0 (01df6fc, 2026-06-04), api/workloads/constants: of v1alpha2. Pods
of v1alpha1 had `OLD_GROUP_NAME` and `OLD_ROLE_NAME` (api/workloads/v1alpha1/constant.go), which no
pod has any more, and which upstream's own sample for Dynamo still selects.
"""

from typing import Final

GROUP: Final = "workloads.x-k8s.io"
API_VERSION: Final = f"{GROUP}/v1alpha2"
KIND: Final = "RoleBasedGroup"
ADAPTER: Final = "RoleBasedGroupScalingAdapter"
POLICY: Final = "CoordinatedPolicy"

PREFIX: Final = f"rbg.{GROUP}"
GROUP_NAME: Final = f"{PREFIX}/group-name"
"""Label of every pod: the name of its RoleBasedGroup."""
ROLE_NAME: Final = f"{PREFIX}/role-name"
"""Label of every pod: its role."""
COMPONENT_NAME: Final = f"{PREFIX}/component-name"
"""Label of every pod: leader or worker, or else its role."""
COMPONENT_INDEX: Final = f"{PREFIX}/component-index"
"""Label of pods of a role on several nodes: the number in the instance, 0 for the leader."""
INSTANCE_NAME: Final = f"{PREFIX}/role-instance-name"
"""Label of every pod: the instance of its role, `<group>-<role>-<number>`."""
GANG: Final = f"{PREFIX}/group-gang-scheduling"
"""Annotation of a group: "true" has the controller make a PodGroup of scheduling.x-k8s.io."""
GANG_TIMEOUT: Final = f"{PREFIX}/group-gang-scheduling-timeout"
"""Annotation of a group: seconds that the scheduler waits for all its pods. Default 60."""
EXCLUSIVE_TOPOLOGY: Final = f"{PREFIX}/group-exclusive-topology"
"""Annotation of a group: label of nodes of which it has one value for itself. Up to v0.8.0-alpha.5
pods are to be near others with a label group-unique-hash (pkg/reconciler/pod_reconciler.go), which
nobody sets, and so wait for good."""
WORKLOAD_TYPE: Final = f"{PREFIX}/role-workload-type"
"""Annotation of a role: another kind than RoleInstanceSet; a fresh install may refuse it."""

OLD_GROUP_NAME: Final = "rolebasedgroup.workloads.x-k8s.io/name"
OLD_ROLE_NAME: Final = "rolebasedgroup.workloads.x-k8s.io/role"
