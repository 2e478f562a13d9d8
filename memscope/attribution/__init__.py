"""What the log-probabilities say: which response leaned on which memory. Arithmetic; no engine is chosen here."""
