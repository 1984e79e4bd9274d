"""What a run is told, checked before papermill sees it (papermill lets a typo pass and trades on the default)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from workbench.errors import RunError, did_you_mean

__all__ = ["RunParameters", "validated"]


class RunParameters(BaseModel):
    """The parameters of ``notebooks/live.ipynb``.

    Parameters
    ----------
    strategy : str
        Folder of a saved strategy; in a paper run, of a release.
    manifest : str or None
        What names the release to its last byte: in a paper run no other is taken.
    store : str or None
        Folder of a `workbench.data.ParquetStore` with the recorded bars; replay only.
    symbols : list of str
    interval : str
    mode : {"replay", "paper"}
        ``"replay"``: recorded bars at full speed, on an in-process paper account. ``"paper"``: at the paper venue, a
        process of its own, whose market goes on by itself.
    cash : float
        In account currency.
    currency : str or None
    costs : dict or None
        Fields of `workbench.execution.Costs`; the usual ones of each market where None.
    rates : dict or None
        Conversion rates by pair.
    run : str or None
        Name of a paper run.
    account : str or None
        Of a paper run.
    folder : str or None
        Where the journal of a paper run lies.
    venue : str or None
        The file that says where the paper venue listens.
    once : bool
        Whether a paper run decides one step and leaves.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    strategy: str
    manifest: str | None = None
    store: str | None = None
    symbols: list[str] = Field(min_length=1)
    interval: str
    mode: Literal["replay", "paper"] = "replay"
    cash: float = Field(default=100_000.0, gt=0, allow_inf_nan=False)
    currency: str | None = None
    costs: dict[str, float] | None = None
    rates: dict[str, float] | None = None
    run: str | None = None
    account: str | None = None
    folder: str | None = None
    venue: str | None = None
    once: bool = False

    @model_validator(mode="after")
    def _complete(self) -> RunParameters:
        needed = ("store",) if self.mode == "replay" else ("account", "folder", "venue")
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"parameter {', '.join(map(repr, missing))} is missing, a {self.mode} run needs it")
        return self

    @field_validator("strategy", "store", "folder")
    @classmethod
    def _exists(cls, value: str | None) -> str | None:
        if value is not None and not Path(value).is_dir():
            raise ValueError(f"no folder {value!r}" + ("" if Path(value).is_absolute() else f" in {Path.cwd()}"))
        return value


def validated(given: Mapping[str, Any]) -> RunParameters:
    """Return checked parameters.

    Raises
    ------
    RunError
        Every fault in one sentence: unknown names with what was probably meant, wrong types, values out of range.
    """
    try:
        return RunParameters(**given)
    except ValidationError as error:
        raise RunError("the run was not started: " + "; ".join(_sentence(fault) for fault in error.errors())) from None


def _sentence(fault: Any) -> str:
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown parameter {name!r}{did_you_mean(name, RunParameters.model_fields)}"
    if fault["type"] == "missing":
        return f"parameter {name!r} is missing"
    if fault["type"] == "value_error":
        said = str(fault["msg"]).removeprefix("Value error, ")
        return f"parameter {name!r}: {said}" if name else said
    return f"parameter {name!r}: {fault['msg'].lower()}, got {fault['input']!r}"
