"""The mutation score of the rules of risk and of filling: with any single rule removed, a test fails.

    make mutations GROUP="gate sizing"        or        PYTHONPATH=tests python -m mutation [GROUP ...] [--processes 2]

Each mutation is put into a copy of the project, and the tests that guard its rule run there. Before that they run against the
copy as it is, and have to pass: a test that fails anyhow kills nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from .bench import Bench, plain
from .rules import Mutation
from .tables import GROUPS


def failing(bench: Bench, mutations: Sequence[Mutation]) -> str:
    """Return what pytest says of the guarding tests where they fail without any mutation."""
    code, said = bench.tests(sorted({name for one in mutations for name in one.tests}), patience=1800.0)
    return "" if code == 0 else said or "the time was up"


def scored(mutations: Sequence[Mutation], benches: Sequence[Bench]) -> list[str]:
    """Print what becomes of each mutation, in turn; return those that no test noticed."""
    free: SimpleQueue[Bench] = SimpleQueue()
    for bench in benches:
        free.put(bench)

    def one(mutation: Mutation) -> str:
        bench, begun = free.get(), time.perf_counter()
        try:
            outcome, said = bench.outcome(mutation)
        finally:
            free.put(bench)
        name = f"{mutation.file.removeprefix('workbench/')}: {mutation.rule}"
        print(f"{outcome:9} {time.perf_counter() - begun:4.0f} s  {name}" + (f"  [{said}]" if said else ""), flush=True)
        return "" if outcome in ("killed", "time-out") else f"{outcome}  {name}"

    with ThreadPoolExecutor(len(benches)) as pool:
        return list(filter(None, pool.map(one, mutations)))


def main(given: Sequence[str] | None = None) -> int:
    """Run the groups asked for; return 1 where a mutation survived."""
    parser = argparse.ArgumentParser(prog="python -m mutation", description="The mutation score of the rules of risk and of filling.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all where none is named")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(given)
    unknown = [name for name in asked.groups if name not in GROUPS]
    if unknown:
        parser.error(f"no group {unknown[0]!r}: there are {', '.join(GROUPS)}")
    mutations = [one for name in asked.groups or GROUPS for one in GROUPS[name]]
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        plain(Path(folder) / "cache")
        benches = [Bench(Path(folder) / str(place)) for place in range(asked.processes)]
        said = failing(benches[0], mutations)
        if said:
            print(said, "the guarding tests fail without any mutation", sep="\n")
            return 1
        left = scored(mutations, benches)
    print(f"killed {len(mutations) - len(left)} of {len(mutations)}", *left, sep="\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
