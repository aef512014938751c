"""Cases of the rules of `stacks.platforms.hosts`."""

from typing import Any, Final

from ..environments import Raw, dev, hybrid
from .cases import Case, refusals, surprises
from .parts import MODEL

HOST: Final = "chat.example.org"
TLS: Final[Raw] = {"secret": "chat-tls"}
ISSUED: Final[Raw] = {"issuer": "letsencrypt"}


def host(model: str = "qwen", **changes: Any) -> Raw:
    """A model with a host of its own."""
    return {f"models[{model}].ingress": {"host": HOST, **changes}}


CASES = [
    Case(
        "hosts_lead_to_one_model",
        "a host of two models",
        dev,
        {**host(tls=TLS), "models[+]": {**MODEL, "ingress": {"host": HOST}}},
        (
            "models[llama].ingress.host is 'chat.example.org', but it must be another one than "
            "that of models[qwen]: a host leads to one."
        ),
        {**host(tls=TLS), "models[+]": {**MODEL, "ingress": {"host": "llama.example.org"}}},
    ),
    Case(
        "issuers_have_cert_manager",
        "an issuer of no cert-manager",
        dev,
        {**host(tls=ISSUED), "cert_manager": "absent"},
        (
            "models[qwen].ingress.tls.issuer is 'letsencrypt', but it must be left out, and secret "
            "given; or cert_manager install or present: it is one of cert-manager's."
        ),
        {**host(tls=TLS), "cert_manager": "absent"},
    ),
]
SURPRISES = [
    Case(
        "issuers_come_after_cert_manager",
        "an issuer that nobody makes",
        dev,
        host(tls=ISSUED),
        (
            "The ClusterIssuer letsencrypt is not made here: apply it once cert-manager is "
            "installed. Until then the certificate is pending, and the gateway answers with one of "
            "its own."
        ),
        {**host(tls=ISSUED), "cert_manager": "present"},
    ),
    Case(
        "keys_travel_encrypted",
        "a key in plain HTTP",
        dev,
        {**host(), "models[qwen].api_key_secret": "qwen-key"},
        (
            "models[qwen].ingress has no tls, and clients send the key of "
            "models[qwen].api_key_secret to it: by plain HTTP everyone on the way reads it."
        ),
        {**host(tls=TLS), "models[qwen].api_key_secret": "qwen-key"},
    ),
    Case(
        "public_models_ask_for_a_key",
        "a model that the internet may use",
        hybrid,
        {"kserve": {"public_ingress": True}},
        (
            "kserve.public_ingress is true, and models[qwen-chat] asks for no key: the whole "
            "internet may use it. Set api_key_secret, or ingress.allow_cidrs."
        ),
        {
            "kserve": {"public_ingress": True},
            "models[qwen-chat].ingress": {"host": HOST, "allow_cidrs": ["203.0.113.0/24"]},
        },
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
