"""What customers read, in their language: one catalogue of messages for each. Knows no other room."""
