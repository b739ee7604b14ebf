"""A request comes in: checked, stored and queued, or created at once where the queue fails. Above `provisioning`;
knows no HTTP."""
