"""By what LeaderWorkerSets and their pods are known, for those who have none to declare.

github.com/kubernetes-sigs/lws v0.9.0, api/leaderworkerset/v1/leaderworkerset_types.go
"""

from typing import Final

API_VERSION: Final = "leaderworkerset.x-k8s.io/v1"
KIND: Final = "LeaderWorkerSet"
PREFIX: Final = "leaderworkerset.sigs.k8s.io"
SET_NAME: Final = f"{PREFIX}/name"
"""Label of every pod: the set's name."""
WORKER_INDEX: Final = f"{PREFIX}/worker-index"
"""Label of every pod: its number in its group, 0 for the leader."""
REVISION: Final = f"{PREFIX}/template-revision-hash"
"""Label of every pod: the version of the set's template that it was made of."""
EXCLUSIVE_TOPOLOGY: Final = f"{PREFIX}/exclusive-topology"
"""Annotation of the set: label of nodes of which a group has one value for itself."""
LEADER_ADDRESS: Final = "LWS_LEADER_ADDRESS"
"""Variable of every container: DNS name of the leader of its group."""
GROUP_SIZE: Final = "LWS_GROUP_SIZE"
"""Variable of every container: pods of its group."""
POD_INDEX: Final = "LWS_WORKER_INDEX"
"""Variable of every container: number of its pod in the group, 0 for the leader."""
