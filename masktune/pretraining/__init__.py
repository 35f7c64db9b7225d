"""Masked-language-model training, and the checkpoints that it makes."""
