"""The pods of a model, as a run watches them."""

from plan.stack_file import Refused

from . import phases


class ClusterWatcher(phases.Watcher):
    """Sees the pods of a model; where they do not go, nothing can be measured."""

    async def wait_until_zero(self, seconds: float) -> None:
        """Waits until the model has no pods.

        Raises:
            Refused: It still has some, or the cluster cannot be asked.
        """
        try:
            await super().wait_until_zero(seconds)
        except (TimeoutError, phases.ClusterError) as error:
            raise Refused("The cold start", str(error)) from None
