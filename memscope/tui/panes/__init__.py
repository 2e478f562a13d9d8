"""The panes, a folder each, which exports `PANE` and loads nothing more until the pane is shown: `screen.py`, and its
stylesheet beside it."""
