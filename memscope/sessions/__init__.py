"""Which of thousands of stored sessions are worth reading, scoring and harvesting first: their facts, and the rank."""
