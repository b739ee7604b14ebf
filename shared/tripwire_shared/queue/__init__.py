"""Redis: the queue of ids, the breaker before it, which server is the master. What it loses stands in PostgreSQL."""
