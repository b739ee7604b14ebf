"""An accepted request becomes a customer, exactly once: account, sale and mail in one transaction. Above `requests`."""
