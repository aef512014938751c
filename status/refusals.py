"""Why an object of a model is not taken, in the words of who refuses it."""

from typing import Final, NamedTuple

from .model import UP_AGAIN, Finding, Stage


def is_refusal(message: str) -> bool:
    """Whether a message says that an object was not taken."""
    words = ("admission webhook", "denied the request", "must not set the field", "is forbidden")
    return any(word in message for word in words)


class _Refusal(NamedTuple):
    """Who refuses an object, told by a part of what it says."""

    words: str
    who: str
    remedy: str
    link: str = "service"
    row: str = ""


_REFUSALS: Final = (
    _Refusal(
        "must not set the field",
        "Knative refuses a field",
        f"turn the feature flag on again in the ConfigMap config-features, as {UP_AGAIN} does",
    ),
    _Refusal(
        "exceeded quota",
        "the quota is used up",
        "raise the quota of the namespace, or ask for less",
        row="quotas_hold_what_always_runs",
    ),
    _Refusal(
        "no PriorityClass",
        "a priority is missing",
        f"run {UP_AGAIN}",
        "priority",
        "priorities_are_known",
    ),
    _Refusal(
        "failed calling webhook",
        "a webhook is away",
        "look at the pods behind the webhook, and at its certificate",
    ),
    _Refusal(
        "violates PodSecurity",
        "the security level of the namespace refuses its pods",
        "lower pod-security.kubernetes.io/enforce of the namespace, or let the pods be as it wants",
    ),
    _Refusal(
        " per Container is ",
        "a LimitRange of the namespace refuses its pods",
        "widen the LimitRange, or ask for what it allows",
    ),
    _Refusal(
        " per Pod is ",
        "a LimitRange of the namespace refuses its pods",
        "widen the LimitRange, or ask for what it allows",
    ),
    _Refusal(
        "error looking up service account",
        "a service account is missing",
        f"make it again, or run {UP_AGAIN} where the stack makes it",
    ),
    _Refusal(
        "ValidatingAdmissionPolicy",
        "a policy of the cluster refuses it",
        "do as the policy says, or have its owner leave the namespace out",
    ),
    _Refusal(
        "denied the request",
        "a webhook refuses it",
        "do as the webhook says, or have its owner leave the namespace out",
    ),
    _Refusal(
        "because it is being terminated",
        "its namespace is being deleted",
        f"wait until the namespace is gone, and run {UP_AGAIN}",
        "namespace",
    ),
    _Refusal("", "admission refuses it", "mend what the refusal names"),
)
"""In this order; the last one takes all."""


def refused(subject: str, says: str) -> Finding:
    """Who refuses an object, why, and what helps."""
    refusal = next(refusal for refusal in _REFUSALS if refusal.words in says)
    why = f"is held up: {refusal.who}: {says}"
    return Finding(Stage.BROKEN, refusal.link, subject, why, refusal.remedy, refusal.row)
