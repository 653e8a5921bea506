"""The WSGI entry point: gunicorn and the flask command find the application here."""

from quiz import create_app

app = create_app()
