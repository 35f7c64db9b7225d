"""A user's files of texts and labels: reading them, choosing columns, checking, splitting."""
