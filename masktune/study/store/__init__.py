"""What a study stores: run folders, and the files that are gathered from them."""
