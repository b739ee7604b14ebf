"""What was sold: figures, leaderboard, days. Only reads; may use postgres and answers."""
