"""`python -m masktune.site.check [PART ...]`: check the finished site (`make site-check`); PART is a part of a name."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

from masktune.errors import MaskTuneError
from masktune.site.build import FOLDER
from masktune.site.check import browser, pages, rules
from masktune.study.paths import PROJECT

AXE = "axe-core@4.14.1"
_SEARCHED = "search.html?q=alpha"


def main(parts: list[str]) -> int:
    """Print what is wrong with the site, a line each; 1 if anything is."""
    try:
        found = check(PROJECT / FOLDER, parts)
    except MaskTuneError as error:
        print(f"masktune: {error}", file=sys.stderr)
        return 2
    print("\n".join([*found, f"{len(found)} problems"]))
    return 1 if found else 0


def check(folder: Path, parts: list[str]) -> list[str]:
    """What is wrong with the site below `folder`. Raises MaskTuneError where there is no site, or no browser."""
    site, program = folder / "site", browser.find()
    if not (site / "index.html").is_file():
        raise MaskTuneError(f"no site in {site}; run make site")
    if program is None:
        raise MaskTuneError(f"no browser; install Chromium, or name one in $CHROMIUM (looked for {browser.NAMES})")
    found = pages.dead_links(site)
    print(f"{len(found)} dead links", flush=True)
    return found + asyncio.run(_in_browser(program, site, parts, axe(folder)))


def axe(folder: Path) -> str:
    """The program of axe-core, which measures contrast among other things; "" where npm is not there to fetch it."""
    program = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not program.is_file():
        if shutil.which("npm") is None:
            print("npm is not there: contrast is not measured")
            return ""
        command = ["npm", "install", "--silent", "--no-save", "--prefix", str(folder), AXE]
        if subprocess.run(command, check=False).returncode or not program.is_file():
            print(f"npm cannot fetch {AXE}: contrast is not measured")
            return ""
    return program.read_text(encoding="utf-8")


async def _in_browser(program: str, site: Path, parts: list[str], axe_core: str) -> list[str]:
    asked = [
        page for page in pages.all_pages(site) if any(part in str(page.relative_to(site)) for part in parts or [""])
    ]
    found = []
    async with browser.tab(program) as tab:
        for view in rules.VIEWS:
            await tab.resize(view.width, view.height, view.dark)
            for page in asked:
                said = await look(tab, page, axe_core)
                found += [f"{page.relative_to(site)} ({view.name}): {line}" for line in said]
            print(f"{view.name}: {len(asked)} pages, {len(found)} problems so far", flush=True)
        await tab.open(f"{site.as_uri()}/{_SEARCHED}")
        found += [f"search: {line}" for line in (*await tab.run(rules.SEARCH), *tab.said)]
    return found


async def look(tab: browser.Tab, page: Path, axe_core: str) -> list[str]:
    """What is wrong with one page in the window as it is."""
    await tab.open(page.as_uri())
    said = [answer for rule in rules.RULES for answer in await tab.run(rule)]
    if axe_core:
        await tab.run(f"{axe_core}\n;0")
        said += await tab.run(rules.AXE)
    return [*said, *tab.said]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
