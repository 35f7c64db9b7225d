"""`python -m masktune.course [FOLDER]`: write the student's and the teacher's copies of the lessons (`make course`)."""

import sys
from pathlib import Path

from masktune.course import copies
from masktune.errors import MaskTuneError


def main(arguments: list[str]) -> int:
    """Write the copies of the lessons of a course, notebooks/course unless another folder is named."""
    try:
        made = copies.write(Path(*arguments) if arguments else Path("notebooks/course").resolve())
    except MaskTuneError as error:
        print(f"masktune: {error}", file=sys.stderr)
        return 2
    print(f"{len(made)} copies written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
