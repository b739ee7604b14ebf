"""The outbox' channel of mails: the words, the check of the bytes, and SMTP."""
