"""How the caches of a plan are read."""

from typing import Any

from proof.fluid import Cache, alike


def cache(name: str, claim: str, quota: str = "20Gi") -> Cache:
    def item(**spec: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "inference"}, "spec": spec}

    return {
        "Dataset": item(mounts=[{"mountPoint": f"pvc://{claim}/Qwen"}]),
        "JindoRuntime": item(tieredstore={"quota": quota}),
        "DataLoad": item(dataset={"name": name, "namespace": "inference"}),
    }


def test_caches_that_differ_in_names_alone_are_alike() -> None:
    assert alike(cache("first", "claim")) == alike(cache("second", "other"))


def test_caches_of_another_size_are_not_alike() -> None:
    assert alike(cache("first", "claim")) != alike(cache("first", "claim", "40Gi"))
