"""Two accelerators of a training step on a CPU; without them it runs as torch has it.

`fast_dropout` draws other masks from the same seed, of the same distribution; `fast_word_gradient` adds up the gradient
of the word embeddings in another order. Each is an argument of the trainer: None uses it where it pays, True wherever
it can be used, False never.
"""
