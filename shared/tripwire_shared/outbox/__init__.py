"""What must reach somebody else, stored with what caused it and delivered at least once: mails and alerts."""
