"""Models that come from a hub: by each pod of theirs, or by an import."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from components.args import Fault, Words
from components.catalog.regions import is_mainland
from components.catalog.vllm import vllm_image
from components.serving.vllm_sources import MODELSCOPE_CACHE, is_below, is_hub_name, sources

from ..arguments.folders import imports
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .rules import check, warning
from .server import source_field
from .views import commands, server_field

FOLDER_UNUSED_SINCE: Final = (0, 10, 2)
"""The first release that hands --download-dir to no download of weights from ModelScope."""
_GATED: Final = re.compile(r"meta-llama/|google/(gemma-(?!4-)|(embedding|med)gemma-)")
"""Models that Hugging Face gives only to accounts that asked for it, of those that people serve
most: "Cannot access gated repo" in reports of 2024 and 2025 (vllm-project/semantic-router#817,
sgl-project/sglang#14644, McGill-NLP/llm2vec#36, ariG23498/gemma3-object-detection#5)."""
_OFF: Final = ("", "0", "false")
"""Values of VLLM_USE_MODELSCOPE that leave it off: vllm/envs.py, 0.33.0."""
_OFFLINE: Final = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_ON: Final = ("1", "ON", "YES", "TRUE")
"""Values with which either keeps that library offline: huggingface_hub/constants.py, 0.36.0."""
_HUB: Final = r"$|https?://huggingface\.co(/|$)"
"""The hub's own address, which is no mirror's."""
_NO_XET: Final = "HF_HUB_DISABLE_XET"
_MODELSCOPE: Final = {True: "vllm.hub: modelscope", False: "VLLM_USE_MODELSCOPE: 'True'"}
"""How ModelScope is asked: for the model itself, and for what is beside one of no hub."""


@dataclass(frozen=True)
class _HubModel:
    """What pods of a model download: itself, or a draft, a tokenizer or an adapter for it."""

    path: str
    """Field path of the model."""
    section: ModelSection
    field: str
    """Field path of what names it in the hub."""
    name: str
    flag: str
    """Flag of vLLM that does."""
    revision: str | None

    @property
    def is_the_model(self) -> bool:
        """Whether it is the model itself."""
        return self.flag == "--model"

    @property
    def subject(self) -> str:
        """What of the stack file names it, as the beginning of a sentence."""
        return self.field if self.is_the_model else f"What {self.field} says of {self.flag}"

    @property
    def is_of_modelscope(self) -> bool:
        """Whether ModelScope is asked for it."""
        return self.section.server.variables().get("VLLM_USE_MODELSCOPE", "").lower() not in _OFF

    @property
    def is_kept(self) -> bool:
        """Whether what one pod downloaded is there for the next."""
        mounts = [volume.mount_path for volume in self.section.volumes if volume.writable]
        server, has_none = self.section.server, self.section.volume is None
        cache = server.variables(downloads=has_none).get("HF_HOME", "")
        return any(is_below(cache, mount) for mount in mounts)

    @property
    def is_of_huggingface(self) -> bool:
        """Whether Hugging Face itself is asked for it."""
        return not self.is_of_modelscope and "HF_ENDPOINT" not in self.section.server.variables()


def _hub_models(environment: Environment) -> Iterator[_HubModel]:
    for path, model, command in commands(environment):
        for flag, name in sources(command):
            if is_hub_name(name):
                field = f"{path}.server.{source_field(model, flag)}"
                revision = command.flags.get("--revision")
                yield _HubModel(path, model, field, name, flag, revision)


@warning
def hubs_know_models_by_their_owner(environment: Environment) -> Iterator[str]:
    """A name alone is of no model, but of the oldest of Hugging Face."""
    for hub in _hub_models(environment):
        if "/" not in hub.name:
            yield (
                f"{hub.subject} is {hub.name}, without its owner: hubs call models by both, such "
                "as Qwen/Qwen3-8B, and by a name alone Hugging Face knows its oldest, and "
                "ModelScope none. The download then ends with 401 or 404."
            )


@warning
def hubs_may_be_asked(environment: Environment) -> Iterator[str]:
    """Hugging Face's library downloads nothing where it is told to stay offline."""
    for hub in _hub_models(environment):
        env = hub.section.server.variables()
        offline = [name for name in _OFFLINE if env.get(name, "").upper() in _ON]
        if offline and not (hub.is_of_modelscope or hub.is_kept):
            yield (
                f"{hub.subject} is {hub.name}, and {offline[0]} in server.env keeps it from being "
                "downloaded: the server finds no files. Leave the variable out, or give the model "
                "a volume."
            )


@warning
def downloads_are_kept(environment: Environment) -> Iterator[str]:
    """Whoever keeps nothing downloads all of a model before each start is done."""
    for hub in _hub_models(environment):
        if hub.is_kept:
            continue
        seconds = [
            f"{section.startup_seconds} s" for section in hub.section.serve.sections.values()
        ]
        # findings/vllm-modelscope-downloads-all.sh
        all_files = "Of ModelScope vLLM takes all files that there are, in each format. "
        more = all_files if hub.is_the_model and hub.is_of_modelscope else ""
        yield (
            f"{hub.subject} is {hub.name}, which every new pod downloads before it answers, within "
            f"startup_seconds ({', '.join(seconds)}). {more}volume with a source imports it once; "
            "a writable entry of volumes at server.mount_path keeps what the first pod downloaded."
        )


@warning
def folders_of_downloads_are_used(environment: Environment) -> Iterator[str]:
    """Hugging Face's library is told where to put weights, and ModelScope's is not.

    vllm/model_executor/model_loader/default_loader.py, 0.10.1, 0.10.2, 0.11.0 to 0.33.0.
    """
    for path, model, command in commands(environment):
        image, folder = vllm_image(model.server.image), command.flags.get("--download-dir")
        if folder is None or image is None or image.version < FOLDER_UNUSED_SINCE:
            continue
        hubs = [hub for hub in _hub_models(environment) if hub.path == path and hub.is_the_model]
        if (
            any(hub.is_of_modelscope for hub in hubs)
            and MODELSCOPE_CACHE not in model.server.variables()
        ):
            yield (
                f"{path}.server.{server_field(model, 'extra_args')} has --download-dir {folder}, "
                f"and weights of ModelScope do not go there: {MODELSCOPE_CACHE} in server.env "
                "names their folder."
            )


@warning
def hub_revisions_stay_the_same(environment: Environment) -> Iterator[str]:
    """What a branch stands for changes, and so do replicas of one model among themselves."""
    for hub in _hub_models(environment):
        if hub.is_the_model and hub.revision is None:
            yield (
                f"{hub.field} is {hub.name} without a revision: a pod that starts after the hub's "
                "model has changed serves another model than the pods beside it. vllm.revision, or "
                "--revision, names a commit."
            )
    for folder in imports(environment):
        source = folder.files.source
        if source is not None and not source.is_pinned:
            yield (
                f"{folder.field}.source.revision is {source.revision}, which its owner may move: "
                "the import takes what it is when it runs, and no later state of it. A commit or a "
                "digest stays the same."
            )


@check
def folders_are_filled_once(environment: Environment) -> Iterator[Fault]:
    """Two Jobs that fill one folder write over files that pods read."""
    filled: dict[tuple[str, str], str] = {}
    for folder in imports(environment):
        store = environment.store(folder.files.store)
        place = store.oss.bucket if store and store.oss else folder.files.store
        first = filled.setdefault((place, folder.files.folder), folder.field)
        if first != folder.field:
            want = f"left out, and path {folder.files.folder!r}, which {first}.source fills"
            why = "two Jobs would write over files of each other that pods read already"
            yield Fault(f"{folder.field}.source", Words("of the same folder"), want, why)


@warning
def hubs_are_in_reach(environment: Environment) -> Iterator[str]:
    """Hugging Face does not answer from mainland China."""
    region = environment.region
    if region is None or not is_mainland(region):
        return
    asked = {
        hub.subject: f"{_MODELSCOPE[hub.is_the_model]}, or HF_ENDPOINT and {_NO_XET} in server.env"
        for hub in _hub_models(environment)
        if hub.is_of_huggingface
    }
    asked |= {
        f"{folder.field}.source": "modelscope in its place, or its endpoint"
        for folder in imports(environment)
        if folder.files.source
        and folder.files.source.huggingface
        and not folder.files.source.endpoint
    }
    for field, remedy in asked.items():
        yield (
            f"{field} is read from huggingface.co, which is not reached from mainland China, and "
            f"{region} is there: {remedy} with a mirror, leads elsewhere."
        )


@warning
def mirrors_have_the_weights(environment: Environment) -> Iterator[str]:
    """Of what Hugging Face keeps in Xet, a mirror gives the address alone.

    findings/huggingface-mirror-and-xet.sh
    """
    for path, hubs in groupby(_hub_models(environment), key=lambda hub: hub.path):
        hub = next(hubs)
        env = hub.section.server.variables()
        mirror = env.get("HF_ENDPOINT")
        if mirror is None or re.match(_HUB, mirror):
            continue
        if not hub.is_of_modelscope and env.get(_NO_XET, "").upper() not in _ON:
            yield (
                f"{path}.server.env[HF_ENDPOINT] is {mirror}, and weights that Hugging Face keeps "
                "in Xet, as it does with nearly all, are read past it from where Hugging Face "
                f"says, cas-server.xethub.hf.co: {_NO_XET}: '1' beside it has the mirror asked for "
                "them."
            )


@warning
def gated_models_have_a_token(environment: Environment) -> Iterator[str]:
    """Without a token, Hugging Face and its mirrors refuse what its owner gives to some alone."""
    asked = {
        hub.subject: (hub.name, f"{hub.path}.server.secret_env")
        for hub in _hub_models(environment)
        if not (hub.is_of_modelscope or hub.section.server.secret_env)
        and not hub.section.api_key_secret
    }
    asked |= {
        f"{folder.field}.source.huggingface": (source.huggingface, f"{folder.field}.source.secret")
        for folder in imports(environment)
        if (source := folder.files.source) and source.huggingface and not source.secret
    }
    for subject, (name, field) in asked.items():
        if _GATED.match(name):
            yield (
                f"{subject} is {name}, which Hugging Face gives only to accounts that asked its "
                f"owner for it, and no Secret is named that could have a token: name the one in "
                f"{field} whose key HF_TOKEN has it, or the download ends with 401."
            )
