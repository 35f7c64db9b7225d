"""What the lessons of notebooks/course are made with: live training, predictions that are kept, checks of answers.

training.py fine-tunes the small BERT in seconds; predictions.py stores what a student predicts and scores it; a module
for each lesson checks its exercises (two_models.py C1, hide_and_refill.py C2, two_losses.py C3, threshold.py C4,
against_itself.py C5, own_data.py C8); copies.py writes the students' and the teachers' copies of the lessons.
"""

from masktune.course.predictions import predict, score
from masktune.course.training import answers, fine_tune, pretrained, start

__all__ = ["answers", "fine_tune", "predict", "pretrained", "score", "start"]
