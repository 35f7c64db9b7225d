"""What a study will take and can show, before it runs."""
