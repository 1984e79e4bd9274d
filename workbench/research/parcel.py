"""A task on its way to other machines: the bars once, and what is the user's own in a form that needs no file of theirs."""

from __future__ import annotations

import os
import pickle
import site
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from workbench.bars import Bars
from workbench.frames import FIELDS

if TYPE_CHECKING:
    from workbench.research.parallel import Task

__all__ = ["Parcel", "opened", "packed"]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Parcel:
    """A task that can be sent.

    It tells its size and can be referred to weakly: joblib's Dask backend then sends it once, rather than with every piece of
    work. What is not the bars is opened where it is used, so that whatever a worker misses ends a piece of work, not the worker.

    Parameters
    ----------
    bars : Bars
    rest : bytes
        The task without them.
    """

    bars: Bars
    rest: bytes

    @classmethod
    def of(cls, task: Task) -> Parcel:
        """Return a task as a parcel; each candidate has inputs of its own, so those of the base stay at home."""
        nothing: Any = None
        return cls(task.setup.market, packed(replace(task, setup=task.setup.changed(bars=nothing, market=nothing, inputs=nothing))))

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + len(self.rest) + sum(self.bars.array(name).nbytes for name in FIELDS)

    def open(self) -> Task:
        """Return the task.

        Raises
        ------
        ImportError
            A library that the strategy uses is not installed here.
        """
        task: Task = opened(self.rest)
        return replace(task, setup=task.setup.knowing(self.bars))


def packed(value: Any) -> bytes:
    """Return a value as bytes; classes of a notebook, and of modules that are not installed, come with their code."""
    import cloudpickle

    with _by_value(cloudpickle):
        return bytes(cloudpickle.dumps(value))


def opened(data: bytes) -> Any:
    """Return what was packed."""
    return pickle.loads(data)


@contextmanager
def _by_value(cloudpickle: Any) -> Iterator[None]:
    known = cloudpickle.list_registry_pickle_by_value()
    added = [module for name, module in list(sys.modules.items()) if name not in known and _own(name, module)]
    for module in added:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)


def _own(name: str, module: ModuleType) -> bool:
    """Return whether a module is the user's: its file lies outside of where libraries are installed."""
    file = getattr(module, "__file__", None)
    known = name.partition(".")[0] in ("workbench", "__main__", "__mp_main__") or getattr(module, "__name__", "") != name
    return bool(file) and not known and not str(file).startswith(_installed())


@cache
def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")} | {
        *site.getsitepackages(),
        site.getusersitepackages(),
    }
    return tuple(os.path.join(folder, "") for folder in folders)
