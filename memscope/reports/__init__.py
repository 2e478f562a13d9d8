"""Documents: one module each: its row models, its columns, its builder. A report computes; nothing above does."""
