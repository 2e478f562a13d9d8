"""What is inspected: a conversation, the memories surfaced into it, and how both are read from transcripts."""
