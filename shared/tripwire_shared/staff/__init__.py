"""People and programs who may ask: accounts, sign-in, tokens and their rates."""
