"""What all figures share: one theme, panels, marks with intervals, axes, alternative texts."""
