"""The control panel: a separate kernel that watches a run through its journal, and orders it about through the same."""

from __future__ import annotations

from workbench.panel._panel import ControlPanel

__all__ = ["ControlPanel"]
