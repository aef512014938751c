"""Base of every args model: plain values are validated at once, and each fault is one sentence."""

import functools
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Self, TypeAlias, TypeVar

import pulumi
from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from .faults import MISSING as MISSING
from .faults import Fault as Fault
from .faults import Refusal as Refusal
from .faults import Words as Words
from .faults import left_out_faults as left_out_faults
from .faults import one_of_faults as one_of_faults
from .faults import refuse as refuse
from .faults import repeated as repeated
from .keys import models_in
from .keys import nearest as nearest
from .text_forms import Because as Because
from .text_forms import TextForm as TextForm
from .text_forms import text_readers
from .validation_errors import descriptions
from .validation_errors import faults as faults
from .validation_errors import faults_of as faults_of

Built = TypeVar("Built")
Arguments = TypeVar("Arguments", bound="Args")
T = TypeVar("T")

Input: TypeAlias = T | Awaitable[T] | pulumi.Output[T]
"""A value, or one that is known later: `pulumi.Input`, without the name in it that pydantic would
have to find in each module."""

RENDERED = "_rendered"
"""Where `once` keeps what was rendered of arguments, beside their fields."""
SECRET: dict[str, JsonValue] = {"secret": True}
"""Mark of a field whose value must never be shown: `Field(json_schema_extra=SECRET)`."""


class Args(BaseModel):
    """Base of every args model: plain values are validated at once, Outputs pass through.

    A field with a default may be null, which is to leave it out: its type says what it holds once
    that is settled, `int` and not `int | None`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        defer_build=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    @classmethod
    def of(cls, args: Self | Mapping[str, Any]) -> Self:
        """Takes a model from Python, or a dict from the plugin host.

        Raises:
            pulumi.RunError: One sentence per fault. RunError alone ends a local program without a
                traceback, and the plugin host keeps nothing but its message.
        """
        try:
            return cls.model_validate(args)
        except ValidationError as error:
            raise _refused(cls.__name__, faults(cls, error, args)) from None

    @classmethod
    def place_of(cls, _key: str) -> str | None:
        """Where something is said that readers look for here, in words; models override it.

        Args:
            _key: A key that the section does not know.
        """
        return None

    def _faults(self) -> Iterator[Fault]:
        """What is wrong beyond the types of the fields; models override it."""
        yield from ()

    def all_faults(self) -> Iterator[Fault]:
        """What is wrong beyond what pydantic reads: texts of another form, then broken rules."""
        for name, readers in text_readers(type(self)).items():
            if name in self.__dict__:  # What could not be read is not there.
                for read in readers:
                    yield from read(name, self.__dict__[name])
        yield from self._faults()

    @model_validator(mode="before")
    @classmethod
    def _none_is_the_default(cls, data: Any) -> Any:
        """A field that is None was not given: its default holds."""
        if not isinstance(data, Mapping):
            return data
        defaulted = _defaulted(cls)
        return {k: value for k, value in data.items() if value is not None or k not in defaulted}

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if faults := list(self.all_faults()):
            raise Refusal(*faults)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        reference = handler(schema)
        properties = handler.resolve_ref_schema(reference).get("properties", {})
        texts = descriptions(cls)
        for name, info in cls.model_fields.items():
            key = name if name in properties else info.alias
            if (body := properties.get(key)) is None:
                continue
            if name in texts:
                body.setdefault("description", texts[name])
            if name in _defaulted(cls):
                _let_be_null(body, info)
        return reference

    @classmethod
    def model_rebuild(cls, **how: Any) -> bool | None:
        """Builds the models that fields hold, then this one of them.

        pydantic takes a model that is built as it is. One that is not, it works out anew, with all
        that it holds, for each model that holds it.
        """
        for info in cls.model_fields.values():
            for model in models_in(info.annotation):
                if model is not cls and not model.__pydantic_complete__:
                    model.model_rebuild(**how)
        return super().model_rebuild(**how)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; what was worked out of the fields goes along only if none is another one."""
        copy = super().model_copy(update=update, deep=deep)
        if update:
            for name in copy.__dict__.keys() - type(self).model_fields.keys():
                del copy.__dict__[name]
        return copy

    def dump(self) -> dict[str, Any]:
        """The inputs as the engine records them: what is not set is left out."""
        return self.model_dump(exclude_none=True)


def once(render: Callable[[str, Arguments], Built]) -> Callable[[str, Arguments], Built]:
    """Makes a function of a name and of arguments one that is worked out once.

    What it gives stays with the arguments, which are frozen: whoever validates them renders, and
    the component that is given the same ones declares that.
    """

    @functools.wraps(render)
    def rendered(name: str, args: Arguments) -> Built:
        memory: dict[tuple[str, str], Built] = args.__dict__.setdefault(RENDERED, {})
        key = (render.__qualname__, name)
        if key not in memory:
            memory[key] = render(name, args)
        return memory[key]

    return rendered


def validated(title: str, build: Callable[[], Built]) -> Built:
    """What `build` makes of sound arguments, or the end of the run where a rule refuses it.

    Args:
        title: What is built, e.g. `KnativeModel qwen`.
        build: Renders models that have rules of their own.

    Raises:
        pulumi.RunError: One sentence per rule that was broken.
    """
    try:
        return build()
    except (ValidationError, Refusal) as error:
        raise _refused(title, faults_of(error)) from None


def check(title: str, broken: Iterable[Fault]) -> None:
    """Ends the run if anything is wrong, with one sentence per fault.

    Args:
        title: What is validated, e.g. `KnativeService qwen`.
        broken: What is wrong with it.

    Raises:
        pulumi.RunError: There is a fault.
    """
    if collected := list(broken):
        raise _refused(title, collected)


def _refused(title: str, broken: Iterable[Fault]) -> pulumi.RunError:
    return pulumi.RunError("\n".join([f"{title} is refused:", *map(str, broken)]))


def child_options(
    parent: pulumi.Resource, opts: pulumi.ResourceOptions | None, **more: Any
) -> pulumi.ResourceOptions:
    """Options of a child: parented, and waiting for what the component was told to wait for."""
    inherited = pulumi.ResourceOptions(parent=parent, depends_on=opts.depends_on if opts else None)
    return pulumi.ResourceOptions.merge(inherited, pulumi.ResourceOptions(**more))


@functools.cache
def _defaulted(model: type[BaseModel]) -> frozenset[str]:
    """Names and aliases of the fields for which null stands for the default, and is none itself."""
    fields = model.model_fields.items()
    names = ((name, info.alias or name) for name, info in fields if _has_default(info))
    return frozenset(itertools.chain.from_iterable(names))


def _has_default(info: FieldInfo) -> bool:
    return not info.is_required() and info.default is not None


def _let_be_null(body: dict[str, Any], info: FieldInfo) -> None:
    """Lets a key with a default be null in a JSON Schema.

    Of sections only the program does: with an alternative to one, an editor would no longer say
    which of its keys is wrong.
    """
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    beside = {"default", "title", "description", "examples", *extra}
    kind = {key: body.pop(key) for key in [*body] if key not in beside}
    arms = kind.get("anyOf", [kind])
    null = {"type": "null"}
    if null in arms or any(models_in(info.annotation)):
        body.update(kind)
    else:
        body["anyOf"] = [*arms, null]
