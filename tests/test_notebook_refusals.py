"""What cannot be captured from a notebook is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from notebook_kernel import Kernel

pytest_plugins = ("notebook_kernel",)

REFUSED = {
    "a variable": (
        "WINDOW = 20",
        "class Bad(Component):\n    n: int = 1\n    def go(self): return WINDOW",
        "StrategyError: Bad uses the notebook's variable 'WINDOW'; make it a parameter of the class",
    ),
    "a variable as default": ("WINDOW = 20", "class Bad(Component):\n    n: int = WINDOW", "Bad uses the notebook's variable 'WINDOW'"),
    "a frame": (
        "import pandas as pd\nprices = pd.DataFrame({'a': [1]})",
        "class Bad(Component):\n    n: int = 1\n    def go(self): return prices.iloc[-1]",
        "Bad uses the notebook's variable 'prices'",
    ),
    "a component": ("", "inner = Component()\nclass Bad(Component):\n    n: int = 1\n    def go(self): return inner", "variable 'inner'"),
    "a variable in a helper": (
        "WINDOW = 20\ndef helper():\n    return [WINDOW for _ in range(3)]",
        "class Bad(Component):\n    n: int = 1\n    def go(self): return helper()",
        "Bad uses the function helper, which uses the notebook's variable 'WINDOW'; hand it over as an argument",
    ),
    "a variable in a base": (
        "WINDOW = 20\nclass Base(Component):\n    def go(self): return WINDOW",
        "class Bad(Base):\n    n: int = 1",
        "Bad uses the class Base, which uses the notebook's variable 'WINDOW'; make it a parameter of the class",
    ),
    "a lambda": (
        "rule = lambda x: x",
        "class Bad(Component):\n    n: int = 1\n    def go(self): return rule(1)",
        "Bad uses the function rule, which is a lambda, which has no source of its own; write it as a function with def",
    ),
    "a closure": (
        "def maker(n):\n    def inner():\n        return n\n    return inner\ninner = maker(3)",
        "class Bad(Component):\n    n: int = 1\n    def go(self): return inner()",
        "Bad uses the function inner, which closes over the local variable 'n'",
    ),
    "a class in a function": (
        "def maker(window):\n    class Bad(Component):\n        n: int = 1\n        def go(self): return window\n    return Bad",
        "Bad = maker(3)",
        "Bad closes over the local variable 'window'",
    ),
    "a class in a function without a closure": (
        "def maker():\n    class Bad(Component):\n        n: int = 1\n    return Bad",
        "Bad = maker()",
        "Bad is defined inside of 'maker', which cannot be captured; define it at the top of a cell",
    ),
    "exec": ("exec('class Bad(Component):\\n    n: int = 1')", "", "the source of 'Bad' is not available"),
    "a cell magic": ("", "%%time\nclass Bad(Component):\n    n: int = 1", "the source of 'Bad' is not available"),
    "a class without a statement": (
        "import types\nBad = types.new_class('Bad', (Component,))",
        "",
        "does not hold the class Bad any more",
    ),
    "get_ipython": ("", "class Bad(Component):\n    def go(self): return get_ipython()", "variable 'get_ipython'"),
    "an undefined name": ("", "class Bad(Component):\n    def go(self): return nothing", "Bad uses 'nothing', which is not defined"),
    "a method set later": (
        "class Bad(Component):\n    n: int = 1\n    def go(self): return 1",
        "def faster(self): return 2\nBad.go = faster",
        "'faster' of Bad was set outside of the class body; write it into the class",
    ),
    "a base that was run again": (
        "class Base(Component):\n    n: int = 1\nclass Bad(Base):\n    m: int = 1",
        "class Base(Component):\n    n: int = 2",
        "Bad was built on an earlier definition of Base; run its cell again",
    ),
    "a type alias": (
        "from typing import Literal\nMode = Literal['a', 'b']",
        "class Bad(Component):\n    mode: Mode = 'a'",
        "Bad uses the notebook's variable 'Mode'",
    ),
    "a bound method": (
        "import numpy as np\ndraw = np.random.default_rng(1).normal",
        "class Bad(Component):\n    def go(self): return draw()",
        "variable 'draw'",
    ),
    "a name imported, then set": (
        "from math import pi",
        "pi = 3.0\nclass Bad(Component):\n    def go(self): return pi",
        "Bad uses the notebook's variable 'pi'",
    ),
    "singledispatch": (
        "import functools\n@functools.singledispatch\ndef show(x): return x",
        "class Bad(Component):\n    def go(self): return show(1)",
        "variable 'show'",
    ),
    "a named tuple made by a call": (
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')",
        "class Bad(Component):\n    def go(self): return Point(1, 2)",
        "'Point'",
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_what_cannot_be_captured_is_refused_by_name(kernel: Kernel, case: str) -> None:
    first, second, words = REFUSED[case]
    kernel.run(first)
    kernel.run(second)
    said = kernel.refusal("Bad")
    assert said.startswith("StrategyError: ")
    assert words in said


def test_two_definitions_in_use_are_refused(kernel: Kernel) -> None:
    kernel.run("class Same(Component):\n    n: int = 1")
    kernel.run("Old = Same")
    kernel.run("class Same(Component):\n    n: int = 2")
    assert "two different definitions of 'Same' are in use" in kernel.refusal("Same, Old")


def test_an_enum_with_two_definitions_is_refused(kernel: Kernel) -> None:
    kernel.run("from enum import Enum, auto\nclass Flag(Enum):\n    UP = auto()")
    # on the same line of its cell: Python 3.13 could tell them by that
    kernel.run("# again\nclass Flag(Enum):\n    UP = auto(  *())")
    kernel.run("class Bad(Component):\n    def go(self): return Flag.UP")
    said = kernel.refusal("Bad")
    assert "the class 'Flag' has 2 different definitions and no method to tell which one is meant" in said


def test_an_enum_that_was_edited_is_told_by_its_values(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("from enum import Enum")
    for values in ("BUY = 1", "BUY = 2\n    SELL = 3", "BUY = 2"):
        kernel.run(f"class Way(Enum):\n    {values}")
    kernel.run("class Uses(Component):\n    def go(self): return list(Way)")
    assert fresh(kernel.captured("Uses"), "Uses().go()") == "[<Way.BUY: 2>]"


def test_a_plain_class_that_was_edited_is_told_by_its_fields(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("from dataclasses import dataclass\nfrom typing import NamedTuple")
    for fields in ("a: int = 1", "a: int = 2", "a: int = 1; b: int = 1"):
        kernel.run(f"@dataclass\nclass Plain:\n    {fields}\nclass Named(NamedTuple):\n    x: int")
    kernel.run("class Uses(Component):\n    def go(self): return Plain(), Named(4)")
    assert fresh(kernel.captured("Uses"), "Uses().go()") == "(Plain(a=1, b=1), Named(x=4))"
