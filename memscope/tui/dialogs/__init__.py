"""What opens over a pane, asks one thing, and goes."""
