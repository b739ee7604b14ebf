"""How the API is started and served: the WSGI entry, gunicorn and its worker."""
