"""What Alibaba Cloud runs: network, cluster, nodes, identities and places for models."""

from typing import TYPE_CHECKING

from ..lazy import importer

if TYPE_CHECKING:
    from .cluster import (
        AckCluster,
        AckClusterArgs,
        Addon,
        ClusterAutoscaling,
        ClusterProfile,
        ClusterSpec,
        MaintenanceWindow,
        ProxyMode,
        PublicEndpoint,
        Weekday,
    )
    from .edge_pool import EdgePool, EdgePoolArgs
    from .existing_cluster import ExistingCluster, ExistingClusterArgs
    from .identity import RamStatement, RrsaRole, RrsaRoleArgs
    from .model_bucket import ModelBucket, ModelBucketArgs, Redundancy
    from .model_file_system import ModelFileSystem, ModelFileSystemArgs, StorageType
    from .model_store import FuseType, ModelStore, ModelStoreArgs, NasStore, OssStore
    from .network import Network, NetworkArgs, Zone
    from .node_pool import (
        Autoscale,
        DiskCategory,
        ImageType,
        NodeDisk,
        NodePool,
        NodePoolArgs,
        PerformanceLevel,
        Spot,
        Taint,
    )

__all__ = [
    "AckCluster",
    "AckClusterArgs",
    "Addon",
    "Autoscale",
    "ClusterAutoscaling",
    "ClusterProfile",
    "ClusterSpec",
    "DiskCategory",
    "EdgePool",
    "EdgePoolArgs",
    "ExistingCluster",
    "ExistingClusterArgs",
    "FuseType",
    "ImageType",
    "MaintenanceWindow",
    "ModelBucket",
    "ModelBucketArgs",
    "ModelFileSystem",
    "ModelFileSystemArgs",
    "ModelStore",
    "ModelStoreArgs",
    "NasStore",
    "Network",
    "NetworkArgs",
    "NodeDisk",
    "NodePool",
    "NodePoolArgs",
    "OssStore",
    "PerformanceLevel",
    "ProxyMode",
    "PublicEndpoint",
    "RamStatement",
    "Redundancy",
    "RrsaRole",
    "RrsaRoleArgs",
    "Spot",
    "StorageType",
    "Taint",
    "Weekday",
    "Zone",
]

_MODULES = {
    ".cluster": (
        "AckCluster AckClusterArgs Addon ClusterAutoscaling ClusterProfile ClusterSpec "
        "MaintenanceWindow ProxyMode PublicEndpoint Weekday"
    ),
    ".edge_pool": "EdgePool EdgePoolArgs",
    ".existing_cluster": "ExistingCluster ExistingClusterArgs",
    ".identity": "RamStatement RrsaRole RrsaRoleArgs",
    ".model_bucket": "ModelBucket ModelBucketArgs Redundancy",
    ".model_file_system": "ModelFileSystem ModelFileSystemArgs StorageType",
    ".model_store": "FuseType ModelStore ModelStoreArgs NasStore OssStore",
    ".network": "Network NetworkArgs Zone",
    ".node_pool": (
        "Autoscale DiskCategory ImageType NodeDisk NodePool NodePoolArgs PerformanceLevel "
        "Spot Taint"
    ),
}

if not TYPE_CHECKING:  # A type checker would take any name for granted.
    __getattr__ = importer(__name__, _MODULES)
