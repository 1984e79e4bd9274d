"""The process that the supervisor starts: papermill, executing the live notebook, and gone when the supervisor is.

Its parameters come on standard input: a command line could be read by other users of the machine.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

from workbench.errors import RunError
from workbench.live.lean import import_less
from workbench.live.notebook import execute

__all__ = ["main"]


def follow(parent: int) -> None:
    """End this process when its parent has, or if it has already: the kernel then ends by itself, and the next supervisor starts anew."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def main() -> int:
    """Execute the notebook with the parameters of standard input."""
    import_less()
    threading.Thread(target=follow, args=(int(sys.argv[2]),), daemon=True).start()
    try:
        execute(json.load(sys.stdin), Path(sys.argv[1]))
    except RunError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
