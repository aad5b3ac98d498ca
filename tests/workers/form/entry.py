"""Reads a form, with a file in it."""

from workers import Blob, File, Request, Response, WorkerEntrypoint

PAGE = """<form method=post enctype=multipart/form-data><input name=name><input type=file name=photo></form>"""


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(PAGE, headers={"content-type": "text/html"})
        form = await request.form_data()
        photo = form["photo"]
        told: dict[str, object] = {"name": form["name"], "tags": form.get_all("tag")}
        if isinstance(photo, File):
            told["photo"] = [photo.name, photo.content_type, photo.size]
        elif isinstance(photo, Blob):
            told["photo"] = photo.size
        return Response.json(told)
