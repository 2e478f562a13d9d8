"""What speaks to a server is tested with what the engines' tests use."""

from tests.engines.conftest import client, job

__all__ = ["client", "job"]
