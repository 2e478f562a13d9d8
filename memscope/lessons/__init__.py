"""Lessons: the memory that an agent keeps across episodes, and the context block that is made of it."""
