"""A project with as many models as a benchmark wants: `dev`, whose store is a claim that is there.

A model is five Kubernetes objects: Dataset, JindoRuntime, DataLoad, ResourcePolicy and Service.
"""

import copy
from pathlib import Path
from typing import Any, Final

import yaml

STACK: Final = "bench"
_ROOMS: Final = ("Pulumi.yaml", "__main__.py", "components", "stacks", "policy-config.json")


def project(folder: Path, root: Path, models: int) -> Path:
    """Makes a project of the stack `bench`; the program itself is linked, not copied.

    Args:
        folder: Where it is made; need not exist.
        root: Folder of this repository.
        models: How many models the stack has.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _ROOMS:
        link = folder / name
        if (root / name).exists() and not link.is_symlink():
            link.symlink_to((root / name).resolve())
    document = yaml.safe_load((root / "Pulumi.dev.yaml").read_text())
    config = _with_models(document["config"], models)
    (folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": config}))
    return folder


def _with_models(config: dict[str, Any], models: int) -> dict[str, Any]:
    """The configuration of a stack, with its first model as often as wanted."""
    [first, *_] = config["ack-inference:models"]
    training = {"ack-inference:training"}
    inference = {key: value for key, value in config.items() if key not in training}
    pools = [_pool(pool, models) for pool in config["ack-inference:pools"]]
    return {
        **inference,
        "ack-inference:pools": pools,
        # The claim is in a namespace that is there in every cluster.
        "ack-inference:namespace": "default",
        # Nobody fills a cache here, and the sandbox looks after all of them one after the other.
        "ack-inference:waits": {"dataset_seconds": 0, "data_load_seconds": 0},
        "ack-inference:stores": [{"name": "models", "claim": {"name": "llm-models"}}],
        "ack-inference:models": [_model(first, f"m{number}") for number in range(models)],
    }


def _pool(pool: dict[str, Any], models: int) -> dict[str, Any]:
    """A pool that has room for the models: one that is refused cannot be measured."""
    return {**pool, "size": max(pool["size"], models)} if "size" in pool else pool


def _model(first: dict[str, Any], name: str) -> dict[str, Any]:
    model = copy.deepcopy(first)
    model["name"] = name
    model["volume"]["path"] = f"/{name}"
    model["server"]["vllm"]["served_model_name"] = name
    return model
