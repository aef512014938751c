"""The pods of a model, as a run watches them, and the key that it asks for."""

import base64
import binascii

from components.serving.server import API_KEY
from plan.refused import Refused

from . import phases


class ClusterWatcher(phases.PodWatcher):
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

    def api_key(self, secret: str) -> str:
        """The key that a Secret has of the model.

        Raises:
            Refused: It has none, or the cluster cannot be asked; the sentence shows no part of it.
        """
        try:
            document, _ = self._ask(
                f"Secret {secret}",
                lambda api: api.read_namespaced_secret_with_http_info(secret, self._namespace),
            )
            value = base64.b64decode((document.get("data") or {})[API_KEY], validate=True).decode()
        except phases.ClusterError as error:
            raise Refused("--api-key-from-secret", str(error)) from None
        except (KeyError, binascii.Error, UnicodeDecodeError):
            why = (
                f"Secret {secret} in {self._namespace} must have a text {API_KEY}, but it has none."
            )
            raise Refused("--api-key-from-secret", why) from None
        return value
