"""Addresses of the sockets."""

from django.urls import path

from tidelog_server.live.consumers import ProjectConsumer, RunConsumer

websocket_urlpatterns = [
    path("ws/v1/<str:team>/<str:project>/", ProjectConsumer.as_asgi()),
    path("ws/v1/<str:team>/<str:project>/runs/<str:run>/", RunConsumer.as_asgi()),
]
