"""What a scrape of /metrics gets from any service: counts over all its processes, and which build it is. Uses nothing
else of `shared` but logs and timings."""
