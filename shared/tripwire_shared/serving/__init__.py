"""The HTTP server of API and admin UI (extra: serving): gunicorn, and gevent under it. Whoever serves nobody imports
none of it."""
