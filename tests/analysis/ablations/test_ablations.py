import numpy as np
import pandas as pd
import pytest
from synthetic_study import METHODS, make

from masktune import MaskTuneError
from masktune.analysis.ablations import figures, numbers, settings, tables, text
from masktune.analysis.answers import blocks
from masktune.analysis.plotting import value_axis

RATES = (0.01, 0.15)


@pytest.fixture(scope="module")
def study():
    """Inference with fine-tuning, Mask-tuning, two other rates, one other alpha at another rate, more epochs."""
    sweep = [(f"rate {rate}", "mask_tuning", {"mask_rate": rate}, 0.6, rate) for rate in RATES]
    both = [("both", "mask_tuning", {"alpha": 0.2, "mask_rate": 0.15}, 0.2, 0.15)]
    longer = [("FT long", "fine_tuning", {}, np.nan, np.nan), ("MT long", *METHODS[1][1:])]
    lonely = [("MT lonely", *METHODS[1][1:])]
    adapted = [("FT adapted", *longer[0][1:]), ("MT adapted", *METHODS[1][1:])]
    runs, predictions = make(tasks=("inference",), methods=[*METHODS, *sweep, *both, *longer, *lonely, *adapted])
    runs.loc[~runs["label"].isin([row[0] for row in METHODS]), "part"] = "ablation"
    runs.loc[runs["label"].str.endswith("long"), "training/epochs"] = 4.0
    runs.loc[runs["label"] == "MT lonely", "training/epochs"] = 8.0
    runs.loc[runs["label"].str.endswith("adapted"), "adaptation"] = '{"steps":300}'
    return runs, numbers.variants(blocks(runs, predictions), runs)


def by_hand(runs, name, second, first):
    by_label = runs.set_index(["label", "seed"])[f"accuracy/{name}"]
    return 100 * (by_label[second] - by_label[first]).mean()


def test_a_variant_is_compared_with_fine_tuning_at_the_same_training(study):
    runs, variants = study
    differences = variants.set_index(["label", "set"])["difference"]
    assert differences["MT long", "heuristics"] == pytest.approx(by_hand(runs, "heuristics", "MT long", "FT long"))
    assert differences["rate 0.01", "heuristics"] == pytest.approx(
        by_hand(runs, "heuristics", "rate 0.01", "fine-tuning")
    )
    assert differences["MT adapted", "heuristics"] == pytest.approx(
        by_hand(runs, "heuristics", "MT adapted", "FT adapted")
    )
    assert "MT lonely" not in set(variants["label"]) and differences.index.is_unique


def test_a_sweep_is_the_base_and_what_differs_in_one_setting(study):
    _, variants = study
    assert set(numbers.sweep(variants, "mask_rate")["label"]) == {"Mask-tuning", "rate 0.01", "rate 0.15"}
    assert set(numbers.sweep(variants, "epochs")["label"]) == {"Mask-tuning", "MT long"}
    both = numbers.sweep(variants, "alpha", "mask_rate")
    assert set(both["label"]) == {"Mask-tuning", "rate 0.01", "rate 0.15", "both"}
    assert numbers.sweep(variants, "reduction").empty


@pytest.mark.parametrize("factor", ["mask_rate", "epochs", "reduction"])
def test_what_a_finished_study_plans_is_what_its_sweeps_hold(study, factor):
    runs, variants = study
    assert set(numbers.planned(runs, factor)["label"]) == set(numbers.sweep(variants, factor)["label"])


def test_of_two_main_rows_the_first_is_the_base():
    again = ("all tokens", "mask_tuning", {"reduction": "maskable"}, 0.6, 0.05)
    runs, predictions = make(tasks=("paraphrase",), methods=[*METHODS, again])
    swept = numbers.sweep(numbers.variants(blocks(runs, predictions), runs), "reduction")
    assert set(swept.loc[swept["base"], "label"]) == {"Mask-tuning"}
    assert swept["p_bh"].notna().all()


def test_a_study_without_variants_has_empty_sweeps():
    runs, predictions = make(tasks=("paraphrase",), methods=METHODS[:1])
    none = numbers.variants(blocks(runs, predictions), runs)
    assert none.empty and numbers.sweep(none, "alpha").empty
    assert text.sweep(numbers.sweep(none, "alpha"), "alpha")[0].startswith("No runs")
    assert text.explanations(none) == ["This study has no variants of Mask-tuning."]
    assert tables.variants(none).shown.empty and tables.sweep(numbers.sweep(none, "alpha"), "alpha").shown.empty
    assert figures.sweep(numbers.sweep(none, "alpha"), "alpha").alt
    assert figures.heat_map(numbers.sweep(none, "alpha", "mask_rate"), "alpha", "mask_rate").alt


def test_every_p_value_of_a_sweep_is_corrected_for_all_of_them(study):
    """The base's own too: the caption says that the column is corrected."""
    from scipy.stats import false_discovery_control

    swept = numbers.sweep(study[1], "mask_rate")
    expected = false_discovery_control(swept["p"], method="bh")
    assert swept["p_bh"].to_numpy() == pytest.approx(expected)
    table = tables.sweep(swept, "mask_rate")
    assert table.shown["p"].to_list() == [f"{value:.3f}" for value in expected]
    assert f"over the {len(swept)} comparisons declared for this table" in table.caption


@pytest.mark.parametrize("gone", [["rate 0.15"], ["fine-tuning"], ["rate 0.01", "rate 0.15"]])
def test_declared_variants_without_runs_stay_in_the_family(gone):
    """No comparison is made easier by another one's missing runs: they count as 1, and the caption says so."""
    from statsmodels.stats.multitest import multipletests

    rows = [(f"rate {rate}", "mask_tuning", {"mask_rate": rate}, 0.6, rate) for rate in RATES]
    runs, predictions = make(tasks=("inference", "paraphrase"), methods=[*METHODS, *rows], gain=0.5)
    missing = runs["label"].isin(gone) & (runs["task"] == "paraphrase")
    runs.loc[missing, "status"] = "missing"
    predictions = predictions[~predictions["run_id"].isin(runs.loc[missing, "run_id"])]
    swept = numbers.sweep(numbers.variants(blocks(runs, predictions), runs), "mask_rate")
    declared = 3 * (3 + 2)
    lost = 2 * (3 if gone == ["fine-tuning"] else len(gone))
    alone = 2 * (len(gone) == 2)  # a base without anything beside it is counted and not shown
    assert len(swept) == declared - lost - alone and set(swept["family"]) == {declared}
    family = [*swept["p"], *[1.0] * (lost + alone)]
    if not alone:
        assert swept["p_bh"].to_numpy() == pytest.approx(multipletests(family, method="fdr_bh")[1][: len(swept)])
    said = f"over the {declared} comparisons declared for this table, those of the main row among them, {lost} of which"
    assert said in tables.sweep(swept, "mask_rate").caption


def test_values_are_in_their_order_and_all_examples_come_last(study):
    _, variants = study
    swept = numbers.sweep(variants, "mask_rate")
    assert list(dict.fromkeys(swept["mask_rate"])) == [0.01, 0.05, 0.15]
    assert value_axis.ValueAxis(pd.Series([750.0, None, 375.0]), settings.value_text).labels == ["375", "750", "all"]


def test_the_sentences_say_where_the_mean_is_highest(study):
    runs, variants = study
    (line,) = text.sweep(numbers.sweep(variants, "mask_rate"), "mask_rate")
    labels = {"0.01": "rate 0.01", "0.05": "Mask-tuning", "0.15": "rate 0.15"}
    means = {
        value: np.mean([by_hand(runs, name, label, "fine-tuning") for name in ("heuristics", "adversarial")])
        for value, label in labels.items()
    }
    told = {value: f"{mean:+.1f} points".replace("-", "\N{MINUS SIGN}") for value, mean in means.items()}
    assert "along the masking rate, from 0.01 to 0.15, the mean difference from fine-tuning in accuracy out" in line
    assert f"goes from {told['0.01']} to {told['0.15']};" in line
    lowest, highest = min(means, key=means.get), max(means, key=means.get)
    assert f"lowest at {lowest} ({told[lowest]}), highest at {highest} ({told[highest]});" in line
    assert text.sweep(numbers.sweep(variants, "reduction"), "reduction")[0].startswith("No runs")


def test_tables_and_figures_come_with_words(study):
    _, variants = study
    table = tables.sweep(numbers.sweep(variants, "mask_rate"), "mask_rate")
    assert "6 paired seeds" in table.caption and "60 examples" in table.caption and "95 %" in table.caption
    assert len(table.shown) == len(table.frame)
    figure = figures.sweep(numbers.sweep(variants, "mask_rate"), "mask_rate")
    assert "masking rate" in figure.alt and len(figure.axes) == 1
    assert "masking rate" in figures.heat_map(numbers.sweep(variants, "alpha", "mask_rate"), "alpha", "mask_rate").alt


def test_an_unknown_setting_is_named(study):
    with pytest.raises(MaskTuneError, match="unknown setting 'rate'"):
        numbers.sweep(study[1], "rate")


def test_fine_tuning_on_other_data_is_no_reference_and_a_taught_soft_fill_is_a_fill_of_its_own():
    soft = [
        ("soft", "mask_tuning", {"fill": "soft"}, 0.6, 0.05),
        ("taught", "mask_tuning", {"fill": "soft", "fill_gradient": True}, 0.6, 0.05),
    ]
    free = ("fine-tuning, cue-free", "fine_tuning", {}, np.nan, np.nan)
    runs, predictions = make(tasks=("inference",), seeds=3, methods=[*METHODS, free, *soft])
    data_options = runs["label"].map({free[0]: '{"cue_rate": 0.5}'}).fillna("{}")
    runs = runs.assign(data_options=data_options, part=runs["part"].where(runs["label"] == METHODS[1][0], "ablation"))
    variants = numbers.variants(blocks(runs, predictions), runs)
    assert set(variants["reference"]) == {"fine-tuning"}
    values = numbers.sweep(variants, "fill").drop_duplicates("label").set_index("label")["fill"]
    assert values.to_dict() == {"Mask-tuning": "argmax", "soft": "soft", "taught": settings.TAUGHT}
    said = [line for line in text.explanations(variants) if "mean word embeddings" in line]
    assert len(said) == 2 and "teaches" in said[1]


@pytest.fixture(scope="module")
def clean():
    """The variants of a study with the base and the one whose texts are clean."""
    row = ("clean", "mask_tuning", {"fill": "original"}, 0.6, 0.05)
    runs, predictions = make(tasks=("inference",), seeds=3, methods=[*METHODS, row])
    runs.loc[runs["label"] == "clean", "part"] = "ablation"
    return numbers.variants(blocks(runs, predictions), runs)


def test_an_explanation_is_given_with_the_difference_of_its_variant(clean):
    rows = clean[(clean["label"] == "clean") & (clean["kind"] == "in_distribution")]
    (line,) = [line for line in text.explanations(clean) if "clean" in line]
    assert f"{rows['difference'].item():+.1f}".replace("-", "\N{MINUS SIGN}") in line
    ranked = tables.variants(clean).frame["out_of_distribution"]
    assert ranked.is_monotonic_decreasing and len(ranked) == 2


def test_an_adapted_language_model_is_compared_with_one_that_was_not(clean):
    assert text.adapted(clean) == ["No language model of this study was adapted and compared with one that was not."]
    base = clean[clean["base"]]
    more = base.assign(label="adapted", base=False, adaptation='{"steps":300}', difference=7.0)
    [line] = text.adapted(pd.concat([clean, more], ignore_index=True))
    assert "the difference is +7.0 points in distribution and +7.0 out of distribution; without, " in line
