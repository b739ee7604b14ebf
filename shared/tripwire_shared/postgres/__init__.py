"""PostgreSQL: the pool and its limits, notifications, and the SQL beside each store. Knows no table of ours."""
