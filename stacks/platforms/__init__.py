"""The parts of a cluster that runtimes need and share: one module each."""

from typing import Final

from .cert_manager import CERT_MANAGER
from .knative import KNATIVE
from .kserve import KSERVE
from .platform import Platform

__all__ = ["CERT_MANAGER", "KNATIVE", "KSERVE", "PLATFORMS", "Platform"]

PLATFORMS: Final = (KNATIVE, CERT_MANAGER, KSERVE)
"""Every one of them, in the order in which they are installed: what is needed comes first."""
