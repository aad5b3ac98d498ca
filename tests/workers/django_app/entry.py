"""A Django application, over WSGI."""

import json

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from pyodide.ffi import run_sync
from workers import Request, Response, WorkerEntrypoint, wsgi

if not settings.configured:
    settings.configure(DEBUG=False, SECRET_KEY="local", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[])


def hello(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"message": "Hello from Django on Cloudflare Workers!"})


def send(request: HttpRequest) -> HttpResponse:
    env = request.META["workers.env"]
    run_sync(env.ORDERS.send(json.loads(request.body)))
    return HttpResponse("sent", status=202)


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(f"{number} " for number in range(3))


urlpatterns = [path("", hello), path("send", send), path("stream", stream)]
application: WSGIHandler = get_wsgi_application()


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        return await wsgi.fetch(application, request, self.env)
