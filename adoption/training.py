"""Training jobs of a stack file, from Jobs on cards."""

from typing import Any, Final

from plan.objects import section, text_of

from .pods import PodReader
from .workloads import LiveWorkload, Notes, words_of

Section = dict[str, Any]

CLASS: Final[Section] = {
    "name": "adopted-training",
    "value": -10,
    "preempts": False,
    "description": "Gives way to what has no priority.",
}
"""PriorityClass of jobs without one, since a training job has to give way."""


def training(workload: LiveWorkload, reader: PodReader, notes: Notes) -> Section | None:
    """An entry of `training` but its placement; None where no entry can be what the Job is."""
    container, spec = workload.server, section(workload.manifest, "spec")
    words = words_of(container)
    if not words:
        notes.say(
            workload,
            "its image alone says what is run, and an entry of training has a command; it is left "
            "out.",
        )
        return None
    written = [volume for volume in reader.claims() if not volume["read_only"]]
    if not written:
        notes.say(
            workload,
            "it mounts no claim that it writes to, and a training job keeps its checkpoint in one; "
            "it is left out.",
        )
        return None
    first, *others = written
    read = [volume for volume in reader.claims() if volume["read_only"]]
    job: Section = {
        "name": workload.name,
        "image": reader.image(container),
        "command": reader.plain_words(words),
        "resources": reader.resources(container),
        "checkpoint": _mounted(workload, reader, first),
        "parallelism": int(spec.get("parallelism") or 1),
        **reader.variables(container),
    }
    job.get("env", {}).pop("CHECKPOINT_DIR", None)
    if job.get("env") == {}:
        del job["env"]
    retries = spec.get("backoffLimit")
    if retries is not None:
        job["retries"] = int(retries) // job["parallelism"]
    if read:
        job["volume"] = _mounted(workload, reader, read[0])
    for volume in [*others, *read[1:]]:
        notes.say(
            workload,
            f"its volume {volume['name']} at {volume['mount_path']} is left out: a training job "
            "has a checkpoint and a base model.",
        )
    pods = workload.pods.spec
    if pull := [text_of(entry, "name") for entry in pods.get("imagePullSecrets") or ()]:
        job["image_pull_secrets"] = pull
    notes.say(
        workload,
        "the pod template of a Job never changes, and the stack's is another one: once it has "
        "reached a checkpoint, delete the Job before the first update.",
    )
    return job


def _mounted(workload: LiveWorkload, reader: PodReader, volume: Section) -> Section:
    folder = reader.stores.folder(workload, volume["claim"], volume["sub_path"])
    return {**folder, "mount_path": volume["mount_path"]}
