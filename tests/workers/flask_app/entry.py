"""A Flask application, over WSGI: routes, JSON, a session, an upload, a template, a stream, a page for errors."""

from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template_string, request, session
from workers import wsgi

app = Flask(__name__)
app.secret_key = "not a secret, a test"


@app.get("/visits")
def visits() -> Any:
    session["visits"] = session.get("visits", 0) + 1
    return jsonify(visits=session["visits"], greeting=request.environ["workers.env"].GREETING)


@app.post("/photos")
def upload() -> Any:
    photo = request.files["photo"]
    return {"title": request.form["title"], "name": photo.filename, "size": len(photo.read())}, 201


@app.get("/hello/<name>")
def hello(name: str) -> str:
    return render_template_string("<h1>Hello {{ name }}</h1>", name=name)


@app.get("/numbers")
def numbers() -> Response:
    def made() -> Iterator[str]:
        for number in range(3):
            yield f"{number} "

    return Response(made(), mimetype="text/plain")


@app.get("/nothing")
def nothing() -> str:
    abort(410, "it was here once")


@app.errorhandler(410)
def gone(error: Any) -> Any:
    return {"error": error.description}, 410


Default = wsgi.entrypoint(app)
