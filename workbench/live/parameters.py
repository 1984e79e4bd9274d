"""What a run is told, checked before papermill sees it (papermill lets a typo pass and trades on the default)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from workbench.errors import RunError, WorkbenchError, did_you_mean
from workbench.execution import Costs

__all__ = ["RetrainParameters", "RunParameters", "checked", "validated"]


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
    costs: dict[str, Any] | None = None
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
        return value if value is None else existing(value)

    @field_validator("costs")
    @classmethod
    def _are_costs(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            return value if value is None else Costs(**value).to_dict()
        except WorkbenchError as error:
            raise ValueError(str(error)) from None


class RetrainParameters(BaseModel):
    """The parameters of ``notebooks/retrain.ipynb``.

    Parameters
    ----------
    strategy : str
        Folder of a saved strategy with one trained signal: its model is trained anew.
    store : str
        Folder of a `workbench.data.ParquetStore` with the bars.
    symbols : list of str
    interval : str
    registry : str
        Folder of the models; made where there is none.
    name : str
        Under which they are kept.
    horizon : int
        Bars after which a label is known (`wb.labels.fixed_horizon`).
    threshold : float
        Return from which a label is not 0.
    holdout : float
        Share of the bars that both models are judged on.
    why : str
        For the registry's log.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    strategy: str
    store: str
    symbols: list[str] = Field(min_length=1)
    interval: str
    registry: str
    name: str
    horizon: int = Field(ge=1)
    threshold: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    holdout: float = Field(default=0.25, gt=0, lt=1)
    why: str = "scheduled"

    @field_validator("strategy", "store")
    @classmethod
    def _exists(cls, value: str) -> str:
        return existing(value)


Parameters = TypeVar("Parameters", bound=BaseModel)


def validated(given: Mapping[str, Any]) -> RunParameters:
    """Return the checked parameters of a run (`checked`)."""
    return checked(given, RunParameters)


def checked(given: Mapping[str, Any], kind: type[Parameters]) -> Parameters:
    """Return the checked parameters of a notebook.

    Raises
    ------
    RunError
        Every fault in one sentence: unknown names with what was probably meant, wrong types, values out of range.
    """
    try:
        return kind(**given)
    except ValidationError as error:
        raise RunError("the run was not started: " + "; ".join(_sentence(fault, kind) for fault in error.errors())) from None


def existing(value: str) -> str:
    """Return the path of a folder that is there."""
    if not Path(value).is_dir():
        raise ValueError(f"no folder {value!r}" + ("" if Path(value).is_absolute() else f" in {Path.cwd()}"))
    return value


def _sentence(fault: Any, kind: type[BaseModel]) -> str:
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown parameter {name!r}{did_you_mean(name, kind.model_fields)}"
    if fault["type"] == "missing":
        return f"parameter {name!r} is missing"
    if fault["type"] == "value_error":
        said = str(fault["msg"]).removeprefix("Value error, ")
        return f"parameter {name!r}: {said}" if name else said
    return f"parameter {name!r}: {fault['msg'].lower()}, got {fault['input']!r}"
