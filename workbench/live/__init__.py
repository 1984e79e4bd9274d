"""Live runs: parameters checked before papermill, and the run inside the notebook."""

from workbench.live.parameters import RunParameters, validated

__all__ = ["RunParameters", "validated"]
