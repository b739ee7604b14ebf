"""What people did: one line each, written in the transaction of what was done."""
