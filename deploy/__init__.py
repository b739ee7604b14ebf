"""How the system is run: here, in containers, in production."""
