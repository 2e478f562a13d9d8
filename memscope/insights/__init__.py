"""Insights: what session traces teach, by rules and by the synthesis of a chat model."""
