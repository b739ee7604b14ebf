"""The whole system on one machine, from wheels: what `make run` starts, and the servers that the tests use."""
