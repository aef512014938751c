"""The pod of a workload as sections of a stack file: its server, its files, what is beside it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.catalog.labels import GPU_RESOURCE
from components.catalog.sharing import GPU_CORES, GPU_MEMORY, MIG_PREFIX
from components.quantity import parse
from components.secret_forms import is_secret, is_secret_value
from components.serving.secrets import secret_word_faults
from components.serving.server import SHARED_MEMORY_PATH, VLLM_PORT
from components.serving.vllm_command import read_command
from components.serving.vllm_sources import is_below, is_hub_name
from plan.objects import Objects, items, name_of, section, text_of, texts_of
from policy.workloads import Images

from .names import label, unused
from .workloads import LiveWorkload, Notes, runs_vllm, words_of

MODULE: Final = ("python3", "-m", "vllm.entrypoints.openai.api_server")
"""Entrypoint of vLLM's images: docker/Dockerfile, vllm-openai; later `vllm serve`, which takes the
same flags."""
_USED: Final = re.compile(r"(?<!\$)\$\(([A-Za-z_.-][\w.-]*)\)")
"""A variable in a command line or in another variable, which the kubelet fills in."""
HUB_CACHE: Final = "/mnt/models/hub"
"""Where a downloaded model is kept whose pod mounts no claim for it."""

Section = dict[str, Any]


@dataclass
class Stores:
    """Claims that workloads mount, each an entry of `stores`."""

    objects: Objects
    notes: Notes
    sections: list[Section] = field(default_factory=list)

    def folder(self, workload: LiveWorkload, claim: str, path: str) -> Section:
        """A folder of a claim, as `volume` and `volumes` have it."""
        space = workload.namespace
        store = {"name": claim, "namespace": space}
        names = [entry["name"] for entry in self.sections if entry["claim"] == store]
        if not names:
            taken = {entry["name"] for entry in self.sections}
            text = label(claim, "store", 30)
            name = unused(text if text not in taken else label(f"{text}-{space}", "store"), taken)
            self.sections.append({"name": name, "claim": store})
            names = [name]
        there = self.objects.get("", "PersistentVolumeClaim", claim, space)
        size = section(there, "spec", "resources", "requests").get("storage")
        if size is None:
            dataset = self.objects.get("data.fluid.io", "Dataset", claim, space)
            total = text_of(section(dataset, "status"), "ufsTotal")
            size = total if re.fullmatch(r"\d+(\.\d+)?[KMGT]i", total) else "1Gi"
            self.notes.say(
                workload,
                f"claim {claim} is not there, so that its size is not known; {size} stands for it.",
            )
        return {"store": names[0], "path": f"/{path.strip('/')}", "size": str(size)}


@dataclass
class PodReader:
    """Reads the pod of a workload."""

    workload: LiveWorkload
    stores: Stores
    notes: Notes

    def model(self) -> Section:
        """`volume`, `server`, `volumes`, `init_containers` and `sidecars` of a model."""
        container, spec = self.workload.server, self.workload.pods.spec
        model_path = self._model_path()
        volumes = self._volumes()
        of_model = [
            volume
            for volume in volumes
            if volume.get("claim") and model_path and is_below(model_path, volume["mount_path"])
        ]
        read_only = [volume for volume in volumes if volume.get("claim") and volume["read_only"]]
        hub = model_path is not None and is_hub_name(model_path)
        chosen = None if hub else next(iter([*of_model, *read_only]), None)
        parts: Section = {}
        if chosen is not None:
            parts["volume"] = self.stores.folder(self.workload, chosen["claim"], chosen["sub_path"])
            cache = chosen["mount_path"]
        else:
            kept = [v["mount_path"] for v in volumes if v.get("claim") and not v["read_only"]]
            cache = next((path for path in kept if "cache" in path or "hub" in path), None) or next(
                iter(kept), HUB_CACHE
            )
        parts["server"] = self._server(container, cache)
        if size := self._shared_memory():
            parts["server"]["shared_memory"] = size
        further = [self._further(volume) for volume in volumes if volume is not chosen]
        others = [entry for entry in items(spec, "containers") if entry is not container]
        before = items(spec, "initContainers")
        for started in filter(_runs_on, before):
            self.notes.say(
                self.workload,
                f"its init container {started.get('name')} runs on (restartPolicy Always), and "
                "starts before the others; it is one of sidecars, which start together.",
            )
        sections = {
            "volumes": [volume for volume in further if volume],
            "init_containers": [self._beside(entry) for entry in before if not _runs_on(entry)],
            "sidecars": [*map(self._beside, [*filter(_runs_on, before), *others])],
        }
        return {**parts, **{key: value for key, value in sections.items() if value}}

    def _model_path(self) -> str | None:
        command = read_command(self._words(self.workload.server))
        return command.model if command else None

    def _words(self, container: Mapping[str, Any]) -> list[str]:
        """The whole command line, with the image's entrypoint where only arguments are given."""
        words = words_of(container)
        if texts_of(container, "command") or not words or not runs_vllm(container):
            return words
        if words[:2] == ["vllm", "serve"] or words[0] == "serve":
            return words if words[0] == "vllm" else ["vllm", *words]
        return [*(MODULE if words[0].startswith("-") else ("vllm", "serve")), *words]

    def _server(self, container: Mapping[str, Any], mount_path: str) -> Section:
        words = self._words(container)
        if words and words[0].startswith("-"):
            self.notes.say(
                self.workload,
                f"it gives flags to the entrypoint of {text_of(container, 'image')}, which no "
                "object tells: write that into its command, and adopt it then.",
            )
        elif not texts_of(container, "command") and words:
            begin = " ".join(words[: 3 if words[1:2] == ["-m"] else 2])
            self.notes.say(
                self.workload,
                "it gives arguments to the image's entrypoint; the stack file has the whole "
                f"command line, which begins with {begin}.",
            )
        if not words:
            self.notes.say(
                self.workload,
                "its image alone says what is run; write the command line into server.command.",
            )
            words = ["vllm", "serve"] if runs_vllm(container) else ["/entrypoint"]
        server: Section = {
            "image": self.image(container),
            "mount_path": mount_path,
            "command": self.plain_words(words),
            "port": self._port(container, words),
            "resources": self.resources(container),
            **self.variables(container),
        }
        probes = ("startupProbe", "readinessProbe", "livenessProbe")
        paths = [text_of(section(container, probe, "httpGet"), "path") for probe in probes]
        if path := next(filter(None, paths), ""):
            server["health_path"] = path
        if runs_vllm(container):
            # Its variables are kept as they are, and none is added.
            server["usage_stats"] = True
        if pull := [
            text_of(ref, "name") for ref in items(self.workload.pods.spec, "imagePullSecrets")
        ]:
            server["image_pull_secrets"] = pull
        return server

    def image(self, container: Mapping[str, Any]) -> str:
        """The image, by the digest that pods run where its tag is one that moves."""
        image = text_of(container, "image")
        tag = image.rpartition("/")[2].partition(":")[2] or "latest"
        if "@" in image or not Images().moves(tag):
            return image
        for pod in self.stores.objects.of("", "Pod"):
            about = section(pod, "metadata")
            labels = section(about, "labels")
            if (
                about.get("namespace") != self.workload.namespace
                or not self.workload.pods.labels.items() <= labels.items()
            ):
                continue
            for status in items(section(pod, "status"), "containerStatuses"):
                _, at, digest = text_of(status, "imageID").partition("@")
                if at and status.get("name") in (container.get("name"), "user-container"):
                    self.notes.say(
                        self.workload,
                        f"its image is {image}, which moves; the stack file has the digest that "
                        "its pods run.",
                    )
                    return f"{image}@{digest}"
        return image

    def plain_words(self, words: list[str]) -> list[str]:
        """A command line without keys: a variable stands for each."""
        plain = list(words)
        for fault in secret_word_faults("command", words):
            place = int(re.findall(r"\d+", fault.field)[-1])
            flag, equals, _ = words[place].partition("=")
            plain[place] = f"{flag}=$(SECRET)" if equals else "$(SECRET)"
            self.notes.say(
                self.workload,
                "a key stands on its command line in plain; the stack file has $(SECRET) there. "
                "Keep it as the key SECRET of a Secret, and name that in server.secret_env.",
            )
        return plain

    def _port(self, container: Mapping[str, Any], words: list[str]) -> int:
        command = read_command(words)
        told = command.number("--port") if command else None
        ports = [port.get("containerPort") for port in items(container, "ports")]
        if told is None and command is not None and command.is_whole:
            told = VLLM_PORT
        return told or next((int(port) for port in ports if port), VLLM_PORT)

    def resources(self, container: Mapping[str, Any]) -> Section:
        """CPU, memory and cards of a container."""
        requests = section(container, "resources", "requests")
        limits = section(container, "resources", "limits")
        both = {**limits, **requests}
        resources: Section = {}
        for name, usual in (("cpu", "4"), ("memory", "32Gi")):
            if name not in both:
                self.notes.say(
                    self.workload,
                    f"it asks for no {name}; {usual} stands in the stack file, of memory as the "
                    "limit too, so write what it takes.",
                )
            resources[name] = str(both.get(name, usual))
        if "memory" in limits:
            resources["memory"] = str(limits["memory"])
        if "cpu" in limits:
            resources["cpu_limit"] = str(limits["cpu"])
        resources["gpus"] = int(parse(str(limits.get(GPU_RESOURCE, 0))))
        further = {}
        for name, count in limits.items():
            if name == GPU_MEMORY:
                resources["gpu_memory"] = f"{count}Gi"
            elif name == GPU_CORES:
                resources["gpu_cores"] = int(parse(str(count)))
            elif name.startswith(MIG_PREFIX):
                resources["mig"] = name.removeprefix(MIG_PREFIX)
            elif "/" in name and name != GPU_RESOURCE:
                further[name] = int(parse(str(count)))
        if "gpu_memory" in resources or "mig" in resources:
            del resources["gpus"]
        return {**resources, **({"extended": further} if further else {})}

    def variables(self, container: Mapping[str, Any]) -> Section:
        """`env` and `secret_env`; what is secret is left out, and its value never shown."""
        env: dict[str, str] = {}
        secrets: list[str] = []
        for variable in items(container, "env"):
            name = text_of(variable, "name")
            reference = section(variable, "valueFrom", "secretKeyRef")
            if reference:
                secret = text_of(reference, "name")
                secrets.append(secret)
                if reference.get("key") == name:
                    self.notes.say(
                        self.workload,
                        f"variable {name} is one key of Secret {secret}; server.secret_env makes "
                        "variables of all of its keys.",
                    )
                else:
                    self.notes.say(
                        self.workload,
                        f"variable {name} is the key {reference.get('key')} of Secret {secret}; "
                        "server.secret_env makes variables of a Secret's keys by their own names, "
                        f"so give the Secret a key {name}.",
                    )
            elif "valueFrom" in variable:
                self.notes.say(
                    self.workload,
                    f"variable {name} comes from a field or a ConfigMap, and is left out.",
                )
            elif is_secret(name, text := str(variable.get("value", ""))) or is_secret_value(text):
                self.notes.say(
                    self.workload,
                    f"variable {name} holds a key or a password in plain, and is left out: keep it "
                    f"as the key {name} of a Secret, and name that in secret_env.",
                )
            else:
                env[name] = text
        for source in items(container, "envFrom"):
            if secret := text_of(section(source, "secretRef"), "name"):
                secrets.append(secret)
            else:
                self.notes.say(
                    self.workload,
                    "it takes variables from a whole ConfigMap, which are left out: write them "
                    "into env.",
                )
        self._say_dangling(container, env)
        parts = {"env": env, "secret_env": list(dict.fromkeys(secrets))}
        return {key: value for key, value in parts.items() if value}

    def _say_dangling(self, container: Mapping[str, Any], env: Mapping[str, str]) -> None:
        """Tells of `$(NAME)` whose variable is left out, and no Secret is to bring."""
        sources = {
            text_of(entry, "name"): section(entry, "valueFrom") for entry in items(container, "env")
        }
        is_whole = not any("configMapRef" in entry for entry in items(container, "envFrom"))
        places = {"its command": words_of(container), "a variable": [*env.values()]}
        for place, texts in places.items():
            for name in dict.fromkeys(name for text in texts for name in _USED.findall(text)):
                source = sources.get(name)
                if (source and "secretKeyRef" not in source) or (source is None and not is_whole):
                    self.notes.say(
                        self.workload,
                        f"{place} has $({name}), and variable {name} is left out: the text would "
                        f"stay as it is. Write its value there, or {name} into env.",
                    )

    def _volumes(self) -> list[Section]:
        """What the container that serves mounts, each with its claim or other source."""
        sources = {
            text_of(entry, "name"): entry for entry in items(self.workload.pods.spec, "volumes")
        }
        volumes: list[Section] = []
        for mount in items(self.workload.server, "volumeMounts"):
            source = sources.get(text_of(mount, "name"), {})
            claim = section(source, "persistentVolumeClaim")
            path = text_of(mount, "mountPath")
            if path.rstrip("/") == SHARED_MEMORY_PATH:
                continue
            names = {volume["name"] for volume in volumes}
            volumes.append(
                {
                    # Of one volume a container may mount several parts.
                    "name": unused(text_of(mount, "name"), names),
                    "mount_path": path,
                    "sub_path": text_of(mount, "subPath"),
                    "read_only": bool(mount.get("readOnly") or claim.get("readOnly")),
                    "claim": text_of(claim, "claimName"),
                    "source": source,
                }
            )
        return volumes

    def claims(self) -> list[Section]:
        """The claims that the container mounts."""
        return [volume for volume in self._volumes() if volume["claim"]]

    def _further(self, volume: Section) -> Section | None:
        """An entry of `volumes`; None where no entry can be what it is."""
        source = volume["source"]
        entry: Section = {"name": volume["name"], "mount_path": volume["mount_path"]}
        if volume["claim"]:
            entry |= self.stores.folder(self.workload, volume["claim"], volume["sub_path"])
            return {**entry, **({} if volume["read_only"] else {"writable": True})}
        if volume["sub_path"]:
            self.notes.say(
                self.workload,
                f"of volume {volume['name']} it mounts the part {volume['sub_path']}; the stack "
                "file has all of it.",
            )
        if "emptyDir" in source:
            empty = section(source, "emptyDir")
            size, memory = empty.get("sizeLimit"), empty.get("medium") == "Memory"
            limits = {
                **({"size": str(size)} if size else {}),
                **({"memory": True} if memory else {}),
            }
            return {**entry, "empty_dir": limits}
        if name := text_of(section(source, "configMap"), "name"):
            return {**entry, "config_map": name}
        if name := text_of(section(source, "secret"), "secretName"):
            return {**entry, "secret": name}
        kind = next((key for key in source if key != "name"), "nothing that was read")
        self.notes.say(
            self.workload,
            f"volume {volume['name']} at {volume['mount_path']} is {kind}, which no entry of "
            "volumes can be; it is left out. Make it a claim.",
        )
        return None

    def _shared_memory(self) -> str | None:
        """Size of /dev/shm, where it is a volume with one."""
        sources = {
            text_of(entry, "name"): entry for entry in items(self.workload.pods.spec, "volumes")
        }
        for mount in items(self.workload.server, "volumeMounts"):
            if text_of(mount, "mountPath").rstrip("/") == SHARED_MEMORY_PATH:
                empty = section(sources.get(text_of(mount, "name")), "emptyDir")
                return str(empty["sizeLimit"]) if "sizeLimit" in empty else None
        return None

    def _beside(self, container: Mapping[str, Any]) -> Section:
        """An entry of `init_containers` or `sidecars`."""
        limits = section(container, "resources", "limits")
        asked = {**limits, **section(container, "resources", "requests")}
        beside: Section = {"name": text_of(container, "name"), "image": self.image(container)}
        for key in ("command", "args"):
            if words := [*texts_of(container, key)]:
                beside[key] = self.plain_words(words)
        beside |= self.variables(container)
        sizes: Mapping[str, Callable[[], object]] = {
            "cpu": lambda: asked.get("cpu"),
            "memory": lambda: limits.get("memory", asked.get("memory")),
        }
        return {**beside, **{key: str(size()) for key, size in sizes.items() if size()}}


def _runs_on(container: Mapping[str, Any]) -> bool:
    """Whether an init container is one that never ends, beside the others."""
    return container.get("restartPolicy") == "Always"


def dataset_notes(objects: Objects, claims: Mapping[str, LiveWorkload], notes: Notes) -> None:
    """Says what becomes of caches, whose claims models mount."""
    for dataset in objects.of("data.fluid.io", "Dataset"):
        name = name_of(dataset)
        space = section(dataset, "metadata").get("namespace")
        workload = claims.get(f"{space}/{name}")
        if workload is None:
            continue
        runtime = objects.get("data.fluid.io", "JindoRuntime", name, str(space))
        levels = items(section(runtime, "spec", "tieredstore"), "levels")
        quota = next((level.get("quota") for level in levels), "its size")
        replicas = section(runtime, "spec").get("replicas", 1)
        notes.say(
            f"Dataset {space}/{name}",
            f"{workload} mounts its claim as a store, and the stack leaves the cache itself alone. "
            f"To have the stack own it, give the model a volume of the store behind it and cache: "
            f"{{pool: <group of nodes>, workers: {replicas}, quota: {quota}}}; the stack then "
            "makes a Dataset of another name.",
        )
