"""Annotations of KEDA, apart from its models: whoever names one loads no more."""

from typing import Final

TRANSFER_HPA: Final = "scaledobject.keda.sh/transfer-hpa-ownership"
"""Annotation with which KEDA takes over an HPA that has the name of its own; without, its webhook
refuses a workload that has one."""
