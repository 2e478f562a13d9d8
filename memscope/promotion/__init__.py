"""Recurring patterns: messages of many sessions in clusters, those that recur as candidates, and skills made of them."""
