"""Models on disk under a name: which one is the champion, which challenges it, and who said so when and why.

::

    REGISTRY/
      log.jsonl                       what was done, one line an act; nothing is ever taken back
      NAME/<id>/model.skops           models, named by the hash of their card
      NAME/<id>/card.json
"""

from __future__ import annotations

import getpass
import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from workbench.errors import ModelError, did_you_mean
from workbench.models._model import Model
from workbench.writing import write_whole

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["Registry"]

LOG, LOCK = "log.jsonl", ".lock"


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the log."""

    act: str
    name: str
    id: str
    who: str
    when: str
    why: str


class Registry:
    """A folder of trained models; the roles follow from the log alone.

    A model that is registered becomes the challenger of its name. Promotion makes the challenger the champion, and a roll-back
    the champion before it. Neither touches a release that trades: a champion is put into a strategy, and that is promoted.

    Parameters
    ----------
    folder : path
        Made when the first model is registered.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.signals import Classifier
    >>> registry = Registry(tempfile.mkdtemp())
    >>> model = registry.register(Classifier.example().model, "trend")
    >>> registry.promote("trend", "better out of sample") == registry.champion("trend") == model
    True
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"Registry({str(self.folder)!r})"

    # -- acts -------------------------------------------------------------------------------------------------------

    def register(self, model: Model, name: str, why: str = "", who: str | None = None) -> Model:
        """Keep a model; it is the challenger of its name from now on.

        Raises
        ------
        ModelError
            It is no model, or the name is none for a folder.
        """
        if not isinstance(model, Model):
            raise ModelError(f"a registry keeps trained models, got {type(model).__name__}: signal.fit(bars, labels).model is one")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise ModelError(f"a name is made of letters, digits, - and _, got {name!r}")
        with self._locked():
            model.save(self.folder / name / model.id)
            self._note("registered", name, model.id, who, why)
        return model

    def promote(self, name: str, why: str, who: str | None = None) -> Model:
        """Make the challenger the champion, and return it."""
        with self._locked():
            roles = self._roles(name)
            if roles.challenger is None:
                raise ModelError(f"{name!r} has no challenger to promote: register one first")
            return self._chosen("promoted", name, roles.challenger, who, why)

    def roll_back(self, name: str, why: str, who: str | None = None) -> Model:
        """Make the champion before the champion again, and return it."""
        with self._locked():
            roles = self._roles(name)
            if len(roles.champions) < 2:
                raise ModelError(f"{name!r} has no champion before its present one to go back to")
            return self._chosen("rolled back", name, roles.champions[-2], who, why)

    def _chosen(self, act: str, name: str, id: str, who: str | None, why: str) -> Model:
        if not why.strip():
            raise ModelError(f"a model is not {act} without a reason: why=...")
        model = self._read(name, id)  # whatever is wrong with it is found before the act, not after
        self._note(act, name, id, who, why)
        return model

    # -- what there is ----------------------------------------------------------------------------------------------

    def champion(self, name: str) -> Model:
        """Return the champion of a name.

        Raises
        ------
        ModelError
            There is none, or its files were changed.
        """
        return self._model(name, next(reversed(self._roles(name).champions), None), "champion")

    def challenger(self, name: str) -> Model:
        """Return the model that was registered last and has not been promoted."""
        return self._model(name, self._roles(name).challenger, "challenger")

    def cards(self, name: str) -> pd.DataFrame:
        """Return a line a model of a name, in the order in which they were registered.

        Returns
        -------
        DataFrame
            Index id; columns role, estimator, rows, first, last, trained_at, expires, trials, and a column a score.
        """
        roles = self._roles(name)
        role = dict.fromkeys(roles.registered, "") | dict.fromkeys(roles.champions, "former champion")
        role |= dict.fromkeys(roles.champions[-1:], "champion")
        role |= {} if roles.challenger is None else {roles.challenger: "challenger"}
        lines = {}
        for id in roles.registered:
            card = self._read(name, id).card
            fields = ("estimator", "rows", "first", "last", "trained_at", "expires", "trials")
            lines[id] = {"role": role[id], **{field: getattr(card, field) for field in fields}, **card.scores}
        return pd.DataFrame.from_dict(lines, orient="index").rename_axis("id")

    @property
    def log(self) -> pd.DataFrame:
        """All acts in their order: act, name, id, who, when, why."""
        return pd.DataFrame([asdict(act) for act in self._acts()], columns=list(Act.__dataclass_fields__))

    def names(self) -> list[str]:
        """Return the names that there are."""
        return sorted({act.name for act in self._acts()})

    def _model(self, name: str, id: str | None, role: str) -> Model:
        if id is None:
            raise ModelError(f"{name!r} has no {role}")
        return self._read(name, id)

    def _read(self, name: str, id: str) -> Model:
        model = Model.load(self.folder / name / id)
        if model.id != id:
            raise ModelError(f"{self.folder / name / id} is named after another card than the one in it: it is refused")
        return model

    def _roles(self, name: str) -> Roles:
        acts = self._acts()
        if name not in {act.name for act in acts}:
            raise ModelError(f"{self!r} has no model {name!r}{did_you_mean(name, {act.name for act in acts})}")
        return roles_after([act for act in acts if act.name == name])

    # -- the log ----------------------------------------------------------------------------------------------------

    def _acts(self) -> list[Act]:
        path = self.folder / LOG
        if not path.exists():
            return []
        acts = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                acts.append(Act(**json.loads(line)))
            except (ValueError, TypeError) as error:
                raise ModelError(f"{path}, line {number} is no act of a registry: {error}") from None
        return acts

    def _note(self, act: str, name: str, id: str, who: str | None, why: str) -> None:
        """Write the log anew with one line more, whole or not at all."""
        path = self.folder / LOG
        when = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
        line = json.dumps(asdict(Act(act, name, id, who or getpass.getuser(), when, why)))
        write_whole(path, (path.read_text(encoding="utf-8") if path.exists() else "") + line + "\n")

    def _locked(self) -> FileLock:
        from filelock import FileLock

        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / LOCK, timeout=30)


@dataclass(frozen=True, slots=True)
class Roles:
    """What the acts of one name come to: ids in the order of registration, of being champion, and who challenges."""

    registered: tuple[str, ...]
    champions: tuple[str, ...]
    challenger: str | None


def roles_after(acts: list[Act]) -> Roles:
    """Return who holds which role after the acts of one name."""
    registered: list[str] = []
    champions: list[str] = []
    challenger: str | None = None
    for act in acts:
        if act.act == "registered":
            registered += [act.id] * (act.id not in registered)
            challenger = act.id if act.id not in champions[-1:] else challenger
        elif act.act == "promoted":
            champions.append(act.id)
            challenger = None
        else:
            champions.pop()
    return Roles(tuple(registered), tuple(champions), challenger)
