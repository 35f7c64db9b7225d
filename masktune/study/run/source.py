"""The source that a run depends on: the modules of masktune that training imports, as its import statements say.

Read are the imports of masktune.study.run.training and of everything that these import, those inside functions too, and
of the collections of data that a run reads, which masktune.data imports by name. What stands under TYPE_CHECKING is not
executed and does not count. So the digest follows the code by itself: what only plans, starts, stores, gathers or shows
runs changes none of their numbers, and is not in it, and neither is the embedded world in a run on real data.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from masktune import data
from masktune.files import digest

PACKAGE = Path(__file__).resolve().parents[2]
ROOT = Path(__file__).resolve().with_name("training.py")


@cache
def source(*collections: str) -> str:
    """The sha256 of the source that runs on these collections of data depend on: of one digest means of the same code.

    The commit of the project says more, but changes with every text of it. Read once a process, so that it is the code
    that the process has loaded. Raises MaskTuneError for an unknown collection.
    """
    return digest("".join(f"{_place(path)} {digest(path.read_bytes())}\n" for path in files(*collections)))


def files(*collections: str) -> list[Path]:
    """The Python files of that source, in one order on every machine."""
    known = {_name(path): path for path in PACKAGE.rglob("*.py")}
    reached = reach([_name(ROOT), *map(data.module_name, collections)], known)
    return sorted((known[name] for name in reached), key=_place)


def reach(roots: Iterable[str], known: Mapping[str, Path]) -> set[str]:
    """The modules among `known` (their files by dotted name) that importing the roots can import, and the roots."""
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached and name in known:
            reached.add(name)
            waiting += [name.rpartition(".")[0], *imports(known[name].read_text(encoding="utf-8"))]
    return reached


def imports(code: str) -> set[str]:
    """The dotted names that code imports, each with what it may lie in: `from a.b import c` gives a.b.c and a.b."""
    names: set[str] = set()
    for node in _executed(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:  # the package has no relative imports
            names |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return names


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree without what `if TYPE_CHECKING:` holds."""
    yield node
    type_checking = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    for child in node.orelse if isinstance(node, ast.If) and type_checking else ast.iter_child_nodes(node):
        yield from _executed(child)


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()
