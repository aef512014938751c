"""Cases of the rules of `stacks.platforms.cert_manager`."""

from ..environments import hybrid
from .cases import Case, refusals

CASES = [
    Case(
        "cert_manager_serves_kserve",
        "a cert-manager that KServe does not know",
        hybrid,
        {"cert_manager": {"install": False, "version": "v1.14.7"}},
        (
            "cert_manager.version is 'v1.14.7', but it must be v1.15.0 or later: KServe has its "
            "certificates from it, and needs that release."
        ),
        {"cert_manager": {"install": False, "version": "v1.15.0"}},
    ),
    Case(
        "cert_manager_serves_kserve",
        "a setting of cert-manager that there is not",
        hybrid,
        {"cert_manager": {"instal": False}},
        (
            "cert_manager.instal is not a known key, but it must be left out (did you mean "
            "'install'?): the keys here are install, version."
        ),
        {"cert_manager": "install"},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
