from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from tidelog_server.core.gate import public


@public("a load balancer asks whether the process lives")
def alive(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@public("a load balancer asks whether to send work here")
def ready(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return JsonResponse({"status": "the database does not answer"}, status=503)
    return JsonResponse({"status": "ok"})
