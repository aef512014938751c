"""What is simulated: the pools, models, jobs and prices of one environment, frozen."""

from enum import Enum


class Routing(Enum):
    """Which pod gets a request: what stands before the pods decides.

    Knative's activator goes by the limit of a pod: with none, the one of two drawn pods that has
    less in hand; up to 3, the first with room; above, each in turn that has room
    (knative.dev/serving v0.50.0, `pkg/activator/net/throttler.go`, `newRevisionThrottler`). A
    Service of Kubernetes draws one for each connection.
    """

    FIRST_WITH_ROOM = "first with room"
    IN_TURN = "each in turn"
    BETTER_OF_TWO = "the better of two"
    RANDOM = "any"

    @property
    def waits(self) -> bool:
        """Whether requests wait for a pod where there is none; a Service refuses them."""
        return self is not Routing.RANDOM
