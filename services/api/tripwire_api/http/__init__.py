"""What every route stands on: who asks, bodies and fields, problems, hooks, long waits, figures. Knows no route."""
