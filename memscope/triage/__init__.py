"""From responses that depend on memories to training data: what was decided of them, and the lines they become."""
