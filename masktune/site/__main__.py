"""`python -m masktune.site`: make the documentation as one static site below build/site (`make site`)."""

import sys

from masktune.errors import MaskTuneError
from masktune.site.build import FOLDER, build
from masktune.study.paths import PROJECT


def main() -> int:
    """Make the site of the checkout that the package is imported from."""
    try:
        first = build(PROJECT, PROJECT / FOLDER)
    except MaskTuneError as error:
        print(f"masktune: {error}", file=sys.stderr)
        return 2
    print(f"open {first.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
