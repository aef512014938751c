"""What a command line and its variables say, against what its pod has."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from components.args import Fault, Words
from components.catalog.model_shapes import known_shape
from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import Version, lifetime, names, release_name, releases
from components.hosts import LOOPBACK
from components.keys import nearest
from components.serving.engines import program_of, read_engine
from components.serving.variables import references
from components.serving.vllm_command import shell_script
from components.serving.vllm_parallel import TENSOR, waits_for_others
from components.serving.vllm_rules import SECRET_FLAGS
from components.serving.vllm_sources import FILE_VARIABLES, files, is_below, sources

from ..sections.environment import Environment
from ..sections.models import ModelSection
from .rules import check, warning
from .views import (
    commands,
    containers,
    model_name,
    models,
    mount_paths,
    read_only_paths,
    server_field,
    server_variables,
)

IMAGE_FOLDERS: Final = (
    "/vllm-workspace",
    "/usr",
    "/opt",
    "/app",
    "/workspace",
    "/etc/ssl",
    "/etc/pki",
    "/tmp",  # noqa: S108  of an image
)
"""Folders that images keep programs and templates in; the first is that of vllm/vllm-openai."""
VARIABLES_REPLACED: Final = MappingProxyType(
    {
        "VLLM_ATTENTION_BACKEND": "--attention-backend",
        "VLLM_ALL2ALL_BACKEND": "--all2all-backend",
        "VLLM_FLASHINFER_MOE_BACKEND": "--moe-backend",
        "VLLM_MM_INPUT_CACHE_GIB": "--mm-processor-cache-gb",
        "VLLM_TORCH_PROFILER_DIR": "--profiler-config",
    }
)
"""By variable that is gone, the flag that took its place: vllm/envs.py of its last release."""
REMOTE: Final = frozenset(
    {
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_ENDPOINT", "MODELSCOPE_DOMAIN"),
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        *("LMCACHE_REMOTE_URL",),
    }
)
"""Variables with the address of another program: those of curl and requests, of hubs' libraries, of
OpenTelemetry and of LMCache."""
_LOOPBACK_ADDRESS: Final = rf"([a-z][a-z0-9+]*://)?({LOOPBACK})(:\d+)?(/.*)?"
_OF_RUNTIMES: Final = ("K_", "LWS_", "PORT", "RBG_")
"""How variables begin that Knative, LeaderWorkerSet and RoleBasedGroup give a pod."""
_TYPO: Final = 0.9
"""How close a variable has to be to one that was meant: vLLM has hundreds, and plugins more."""
WRITTEN: Final = (
    "VLLM_CACHE_ROOT",
    "TRITON_CACHE_DIR",
    "TORCHINDUCTOR_CACHE_DIR",
    "XDG_CACHE_HOME",
)
"""Variables with a folder that vLLM and what it uses write to at each start."""
NVIDIA: Final = "NVIDIA_VISIBLE_DEVICES"
"""Cards that NVIDIA's container runtime shows, which the device plugin sets:
https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html"""
CUDA: Final = "CUDA_VISIBLE_DEVICES"
"""Cards that a CUDA program uses, of those that its container has."""


@check
def paths_are_mounted(environment: Environment) -> Iterator[Fault]:
    """A path under no mount is not there, and vLLM ends with an error that names a hub."""
    for path, model in models(environment):
        command, mounts = model.server.vllm_command, mount_paths(model)
        engine = read_engine(model.server.command or [])
        reads = [
            (source_field(model, flag), flag, source)
            for flag, source in (sources(command) if command else ())
        ]
        reads += [("command", "the server", engine.model)] if engine and engine.model else []
        for field, reader, source in reads:
            if source.startswith("/") and not any(is_below(source, mount) for mount in mounts):
                want = f"below {' or '.join(mounts)}" if mounts else "a hub's name, or volume given"
                why = f"{reader} reads it, and nothing {'else ' if mounts else ''}is mounted"
                yield Fault(f"{path}.server.{field}", source, want, why)


def source_field(model: ModelSection, flag: str) -> str:
    """The field of a server that a flag of its command line is from."""
    vllm = model.server.vllm
    if vllm and vllm.lora and flag == "--lora-modules":
        return "vllm.lora.adapters"
    return server_field(model, "model" if flag == "--model" else "extra_args")


@warning
def images_have_the_server_that_is_started(environment: Environment) -> Iterator[str]:
    """A container whose image lacks its program ends at once."""
    for path, model in models(environment):
        server = model.server
        engine = read_engine(server.command or [])
        started = engine.engine.name if engine else "vLLM" if server.vllm_command else None
        has = program_of(server.image)
        if started and has and started != has:
            field = "vllm" if server.vllm else "command"
            yield (
                f"{path}.server.image is {server.image}, by its name {has}, and server.{field} "
                f"starts {started}: the container ends at once unless the image has both. Take an "
                f"image of {started}, or the command of {has}."
            )


@check
def engines_run_on_the_cards(environment: Environment) -> Iterator[Fault]:
    """A server exits on a card that is older than those it has code for."""
    for path, model in models(environment):
        command = read_engine(model.server.command or [])
        for pool in environment.placed(model.reach) if command else ():
            gpu, least = environment.card(pool), command.engine.capability if command else 0
            if command and gpu and gpu.compute_capability < least:
                want = f"another server, or placed without pool {pool.name}"
                why = f"{command.engine.name} needs compute capability {least}, {pool.gpu} has "
                why += f"{gpu.compute_capability}"
                yield Fault(f"{path}.server.command", Words(command.engine.name), want, why)


@warning
def files_are_in_the_image(environment: Environment) -> Iterator[str]:
    """A file under no mount has to be part of the image, and vLLM's own has few."""
    for path, model, command in commands(environment):
        mounts = mount_paths(model)
        reads = [(f"server starts vLLM with {flag}", file) for flag, file in files(command)]
        reads += [
            (f"{place}.env has {name}", env[name])
            for place, env in server_variables(model)
            for name in FILE_VARIABLES
            if name in env
        ]
        for subject, file in reads:
            inside = any(is_below(file, folder) for folder in [*mounts, *IMAGE_FOLDERS])
            if file.startswith("/") and file != "/" and not inside:
                yield (
                    f"{path}.{subject} {file}, which lies below no mount: it starts only if the "
                    "image has that."
                )


@warning
def clients_reach_beyond_their_pod(environment: Environment) -> Iterator[str]:
    """At a loopback address nothing answers but what runs in the same pod."""
    beside = {path for path, model in models(environment) if model.sidecars}
    for path, env in _variables(environment):
        for name, value in env.items() if path.partition(".")[0] not in beside else ():
            if name.upper() in REMOTE and re.fullmatch(_LOOPBACK_ADDRESS, value, re.IGNORECASE):
                yield (
                    f"{path}.env[{name}] is {value}: in a pod that is the pod itself, where "
                    "nothing listens unless something puts a container beside the server. Write "
                    "the address of a machine or a Service, or leave it out."
                )


@warning
def variables_are_read(environment: Environment) -> Iterator[str]:
    """A variable that vLLM's release does not read changes nothing, without an error."""
    for path, model, _ in commands(environment):
        image, server = vllm_image(model.server.image), model.server
        script = shell_script(server.command or []) or ""
        inline = re.findall(r"(?<![\w$])(VLLM_[A-Z0-9_]+)=", script)
        fields = dict.fromkeys(inline, "server.command") | {
            name: f"{place}.env[{name}]"
            for place, env in server_variables(model)
            for name in env
            if name.startswith("VLLM_")
        }
        if not fields or image is None:
            continue
        read = names("variables", image.version)
        for name in sorted(fields.keys() - read) if read else ():
            if about := _unread(name, image.version):
                yield (
                    f"{path}.{fields[name]} sets {name}, which vLLM {image.release} does not read: "
                    f"{about}."
                )


def _unread(name: str, version: Version) -> str:
    """What is known of a variable that a release does not read; nothing of one of a plugin."""
    life = lifetime("variables", name)
    if life is None:
        if version > releases()[-1]:
            return ""
        if meant := nearest(name, names("variables", version), _TYPO):
            return f"{meant} may be meant"
        meant = nearest(name, names("variables"), _TYPO)
        return f"{meant} may be meant, of which {_unread(meant, version)}" if meant else ""
    if version < life.first:
        return f"{release_name(life.first)} is the first that does"
    instead = VARIABLES_REPLACED.get(name)
    last = f"{release_name(life.last or releases()[-1])} was the last that did"
    return f"{last}, and {instead} takes its place" if instead else last


@warning
def variables_are_filled_in(environment: Environment) -> Iterator[str]:
    """Kubernetes fills in $(NAME) alone, and no shell reads the value of a variable."""
    for path, env in _variables(environment):
        for name, value in env.items():
            if match := re.search(r"(?<![$\\])\$(\{)?(?P<name>[A-Z_][A-Z0-9_]*)(?(1)\})", value):
                yield (
                    f"{path}.env[{name}] names {match[0]}, which stays as it stands: Kubernetes "
                    f"fills in $({match['name']}) alone, from env and secret_env, and nothing of "
                    "the image. Write that, or all that it stands for."
                )


@warning
def references_are_of_variables(environment: Environment) -> Iterator[str]:
    """Kubernetes leaves $(NAME) as it stands where nothing has that name."""
    for path, field, name, flag in _unfilled(environment):
        text = "the text stays as it stands"
        if flag in SECRET_FLAGS:
            text += f", and is then the key of {flag} that everybody can guess"
        yield (
            f"{path}.{field} has $({name}) in it, and neither does env have {name} nor secret_env "
            f"name a Secret: unless something else gives the pod that variable, {text}."
        )


def _unfilled(environment: Environment) -> Iterator[tuple[str, str, str, str]]:
    """By model and field, names that nothing fills in, and the flag before each of them."""
    for path, model in models(environment):
        server = model.server
        if server.secret_env or model.api_key_secret:
            continue
        words = server.vllm.extra_args if server.vllm else server.command
        field = f"server.{server_field(model, 'extra_args')}"
        # In a script it is the output of a program.
        plain = [] if shell_script(words or []) else words or []
        texts = [(field, before, word) for before, word in pairwise(["", *plain])]
        sections = model.serve.sections.values()
        has = {name for section in sections for name in model.env_of(section)}
        texts += [
            (f"{place}.env[{name}]", "", value)
            for place, env in server_variables(model)
            for name, value in env.items()
        ]
        for place, before, text in texts:
            flag = (text if "=" in text else before).partition("=")[0].replace("_", "-")
            for name in dict.fromkeys(references(text)):
                if name not in has and not name.startswith(_OF_RUNTIMES):
                    yield path, place, name, flag


def _variables(environment: Environment) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The variables of all containers, with the field paths of these."""
    for path, model in models(environment):
        for place, env in server_variables(model):
            yield f"{path}.{place}", env
        if model.serve.roles:
            yield f"{path}.serve.roles.router", model.serve.roles.router.env or {}
        for field in ("init_containers", "sidecars"):
            for container in getattr(model, field) or []:
                yield f"{path}.{field}[{container.name}]", container.env or {}
    for job in environment.training:
        yield f"training[{job.name}]", job.env


@check
def replicas_have_their_nodes(environment: Environment) -> Iterator[Fault]:
    """Of several nodes, vLLM waits for those that never come."""
    for path, model, command in commands(environment):
        nodes = command.number("--nnodes")
        if (nodes or 1) > 1 and model.pods_per_replica == 1:
            want = f"left out, or {path}.serve.leader_worker with nodes {nodes}"
            why = f"a replica of {model.serve.kind} is one pod, which waits for the others for good"
            field = f"{path}.server.{server_field(model, 'extra_args')}"
            yield Fault(field, Words(f"one with --nnodes {nodes}"), want, why)
        copies = waits_for_others(command) if model.pods_per_replica == 1 else None
        if copies and not model.serve.llm and not model.serve.roles:
            want = f"one whose copies are all in this pod, or {path}.serve.leader_worker"
            why = f"a replica of {model.serve.kind} is one pod, which waits for the others for good"
            field = f"{path}.server.{server_field(model, 'extra_args')}"
            yield Fault(field, Words(f"one with {copies}"), want, why)
    for path, model in models(environment):
        engine = read_engine(model.server.command or [])
        text = engine.flags.get("--nnodes", "") if engine else ""
        if text.isdecimal() and int(text) > 1 and model.pods_per_replica == 1:
            want = f"one without, or {path}.serve.leader_worker with nodes {text}"
            why = f"a replica of {model.serve.kind} is one pod, which waits for the others for good"
            yield Fault(f"{path}.server.command", Words(f"one with --nnodes {text}"), want, why)


@check
def caches_are_written_elsewhere(environment: Environment) -> Iterator[Fault]:
    """A model's files are mounted read-only, and who writes there ends with an error."""
    for path, model, command in commands(environment):
        vllm = model.server.vllm
        folders = {
            f"{place}.env[{name}]": env[name]
            for place, env in server_variables(model)
            for name in WRITTEN
            if name in env
        }
        if command.model and not command.model.startswith("/"):
            folder = command.flags.get("--download-dir", "")
            folders |= {f"server.{server_field(model, 'extra_args')}": folder}
        if vllm and vllm.compile_cache:
            folders["server.vllm.compile_cache"] = vllm.compile_cache
        for field, folder in folders.items():
            if _is_read_only(model, folder):
                want = "a folder outside of the mounts, e.g. below /tmp"
                why = "vLLM writes there, and the model's files are mounted read-only"
                yield Fault(f"{path}.{field}", folder, want, why)


def _is_read_only(model: ModelSection, folder: str) -> bool:
    """Whether the mount that a folder lies in is read-only: the longest path counts."""
    mounts = [mount for mount in mount_paths(model) if is_below(folder, mount)]
    return max(mounts, key=len, default="") in read_only_paths(model)


@warning
def compiled_kernels_outlive_their_pod(environment: Environment) -> Iterator[str]:
    """A cache that goes with the pod is of no use to the next one."""
    for path, model in models(environment):
        folder = model.server.vllm.compile_cache if model.server.vllm else None
        kept = [volume.mount_path for volume in model.volumes if volume.writable]
        if folder is not None and not any(is_below(folder, mount) for mount in kept):
            yield (
                f"{path}.server.vllm.compile_cache is {folder}, which goes with the pod: each new "
                "one compiles again. Below a writable entry of volumes with a claim or a store, "
                "the next pod finds what this one compiled."
            )


@check
def processes_see_the_cards_of_their_pod(environment: Environment) -> Iterator[Fault]:
    """Which cards a program sees follows from what its pod asks for."""
    for path, container, _ in containers(environment):
        field, cards, env = f"{path}.env", container.resources.gpus or 0, container.env or {}
        if NVIDIA in env and env[NVIDIA] not in ("none", "void"):
            why = "the container would see cards of other pods: the device plugin sets it to those "
            why += "that the pod was given"
            yield Fault(f"{field}[{NVIDIA}]", env[NVIDIA], "left out", why)
        visible = _visible(env.get(CUDA, ""), cards)
        if visible < cards:
            want = f"left out, or {','.join(map(str, range(cards)))}"
            why = f"resources.gpus is {cards}, and the program would see {visible}"
            yield Fault(f"{field}[{CUDA}]", env[CUDA], want, why)


def _visible(numbers: str, cards: int) -> int:
    """Cards that a program sees: those up to the first number that there is no card of."""
    if not re.fullmatch(r"\d+(,\d+)*", numbers):
        return cards
    named = [int(number) < cards for number in numbers.split(",")]
    return named.index(False) if False in named else len(named)


@warning
def tensor_parallel_divides_the_heads(environment: Environment) -> Iterator[str]:
    """VLLM refuses a size that does not divide the attention heads, and few have odd factors."""
    for path, model, command in commands(environment):
        size, name = command.number(TENSOR), model_name(model, command)
        shape = known_shape(name)
        if not size or (shape.splits_over(size) if shape else not size & (size - 1)):
            continue
        about = f"vLLM starts only if {size} divides the attention heads of the model, and those "
        about += "of most are 28, 32, 40 or 64. 1, 2, 4 or 8 cards do"
        if shape is not None:
            keys = shape.key_heads
            of_keys = f", and {keys} of keys and values" if keys else ""
            cards = [str(count) for count in (1, 2, 4, 8, 16) if shape.splits_over(count)]
            about = f"vLLM starts only if each gets as many heads, and {name} has {shape.heads} of "
            about += f"attention{of_keys}, by its name. {', '.join(cards[:-1])} or {cards[-1]} "
            about += "cards do"
        yield (
            f"{path}.server splits each layer over {size} cards: {about}; "
            "--pipeline-parallel-size splits by layers instead."
        )
