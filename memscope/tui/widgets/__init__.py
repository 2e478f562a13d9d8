"""What panes are made of. A widget shows what it is given and tells what a person did; it asks nobody for anything."""
