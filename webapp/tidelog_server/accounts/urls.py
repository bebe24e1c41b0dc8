"""Pages for people: signing in and out."""

from django.urls import path

from tidelog_server.accounts import views

urlpatterns = [
    path("login", views.sign_in, name="login"),
    path("login/link/<str:token>", views.sign_in_by_link, name="sign-in-link"),
    path("logout", views.sign_out, name="logout"),
]
