"""The command line: arguments in, report out. What runs is in `actions`, what is printed in `reports`."""
