"""The report of a study: executed chapters as a folder of HTML."""
