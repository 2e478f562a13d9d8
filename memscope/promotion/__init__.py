"""Recurring patterns: messages of many sessions in clusters, the candidates among those, and skills made of them."""
