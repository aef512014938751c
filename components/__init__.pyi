from .cloud import *
from .crds import Capacity as Capacity
from .crds import ConsumerRef as ConsumerRef
from .crds import EvictionPolicy as EvictionPolicy
from .crds import LabelOperator as LabelOperator
from .crds import LabelSelectorRequirement as LabelSelectorRequirement
from .crds import NextUnitPolicy as NextUnitPolicy
from .crds import NodeAffinity as NodeAffinity
from .crds import NodeOperator as NodeOperator
from .crds import NodeSelector as NodeSelector
from .crds import NodeSelectorRequirement as NodeSelectorRequirement
from .crds import NodeSelectorTerm as NodeSelectorTerm
from .crds import PreemptPolicy as PreemptPolicy
from .crds import PreferredSchedulingTerm as PreferredSchedulingTerm
from .crds import Progression as Progression
from .crds import ProxyServiceType as ProxyServiceType
from .crds import ResourcePolicy as ResourcePolicy
from .crds import ResourcePolicySpec as ResourcePolicySpec
from .crds import Strategy as Strategy
from .crds import StrategyType as StrategyType
from .crds import TaintEffect as TaintEffect
from .crds import Toleration as Toleration
from .crds import TolerationOperator as TolerationOperator
from .crds import Unit as Unit
from .crds import UpdateType as UpdateType
from .crds import WhenTryNextUnits as WhenTryNextUnits
from .platform import *
from .serving import *
