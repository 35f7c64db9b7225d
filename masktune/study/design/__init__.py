"""What a study declares: its TOML file, and what follows from it alone."""
