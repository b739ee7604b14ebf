"""What Prometheus and the console learn: what a scrape of any service gets, and the system's figures."""
