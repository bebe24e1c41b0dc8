"""The server: static files, ingest, sockets, and Django for the rest."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tidelog_server.settings")

from django.core.asgi import get_asgi_application

django_app = get_asgi_application()
application = django_app
