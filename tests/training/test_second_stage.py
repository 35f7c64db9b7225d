import pytest
import torch
from tiny_runs import losses, same, weights

from masktune import FineTuning, MaskTuneError, methods

pytestmark = pytest.mark.slow


def marked(data, rows):
    column = [row in rows for row in range(len(data["bert"]))]
    return {"bert": data["bert"].add_column("prepared_forgotten", column)}


@pytest.fixture
def second_stage(trainer, data, monkeypatch):
    """A trainer whose method reads rows 3 to 12 four times more, at a tenth of the rate."""

    def make(rows=range(3, 13), folder="run", **options):
        for name, column in marked(data, rows).items():
            monkeypatch.setitem(data, name, column)
        run = trainer(folder=folder, method=methods.build("forgettable"), **options)
        monkeypatch.undo()
        return run

    return make


def test_a_second_stage_reads_the_marked_examples_again_at_a_smaller_rate(second_stage):
    run = second_stage(warmup_steps=2)
    assert run.args.max_steps == 2 * 8 + 5  # 2 epochs of 60 examples, 4 of 10, in batches of 8
    seen = []
    step = run.training_step
    run.training_step = lambda model, inputs, *rest: (
        seen.append(inputs["prepared_forgotten"]) or step(model, inputs, *rest)
    )
    run.train()
    assert [len(batch) for batch in seen] == [8] * 7 + [4] + [8] * 7 + [4] + [8] * 5
    assert torch.cat(seen[:8]).sum() == 10 and torch.cat(seen[16:]).all()
    rates = [entry["learning_rate"] for entry in run.state.log_history if "learning_rate" in entry]
    assert rates[0] == 0 and max(rates) == rates[2] == 1e-3 and rates[15] == pytest.approx(1e-3 / 14)
    assert rates[16:] == pytest.approx([1e-4 * left / 5 for left in (5, 4, 3, 2, 1)])


def test_each_pass_of_the_second_stage_reads_every_marked_example_once(second_stage):
    sampler = second_stage()._get_train_sampler()
    sampler.set_epoch(2)
    order = [index for index in sampler]
    sampler.set_epoch(3)
    order += [index for index in sampler]
    passes = [order[start : start + 10] for start in range(0, 120, 10)]
    assert all(sorted(rows) == list(range(3, 13)) for rows in passes)
    assert len({tuple(rows) for rows in passes}) == 12


def test_nothing_marked_is_fine_tuning(second_stage, trainer):
    run, plain = second_stage(rows=()), trainer(method=FineTuning(), folder="plain")
    run.train(), plain.train()
    assert losses(run) == losses(plain)


@pytest.mark.parametrize("checkpoint", [10, 18])  # within either stage
def test_a_second_stage_resumes(tmp_path, second_stage, checkpoint):
    options = {"save_strategy": "steps", "save_steps": checkpoint, "train_sampling_strategy": "group_by_length"}
    straight, resumed = second_stage(folder="straight", **options), second_stage(folder="resumed", **options)
    straight.train()
    resumed.train(resume_from_checkpoint=str(tmp_path / "straight" / f"checkpoint-{checkpoint}"))
    assert same(weights(straight), weights(resumed))


@pytest.mark.parametrize("options", [{"max_steps": 5}, {"num_train_epochs": 1.5}])
def test_a_second_stage_needs_whole_epochs(second_stage, options):
    with pytest.raises(MaskTuneError, match="the second stage of 'forgettable' follows whole epochs"):
        second_stage(**options)


def test_a_second_stage_needs_a_schedule_that_is_known_beforehand(second_stage):
    run = second_stage(lr_scheduler_type="reduce_lr_on_plateau", eval_strategy="epoch")
    with pytest.raises(MaskTuneError, match="lr_scheduler_type = .*the second stage of 'forgettable' follows a sched"):
        run.train()
