"""An executed notebook keeps no progress bar."""

import json

import pytest

from masktune.study.execute import execution

# In every way in which a cell can draw a bar, with what stands beside it and stays.
BARS = """
import logging, sys, warnings
import datasets, tqdm, tqdm.notebook, transformers.utils.logging
from transformers.utils.notebook import NotebookProgressBar, NotebookTrainingTracker
from masktune.study.run import progress

print("a print before \\u2588\\u2588\\u2588")
print("50%|#####     | 5/10 is no bar: nothing is written over it")
for step in tqdm.tqdm(range(4), desc="plain", mininterval=0):
    if step == 1:
        print("an error between two steps", file=sys.stderr)
        tqdm.tqdm.write("a line by tqdm")
        warnings.warn("a warning in the middle of a bar")
for _ in tqdm.tqdm(range(2), leave=False, mininterval=0):
    list(tqdm.tqdm(range(2), position=1, desc="inner", ascii=True, mininterval=0))
list(tqdm.tqdm(iter(range(3)), desc="no total", unit=" rows", mininterval=0))
with tqdm.tqdm(total=2, postfix={"sizes": [1, 2]}) as bar:
    bar.update(2)
list(tqdm.notebook.tqdm(range(3), desc="widget"))
transformers.utils.logging.enable_progress_bar()
list(transformers.utils.logging.tqdm(range(3), desc="loading", file=sys.stderr))
datasets.enable_progress_bars()
datasets.Dataset.from_dict({"a": [1, 2]}).map(lambda row: row, desc="mapping")
for done in ("10 %", "55 %", "100 %"):
    sys.stderr.write(f"\\rdownloading {done} \\u2588\\u2588\\u258f  ")
tracker = NotebookTrainingTracker(2, ["Step", "Training Loss"])
tracker.update(1)
tracker.write_line({"Step": 1, "Training Loss": 0.5})
tracker.update(2, force_update=True)
NotebookProgressBar(2, prefix="evaluating").update(2)
bar = progress.bar(2, "step")
bar.set_description("seed 0 (1 of 1)")
bar.update(2)
bar.close()
print("an error after", file=sys.stderr)
print("a print after")
"""


TABLE = """
from IPython.display import HTML, display
display(HTML("<table><tr><td>a result</td></tr></table>"))
display({"text/plain": "bert \\u2588\\u2588\\u2588\\u2588 4"}, raw=True)
raise ValueError("an exception")
"""


DRAWN = (
    "plain: ", "inner: ", "no total: ", "widget: ", "loading: ", "mapping: ", "downloading 55", "<progress",
    "seed 0 (1 of 1): ",
)  # fmt: skip


def test_an_executed_notebook_keeps_no_bar_and_all_else(tmp_path, monkeypatch):
    import papermill

    drawn, remove = [], execution.remove_bars
    monkeypatch.setattr(execution, "remove_bars", lambda notebook: drawn.append(str(notebook)) or remove(notebook))
    notebook = execution.notebook_of(BARS)
    notebook.cells += execution.notebook_of(TABLE).cells
    with pytest.raises(papermill.PapermillExecutionError, match="an exception"):
        execution.execute(notebook, tmp_path / "out.ipynb", {})
    executed = json.loads((tmp_path / "out.ipynb").read_text())
    assert [name for name in DRAWN if drawn[0].count(name) <= BARS.count(name)] == []
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", ())]
    texts = {
        name: "".join("".join(o["text"]) for o in outputs if o.get("name") == name) for name in ("stdout", "stderr")
    }
    assert texts["stdout"].splitlines() == [
        "a print before \u2588\u2588\u2588", "50%|#####     | 5/10 is no bar: nothing is written over it",
        "a line by tqdm", "a print after",
    ]  # fmt: skip
    errors = [line for line in texts["stderr"].splitlines() if "warnings.warn" not in line]
    assert errors[0] == "an error between two steps" and errors[-1] == "an error after"
    assert errors[1].endswith("UserWarning: a warning in the middle of a bar") and len(errors) == 3
    rest = [output for output in outputs if output["output_type"] != "stream"]
    assert [output["output_type"] for output in rest] == ["display_data", "display_data", "error"]
    assert "a result" in str(rest[0]["data"]) and "bert" in str(rest[1]["data"])
    assert rest[2]["evalue"] == "an exception"
    assert "widgets" not in executed["metadata"]
