"""A live run is an executed notebook: papermill runs ``notebooks/live.ipynb``."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

from workbench.errors import RunError
from workbench.live.parameters import RunParameters, checked

__all__ = ["execute", "notebook_path"]


def notebook_path(name: str) -> Path:
    """Return where a notebook of the workbench lies: in the checkout, or where the package installed it."""
    folders = [Path(__file__).parents[2] / "notebooks", Path(sysconfig.get_path("data")) / "share" / "workbench" / "notebooks"]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise RunError(f"the notebook {name} is not installed; looked in {' and '.join(map(str, folders))}")


def _manager(sockets: Path) -> Any:
    """Return a kernel manager whose kernels talk over sockets in a private folder, not over open TCP ports.

    Left to itself, jupyter_client names them ``kernel-ipc-1`` ... in the working folder, where two runs at once take
    each other's.
    """
    from jupyter_client.manager import AsyncKernelManager

    class FileSocketKernelManager(AsyncKernelManager):
        transport = "ipc"
        ip = str(sockets / "kernel")

    return FileSocketKernelManager


def execute(parameters: Mapping[str, Any], output: Path, notebook: str = "live.ipynb", kind: type[BaseModel] = RunParameters) -> Path:
    """Check the parameters, then have papermill execute the notebook into `output`.

    Raises
    ------
    RunError
        A parameter is wrong: papermill is not even started then. Or a cell failed: the notebook shows which.
    """
    known = checked(parameters, kind)
    template = notebook_path(notebook)
    import papermill

    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(prefix="workbench-") as sockets:
            papermill.execute_notebook(
                str(template),
                str(output),
                parameters=known.model_dump(),
                cwd=str(Path.cwd()),
                progress_bar=sys.stderr.isatty(),
                kernel_manager_class=_manager(Path(sockets)),
            )
    except papermill.PapermillExecutionError as error:
        raise RunError(f"cell [{error.exec_count}] of the run failed: {error.ename}: {error.evalue}; see {output}") from None
    except RuntimeError as error:
        raise RunError(f"the kernel of the run failed: {error}; {output} shows only what was saved before") from error
    return output
