"""Statistics: pure functions of numpy arrays, which know nothing of studies and runs.

metrics       accuracy and its relatives, of one run on one evaluation set
intervals     the interval of a mean over seeds, Wilson's interval of a share
crossed       means over seeds x clusters of examples, where both might have been others
tests         sign-flip tests over paired seeds, McNemar's test of two runs
multiplicity  many comparisons at once: corrected p values, partial conjunction
gates         did a row train, can a set tell, does a remedy help
slopes        how a quantity changes over places, of each seed
matched       one course read where another quantity has a given level
diversity     how diverse perturbed texts are
"""
