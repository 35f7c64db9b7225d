"""Set-up that is done once, before kernels are forked (masktune.study.execute.kernels).

Each cell of an embedded study would write the embedded world anew, and set up the drawing of its first figure.
"""

from masktune.analysis.accuracy import figures as figures
from masktune.analysis.plotting.theme import Drawing
from masktune.data import TASKS, world

for task in TASKS:
    world.generate(task)
first = Drawing(layout="constrained")
first.subplots().set_title("first")
first._repr_png_()
