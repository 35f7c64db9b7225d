"""What a `transformers.Trainer` promises, and how `MaskTuningTrainer` keeps it: argument by argument in `surface`."""
