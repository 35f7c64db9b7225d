"""Train sets of any kind: their formats, their labels, padding that they come with."""
