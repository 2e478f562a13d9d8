"""The console: panes over one conversation, by keyboard. Nothing outside this folder knows Textual."""
