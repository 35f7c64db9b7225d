"""How ratios, durations and sizes are written in the tables, figures and sentences of the cost."""

import pandas as pd

NOT_MEASURED = "not measured"


def ratio(value: float, low: float = float("nan"), high: float = float("nan")) -> str:
    """`1.53 [1.44, 1.62]`, a ratio with its interval if there is one; NOT_MEASURED for NaN."""
    if pd.isna(value):
        return NOT_MEASURED
    return f"{value:.2f}" if pd.isna(low) else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def duration(seconds: float) -> str:
    """`12.3 s`, `4.5 min`, `3.2 h`."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def digits(value: float) -> str:
    """Three digits, or all of a number from 1,000 on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
