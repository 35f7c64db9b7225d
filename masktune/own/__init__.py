"""A user's own data: a file of texts and labels is checked, trained on, evaluated and labelled, by one command each."""
