"""What Alibaba Cloud runs: network, cluster, nodes, identities and places for models."""

from ..exports import public_names as _public_names
from .cluster import AckCluster as AckCluster
from .cluster import AckClusterArgs as AckClusterArgs
from .cluster import Addon as Addon
from .cluster import ClusterAutoscaling as ClusterAutoscaling
from .cluster import ClusterProfile as ClusterProfile
from .cluster import ClusterSpec as ClusterSpec
from .cluster import MaintenanceWindow as MaintenanceWindow
from .cluster import ProxyMode as ProxyMode
from .cluster import PublicEndpoint as PublicEndpoint
from .cluster import Weekday as Weekday
from .edge_pool import EdgePool as EdgePool
from .edge_pool import EdgePoolArgs as EdgePoolArgs
from .existing_cluster import ExistingCluster as ExistingCluster
from .existing_cluster import ExistingClusterArgs as ExistingClusterArgs
from .identity import RamStatement as RamStatement
from .identity import RrsaRole as RrsaRole
from .identity import RrsaRoleArgs as RrsaRoleArgs
from .model_bucket import ModelBucket as ModelBucket
from .model_bucket import ModelBucketArgs as ModelBucketArgs
from .model_bucket import Redundancy as Redundancy
from .model_file_system import ModelFileSystem as ModelFileSystem
from .model_file_system import ModelFileSystemArgs as ModelFileSystemArgs
from .model_file_system import StorageType as StorageType
from .model_store import FuseType as FuseType
from .model_store import ModelStore as ModelStore
from .model_store import ModelStoreArgs as ModelStoreArgs
from .model_store import NasStore as NasStore
from .model_store import OssStore as OssStore
from .network import Network as Network
from .network import NetworkArgs as NetworkArgs
from .network import Zone as Zone
from .node_pool import Autoscale as Autoscale
from .node_pool import DiskCategory as DiskCategory
from .node_pool import ImageType as ImageType
from .node_pool import NodeDisk as NodeDisk
from .node_pool import NodePool as NodePool
from .node_pool import NodePoolArgs as NodePoolArgs
from .node_pool import PerformanceLevel as PerformanceLevel
from .node_pool import Spot as Spot
from .node_pool import Taint as Taint

__all__ = _public_names(globals())
