"""One encoder, two heads: the classifier and the masked language model of one checkpoint."""
