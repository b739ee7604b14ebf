"""rq-dashboard under /admin/queue: behind our guards, its templates escaped, each change written into Activity."""
