"""The ground everything stands on: text, errors, settings, time, and long work. Imports nothing else of memscope."""
