"""What the check of cross-entropy in lesson C3 must turn down and let pass, beyond the wrong answers in the lesson."""

import pytest

from masktune.course.grading import NotYetError
from masktune.course.lessons.two_losses import check_cross_entropy


def row_by_row(logits, targets):
    losses = [row.logsumexp(-1) - row[target] for row, target in zip(logits, targets, strict=True)]
    return sum(losses) / len(losses)


def test_a_loss_through_which_no_gradient_flows_is_turned_down():
    for cut in (lambda loss: loss.item(), lambda loss: loss.detach()):
        with pytest.raises(NotYetError, match="no gradient flows"):
            check_cross_entropy(lambda logits, targets, cut=cut: cut(row_by_row(logits, targets)))


def test_a_loop_over_the_rows_is_right(capsys):
    check_cross_entropy(row_by_row)
    assert capsys.readouterr().out == "cross_entropy is right.\n"
