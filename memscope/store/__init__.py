"""What lasts: one SQLite file in the platform's data folder."""
