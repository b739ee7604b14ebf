"""The requests of sales managers: the rows, their states, who works on which (claims), and the lists."""
