"""A study, from its TOML file to the Parquet files that analysis reads.

From a cell to its run in four files, each of which calls the next:

    design/cells.py          `Cell`: data x model x task x method x training; with a seed, the id of a run
    run/cell.py              `run`, which notebooks/cell.ipynb calls: train every seed that is missing, and store it
    run/training.py          `load_inputs`, once a cell; `train_seed`, which builds the trainer, trains and predicts
    ../training/trainer.py   `MaskTuningTrainer`: the steps of training

The packages in their order: each imports from those above it alone.

    paths, notebooks   where a study keeps its things; the parameters of notebooks
    design    what a study declares: studies/<name>.toml -> `Study`, its cells, claims, tuning, the arms on diversity
    store     the folder of a run, written whole or not at all; all runs gathered into Parquet files
    plan      what will run, how long it takes, what its seeds can show; the trials by which a study is tuned
    run       train the seeds of one cell; the experiment on diversity
    execute   every cell of a study, by papermill on a local Dask cluster

Importing these modules loads torch, and but for run nothing heavier: transformers, Dask and papermill are imported
where they are used.
"""
