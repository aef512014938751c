"""By what LeaderWorkerSets and their pods are known.

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
