"""What doors and workers do with a review beside its rules: its words, the file with its comments, its certificate."""
