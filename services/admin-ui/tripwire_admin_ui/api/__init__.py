"""What the API may be asked and what it answers: one client, a module of calls for each noun. Knows no page."""
