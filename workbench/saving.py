"""A strategy as a folder of readable text, and the proof that it reads back the same.

::

    strategy.json    the parts by their public path, with their parameters
    parts.py         the source of classes that were defined in a notebook (only where there are any)
    models/<id>/     trained models: model.skops and card.json (only where there are any)
    manifest.json    sha256 of every other file
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from workbench.component import Component
from workbench.component_text import from_dict, is_local, models_of, parts_of, public_path, round_trip, to_dict
from workbench.errors import StrategyError
from workbench.notebook_source import capture
from workbench.writing import write_whole

if TYPE_CHECKING:
    from workbench.models import Model

__all__ = ["load", "manifest_hash", "save"]

TEXT, PARTS, MANIFEST, MODELS = "strategy.json", "parts.py", "manifest.json", "models"
#: What a fresh process does to prove that a saved strategy reads back: it prints what it read.
PROOF = """
import sys
from pathlib import Path
from workbench.saving import load, text_of
sys.stdout.write(text_of(load(Path(sys.argv[1]))))
"""


def text_of(component: Component) -> str:
    """Return a component as readable text."""
    return json.dumps(to_dict(component), indent=2) + "\n"


def save(component: Component, folder: Path) -> Path:
    """Write a component into a folder, and read it back in a fresh process where it brings source of its own.

    Raises
    ------
    StrategyError
        A part cannot be written or does not read back the same; the folder is then as it was.
    """
    local = sorted({type(part) for part in parts_of(component) if is_local(type(part).__module__)}, key=public_path)
    source = capture(local) if local else ""
    files = {TEXT: text_of(component).encode()} | ({PARTS: source.encode()} if source else {})
    for model in models_of(component):
        files |= {f"{MODELS}/{model.id}/{name}": content for name, content in model.files().items()}
    folder.mkdir(parents=True, exist_ok=True)
    before = {name: (folder / name).read_bytes() for name in _ours(folder)}
    try:
        _write(folder, files)
        _prove(component, folder, bool(source))
    except Exception:
        _replace(folder, before)
        raise
    return folder


def load(folder: Path, modules: tuple[str, ...] = ()) -> Component:
    """Read a component from its folder; the hashes of the manifest must hold.

    Only workbench, the folder's own ``parts.py`` and `modules` are imported.
    """
    if not (folder / TEXT).is_file():
        raise StrategyError(f"no strategy in {folder}: expected a folder with {TEXT}, as Strategy.save writes it")
    text = _verified(folder)
    local = _import_parts(folder / PARTS) if (folder / PARTS).is_file() else None
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise StrategyError(f"{folder / TEXT} is not readable: {error}") from None
    return from_dict(data, modules, local, str(folder / TEXT), lambda words: _model(folder, words["model"]))


def _model(folder: Path, name: str) -> Model:
    """Read a trained model; its name may lead nowhere but into the folder's own models."""
    if not re.fullmatch(rf"{MODELS}/[0-9a-f]{{12}}", name):
        raise StrategyError(f"{folder / TEXT} names the model {name!r}: expected {MODELS}/ and twelve digits")
    from workbench.models import Model

    return Model.load(folder / name)


def manifest_hash(folder: Path) -> str:
    """Return the hash that names what a folder holds, to its last byte."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def _ours(folder: Path) -> list[str]:
    """Return the files in a folder that make a saved component, by their names in the manifest."""
    models = [path.relative_to(folder).as_posix() for path in sorted((folder / MODELS).rglob("*")) if path.is_file()]
    return [name for name in (TEXT, PARTS, MANIFEST) if (folder / name).exists()] + models


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files and their manifest; what was there before and is no part of them goes."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    _replace(folder, {**files, MANIFEST: (json.dumps(hashes, indent=2) + "\n").encode()})


def _replace(folder: Path, files: dict[str, bytes]) -> None:
    """Have a folder hold these files and no other of ours, each whole or not at all."""
    shutil.rmtree(folder / MODELS, ignore_errors=True)
    for name in {TEXT, PARTS, MANIFEST} - files.keys():
        (folder / name).unlink(missing_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, content)


def _prove(component: Component, folder: Path, own_source: bool) -> None:
    """Check that what was written reads back with the same parameters: in a fresh process where it has own source."""
    if not own_source:
        round_trip(component)
        return
    done = subprocess.run([sys.executable, "-c", PROOF, str(folder)], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no message"
        raise StrategyError(f"what was saved cannot be loaded in a fresh process: {last}")
    if done.stdout != text_of(component):
        raise StrategyError("what was saved reads back with other parameters in a fresh process")


def _verified(folder: Path) -> str:
    """Return the strategy's text, after checking every file against the manifest."""
    if not (folder / MANIFEST).is_file():
        raise StrategyError(f"{folder} has no {MANIFEST}: save the strategy again with Strategy.save")
    hashes = _hashes(folder / MANIFEST)
    for name in sorted({TEXT, *hashes, *_ours(folder)} - {MANIFEST}):
        held = (folder / name).read_bytes() if (folder / name).exists() else None
        if held is None or hashlib.sha256(held).hexdigest() != hashes.get(name):
            raise StrategyError(f"{folder / name} is not what was saved: its hash differs from {MANIFEST}")
    return (folder / TEXT).read_text(encoding="utf-8")


def _hashes(path: Path) -> dict[str, str]:
    try:
        hashes = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        hashes = None
    if not isinstance(hashes, dict) or not all(isinstance(value, str) for value in hashes.values()):
        raise StrategyError(f"{path} is not readable: expected the sha256 of each file by its name")
    return hashes


def _import_parts(path: Path) -> ModuleType:
    """Run a folder's own ``parts.py`` under a name that no other text has: the text that was verified, never a cached one."""
    text = path.read_bytes()
    name = f"workbench_parts_{hashlib.sha256(text).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except Exception as error:
        del sys.modules[name]
        raise StrategyError(f"{path} cannot be imported: {error}") from error
    return module
