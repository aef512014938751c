"""Cases of the rules of `stacks.checks.hubs`."""

from typing import Final

from ..environments import GONE, Raw, dev, existing
from .cases import Case, refusals, surprises
from .parts import HUB, MODEL

PINNED: Final = "models[qwen].server.vllm.revision"
KEPT: Raw = {"name": "hub", "mount_path": "/hub", "claim": "hub", "writable": True}
SOURCE: Raw = {"huggingface": "Qwen/Qwen2.5-7B-Instruct", "revision": "main"}
VOLUME: Raw = {"store": "models", "path": "/qwen", "size": "11Gi", "source": SOURCE}
GATED_SOURCE: Raw = {**SOURCE, "huggingface": "meta-llama/Llama-3.1-8B"}
COMMIT: Final = "a09a35458c702b33eeacc393d103063234e8bc28"
PINNED_VOLUME: Raw = {**VOLUME, "source": {**SOURCE, "revision": COMMIT}}
FIELD: Final = "models[qwen].server.vllm.model"
NEWER: Raw = {
    "models[qwen].server.image": "registry/vllm:0.19.0",
    "models[qwen].server.vllm.quantization": GONE,
    "models[qwen].volume.path": "/Qwen2.5-7B-Instruct",
}
MIRRORED: Raw = {"HF_ENDPOINT": "https://hf-mirror.com"}
MIRROR: Raw = {**HUB, "models[qwen].server.env": MIRRORED}
DRAFT: Final = ["--speculative-config", '{"model": "acme/draft", "num_speculative_tokens": 3}']

CASES = [
    Case(
        "folders_are_filled_once",
        "two models that import one folder, as a canary of KServe would",
        dev,
        {
            "models[qwen].volume": PINNED_VOLUME,
            "models[+]": {**MODEL, "volume": PINNED_VOLUME},
        },
        (
            "models[llama].volume.source is of the same folder, but it must be left out, and path "
            "'/qwen/a09a35458c70', which models[qwen].volume.source fills: two Jobs would write "
            "over files of each other that pods read already."
        ),
        {
            "models[qwen].volume": PINNED_VOLUME,
            "models[+]": {
                **MODEL,
                "volume": {"store": "models", "path": "/qwen/a09a35458c70", "size": "11Gi"},
            },
        },
    ),
]

SURPRISES = [
    Case(
        "hubs_know_models_by_their_owner",
        "a model of a hub by its name alone",
        dev,
        {**HUB, FIELD: "Qwen3-8B"},
        (
            "models[qwen].server.vllm.model is Qwen3-8B, without its owner: hubs call models by "
            "both, such as Qwen/Qwen3-8B, and by a name alone Hugging Face knows its oldest, and "
            "ModelScope none. The download then ends with 401 or 404."
        ),
        {**HUB, FIELD: "Qwen/Qwen3-8B"},
    ),
    Case(
        "hubs_may_be_asked",
        "a server that is to download and may not",
        dev,
        {**HUB, "models[qwen].server.env": {"HF_HUB_OFFLINE": "1"}},
        (
            "models[qwen].server.vllm.model is Qwen/Qwen2.5-7B-Instruct, and HF_HUB_OFFLINE in "
            "server.env keeps it from being downloaded: the server finds no files. Leave the "
            "variable out, or give the model a volume."
        ),
        {**HUB, "models[qwen].server.env": {"HF_HUB_OFFLINE": "0"}},
    ),
    *(
        Case(
            "gated_models_have_a_token",
            f"{name}, which is gated, without a token",
            dev,
            {**HUB, FIELD: name},
            (
                f"{FIELD} is {name}, which Hugging Face gives only to accounts that asked its "
                "owner for it, and no Secret is named that could have a token: name the one in "
                "models[qwen].server.secret_env whose key HF_TOKEN has it, or the download ends "
                "with 401."
            ),
            {**HUB, FIELD: name, **edge},
        )
        for name, edge in (
            ("meta-llama/Llama-3.1-8B-Instruct", {"models[qwen].server.secret_env": ["hub"]}),
            ("google/gemma-3-4b-it", {FIELD: "google/gemma-4-31B-it"}),
            (
                "google/medgemma-4b-it",
                {"models[qwen].server.vllm.hub": "modelscope"},
            ),
        )
    ),
    Case(
        "gated_models_have_a_token",
        "an import of what is gated, without a token",
        dev,
        {"models[qwen].volume": {**VOLUME, "source": GATED_SOURCE}},
        (
            "models[qwen].volume.source.huggingface is meta-llama/Llama-3.1-8B, which Hugging Face "
            "gives only to accounts that asked its owner for it, and no Secret is named that could "
            "have a token: name the one in models[qwen].volume.source.secret whose key HF_TOKEN "
            "has it, or the download ends with 401."
        ),
        {"models[qwen].volume": {**VOLUME, "source": {**GATED_SOURCE, "secret": "hub"}}},
    ),
    *(
        Case(
            "downloads_are_kept",
            f"what {flag} names in a hub",
            existing,
            {"models[qwen].server.vllm.extra_args": words},
            (
                f"What models[qwen].server.vllm.extra_args says of {flag} is {name}, which every "
                "new pod downloads before it answers, within startup_seconds (1800 s). volume with "
                "a source imports it once; a writable entry of volumes at server.mount_path keeps "
                "what the first pod downloaded."
            ),
            {
                "models[qwen].server.vllm.extra_args": [
                    word.replace(name, f"/mnt/models/qwen/{name}") for word in words
                ]
            },
        )
        for flag, name, words in (
            ("--tokenizer", "acme/tokens", ["--tokenizer", "acme/tokens"]),
            ("--lora-modules", "acme/law", ["--enable-lora", "--lora-modules", "law=acme/law"]),
            (
                "--speculative-config",
                "acme/draft",
                ["--speculative-config", '{"model": "acme/draft", "num_speculative_tokens": 3}'],
            ),
        )
    ),
    Case(
        "hubs_are_in_reach",
        "a draft of Hugging Face's, where that is out of reach",
        dev,
        {
            **NEWER,
            "models[qwen].server.vllm.extra_args": DRAFT,
        },
        (
            "What models[qwen].server.vllm.extra_args says of --speculative-config is read from "
            "huggingface.co, which is not reached from mainland China, and cn-beijing is there: "
            "VLLM_USE_MODELSCOPE: 'True', or HF_ENDPOINT and HF_HUB_DISABLE_XET in server.env "
            "with a mirror, leads elsewhere."
        ),
        {
            **NEWER,
            "models[qwen].server.vllm.extra_args": DRAFT,
            "models[qwen].server.env": {"VLLM_USE_MODELSCOPE": "True"},
        },
    ),
    Case(
        "downloads_are_kept",
        "a model that each pod downloads again",
        dev,
        HUB,
        (
            f"{FIELD} is Qwen/Qwen2.5-7B-Instruct, which every new pod downloads before it "
            "answers, within startup_seconds (1800 s). volume with a source imports it once; a "
            "writable entry of volumes at server.mount_path keeps what the first pod downloaded."
        ),
        {**HUB, "models[qwen].volumes": [KEPT]},
    ),
    Case(
        "downloads_are_kept",
        "a model of ModelScope that each pod downloads again",
        dev,
        {**HUB, "models[qwen].server.vllm.hub": "modelscope"},
        (
            f"{FIELD} is Qwen/Qwen2.5-7B-Instruct, which every new pod downloads before it "
            "answers, within startup_seconds (1800 s). Of ModelScope vLLM takes all files that "
            "there are, in each format. volume with a source imports it once; a writable entry of "
            "volumes at server.mount_path keeps what the first pod downloaded."
        ),
        {
            **HUB,
            "models[qwen].server.vllm.hub": "modelscope",
            "models[qwen].volumes": [KEPT],
        },
    ),
    Case(
        "folders_of_downloads_are_used",
        "a folder that ModelScope's library is not told",
        dev,
        {
            **HUB,
            "models[qwen].server.vllm.hub": "modelscope",
            "models[qwen].server.vllm.extra_args": ["--download-dir", "/hub/weights"],
            "models[qwen].server.image": "registry.example.com/vllm:0.10.2",
        },
        (
            "models[qwen].server.vllm.extra_args has --download-dir /hub/weights, and weights of "
            "ModelScope do not go there: MODELSCOPE_CACHE in server.env names their folder."
        ),
        {
            **HUB,
            "models[qwen].server.vllm.hub": "modelscope",
            "models[qwen].server.vllm.extra_args": ["--download-dir", "/hub/weights"],
            "models[qwen].server.image": "registry.example.com/vllm:0.10.1",
        },
    ),
    Case(
        "hub_revisions_stay_the_same",
        "a hub's model without a revision",
        dev,
        HUB,
        (
            f"{FIELD} is Qwen/Qwen2.5-7B-Instruct without a revision: a pod that starts after the "
            "hub's model has changed serves another model than the pods beside it. vllm.revision, "
            "or --revision, names a commit."
        ),
        {**HUB, PINNED: COMMIT},
    ),
    Case(
        "hub_revisions_stay_the_same",
        "an import of a branch",
        dev,
        {"models[qwen].volume": VOLUME},
        (
            "models[qwen].volume.source.revision is main, which its owner may move: the import "
            "takes what it is when it runs, and no later state of it. A commit or a digest stays "
            "the same."
        ),
        {"models[qwen].volume": {**VOLUME, "source": {**SOURCE, "revision": COMMIT}}},
    ),
    *(
        Case(
            "mirrors_have_the_weights",
            f"a mirror that gives away where weights are, and not the weights, and {[*env][-1]}",
            dev,
            MIRROR,
            (
                "models[qwen].server.env[HF_ENDPOINT] is https://hf-mirror.com, and weights that "
                "Hugging Face keeps in Xet, as it does with nearly all, are read past it from "
                "where Hugging Face says, cas-server.xethub.hf.co: HF_HUB_DISABLE_XET: '1' beside "
                "it has the mirror asked for them."
            ),
            {**MIRROR, "models[qwen].server.env": env},
        )
        for env in (
            {**MIRRORED, "HF_HUB_DISABLE_XET": "1"},
            {"HF_ENDPOINT": "https://huggingface.co"},
        )
    ),
    Case(
        "hubs_are_in_reach",
        "Hugging Face, asked from mainland China by each pod",
        dev,
        HUB,
        (
            f"{FIELD} is read from huggingface.co, which is not reached from mainland China, and "
            "cn-beijing is there: vllm.hub: modelscope, or HF_ENDPOINT and "
            "HF_HUB_DISABLE_XET in server.env with a mirror, leads elsewhere."
        ),
        {**HUB, "models[qwen].server.vllm.hub": "modelscope"},
    ),
    Case(
        "hubs_are_in_reach",
        "Hugging Face, asked from mainland China by an import",
        dev,
        {"models[qwen].volume": VOLUME},
        (
            "models[qwen].volume.source is read from huggingface.co, which is not reached from "
            "mainland China, and cn-beijing is there: modelscope in its place, or its endpoint "
            "with a mirror, leads elsewhere."
        ),
        {
            "models[qwen].volume": {
                **VOLUME,
                "source": {**SOURCE, "endpoint": "https://mirror.example.com"},
            }
        },
    ),
]

test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
