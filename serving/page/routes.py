"""The page's routes: its HTML at `/` for who takes HTML, its files below `/page/`."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.errors import Detail, RequestError, expected, shown
from serving.etags import is_had
from serving.packing import takes_gzip
from serving.page.files import INDEX, PageFile, PageFiles, page_files

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; style-src 'self' {styles}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing is loaded from elsewhere, and nothing that stands in the HTML itself is run."""
HEADERS = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Vary": "Accept, Accept-Encoding"}
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


def page_routes() -> list[Route]:
    return [Route("/page/{name:path}", page_file)]


def wants_html(request: Request) -> bool:
    """Whether a browser asks: who takes anything gets JSON."""
    return "text/html" in request.headers.get("accept", "")


async def whole_page(request: Request) -> Response:
    files = await run_in_threadpool(page_files)
    return await _sent(request, files, INDEX, ASK_AGAIN)


async def page_file(request: Request) -> Response:
    """Below its version a file never changes; without one it is asked for again.

    Raises RequestError where there is no such file.
    """
    files = await run_in_threadpool(page_files)
    name = request.path_params["name"]
    version, _, rest = name.partition("/")
    if version == files.version:
        return await _sent(request, files, rest, FOR_EVER)
    return await _sent(request, files, name, ASK_AGAIN)


def _file(files: PageFiles, name: str) -> PageFile:
    found = files.files.get(name)
    if found is None:
        detail = Detail(field="path", value=shown(name), expected=expected(name, dict.fromkeys(files.files, ())))
        raise RequestError(404, "unknown_file", f"the page has no file {shown(name)!r}", [detail])
    return found


async def _sent(request: Request, files: PageFiles, name: str, keep: str) -> Response:
    file = _file(files, name)
    policy = POLICY.format(styles=" ".join(files.styles))
    headers = HEADERS | {"ETag": file.etag, "Cache-Control": keep, "Content-Security-Policy": policy}
    if is_had(request.headers.get("if-none-match", "").encode("latin-1"), file.etag):
        return Response(status_code=304, headers=headers)
    if not takes_gzip(request.headers.get("accept-encoding", "").encode("latin-1")):
        return Response(file.body, headers=headers, media_type=file.media_type)
    body = await run_in_threadpool(lambda: file.compressed)
    return Response(body, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media_type)
