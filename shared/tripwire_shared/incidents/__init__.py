"""Outages: seen, opened once over all processes, told, resolved once; and their history. Above `alerts`."""
