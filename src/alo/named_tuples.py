"""``NamedTuple`` as ``typing`` has it, but for what it costs to import a module that defines one.

That of ``typing`` compiles a constructor for each class at once; a command imports some seventy of
them and needs the half. Here a constructor is compiled when the first tuple is made. To mypy, and
to whoever uses such a tuple, both are the same.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or sys.version_info >= (3, 14):  # where annotations are no plain dict any more
    from typing import NamedTuple as NamedTuple
else:
    from collections import _tuplegetter
    from functools import cache
    from types import CodeType, FunctionType

    class _Definition(type):
        """What a ``class Name(NamedTuple)`` statement calls; its class is a plain one of tuples."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            getters = {field: _tuplegetter(place, None) for place, field in enumerate(fields)}
            own = {"_fields": fields, "__match_args__": fields, "_field_defaults": defaults}
            return type(name, (tuple,), {**COMMON, **body, **getters, **own})

    class NamedTuple(metaclass=_Definition):
        """The base to name in a class statement whose annotations are the fields."""

    @cache
    def _constructor(size: int) -> CodeType:
        """The code of a constructor of so many fields, whatever their names are."""
        values = "".join(f"_{place}, " for place in range(size))
        code: CodeType = eval(f"lambda _cls, {values}: _new(_cls, ({values}))").__code__  # noqa: S307
        return code

    def _make_first(cls: type, /, *values: Any, **named: Any) -> Any:
        """The constructor of a class of which there is no tuple yet: puts the real one there."""
        owner = next(each for each in cls.__mro__ if "_fields" in vars(each))
        code = _constructor(len(owner._fields)).replace(co_varnames=("_cls", *owner._fields))
        defaults = tuple(owner._field_defaults.values())
        new = FunctionType(code, {"_new": tuple.__new__}, "__new__", defaults)
        new.__qualname__ = f"{owner.__qualname__}.__new__"  # which messages of its calls begin with
        owner.__new__ = staticmethod(new)
        return new(cls, *values, **named)

    def _make(cls: type, values: Any) -> Any:
        """A tuple of the values of an iterable, one for each field."""
        made = tuple.__new__(cls, values)
        if len(made) != len(made._fields):
            raise TypeError(f"{cls.__name__} has {len(made._fields)} fields, not {len(made)}")
        return made

    def _replace(self: Any, /, **changes: Any) -> Any:
        """A tuple with other values for some fields."""
        values, fields = list(self), self._fields
        for field, value in changes.items():
            if field not in fields:
                raise TypeError(f"{type(self).__name__} has no field '{field}'")
            values[fields.index(field)] = value
        return tuple.__new__(type(self), values)

    def _asdict(self: Any) -> dict[str, Any]:
        """The fields and their values."""
        return dict(zip(self._fields, self, strict=True))

    def _repr(self: Any) -> str:
        values = ", ".join(f"{field}={value!r}" for field, value in self._asdict().items())
        return f"{type(self).__name__}({values})"

    def _arguments(self: Any) -> tuple[Any, ...]:
        """For copies and pickles."""
        return tuple(self)

    COMMON = {
        "__slots__": (),
        "__new__": _make_first,
        "__repr__": _repr,
        "__getnewargs__": _arguments,
        "_make": classmethod(_make),
        "_replace": _replace,
        "_asdict": _asdict,
    }
