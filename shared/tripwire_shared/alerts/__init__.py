"""What Telegram is told: the words, the chat, the sending, and the way past PostgreSQL. Above `events`, below
`incidents`."""
