"""One cell: train its seeds, evaluate, store."""
