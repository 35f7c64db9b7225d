"""What the lessons of notebooks/course are made with: live training, predictions that are kept, checks of answers.

training.py fine-tunes the small BERT in seconds; predictions.py stores what a student predicts and scores it;
declaring.py keeps a design from before its runs; figures.py shows a figure with a text that says what is on it, and
slider.py one that is drawn again as a number is chosen. `lessons` holds the checks of each lesson's exercises, by
grading.py; copies.py writes the students' and the teachers' copies of the lessons.
"""

from masktune.course.declaring import declare, declared_runs
from masktune.course.figures import picture
from masktune.course.predictions import predict, score
from masktune.course.training import answers, fine_tune, pretrained, start

__all__ = ["answers", "declare", "declared_runs", "fine_tune", "picture", "predict", "pretrained", "score", "start"]
