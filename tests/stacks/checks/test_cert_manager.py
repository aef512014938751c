"""Cases of the rules of `stacks.platforms.cert_manager`."""

from ..environments import changed, hybrid, refusal
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
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)


def test_a_misspelt_setting_is_refused_once() -> None:
    """The word and the section are two arms of one field, and one of them is meant."""
    assert refusal(changed(hybrid(), "cert_manager", {"instal": False})) == (
        "cert_manager.instal is not a known key, but it must be left out (did you mean "
        "'install'?): the keys here are install, version."
    )
