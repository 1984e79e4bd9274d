"""What a run is told, checked before papermill sees it (papermill lets a typo pass and trades on the default)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from workbench.errors import RunError, did_you_mean

__all__ = ["RunParameters", "validated"]


class RunParameters(BaseModel):
    """The parameters of ``notebooks/live.ipynb``.

    Parameters
    ----------
    strategy : str
        Folder of a saved strategy.
    store : str
        Folder of a `workbench.data.ParquetStore` with the recorded bars.
    symbols : list of str
    interval : str
    mode : {"replay"}
        ``"replay"``: recorded bars at full speed, on an in-process paper account.
    cash : float
        In account currency.
    currency : str or None
    costs : dict or None
        Fields of `workbench.execution.Costs`; the usual ones of each market where None.
    rates : dict or None
        Conversion rates by pair.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    strategy: str
    store: str
    symbols: list[str] = Field(min_length=1)
    interval: str
    mode: Literal["replay"] = "replay"
    cash: float = Field(default=100_000.0, gt=0, allow_inf_nan=False)
    currency: str | None = None
    costs: dict[str, float] | None = None
    rates: dict[str, float] | None = None

    @field_validator("strategy", "store")
    @classmethod
    def _exists(cls, value: str) -> str:
        if not Path(value).is_dir():
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
        return f"parameter {name!r}: {fault['msg'].removeprefix('Value error, ')}"
    return f"parameter {name!r}: {fault['msg'].lower()}, got {fault['input']!r}"
