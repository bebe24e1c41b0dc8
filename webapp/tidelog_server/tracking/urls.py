"""Pages for people: the way in, teams, workspaces and runs."""

from django.urls import path

from tidelog_server.tracking.views import find, home, log_file, run, start, stories, workspace

PROJECT = "<str:team>/<str:project>/"
RUN = f"{PROJECT}runs/<str:run>"

urlpatterns = [
    path("", home.home, name="home"),
    path("start", start.start, name="start"),
    path("start/seen", start.seen, name="start-seen"),
    path("find", find.find, name="find"),
    path("_ui", stories.stories, name="stories"),
    path("<str:team>/", home.team, name="team"),
    path(PROJECT, workspace.workspace, name="workspace"),
    path(RUN, run.overview, name="run"),
    path(f"{RUN}/notes", run.notes, name="run-notes"),
    path(f"{RUN}/charts", run.charts, name="run-charts"),
    path(f"{RUN}/logs", run.logs, name="run-logs"),
    path(f"{RUN}/logs.txt", log_file.log_file, name="run-log-file"),
]
