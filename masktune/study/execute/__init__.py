"""All cells: papermill runs a notebook for each on a local Dask cluster."""
