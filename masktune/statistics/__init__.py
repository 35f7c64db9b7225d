"""Numbers from arrays: metrics, intervals, tests. Pure functions of numpy arrays."""
