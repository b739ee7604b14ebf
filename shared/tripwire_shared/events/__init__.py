"""The health log: types of events, the causes of incidents, and the table. Uses the outbox alone: an alert is stored
in the same transaction as its event."""
