"""How a model is trained with a method: the trainer and its parts."""
