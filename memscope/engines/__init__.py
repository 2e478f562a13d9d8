"""What assigns log-probabilities: one protocol, one module (or package) for each engine that exports `ENGINE`."""
