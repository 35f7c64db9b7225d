"""`python -m masktune.course.slides [LESSON ...]`: write the slides of the lessons (`make slides`)."""

import sys

from masktune.course.slides import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
