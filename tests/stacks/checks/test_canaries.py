"""Cases of shares of requests: between revisions of Knative, and between models of KServe."""

from typing import Final

from ..environments import Raw, dev
from .cases import Case, refusals
from .parts import NEXT, with_next

TRAFFIC: Final = "models[qwen].serve.knative.traffic"
CANARY: Final = "models[qwen-chat].serve.kserve.canary"
SCALE: Final = "models[qwen-chat].serve.kserve.scale"
COUNTED: Raw = {"metric": "concurrency", "target": 2, "max": 2}
NEWEST: Raw = {"latest": True, "percent": 10}
BEFORE: Raw = {"revision": "qwen-00001"}


CASES = [
    Case(
        "KnativeServe",
        "shares that leave requests over",
        dev,
        {TRAFFIC: [{**BEFORE, "percent": 80}, NEWEST]},
        (
            f"{TRAFFIC} is 90 % in sum, but it must be 100 % in sum, or without percent in one "
            "entry: every request goes somewhere."
        ),
        {TRAFFIC: [{**BEFORE, "percent": 90}, NEWEST]},
    ),
    Case(
        "KnativeServe",
        "shares of more than there is",
        dev,
        {TRAFFIC: [{**BEFORE, "percent": 100}, NEWEST]},
        (
            f"{TRAFFIC} is 110 % in sum, but it must be 100 % in sum, or without percent in one "
            "entry: every request goes somewhere."
        ),
        {TRAFFIC: [{**BEFORE, "percent": 100}, {"latest": True, "percent": 0}]},
    ),
    Case(
        "KnativeServe",
        "two shares that get the rest",
        dev,
        {TRAFFIC: [BEFORE, {"latest": True}]},
        (
            f"{TRAFFIC} is without percent in 2 entries, but it must be without it in one entry at "
            "the most: one gets the rest."
        ),
        {TRAFFIC: [BEFORE, NEWEST]},
    ),
    Case(
        "KnativeServe",
        "two shares of the newest revision",
        dev,
        {TRAFFIC: [{"latest": True, "percent": 50}, {"latest": True, "percent": 50}]},
        (
            f"{TRAFFIC} is twice the newest, but it must be each revision once: a revision gets "
            "one share."
        ),
        {TRAFFIC: [{"latest": True, "percent": 100}]},
    ),
    Case(
        "TrafficShare",
        "a share of no revision",
        dev,
        {TRAFFIC: [BEFORE, {"percent": 10}]},
        (
            f"{TRAFFIC}[1].revision is missing, but it must be given, or latest true: a share goes "
            "to one revision."
        ),
        {TRAFFIC: [BEFORE, NEWEST]},
    ),
    Case(
        "TrafficShare",
        "a share of two revisions",
        dev,
        {TRAFFIC: [BEFORE, {**NEWEST, "revision": "qwen-00002"}]},
        (
            f"{TRAFFIC}[1].revision is 'qwen-00002', but it must be left out with latest true: a "
            "share goes to one revision."
        ),
        {TRAFFIC: [BEFORE, {"revision": "qwen-00002", "percent": 10}]},
    ),
    Case(
        "KnativeModel",
        "a revision of another model",
        dev,
        {TRAFFIC: [{"revision": "other-00001"}, NEWEST]},
        (
            f"{TRAFFIC} is 'other-00001', but it must be qwen-00001 or another one of it: Knative "
            "calls revisions after a model."
        ),
        {TRAFFIC: [{"revision": "qwen-00012"}, NEWEST]},
    ),
    Case(
        "KnativeModel",
        "one tag for two revisions",
        dev,
        {TRAFFIC: [{**BEFORE, "tag": "a"}, {**NEWEST, "tag": "a"}]},
        (f"{TRAFFIC}[a].tag is 'a', but it must be unique: it becomes part of a host name."),
        {TRAFFIC: [{**BEFORE, "tag": "a"}, {**NEWEST, "tag": "b"}]},
    ),
    Case(
        "KnativeModel",
        "a tag that is too long for a host",
        dev,
        {TRAFFIC: [BEFORE, {**NEWEST, "tag": "a" * 59}]},
        (
            f"{TRAFFIC} is '{'a' * 59}', but it must be at most 58 long: its host is "
            f"{'a' * 59}-qwen.inference.example.com, and {'a' * 59}-qwen in it is over 63 long; "
            "Knative then gives it no route."
        ),
        {TRAFFIC: [BEFORE, {**NEWEST, "tag": "a" * 58}]},
    ),
    Case(
        "KServeServe",
        "a share of a Deployment, which has one version",
        with_next(),
        {CANARY: NEXT},
        (
            f"{CANARY}.model is missing, but it must be given, or metric concurrency: a Deployment "
            "of KServe's has one version, so another model has the new one."
        ),
        {CANARY: {**NEXT, "model": "next"}},
    ),
    Case(
        "KServeServe",
        "another model where Knative keeps the version before",
        with_next(),
        {CANARY: {**NEXT, "model": "next"}, SCALE: COUNTED},
        (
            f"{CANARY}.model is 'next', but it must be left out with concurrency: Knative keeps "
            "the version before, and shares requests with it."
        ),
        {CANARY: NEXT, SCALE: COUNTED},
    ),
]


test_it_is_refused, test_what_is_just_inside_is_accepted = refusals(CASES)
