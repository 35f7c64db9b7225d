"""The cards of the real data sets. Licences and faults are as found in the repositories named; see each card.

Labels: sentiment 0 negative, 1 positive; inference 0 entailment, 1 neutral, 2 contradiction; paraphrase 0 different,
1 paraphrase. HANS has two labels, 0 entailment and 1 non-entailment.
"""

from __future__ import annotations

from masktune.data.card import DataCard, HubFile, NamedFile, Pairs, PinnedFiles, Subset
from masktune.errors import one_of

SENTIMENT = ("negative", "positive")
INFERENCE = ("entailment", "neutral", "contradiction")
PARAPHRASE = ("different", "paraphrase")
ENTAILMENT_OR_NOT = ("entailment", "non-entailment")

GLUE_REVISION = "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c"
ANLI_REVISION = "8e4813d81f46d313dac7892e1c28076917cfcdf9"
RAW = "https://raw.githubusercontent.com"
CONTRAST = f"{RAW}/allenai/contrast-sets/e2b87316ba7b30093bc9ffbc340e6550cab79f67/IMDb/data"
COUNTERFACTUAL = f"{RAW}/acmi-lab/counterfactually-augmented-data/6f232a1d2a11462a30ce08fb4825b734ab30828e/sentiment"
HANS = f"{RAW}/tommccoy1/hans/7299f6f657089ce06a0f98e7e81f8d0f5b7741ce"

ONE_TEXT = {"example_id": "idx", "text": "sentence", "label": "label"}
REVIEW = {"cluster_id": "pair_id", "text": "sentence", "label": "label"}
PREMISE = {"example_id": "idx", "text": "premise", "text_pair": "hypothesis", "label": "label"}
QUESTIONS = {"example_id": "idx", "text": "question1", "text_pair": "question2", "label": "label"}

MULTINLI_LICENCE = "OANC licence for most genres; CC BY 3.0, CC BY-SA 3.0 and public domain for fiction"
QUORA_LICENCE = "Quora's terms of service, non-commercial use; redistribution is not clearly allowed"
GLUE_CITATION = "Wang et al. 2019, GLUE, ICLR"
SST_CITATION = f"Socher et al. 2013, Recursive deep models, EMNLP; {GLUE_CITATION}"
MULTINLI_CITATION = f"Williams et al. 2018, MultiNLI, NAACL; {GLUE_CITATION}"
QUORA_CITATION = f"Iyer et al. 2017, First Quora dataset release: Question pairs; {GLUE_CITATION}"
CONTRAST_CITATION = "Gardner et al. 2020, Evaluating models' local decision boundaries via contrast sets, Findings"
KAUSHIK_CITATION = "Kaushik et al. 2020, Learning the difference that makes a difference, ICLR"
ANLI_CITATION = "Nie et al. 2020, Adversarial NLI, ACL"


def _glue(task: str, split: str) -> HubFile:
    return HubFile("nyu-mll/glue", GLUE_REVISION, f"{task}/{split}-00000-of-00001.parquet")


def _counterfactual(split: str, rows: int, blob: str, digest: str, copy: str, faults: str) -> DataCard:
    return DataCard(
        name=f"imdb-cad/{split}",
        title=f"counterfactually augmented IMDb reviews, {split}",
        rows=rows,
        columns=REVIEW,
        label_names=SENTIMENT,
        source=PinnedFiles((f"{COUNTERFACTUAL}/combined/paired/{split}_paired.tsv",), "imdb_counterfactual", (blob,)),
        licence="Apache-2.0 (repository); the reviews belong to their authors",
        citation=KAUSHIK_CITATION,
        pairs=Pairs("pair_id", "type", ("original", "revised")),
        faults=faults,
        digest=digest,
        copy_digests=(copy,),
    )


def _adversarial(number: int, rows: int, digest: str) -> DataCard:
    return DataCard(
        name=f"anli/r{number}/validation",
        title=f"Adversarial NLI, round {number}, development set",
        rows=rows,
        columns={**PREMISE, "example_id": "uid"},
        label_names=INFERENCE,
        source=HubFile("facebook/anli", ANLI_REVISION, f"plain_text/dev_r{number}-00000-of-00001.parquet"),
        licence="CC BY-NC 4.0, non-commercial",
        citation=ANLI_CITATION,
        redistributable=False,
        faults="Written against strong models of its time: base models score below the 33 % of chance.",
        digest=digest,
    )


_CARDS = (
    DataCard(
        name="glue/sst2/train",
        title="SST-2, train (GLUE)",
        rows=67_349,
        columns=ONE_TEXT,
        label_names=SENTIMENT,
        source=_glue("sst2", "train"),
        licence="none stated for SST",
        citation=SST_CITATION,
        redistributable=False,
        faults="366 exact duplicate rows and 5 texts with both labels; mostly phrases, median 7 words; lower case.",
        digest="7c1b692871caace76b8e846c28e60a468da5045d7dab46799b6e40c34f6a289b",
    ),
    DataCard(
        name="glue/sst2/validation",
        title="SST-2, validation (GLUE)",
        rows=872,
        columns=ONE_TEXT,
        label_names=SENTIMENT,
        source=_glue("sst2", "validation"),
        licence="none stated for SST",
        citation=SST_CITATION,
        redistributable=False,
        digest="bff93688ee4f8d7ff2b5d5fb288cb564599fbe7266aeb794b78bae9fe88dff72",
    ),
    DataCard(
        name="imdb-contrast/test",
        title="IMDb contrast set, test",
        rows=976,
        columns=REVIEW,
        label_names=SENTIMENT,
        source=PinnedFiles(
            (f"{CONTRAST}/test_original.tsv", f"{CONTRAST}/test_contrast.tsv"),
            "imdb_contrast",
            ("f28a4ef3", "bcc5d5c0"),
        ),
        licence="no licence file at that commit; the reviews belong to their authors",
        citation=CONTRAST_CITATION,
        redistributable=False,
        pairs=Pairs("pair_id", "type", ("original", "contrast")),
        faults=(
            "Its 488 originals are those of imdb-cad/test: the two are not independent. Texts keep <br />; the CSV "
            "quoting of the source is undone. Most reviews are longer than 128 tokens."
        ),
        digest="e4f5264254756f8d7378fdd7069ddf0027996a9dd2200865fbaf2c8230e32eea",
    ),
    _counterfactual(
        "train",
        3_414,
        "637196cb",
        "6129952bdc13feffbbf60ab4d4996846b80e42ead3b06bdfbd15e0885b6ca894",
        "63cf3bb763b199c6393276de2d35c4aff4327df680fcda428753cb1cf1753dff",
        "Pair 8822 has the same text twice with opposite labels; pair 18146 joins two different reviews. A mirror may "
        "hold a copy in which six revised texts keep one level of CSV quoting and 29 differ in a blank.",
    ),
    _counterfactual(
        "test",
        976,
        "c8d6d9bd",
        "87406a274fbfe834a666e6cfd8fee7b0a992aa83dab89d171b61087efe725b2d",
        "79f1c6e44f8b6dc3455c8b656548625cc757f2f80b17fba39131c031aaef64d9",
        "Pair 8893 has the same text twice with opposite labels. Its 488 originals are those of imdb-contrast/test. A "
        "mirror may hold a copy in which seven revised texts differ in a blank.",
    ),
    DataCard(
        name="glue/mnli/train",
        title="MNLI, train (GLUE)",
        rows=392_702,
        columns=PREMISE,
        label_names=INFERENCE,
        source=_glue("mnli", "train"),
        licence=MULTINLI_LICENCE,
        citation=MULTINLI_CITATION,
        subset=Subset(
            "glue/mnli/train_subset",
            32_069,
            "three public samples, without pairs of the validation sets; 19,819 rows are detokenised by rule and "
            "9,255 have lost every full stop",
            "4f80ee013ad6eaa8faaf00a5d8c2e7923f96de4b29934e91abf31eda2708a4c1",
        ),
    ),
    DataCard(
        name="glue/mnli/validation_matched",
        title="MNLI, matched validation (GLUE)",
        rows=9_815,
        columns=PREMISE,
        label_names=INFERENCE,
        source=_glue("mnli", "validation_matched"),
        licence=MULTINLI_LICENCE,
        citation=MULTINLI_CITATION,
        digest="900d975748e57c1da5ced5e7d952eca91fb9699e5a83b49a2a6d53cd6f9c604f",
    ),
    DataCard(
        name="glue/mnli/validation_mismatched",
        title="MNLI, mismatched validation (GLUE)",
        rows=9_832,
        columns=PREMISE,
        label_names=INFERENCE,
        source=_glue("mnli", "validation_mismatched"),
        licence=MULTINLI_LICENCE,
        citation=MULTINLI_CITATION,
        faults="A mirror may hold a copy detokenised by rule, which differs in spacing around dashes and quotes.",
        copy_digests=("414633ce3127a3530486966c3e2d15f6d368153a1efbac38ccc529c448056134",),
    ),
    DataCard(
        name="hans/validation",
        title="HANS, evaluation set",
        rows=30_000,
        columns={**PREMISE, "example_id": "pair_id", "cluster_id": "subcase", "group": "heuristic"},
        label_names=ENTAILMENT_OR_NOT,
        source=PinnedFiles((f"{HANS}/heuristics_evaluation_set.txt",), "hans", ("e042af24",)),
        licence="MIT",
        citation="McCoy, Pavlick and Linzen 2019, Right for the wrong reasons, ACL",
        faults=(
            "30 sub-cases of 1,000 rows, each with one label: the rows of a sub-case are far from independent. Read "
            "from the authors' own repository, whose file has heuristic and sub-case. Texts keep a space before the "
            "full stop."
        ),
        digest="1128f7434c4743cd0ecbab42d3293a52f12cdf143961c062078af6eaf667de78",
    ),
    _adversarial(1, 1_000, "4c4254a493319f987ad78bb8d33611ec5047027ec6f94f5e7711b49195cac3e6"),
    _adversarial(2, 1_000, "d83c22821bda12cb693bc99c265133dcbba37d3d23bdc55b0bfb34611c06bac4"),
    _adversarial(3, 1_200, "f4059d60382f8a70607ed87a16b87ad4d574a148a512ed3dee2bc33c1a8b57bb"),
    DataCard(
        name="glue/qqp/train",
        title="QQP, train (GLUE)",
        rows=363_846,
        columns=QUESTIONS,
        label_names=PARAPHRASE,
        source=_glue("qqp", "train"),
        licence=QUORA_LICENCE,
        citation=QUORA_CITATION,
        redistributable=False,
        subset=Subset(
            "glue/qqp/train_subset",
            40_130,
            "three public samples, one of them class-balanced: 43 % are paraphrases, against 37 % in the full set; "
            "some rows may be in the full validation split",
            "e16660c1d87752fc480a3ed03abecca05033c06057f583126569c7ced2edfea5",
        ),
        blank_rows=2,
        faults="Two rows have an empty second question (they are dropped). Single questions recur in validation.",
    ),
    DataCard(
        name="glue/qqp/validation",
        title="QQP, validation (GLUE)",
        rows=40_430,
        columns=QUESTIONS,
        label_names=PARAPHRASE,
        source=_glue("qqp", "validation"),
        licence=QUORA_LICENCE,
        citation=QUORA_CITATION,
        redistributable=False,
        subset=Subset(
            "glue/qqp/validation_subset",
            7_597,
            "the test file of a continual-learning benchmark, taken to be rows of the validation split",
            "c26c990dd6519fb735790213035762b309a2470c84cac40aff54cf5dbf81702c",
        ),
    ),
    DataCard(
        name="paws-qqp/dev_and_test",
        title="PAWS-QQP, development and test set",
        rows=677,
        columns=QUESTIONS,
        label_names=PARAPHRASE,
        source=NamedFile("MASKTUNE_PAWS_QQP", "paws_qqp", "dev_and_test.tsv as the scripts of PAWS make it"),
        licence="Quora's terms of service; its authors may not distribute it, each user makes the file",
        citation="Zhang, Baldridge and He 2019, PAWS: Paraphrase adversaries from word scrambling, NAACL",
        redistributable=False,
        faults=(
            "6 exact duplicate rows; sentences are tokenised. 71.8 % are not paraphrases: always answering "
            '"different" scores that much.'
        ),
        digest="69b304d6a2014dcf356e29de7cd8f8d3487504132d33785d4440dc169bc411a0",
    ),
)

CARDS = {card.name: card for card in _CARDS}


def card(name: str) -> DataCard:
    """The card of a set by its name; raises MaskTuneError for an unknown name."""
    return CARDS[one_of(name, CARDS, "data set")]


def notes(digests: dict[str, str]) -> tuple[str, ...]:
    """What a reader must be told of data read as `TaskData.digests` says: one sentence for each set read in part.

    >>> notes({"glue/qqp/validation_subset": "..."})
    ('subset of QQP, validation (GLUE): 7,597 of 40,430 rows (the test file of ...)',)
    """
    subsets = {entry.subset.name: (entry, entry.subset) for entry in CARDS.values() if entry.subset}
    read_in_part = [subsets[name] for name in digests if name in subsets]
    return tuple(
        f"subset of {full.title}: {subset.rows:,} of {full.rows:,} rows ({subset.note})"
        for full, subset in read_in_part
    )
