"""Every folder of a store that is mounted, or filled first, and whose it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from components import serving

from ..sections.environment import Environment
from ..sections.load_tests import LoadTestSection
from ..sections.models import ModelSection, PodVolumeSection
from ..sections.stores import FilesSection, VolumeSection
from ..sections.training import TrainingSection
from .namespaces import namespace_of, namespace_of_test, workloads_of


@dataclass(frozen=True)
class Folder:
    """A folder of a store that a model, a job or a load test has."""

    name: str
    """Name of the one that does."""
    field: str
    """Field path of the folder."""
    owner: str
    """What the claim of the folder belongs to, and is called after."""
    namespace: str
    """Namespace of the one that has it."""

    @property
    def name_field(self) -> str:
        """Field path of the name."""
        return f"{self.field.rpartition('.')[0]}.name"


@dataclass(frozen=True)
class MountedFolder(Folder):
    """A folder that is mounted."""

    volume: VolumeSection


@dataclass(frozen=True)
class ImportedFolder(Folder):
    """A folder that the stack fills before it is read."""

    files: FilesSection
    server: serving.ModelServer | TrainingSection
    """The container that reads it, whose image imports where no other is named."""

    @property
    def import_owner(self) -> str:
        """What the claim belongs to by which the folder is filled."""
        return f"{self.owner}-import"

    @property
    def volume(self) -> VolumeSection:
        """The store, of which the import makes the folder: what is not there is not mounted."""
        return VolumeSection(store=self.files.store, size=self.files.size)


def _files(workload: ModelSection | TrainingSection) -> Iterator[tuple[str, str, FilesSection]]:
    """Folders of models that a workload reads: field path, what the claim belongs to, folder."""
    if isinstance(workload, TrainingSection):
        if workload.volume:
            yield f"training[{workload.name}].volume", base_model(workload), workload.volume
        return
    path = f"models[{workload.name}]"
    if workload.volume:
        yield f"{path}.volume", workload.name, workload.volume
    for volume in workload.volumes:
        if volume.files:
            yield f"{path}.volumes[{volume.name}]", volume_owner(workload, volume), volume.files


def mounts(environment: Environment) -> Iterator[MountedFolder]:
    """Every folder of a store that is mounted."""
    for workload in workloads_of(environment):
        name, space = workload.name, namespace_of(environment, workload)
        if isinstance(workload, TrainingSection):
            field, owner = f"training[{name}].checkpoint", checkpoint(workload)
            yield MountedFolder(name, field, owner, space, workload.checkpoint)
        for field, owner, files in _files(workload):
            yield MountedFolder(name, field, owner, space, files.read)
    for test in environment.load_tests:
        if test.results:
            path = f"load_tests[{test.name}].results"
            space = namespace_of_test(environment, test)
            yield MountedFolder(test.name, path, results(test), space, test.results)


def imports(environment: Environment) -> Iterator[ImportedFolder]:
    """Every folder that the stack fills."""
    for workload in workloads_of(environment):
        yield from imports_of(environment, workload)


def imports_of(
    environment: Environment, workload: ModelSection | TrainingSection
) -> Iterator[ImportedFolder]:
    """Those of a model or a training job."""
    server = workload if isinstance(workload, TrainingSection) else workload.server
    space = namespace_of(environment, workload)
    for field, owner, files in _files(workload):
        if files.source:
            yield ImportedFolder(workload.name, field, owner, space, files, server)


def volume_owner(model: ModelSection, volume: PodVolumeSection) -> str:
    """Name of a further volume of a model, to which a claim belongs."""
    return f"{model.name}-{volume.name}"


def checkpoint(job: TrainingSection) -> str:
    """Name of a job's checkpoint, to which a claim belongs."""
    return f"{job.name}-checkpoint"


def base_model(job: TrainingSection) -> str:
    """Name of the model that a job starts from, to which a claim belongs."""
    return f"{job.name}-model"


def results(test: LoadTestSection) -> str:
    """Name of a load test's reports, to which a claim belongs."""
    return f"{test.name}-results"
