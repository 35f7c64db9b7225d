"""What RESULTS.md says of the library itself is counted in the tables of results/agreement."""

import pandas as pd

from masktune.analysis.summary import agreement, page

PLACE = {"study": "embedded", "model": "bert", "task": "sentiment", "set": "contrast", "seeds": 3}
TABLES = {
    "fine_tuning": [
        {**PLACE, "difference": -0.5, "low": -1.0, "high": 0.25},
        {**PLACE, "set": "validation", "difference": 1.25, "low": 0.5, "high": 2.0},
        {**PLACE, "study": "collapse", "model": "bart", "difference": 0.5, "low": -0.5, "high": 1.5},
    ],
    "same_start": [{**PLACE, "same_weights": True}, {**PLACE, "same_weights": False}],
    "masking": [{"low": 0.1, "high": 0.2, "expected": 0.15}, {"low": 0.1, "high": 0.2, "expected": 0.25}],
    "scores": [
        {"numbers": 1200, "missing": 0, "largest_difference": 2e-5},
        {"numbers": 34, "missing": 1, "largest_difference": 0},
    ],
    "processors": [
        {**PLACE, "method": "fine-tuning", "a_seed": 1.0, "moved": 0.5, "moved_low": -1.0, "moved_high": 2.0},
        {
            **PLACE, "method": "Mask-tuning", "a_seed": 12.5, "moved": 4.0, "moved_low": 1.0, "moved_high": 7.0,
            "here_ahead": 2.0, "here_ahead_low": 1.0, "here_ahead_high": 3.0,
            "there_ahead": 5.5, "there_ahead_low": 4.0, "there_ahead_high": 7.0,
        },
    ],
    "verdicts": [{"verdict_here": "a", "verdict_there": "a"}, {"verdict_here": "a", "verdict_there": "b"}],
}  # fmt: skip
SAID = {
    "fine_tuning": "-0.5 to +1.2 points on 2 sets in `embedded` (BERT), with 0 in the 95 % interval of 1 and +0.5 to "
    "+0.5 points on 1 set in `collapse` (BART), with 0 in the 95 % interval of 1 ",
    "same_start": "to the bit in 1 of 2 cases",
    "masking": "1 of 2 shares",
    "scores": "Of 1,234 scores of HANS and of contrast sets, computed again by code that shares nothing with ours, the "
    "largest difference is 2e-05 points, 1 are missing",
    "processors": "a seed is off by 6.8 points in the middle row of 2 (model x set x method) and by 12.5 in the worst "
    "(Mask-tuning, BERT, contrast edits). Of the means over seeds 1 of 2 moved by an interval that holds 0, and of 1 "
    "leads over fine-tuning 0 have intervals that overlap on both",
    "verdicts": "Of 2 declared comparisons 1 have the same verdict",
}


def test_every_table_that_is_there_is_told_by_its_numbers(record, tmp_path):
    assert agreement.bullets(tmp_path) == []
    assert "Is the library right?" not in page.write([record])
    (tmp_path / agreement.FOLDER).mkdir()
    for name, rows in TABLES.items():
        pd.DataFrame(rows).to_csv(tmp_path / agreement.FOLDER / f"{name}.csv", index=False)
    lines = agreement.bullets(tmp_path)
    assert len(lines) == len(SAID) == len(agreement.SENTENCES)
    for line, (name, said) in zip(lines, SAID.items(), strict=True):
        assert said.replace("-0.5", "\N{MINUS SIGN}0.5") in line and line.endswith(f"(`results/agreement/{name}.md`).")
    assert lines[0] in page.write([record], lines)
