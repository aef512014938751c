"""The claims on folders, their names, and what fills a folder."""

import functools
import hashlib
import json

from components import cloud, serving
from components.crds.fluid_names import LONGEST_NAME as LONGEST_DATASET_NAME

from .. import placeholders
from ..sections.environment import Environment
from ..sections.models import ModelSection
from ..sections.stores import StoreSection, VolumeSection
from .base import Unresolved, made_of, required
from .cloud import role_name
from .folders import ImportedFolder


def import_args(environment: Environment, imported: ImportedFolder) -> serving.ModelImportArgs:
    """The Job that fills a folder."""
    source = required(imported.files.source)
    claim, _ = claim_and_folder(environment, imported.import_owner, imported.volume)
    return serving.ModelImportArgs(
        source=source,
        namespace=imported.namespace,
        claim=required(claim),
        folder=imported.files.folder.strip("/"),
        size=imported.files.size,
        image=source.image or imported.server.image,
        image_pull_secrets=imported.server.image_pull_secrets or None,
    )


def claim_name(environment: Environment, owner: str, volume: VolumeSection) -> str:
    """Name of the claim that the stack makes for a model or a checkpoint.

    Another source has another name. Neither a volume's source nor its size can be changed, and a
    claim in use cannot be deleted: so the new one is made beside it, and goes when no pod is left.
    """
    return f"{owner}-{_digest(owner, required(environment.store(volume.store)), volume)}"


def dataset_name(environment: Environment, model: ModelSection) -> str:
    """Name of the model's Dataset, and of the claim that Fluid makes for it; see `claim_name`.

    Fluid calls the pods of the cache after it, so that of a long name as much stays as has room.
    """
    volume = required(model.volume).read
    digest = _digest(model.name, required(environment.store(volume.store)), volume)
    name = f"{model.name}-dataset-{digest}"
    if len(name) <= LONGEST_DATASET_NAME:
        return name
    return f"{model.name[: LONGEST_DATASET_NAME - len(digest) - 1].rstrip('-')}-{digest}"


def _digest(owner: str, store: StoreSection, volume: VolumeSection) -> str:
    """Tells sources apart."""
    bucket, server = store.oss and store.oss.bucket, store.nas and store.nas.server
    if store.cpfs:
        server = f"{store.cpfs.file_system_id or ''}@{store.cpfs.server or ''}"
    claim = store.claim and store.claim.name
    return _source_digest(owner, store.name, bucket, server, claim, volume.path, volume.size)


@functools.lru_cache(maxsize=1024)
def _source_digest(*source: str | None) -> str:
    """Of texts, since sections with lists in them are no keys of a cache."""
    return hashlib.sha256(json.dumps(source).encode()).hexdigest()[:8]


def claim_args(
    environment: Environment,
    owner: str,
    volume: VolumeSection,
    prefix: str,
    namespace: str,
    *,
    writable: bool,
    written: str | None,
) -> cloud.ModelStoreArgs:
    """The claim on a folder of a bucket or file system.

    Args:
        environment: What the stack file says.
        owner: The model that it is of, or the checkpoint.
        volume: The folder.
        prefix: What begins the name of the RAM role that reads a bucket, see `name_prefix`.
        namespace: Namespace of the claim.
        writable: Whether pods may write.
        written: Folder of a bucket that they may write to; None for all that is mounted.
    """
    store = required(environment.store(volume.store))
    if [store.oss, store.nas, store.cpfs].count(None) != 2:
        raise Unresolved(store.name)
    oss = nas = cpfs = None
    if store.oss:
        region, key = required(environment.region), store.oss.kms_key_id
        by_role = {
            "role_name": role_name(prefix, owner),
            "oidc_issuer_url": placeholders.ISSUER_URL,
            "oidc_provider_arn": placeholders.ISSUER_ARN,
            "tags": environment.tags or None,
        }
        oss = made_of(
            cloud.OssStore,
            store.oss,
            region=region,
            path=volume.path,
            written_path=written,
            # A wildcard stands for the account, which has the key as it has the bucket.
            kms_key_arn=f"acs:kms:{region}:*:key/{key}" if key else None,
            **({} if store.oss.secret else by_role),
        )
    if store.nas:
        server = store.nas.server or placeholders.mount_target(store.name)
        nas = cloud.NasStore(server=server, path=volume.path)
    if store.cpfs:
        cpfs = made_of(cloud.CpfsStore, store.cpfs, path=volume.path)
    return cloud.ModelStoreArgs(
        claim_name=claim_name(environment, owner, volume),
        namespace=namespace,
        size=volume.size,
        oss=oss,
        nas=nas,
        cpfs=cpfs,
        writable=writable,
    )


def claim_and_folder(
    environment: Environment, owner: str, volume: VolumeSection | None
) -> tuple[str | None, str | None]:
    """Our claims are of the folder, an existing one is of everything; no claim without a volume."""
    if volume is None:
        return None, None
    store = required(environment.store(volume.store))
    if store.claim is None:
        return claim_name(environment, owner, volume), None
    return store.claim.name, volume.path.strip("/") or None
