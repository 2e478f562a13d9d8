"""How memscope speaks to servers: the manners of HTTP, and what is asked of chat models."""
