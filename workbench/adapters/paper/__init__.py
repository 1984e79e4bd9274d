"""The paper venue as a client sees it (the venue itself is `workbench.practice.paper`)."""

from __future__ import annotations

from workbench.adapters.paper.execution import PaperAccount
from workbench.adapters.paper.link import PaperLink

__all__ = ["PaperAccount", "PaperLink"]
