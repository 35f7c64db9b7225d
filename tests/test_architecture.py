"""The rule of arrows: imports point down the floors of ARCHITECTURE.md and form no circle.

An arrow is an import at the top of a module, in a function or under TYPE_CHECKING, an import in a string that is code,
and a string that is the name of a module. Words to a reader, docstrings and messages, may name whatever they like.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FACADE = "masktune"  # its __init__ offers what lies on many floors: nobody imports from it, and it may import anything
LONGEST_MODULE = 400  # lines
LARGEST_PACKAGE = 11  # modules in it, without its __init__ and without the packages in it
MANY_MODULES = {"masktune.methods": "a file for each method"}
DOTTED = re.compile(r"\bmasktune(?:\.\w+)+")

Arrow = tuple[str, str]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Every module of masktune by its dotted name; a package stands for its __init__."""
    return {module_name(path): path for path in sorted((ROOT / "masktune").rglob("*.py"))}


def docstrings(tree: ast.Module) -> set[ast.expr]:
    owners = (node for node in ast.walk(tree) if hasattr(node, "body") and isinstance(node.body, list))
    first = (node.body[0] for node in owners if node.body)
    return {line.value for line in first if isinstance(line, ast.Expr)}


def nearest(name: str, known: Iterable[str]) -> str:
    """The module that a dotted name lies in: `masktune.perturb.fill` lies in `masktune.perturb`."""
    while name not in known:
        name = name.rpartition(".")[0]
    return name


def imported(tree: ast.Module) -> Iterator[str]:
    """The dotted names that a module imports, or that stand in its strings; `from a import b` gives a.b."""
    texts = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts |= set(node.values)
            yield from named(
                "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
            )
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in texts:
            yield from named(node.value)


def named(text: str) -> Iterator[str]:
    """The modules that a text imports, where it is code, or is the name of."""
    if "import " in text:
        with suppress(SyntaxError):  # words, not code
            yield from imported(ast.parse(text))
            return
    if DOTTED.fullmatch(text):
        yield text


def arrows_of(tree: ast.Module, known: Iterable[str]) -> set[str]:
    names = (name for name in imported(tree) if name.partition(".")[0] == "masktune")
    return {nearest(name, known) for name in names}


@cache
def arrows() -> list[Arrow]:
    """(module, module that it imports), but for the facade, which sits on top."""
    pairs = []
    for name, path in modules().items():
        if name != FACADE:
            targets = arrows_of(ast.parse(path.read_text(encoding="utf-8")), modules())
            pairs += [(name, target) for target in sorted(targets - {name, FACADE})]
    return pairs


@cache
def floors() -> dict[str, int]:
    """The floor of each name in the block of ARCHITECTURE.md, 0 at the top."""
    block = re.search(r"```floors\n(.*?)```", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.DOTALL)
    return {name: floor for floor, line in enumerate(block[1].splitlines()) for name in line.split()}


def circle(edges: Iterable[Arrow]) -> list[str]:
    """One circle among these arrows, [] where there is none."""
    graph = defaultdict(set)
    for source, target in edges:
        graph[source].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def child(package: str, module: str) -> str:
    """What of a package a module lies in: one of its modules or packages, or its own __init__."""
    own = module.removeprefix(package).lstrip(".").partition(".")[0]
    return f"{package}.{own or '__init__'}"


def within(package: str, edges: Iterable[Arrow]) -> set[Arrow]:
    """The arrows between the children of a package."""
    inside = [edge for edge in edges if all(f"{name}.".startswith(f"{package}.") for name in edge)]
    pairs = {(child(package, source), child(package, target)) for source, target in inside}
    return {(source, target) for source, target in pairs if source != target}


def packages() -> list[str]:
    return [name for name, path in modules().items() if path.name == "__init__.py"]


def test_every_module_stands_on_a_floor_and_every_floor_is_there():
    missing = [name for name in modules() if name != FACADE and not any(is_on(name, floor) for floor in floors())]
    assert not missing
    assert set(floors()) <= set(modules())


def is_on(module: str, floor: str) -> bool:
    return f"{module}.".startswith(f"{floor}.")


def floor_of(module: str) -> int:
    return floors()[max((name for name in floors() if is_on(module, name)), key=len)]


def test_no_arrow_points_up():
    assert [f"{source} -> {target}" for source, target in arrows() if floor_of(target) < floor_of(source)] == []


@pytest.mark.parametrize("package", packages())
def test_no_circle_in_a_package(package):
    assert circle(within(package, arrows())) == []


def test_no_module_is_long():
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert {name: count for name, count in lines.items() if count > LONGEST_MODULE} == {}


@pytest.mark.parametrize("package", [name for name in packages() if name not in MANY_MODULES])
def test_no_package_is_large(package):
    own = [name for name in modules() if name.rpartition(".")[0] == package and name not in packages()]
    assert len(own) <= LARGEST_PACKAGE, own


@pytest.mark.parametrize(
    "source",
    [
        "import masktune.a.b",
        "from masktune.a import b",
        "from masktune.a.b import name",
        "def run():\n    from masktune.a import b",
        "if TYPE_CHECKING:\n    from masktune.a.b import Name",
        "PRELOAD = ('masktune.a.b',)",
        "code = 'from masktune.a import b\\nb.make()'",
        "code = f'from masktune.a import b\\nb.make({name!r})'",
        "import_module('masktune.a.b')",
        "def run(value: 'masktune.a.b.Name'): pass",
    ],
)
def test_an_arrow_is_seen_however_it_is_made(source):
    assert arrows_of(ast.parse(source), {"masktune", "masktune.a", "masktune.a.b"}) == {"masktune.a.b"}


def test_what_is_no_arrow_is_none():
    lines = (
        '"""See masktune.a."""',
        "def run():",
        '    """As masktune.a does."""',
        "    print('masktune')  # masktune.a",
    )
    source = "\n".join(lines)
    assert arrows_of(ast.parse(source), {"masktune", "masktune.a"}) == set()


def test_a_circle_is_found_between_modules_and_between_packages():
    assert circle([("a", "b"), ("b", "c")]) == []
    assert set(circle([("a", "b"), ("b", "c"), ("c", "b")])) == {"b", "c"}
    edges = [("p.one.a", "p.two.a"), ("p.two.b", "p.one.b"), ("q", "p.one.a")]
    assert within("p", edges) == {("p.one", "p.two"), ("p.two", "p.one")}
    assert within("p", [("p.one", "p"), ("p", "p.one")]) == {("p.one", "p.__init__"), ("p.__init__", "p.one")}
