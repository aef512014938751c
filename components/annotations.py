"""Annotations of args models, as the analyzer of Pulumi's SDK reads them for other languages.

Our plugin calls it. Whoever hosts components of their own with ours among their arguments, by
`pulumi.provider.experimental.component_provider_host`, calls it before that.
"""

import inspect
import types
import typing
from typing import Annotated, Any

from .args import Args


def simplify_annotations(model: type[Args] = Args) -> None:
    """Leaves in all args models what the analyzer understands.

    It takes a field as optional if it may be None, not if it has a default, and knows no
    `Annotated`. It reads the classes themselves, so they are changed in place: pydantic has read
    their fields by then. Once more makes no difference.
    """
    own = inspect.get_annotations(model)
    for name, info in model.model_fields.items():
        if name in own:
            bare = _bare(own[name])
            own[name] = bare if info.is_required() else typing.Optional[bare]  # noqa: UP045
    model.__annotations__ = own
    for subclass in model.__subclasses__():
        simplify_annotations(subclass)


def _bare(annotation: Any) -> Any:
    """An annotation without the forms of its texts."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _bare(parts[0])
    bare = tuple(map(_bare, parts))
    if bare == parts:
        return annotation
    unions = (typing.Union, types.UnionType)
    return typing.Union[bare] if origin in unions else origin[bare]  # noqa: UP007
