"""Keeps the nodes of one cluster until it is told to end.

python -m sandbox.nodes SANDBOX CLUSTER
"""

import sys
from pathlib import Path

from ..kubernetes import server
from .autoscaler import Autoscaler


def main(sandbox: str, cluster: str) -> None:
    """Works on the cluster whose API server was started in a folder."""
    api_server = server.find(Path(cluster))
    if api_server is None:
        raise SystemExit(f"there is no API server in {cluster}")
    Autoscaler(api_server.client, Path(sandbox), Path(cluster)).work()


if __name__ == "__main__":
    main(*sys.argv[1:])
