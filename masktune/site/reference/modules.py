"""A page for each module of the library, with every name that it offers.

What is said stands in the docstrings, whose examples tests/test_examples.py executes. Signatures are written out.
"""

import importlib
import inspect
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from masktune.site.links import fence
from masktune.site.markdown import outside_code, plain
from masktune.site.reference import docstrings
from masktune.site.reference.signatures import signature

# The modules in the order of their pages, and below which page they stand.
TOP = ("masktune", "masktune.methods", "masktune.losses", "masktune.perturb", "masktune.statistics")
METHODS = "masktune.methods"
STATISTICS = "masktune.statistics"


@dataclass(frozen=True)
class Entry:
    """A name that a module offers, what it is there, and the module whose page describes it."""

    name: str
    value: Any
    module: str

    @property
    def dotted(self) -> str:
        """Its name in full."""
        return f"{self.module}.{self.name}"


def page_name(module: str) -> str:
    """The page of a module: `masktune.methods.free_lb` is on api/methods/free_lb, `masktune` on api/masktune."""
    return "api/" + "/".join(module.split(".")[1:] or [module])


def names() -> list[str]:
    """Every module that has a page, in the order of the pages."""
    found = []
    for top in TOP:
        found.append(top)
        if top == METHODS:
            found += list(dict.fromkeys(kind.__module__ for kind in _methods().METHODS.values()))
            found += [f"{METHODS}.composition", f"{METHODS}.base"]
        if top == STATISTICS:
            package = importlib.import_module(top)
            found += sorted(f"{top}.{name}" for name in _files(package))
    return found


def _methods() -> Any:
    return importlib.import_module(METHODS)


def _files(package: ModuleType) -> list[str]:
    """The modules of a package."""
    from pkgutil import iter_modules

    return [module.name for module in iter_modules(package.__path__)]


def entries(module: str) -> list[Entry]:
    """The names that a module offers: those of its `__all__`, else the public ones that it defines."""
    loaded = importlib.import_module(module)
    names: Iterable[str] = getattr(loaded, "__all__", None) or [
        name for name, value in vars(loaded).items() if getattr(value, "__module__", "") == module and callable(value)
    ]
    return [Entry(name, getattr(loaded, name), module) for name in names if not name.startswith("_")]


def described(module: str) -> list[Entry]:
    """The names that the page of a module describes: without those that a page of their own module has."""
    own = set(names()) - {module}
    return [entry for entry in entries(module) if module == "masktune" or _home(entry) not in own]


def _home(entry: Entry) -> str:
    return getattr(entry.value, "__module__", entry.module)


class Index:
    """Where each name is described. `masktune.FineTuning` is described where everything that a user needs is."""

    def __init__(self) -> None:
        self._by_module = {module: {entry.name for entry in described(module)} for module in names()}

    def address(self, name: str, module: str, page: str) -> str:
        """The address of a name that a docstring of `module` has in backticks, seen from a page; "" if nowhere."""
        bare = name.removesuffix("()")
        if bare in self._by_module and bare != module:
            return _relative(f"{page_name(bare)}.html", page)
        owner, _, last = bare.rpartition(".")
        if owner == "methods":
            owner = METHODS
        places = [owner] if owner else [module, *TOP, *self._by_module]
        for place in places:
            if last in self._by_module.get(place, ()):
                return _relative(f"{page_name(place)}.html#{place}.{last}", page)
        return ""


def _relative(address: str, page: str) -> str:
    return posixpath.relpath(address, posixpath.dirname(page))


def file_of(module: str) -> str:
    """The file of a module in the repository."""
    path = module.replace(".", "/")
    return f"{path}/__init__.py" if hasattr(importlib.import_module(module), "__path__") else f"{path}.py"


def overview(index: Index) -> str:
    """The first page of the reference: every page with its names."""
    parts = [
        "# Reference",
        "Every name that the library offers, with its signature and an example that the tests execute. Shapes stand in"
        " brackets: B examples, L tokens, C classes, unless a page says otherwise.",
    ]
    for module in names():
        name = page_name(module).removeprefix("api/")
        if module in TOP:
            parts.append(f"## {module.rpartition('.')[2]}")
        offered = ", ".join(f"[`{entry.name}`]({name}.html#{entry.dotted})" for entry in described(module))
        parts.append(f"**[{module}]({name}.html)**: {summary(module)}" + (f" {offered}." if offered else ""))
    return "\n\n".join(parts) + "\n"


def summary(module: str) -> str:
    """The first sentence of its docstring, on one line."""
    first = (importlib.import_module(module).__doc__ or "").partition("\n\n")[0]
    return outside_code(" ".join(first.split()), plain)


def page(module: str, index: Index, source: str = "") -> str:
    """The page of a module: its docstring, the pages below it, and each name that it offers.

    `source` is the address of its source.
    """
    loaded = importlib.import_module(module)
    name = page_name(module)

    def find(word: str) -> str:
        return index.address(word, module, name)

    parts = [f"# `{module}`", docstrings.markdown(loaded.__doc__, find)]
    parts += [f"Source: [`{file_of(module)}`]({source})"] if source else []
    if module == METHODS:
        parts += ["## The methods", _cards()]
    elsewhere = [entry for entry in entries(module) if entry not in described(module)]
    parts += [_entry(entry, find) for entry in described(module)]
    if elsewhere:
        links = ", ".join(f"[`{entry.name}`]({find(f'{_home(entry)}.{entry.name}')})" for entry in elsewhere)
        parts += ["## On pages of their own", f"`{module}` also has {links}."]
    return "\n\n".join(parts) + "\n"


def _cards() -> str:
    """A table of the methods: what each minimises, costs and needs."""
    methods = _methods()
    head = ["method", "loss", "passes forward, backward", "needs beforehand", "source"]
    rows = [head, ["---"] * len(head)]
    for name, kind in methods.METHODS.items():
        card = methods.card(name)
        title = f"[{card['label']}]({page_name(kind.__module__).removeprefix('api/')}.html)"
        passes = f"{card['forward']}, {card['backward']}"
        rows.append([title, f"`{card['loss']}`", passes, card["needs"] or "nothing", card["reference"]])
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows)


def _entry(entry: Entry, find: docstrings.Find) -> str:
    """One name with its signature, its docstring and, of a class, its documented members."""
    if not callable(entry.value):
        return _block("data", entry.name, entry.module, _value(entry.value), "`````")
    kind = "function"
    if inspect.isclass(entry.value):
        kind = "exception" if issubclass(entry.value, Exception) else "class"
    body = [docstrings.markdown(inspect.getdoc(entry.value), find)]
    if inspect.isclass(entry.value):
        body += [_member(name, value, find) for name, value in vars(entry.value).items() if _is_documented(name, value)]
    shown = signature(entry.value).removesuffix(" -> None" if inspect.isclass(entry.value) else "")
    return _block(kind, entry.name + shown, entry.module, "\n\n".join(body), "``````")


def _is_documented(name: str, value: Any) -> bool:
    return not name.startswith("_") and bool(getattr(value, "__doc__", "")) and _callable(value) is not None


def _callable(value: Any) -> Any:
    """The function behind a member of a class; None of what is none."""
    if isinstance(value, property):
        return value.fget
    return getattr(value, "__func__", value if inspect.isfunction(value) else None)


def _member(name: str, value: Any, find: docstrings.Find) -> str:
    function = _callable(value)
    body = docstrings.markdown(function.__doc__, find)
    if isinstance(value, property):
        return _block("property", name, "", body, "`````")
    kind = "classmethod" if isinstance(value, classmethod) else "method"
    shown = signature(function).replace("(cls, ", "(").replace("(cls)", "()")
    return _block(kind, name + shown, "", body, "`````")


def _value(value: Any) -> str:
    """A table of names, as the module has it."""
    if isinstance(value, dict):
        items = (f"{key!r}: {getattr(item, '__name__', repr(item))}" for key, item in value.items())
        return fence("{\n    " + ",\n    ".join(items) + ",\n}", "python")
    return fence(repr(value), "python")


def _block(kind: str, shown: str, module: str, body: str, ticks: str) -> str:
    """A directive of Sphinx that describes something of Python."""
    option = f":module: {module}\n" if module else ""
    return f"{ticks}{{py:{kind}}} {shown}\n{option}\n{body}\n{ticks}"
