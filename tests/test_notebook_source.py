"""Classes of notebook cells, captured and imported in a fresh process: real kernels, real processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notebook_kernel import Kernel

pytest_plugins = ("notebook_kernel",)


def test_a_class_behaves_the_same_in_a_fresh_process(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("import numpy as np\nimport pandas as pd")
    kernel.run(
        '''
        class Cross(Component):
            """Long while the fast mean is above the slow one."""
            fast: int = 2
            slow: int = 4
            def generate(self, close: pd.DataFrame) -> pd.DataFrame:
                return np.sign(close.rolling(self.fast).mean() - close.rolling(self.slow).mean())
        '''
    )
    expression = "Cross(fast=3).generate(__import__('pandas').DataFrame({'a': [1.0, 3, 2, 5, 4, 1, 0]})).to_csv()"
    here = kernel.run(f"print({expression})").strip()
    parts = kernel.captured("Cross")
    assert "import numpy as np\nimport pandas as pd\nfrom workbench.component import Component\n" in parts
    assert fresh(parts, expression) == here


def test_a_shipped_part_and_the_package_under_its_short_name(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("from workbench.signals import MovingAverageCross\nimport workbench.errors as errors")
    kernel.run(
        """
        class Slow(MovingAverageCross):
            slow: int = 99
            def check(self):
                if self.slow > 100:
                    raise errors.ParameterError("too slow")
        """
    )
    parts = kernel.captured("Slow, MovingAverageCross")
    assert "from workbench.signals import MovingAverageCross\n" in parts
    assert "import workbench.errors as errors\n" in parts
    assert fresh(parts, "Slow()") == kernel.run("print(Slow())").strip()


def test_a_class_without_methods(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("x = 1\n\n\nclass Band(Component):\n    width: float = 2.0")
    assert fresh(kernel.captured("Band"), "Band()") == "Band(width=2.0)"


def test_helpers_bases_decorators_and_defaults_come_along_in_order(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("import functools\nfrom dataclasses import field, dataclass\nfrom enum import Enum\nfrom math import pi as circle")
    kernel.run("class Side(Enum):\n    BUY = 1\n    SELL = 2")
    kernel.run("def step(n):\n    return n + offset()\n\n\ndef offset():\n    return round(circle)")
    kernel.run("def start():\n    return [step(1)]\n\n\ndef named(cls):\n    cls.tag = cls.__name__.lower()\n    return cls")
    kernel.run("@functools.lru_cache\ndef slow_square(n):\n    return n * n")
    kernel.run("@dataclass\nclass Pair:\n    one: int\n    two: int")
    kernel.run(
        """
        class Base(Component):
            values: list[int] = field(default_factory=start)
            def total(self):
                return sum(self.values) + slow_square(3)

        @named
        class Whole(Base):
            side: Side = Side.BUY
            def pair(self):
                return Pair(self.total(), two=self.side.value)
        """
    )
    parts = kernel.captured("Whole")
    assert (
        parts.index("def offset")
        < parts.index("def step")
        < parts.index("def start")
        < parts.index("class Base")
        < parts.index("class Whole")
    )
    assert "from math import pi as circle" in parts
    expression = "str([Whole().pair(), Whole.tag, Whole(side=Side.SELL).total()])"
    assert fresh(parts, expression) == kernel.run(f"print({expression})").strip()


def test_the_text_is_the_same_every_time(kernel: Kernel) -> None:
    kernel.run("import math\ndef b(x): return math.floor(x)\ndef a(x): return b(x)")
    kernel.run("class One(Component):\n    n: int = 1\n    def go(self): return a(self.n)")
    kernel.run("class Two(One):\n    m: int = 1\n    def go(self): return b(self.m)")
    assert kernel.captured("One, Two") == kernel.captured("One, Two")
    assert kernel.captured("Two, One, Two").count("class One") == 1


def test_classes_and_functions_that_need_each_other(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run(
        """
        class Parent(Component):
            n: int = 1
            def child(self):
                return Child(self.n + 1)

        class Child(Parent):
            def even(self):
                return even(self.n)

        def even(n):
            return n == 0 or odd(n - 1)

        def odd(n):
            return n != 0 and even(n - 1)
        """
    )
    for names in ("Parent", "Child"):
        assert fresh(kernel.captured(names), "Parent(3).child(), Parent(3).child().even()") == "(Child(n=4), True)" or names
        assert fresh(kernel.captured(names), "str(Parent(3).child()) + str(Parent(3).child().even())") == "Child(n=4)True"


def test_the_newest_of_two_definitions_is_captured(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    for number in (1, 2, 1, 3):
        kernel.run(f"class Same(Component):\n    n: int = {number}\n    def go(self): return self.n * 10")
    assert fresh(kernel.captured("Same"), "Same().go()") == "30"
    kernel.run("class Same(Component):\n    n: int = 1\n    def go(self): return self.n * 10")
    assert fresh(kernel.captured("Same"), "Same().go()") == "10"


def test_an_object_of_an_older_definition_gets_that_one(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("class Same(Component):\n    n: int = 1")
    kernel.run("old = Same()")
    kernel.run("class Same(Component):\n    n: int = 2")
    assert fresh(kernel.captured("type(old)"), "Same()") == "Same(n=1)"


def test_future_annotations_of_this_or_an_earlier_cell(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run(
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING, Literal\nif TYPE_CHECKING:\n    from somewhere import Thing"
    )
    kernel.run(
        """
        class Later(Component):
            n: int = 1
            kind: Literal["a", "b"] = "a"
            next: Later | None = None
            def go(self, thing: Thing | "Other") -> Later:
                return Later(self.n, "b", self)
        """
    )
    parts = kernel.captured("Later")
    assert "from typing import Literal" in parts
    assert "somewhere" not in parts
    assert fresh(parts, "Later(3).go(None)") == "Later(n=3, kind='b', next=Later(n=3, kind='a', next=None))"


def test_imports_in_every_form(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run(
        """
        import os.path as paths
        import xml.etree.ElementTree
        import collections.abc
        import numpy.linalg as la
        from numpy import sign as signum, nan, float64
        from datetime import timedelta
        """
    )
    kernel.run(
        """
        class Imports(Component):
            n: int = 1
            step: timedelta = timedelta(days=1)
            def go(self):
                tree = xml.etree.ElementTree.fromstring("<a>1</a>")
                mapping = isinstance({}, collections.abc.Mapping)
                numbers = float(la.norm([3, 4])), float(signum(-2.0)), str(nan), float(float64(1))
                return paths.join("a", tree.text), numbers, mapping, self.step.days
        """
    )
    parts = kernel.captured("Imports")
    assert "import xml.etree.ElementTree\n" in parts
    assert "from numpy import nan\n" in parts
    assert fresh(parts, "Imports().go()") == "('a/1', (5.0, -1.0, 'nan', 1.0), True, 1)"


def test_what_the_kernel_adds_to_builtins(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run(
        """
        class Shown(Component):
            n: int = 1
            def go(self, path):
                with open(path) as file:
                    return len(file.readline()) > self.n
            def show(self):
                display(self)
        """
    )
    parts = kernel.captured("Shown")
    assert "import display" in parts
    assert "import open" not in parts
    assert fresh(parts, "Shown().go('parts.py')") == "True"


def test_a_function_put_into_the_body_by_name(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("def shared(self):\n    return self.n + 1\n\nalias = shared")
    kernel.run("class Uses(Component):\n    n: int = 1\n    go = shared\n    def other(self):\n        return alias(self)")
    parts = kernel.captured("Uses")
    assert "alias = shared" in parts
    assert fresh(parts, "Uses(4).go() + Uses(4).other()") == "10"


def test_methods_of_every_kind(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run(
        """
        import functools

        def twice(function):
            @functools.wraps(function)
            def wrapper(*args):
                return 2 * function(*args)
            return wrapper

        class Kinds(Component):
            n: int = 1
            @property
            def level(self): return self.n
            @classmethod
            def make(cls): return cls(5)
            @staticmethod
            def three(): return 3
            @twice
            def doubled(self): return self.n
            def transform(self, X): return [super().__repr__(), *(x for x in X if isinstance(self, Kinds))]
            rule = lambda self: self.n + 100
        """
    )
    expression = "str([Kinds().level, Kinds.make(), Kinds.three(), Kinds(4).doubled(), Kinds().transform([1]), Kinds().rule()])"
    assert fresh(kernel.captured("Kinds"), expression) == kernel.run(f"print({expression})").strip()


def test_a_captured_module_can_be_captured_again(kernel: Kernel, fresh: Callable[[str, str], str]) -> None:
    kernel.run("import math\n\ndef root(x):\n    return math.sqrt(x)")
    kernel.run("class Root(Component):\n    n: float = 1.0\n    def go(self): return root(self.n)")
    parts = kernel.captured("Root")
    again = "__import__('workbench.notebook_source').notebook_source.capture([Root]) == open('parts.py').read()"
    assert fresh(parts, again) == "True"
    assert fresh(parts, "__import__('workbench.component_text').component_text.to_dict(Root())") == "{'part': 'parts.Root', 'n': 1.0}"


def test_a_part_of_the_notebook_makes_its_round_trip(kernel: Kernel) -> None:
    kernel.run("from workbench.component_text import round_trip, to_dict\nclass Mine(Component):\n    n: int = 1")
    assert kernel.run("print(to_dict(Mine(2)), round_trip(Mine(3)))").strip() == "{'part': 'parts.Mine', 'n': 2} Mine(n=3)"
