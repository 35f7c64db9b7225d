"""A study, from its TOML to stored runs: design, cells, runs, runner, gather.

    design   studies/<name>.toml -> Study: grid rows, claims, cells
    tuning   the same number of trials for every method, chosen in distribution; what a study then uses
    power    the smallest difference that the seeds of a claim can show
    cells    one cell (data x model x task x method x training), its seeds, and the identity of each run
    runs     the folder of one run: written whole or not at all
    cell     what notebooks/cell.ipynb calls: train the seeds of one cell and store them
    runner   every cell of a study, by papermill on a local Dask cluster
    diversity  an experiment that a study may declare: how diverse perturbed texts are along training
    gather   run folders -> runs.parquet and predictions.parquet, which tables and figures read
    carried  what was gathered of runs whose folders are elsewhere

Importing these modules is cheap: torch, transformers, Dask and papermill are imported where they are used.
"""
