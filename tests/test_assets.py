"""Static assets: who answers a request, which file a path means, headers, redirects, and what is never served."""

import pytest
from support import CONFIG

from emulator.assets import headers, html, ignore, paths, redirects

WORKER = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.partition("8787")[2]
        if path.startswith("/ask?"):
            answer = await self.env.ASSETS.fetch("http://any.host" + path.removeprefix("/ask?"))
            return Response.json([answer.status, answer.headers.get("content-type"), await answer.text()])
        if path.startswith("/pass"):
            return await self.env.ASSETS.fetch(request)
        return Response(f"worker {path}")
"""

SITE = {"/index.html", "/about.html", "/blog/index.html", "/both.html", "/both/index.html", "/app.js"}


@pytest.fixture
async def site(emu):
    """A worker with a folder `public` of assets; gives a function that starts it with more config."""
    emu.save("public/index.html", "<h1>home</h1>")
    emu.save("public/app.js", "let a = 1")
    emu.save("public/data.unknown", "?")
    emu.save("public/sub/page.html", "page")

    async def start(more="", code=WORKER):
        emu.configure(f'[assets]\ndirectory = "public"\nbinding = "ASSETS"\n{more}\n')
        return await emu.start(code)

    return start


# Which file a path means


@pytest.mark.parametrize(
    ("handling", "path", "expected"),
    [
        ("auto-trailing-slash", "/", "/index.html"),
        ("auto-trailing-slash", "/index.html", "> /"),
        ("auto-trailing-slash", "/index", "> /"),
        ("auto-trailing-slash", "/about", "/about.html"),
        ("auto-trailing-slash", "/about.html", "> /about"),
        ("auto-trailing-slash", "/about/", "> /about"),
        ("auto-trailing-slash", "/about/index", "> /about"),
        ("auto-trailing-slash", "/about/index.html", "> /about"),
        ("auto-trailing-slash", "/blog", "> /blog/"),
        ("auto-trailing-slash", "/blog/", "/blog/index.html"),
        ("auto-trailing-slash", "/blog/index.html", "> /blog/"),
        ("auto-trailing-slash", "/blog.html", "> /blog/"),
        ("auto-trailing-slash", "/both", "/both.html"),
        ("auto-trailing-slash", "/both/", "/both/index.html"),
        ("auto-trailing-slash", "/app.js", "/app.js"),
        ("auto-trailing-slash", "/App.js", None),
        ("auto-trailing-slash", "/nothing", None),
        ("force-trailing-slash", "/", "/index.html"),
        ("force-trailing-slash", "/about", "> /about/"),
        ("force-trailing-slash", "/about/", "/about.html"),
        ("force-trailing-slash", "/about.html", "> /about/"),
        ("force-trailing-slash", "/both.html", "/both.html"),
        ("force-trailing-slash", "/blog", "> /blog/"),
        ("force-trailing-slash", "/blog/index", "> /blog/"),
        ("force-trailing-slash", "/app.js", "/app.js"),
        ("drop-trailing-slash", "/", "/index.html"),
        ("drop-trailing-slash", "/index.html", "> /"),
        ("drop-trailing-slash", "/index", "> /"),
        ("drop-trailing-slash", "/about/", "> /about"),
        ("drop-trailing-slash", "/about.html", "> /about"),
        ("drop-trailing-slash", "/blog", "/blog/index.html"),
        ("drop-trailing-slash", "/blog/", "> /blog"),
        ("drop-trailing-slash", "/blog/index.html", "> /blog"),
        ("drop-trailing-slash", "/both/index.html", "/both/index.html"),
        ("none", "/", None),
        ("none", "/about", None),
        ("none", "/about.html", "/about.html"),
    ],
)
def test_the_file_that_a_path_means(handling, path, expected):
    """
    Each way with HTML files has its own right paths; all others lead there.
    """
    found = html.resolve(path, handling, SITE.__contains__)
    told = f"> {found.path}" if isinstance(found, html.Redirect) else None if found is None else found.file

    assert expected == told


@pytest.mark.parametrize(
    ("handling", "path", "expected"),
    [
        ("none", "/a/b", None),
        ("404-page", "/a/b/c", ("/a/404.html", 404)),
        ("404-page", "/b", ("/404.html", 404)),
        ("single-page-application", "/a/b", ("/index.html", 200)),
    ],
)
def test_what_is_not_there(handling, path, expected):
    """
    The nearest page for it, the one page there is, or nothing.
    """
    assert expected == html.not_found(path, handling, {"/404.html", "/a/404.html", "/index.html"}.__contains__)


@pytest.mark.parametrize(
    ("written", "decoded", "right"),
    [
        ("/a%20b", "/a b", "/a%20b"),
        ("/a//b", "/a/b", "/a/b"),
        ("/%C3%A9t%C3%A9", "/été", "/%C3%A9t%C3%A9"),
        ("/%zz", "/%zz", "/%25zz"),
        ("/%ff", "/%ff", "/%25ff"),
        ("/a%2Fb", "/a/b", "/a/b"),
        ("/(a)!*'~", "/(a)!*'~", "/(a)!*'~"),
    ],
)
def test_paths(written, decoded, right):
    """
    Parts are decoded where they can be, and there is one right way to write each path.
    """
    assert (decoded, right) == (paths.decoded(written), paths.encoded(decoded))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/api/*", "/api/a/b", True),
        ("/api/*", "/api", False),
        ("/*.json", "/a/b.json", True),
        ("/a.c", "/abc", False),
        ("/a", "/a/b", False),
    ],
)
def test_patterns_of_run_worker_first(pattern, path, expected):
    """
    A star stands for anything, everything else for itself.
    """
    assert expected == paths.glob(pattern, path)


# _redirects, _headers, .assetsignore


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("/a /b", "/a", ("/b", 302)),
        ("/a /b 301", "/a", ("/b", 301)),
        ("/a /b", "/a/c", None),
        ("/a/* /b/:splat 308", "/a/c/d", ("/b/c/d", 308)),
        ("/:year/:slug /posts/:slug?y=:year", "/2026/tea", ("/posts/tea?y=2026", 302)),
        ("/* https://other.example/:splat", "/a", ("https://other.example/a", 302)),
        ("/a/* /x\n/a/b /y", "/a/b", ("/x", 302)),
        ("/a/b /y\n/a/* /x", "/a/b", ("/y", 302)),
        ("https://shop.example/a /b", "/a", ("/b", 302)),
        ("https://other.example/a /b", "/a", None),
        ("https://:sub.example/a /:sub", "/a", ("/shop", 302)),
        ("/go/* /:splat", "/go//evil.example", ("/evil.example", 302)),
        ("# a comment\n/a /b # why", "/a", ("/b", 302)),
        ("https://shop.example/a /x\n/a /y", "/a", ("/x", 302)),
        ("https://other.example/a /x\n/a /y", "/a", ("/y", 302)),
        ("/a /y\nhttps://shop.example/a /x", "/a", ("/y", 302)),
        ("/a.b /c", "/aXb", None),
    ],
)
def test_redirects(rules, path, expected):
    """
    The first rule that matches says where to; exact ones come before the rest.
    """
    assert expected == redirects.parse(rules).match("shop.example", path)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/a", "expected a path, a target and perhaps a status, got 1 words"),
        ("/a /b 404", "expected one of the statuses 200, 301, 302, 303, 307, 308, got 404"),
        ("a /b", "expected a path that begins with /, or a URL with https://, got a"),
        ("/a ftp://b", "expected a target that begins with /, http:// or https://, got ftp://b"),
        ("/a https://b.example 200", "a rewrite, status 200, stays within the assets"),
        ("/* /index.html 200", "would go round in circles"),
        ("/ /index", "would go round in circles"),
        ("/b /c", "this path has a rule already"),
        ("/a /" + 2_000 * "a", "longer than 2000 characters"),
    ],
)
def test_redirects_that_are_left_out(line, problem):
    """
    A line that makes no sense is named with its number; the others count.
    """
    found = redirects.parse(f"/b /a\n{line}\n/z /y")

    assert 1 == len(found.problems)
    assert f"_redirects:2: {problem}" in found.problems[0]
    assert ("/y", 302) == found.match("", "/z")


def test_too_many_redirects():
    """
    2,000 exact rules and 100 others are taken.
    """
    found = redirects.parse("\n".join([f"/{n} /a" for n in range(2_001)] + [f"/{n}/* /a" for n in range(101)]))

    assert (2_000, 100) == (len(found.exact), len(found.dynamic))
    assert ["more than 2000 static rules", "more than 100 dynamic rules"] == [
        problem.split(": ")[1].split(";")[0] for problem in found.problems
    ]


@pytest.mark.parametrize(
    ("target", "query", "expected"),
    [
        ("/b", "", "/b"),
        ("/b", "x=1", "/b?x=1"),
        ("/b?y=2", "x=1", "/b?y=2"),
        ("/b#part", "x=1", "/b?x=1#part"),
    ],
)
def test_the_query_of_a_redirect(target, query, expected):
    """
    The request's query is kept unless the target has one; a fragment stays at the end.
    """
    assert expected == redirects.location(target, query)


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("/*\n  X-A: 1", "/a", [("etag", "e"), ("x-a", "1")]),
        ("/b\n  X-A: 1", "/a", [("etag", "e")]),
        ("/*\n  ETag: mine", "/a", [("etag", "mine")]),
        ("/*\n  ! ETag", "/a", []),
        ("/*\n  X-A: 1\n  X-A: 2", "/a", [("etag", "e"), ("x-a", "1, 2")]),
        ("/*\n  X-A: 1\n/a\n  X-A: 2", "/a", [("etag", "e"), ("x-a", "1"), ("x-a", "2")]),
        ("/*\n  X-A: 1\n/a\n  ! X-A", "/a", [("etag", "e")]),
        ("/:kind/*\n  X-A: :kind of :splat", "/a/b", [("etag", "e"), ("x-a", "a of b")]),
        ("https://shop.example/*\n  X-A: 1", "/a", [("etag", "e"), ("x-a", "1")]),
        ("https://other.example/*\n  X-A: 1", "/a", [("etag", "e")]),
        (
            "# comment\n/a\n  Link: <https://a.example>; rel=x",
            "/a",
            [("etag", "e"), ("link", "<https://a.example>; rel=x")],
        ),
    ],
)
def test_headers(rules, path, expected):
    """
    All rules that match apply in order; the first to name a header sets it, later ones add to it.
    """
    assert expected == headers.parse(rules).apply("shop.example", path, [("etag", "e")])


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("X-A: 1", "_headers:1: a header without a path above it; left out"),
        ("/a\n  nonsense", "_headers:2: expected Name: value, got nonsense; left out"),
        ("/a/*/b/*\n", "_headers:1: expected a path or an https URL with at most one *, got /a/*/b/*; left out"),
        ("/a\n  X: " + 2_000 * "a", "_headers:2: longer than 2000 characters; left out"),
    ],
)
def test_headers_that_are_left_out(rules, problem):
    """
    A line that makes no sense is named with its number.
    """
    assert (problem,) == headers.parse(rules).problems


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("*.map", "a/b.map", True),
        ("*.map", "a/b.mapped", False),
        ("/a", "a", True),
        ("/a", "b/a", False),
        ("drafts/", "drafts/x.html", True),
        ("drafts/", "drafts", False),
        ("a/*/c", "a/b/c", True),
        ("a/*/c", "a/b/b/c", False),
        ("a/**/c", "a/b/b/c", True),
        ("**/c", "c", True),
        ("a/**", "a/b/c", True),
        ("*\n!keep.txt", "keep.txt", False),
        ("*.txt\n!keep.txt", "a.txt", True),
        ("?.txt", "ab.txt", False),
        ("[ab].txt", "a.txt", True),
        ("[!ab].txt", "a.txt", False),
        ("# *\n\n", "a", False),
        ("\\#a", "#a", True),
    ],
)
def test_ignored_files(rules, path, expected):
    """
    The syntax is that of .gitignore; the last rule that matches counts.
    """
    assert expected == (path in ignore.parse(rules))


@pytest.mark.parametrize("pattern", ["[z-a]", "[]", "[!]"])
def test_patterns_that_match_nothing_are_left_out(pattern):
    """
    A set that can be none is a problem with its line; the other lines count.
    """
    found = ignore.parse(f"*.log\n{pattern}\n")

    assert 1 == len(found.problems)
    assert found.problems[0].startswith(f".assetsignore:2: {pattern} ")
    assert "a.log" in found
    assert "a.txt" not in found


# Served


async def test_an_asset_comes_before_the_worker(site):
    """
    A file that is there is served; everything else is the worker's.
    """
    emu = await site()

    assert (200, "let a = 1") == ((await emu.get("/app.js")).status, (await emu.get("/app.js")).text)
    assert "worker /api" == (await emu.get("/api")).text
    assert "GET    /app.js" in emu.lines
    assert "200 asset" in emu.lines


async def test_the_front_page_of_a_folder_without_one_is_the_workers(emu):
    """
    Assets without an index.html leave / to the worker.
    """
    emu.save("public/app.js", "let a = 1")
    emu.configure('[assets]\ndirectory = "public"\nbinding = "ASSETS"\n')
    await emu.start(WORKER)

    assert (200, "worker /") == ((await emu.get("/")).status, (await emu.get("/")).text)
    assert [404, None, ""] == (await emu.get("/ask?/")).json


async def test_the_headers_of_an_asset(site):
    """
    A tag, a type by the ending, and the word to ask again; none of it for what has no known ending.
    """
    emu = await site()
    page, unknown = await emu.get("/"), await emu.get("/data.unknown")

    assert "text/html; charset=utf-8" == page.header("content-type")
    assert "public, max-age=0, must-revalidate" == page.header("cache-control")
    assert "13" == page.header("content-length")
    assert unknown.header("content-type") is None
    assert (await emu.get("/", headers={"authorization": "a"})).header("cache-control") is None


async def test_an_unchanged_asset_is_not_sent_again(site):
    """
    The tag, weak or strong, is answered with 304 until the file changes.
    """
    emu = await site()
    tag = (await emu.get("/app.js")).header("etag")

    for sent in (tag, f"W/{tag}"):
        answer = await emu.get("/app.js", headers={"if-none-match": sent})

        assert (304, b"") == (answer.status, answer.body)

    emu.save("public/app.js", "let a = 2")

    assert "let a = 2" == (await emu.get("/app.js", headers={"if-none-match": tag})).text


async def test_other_methods(site):
    """
    HEAD has the headers without the body; what would change an asset is refused, and elsewhere the worker's.
    """
    emu = await site()
    head = await emu.request("HEAD", "/app.js")

    assert (200, b"", "9") == (head.status, head.body, head.header("content-length"))
    assert 405 == (await emu.post("/app.js")).status
    assert "worker /api" == (await emu.post("/api")).text


@pytest.mark.parametrize(
    ("path", "location"),
    [("/index.html", "/"), ("/sub/page.html?x=1", "/sub/page?x=1"), ("//app.js", "/app.js"), ("/%61pp.js", "/app.js")],
)
async def test_a_path_that_is_not_quite_right(site, path, location):
    """
    It leads to the right one, with its query.
    """
    emu = await site()
    answer = await emu.get(path)

    assert (307, location) == (answer.status, answer.header("location"))


async def test_a_changed_asset_and_changed_rules_count_at_once(site, caplog):
    """
    Nothing has to be reloaded for a new file, a new redirect or a new header.
    """
    emu = await site()
    assert "worker /new.txt" == (await emu.get("/new.txt")).text

    emu.save("public/new.txt", "new")
    emu.save("public/_redirects", "/old /new.txt 301\nnonsense")
    emu.save("public/_headers", "/new.txt\n  X-Kind: :kind\n  X-Robots-Tag: noindex")
    emu.save("public/.assetsignore", "*.unknown")
    new, old = await emu.get("/new.txt"), await emu.get("/old?a=1")

    assert ("new", "noindex") == (new.text, new.header("x-robots-tag"))
    assert (301, "/new.txt?a=1") == (old.status, old.header("location"))
    assert "worker /data.unknown" == (await emu.get("/data.unknown")).text
    assert 1 == caplog.text.count("_redirects:2: expected a path")


async def test_a_pattern_that_is_none_is_told_once_and_costs_no_request(site, caplog):
    """
    A bad line of .assetsignore is a warning; assets are served all the same.
    """
    emu = await site()
    emu.save("public/.assetsignore", "[z-a]\n")

    assert [200, 200] == [(await emu.get("/app.js")).status for _ in range(2)]
    assert 1 == caplog.text.count(".assetsignore:1: [z-a] is no pattern")


async def test_a_rewrite_shows_another_file_under_a_path(site):
    """
    Status 200 keeps the path; a rewrite to nothing is not found.
    """
    emu = await site()
    emu.save("public/_redirects", "/script/* /app.js 200\n/lost /nowhere 200")

    assert "let a = 1" == (await emu.get("/script/any")).text
    assert 404 == (await emu.get("/lost")).status


async def test_the_folder_may_come_later(emu):
    """
    Without it the worker answers everything; when it is there it is served.
    """
    await emu.start(WORKER, config='[assets]\ndirectory = "dist"\n')

    assert "worker /a.txt" == (await emu.get("/a.txt")).text

    emu.save("dist/a.txt", "built")

    assert "built" == (await emu.get("/a.txt")).text


# Who comes first


@pytest.mark.parametrize(
    ("first", "path", "expected"),
    [
        ("true", "/app.js", "worker /app.js"),
        ('["/app*"]', "/app.js", "worker /app.js"),
        ('["/api/*"]', "/app.js", "let a = 1"),
        ('["/*", "!/app.js"]', "/app.js", "let a = 1"),
        ('["/*", "!/assets/*"]', "/assets/none", ""),
        ('["/api/*"]', "/none", "worker /none"),
    ],
)
async def test_who_comes_first(site, first, path, expected):
    """
    The worker if it is to be first, for all or for some paths; a rule with ! keeps a path from it.
    """
    emu = await site(f"run_worker_first = {first}")

    assert expected == (await emu.get(path)).text


@pytest.mark.parametrize(
    ("more", "mode", "expected"),
    [
        ("", "navigate", "worker /none"),
        ('not_found_handling = "single-page-application"', "navigate", "<h1>home</h1>"),
        ('not_found_handling = "single-page-application"', "cors", "worker /none"),
        ('not_found_handling = "single-page-application"\nrun_worker_first = ["/api/*"]', "cors", "<h1>home</h1>"),
    ],
)
async def test_a_single_page_application(site, more, mode, expected):
    """
    Going to a page that is not there shows the application; what its script asks for is the worker's.
    """
    emu = await site(more)

    assert expected == (await emu.get("/none", headers={"sec-fetch-mode": mode})).text


async def test_assets_without_a_worker(emu):
    """
    A project without code serves its files, and 404 with its page for the rest.
    """
    emu.save("public/index.html", "home")
    emu.save("public/404.html", "nothing here")
    emu.config = 'name = "site"\ncompatibility_date = "2026-06-01"\n'
    await emu.start(config='[assets]\ndirectory = "public"\nnot_found_handling = "404-page"\n')
    lost = await emu.get("/lost")

    assert "home" == (await emu.get("/")).text
    assert (404, "nothing here") == (lost.status, lost.text)
    assert "" == emu.lines.partition("GET")[0]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ask?/app.js", [200, "text/javascript; charset=utf-8", "let a = 1"]),
        ("/ask?/", [200, "text/html; charset=utf-8", "<h1>home</h1>"]),
        ("/ask?/none", [404, None, ""]),
    ],
)
async def test_the_binding(site, path, expected):
    """
    The worker asks for a file under any host, also where the worker comes first.
    """
    emu = await site("run_worker_first = true")

    assert expected == (await emu.get(path)).json


async def test_the_binding_takes_the_browsers_request(site):
    """
    Handed the request as it came, it answers for its path.
    """
    emu = await site('run_worker_first = true\nnot_found_handling = "single-page-application"')

    assert "<h1>home</h1>" == (await emu.get("/pass")).text


async def test_assets_are_served_while_the_worker_is_broken(site):
    """
    A save that cannot be loaded does not take the files away.
    """
    emu = await site()
    await emu.reload("async def fetch(:")

    assert "let a = 1" == (await emu.get("/app.js")).text
    assert 500 == (await emu.get("/api")).status


# Never served

SECRET = "canary-of-the-secret-files"
HIDDEN = [
    "/.dev.vars",
    "/.env",
    "/.env.local",
    "/prod.vars",
    "/PROD.VARS",
    "/.git/config",
    "/.emulator/state.db",
    "/.emulator/lock",
    "/wrangler.toml",
    "/sub/wrangler.jsonc",
    "/_headers",
    "/_redirects",
    "/.assetsignore",
    "/.hidden/a.txt",
    "/out.txt",
    "/outside/secret.txt",
    "/link-to-vars.txt",
    "/link-to-state/state.db",
    "/nowhere.txt",
    "/circle/a.txt",
    "/sub",
    "/secrets.local.txt",
]
UP = ["../secret.txt", "../../secret.txt", "sub/../../secret.txt", "sub/../.dev.vars", "./.dev.vars", "..;/secret.txt"]
SPELLINGS = [
    ("..", "%2e%2e"),
    ("..", "%2E."),
    ("..", "%252e%252e"),
    ("..", "%c0%ae%c0%ae"),
    ("..", "%e0%80%ae%e0%80%ae"),
    ("/", "%2f"),
    ("/", "%5c"),
    ("/", "\\"),
    ("/", "//"),
    (".", "%2e"),
    ("", ""),
]
ENDINGS = ["", "?raw", "?.svg", "%00", "%00.html", "%20", ".", "/", "::$DATA", "/."]
TRAVERSALS = sorted(
    {
        f"/{path.replace(*spelling) if spelling[0] else path}{ending}"
        for path in UP
        for spelling in SPELLINGS
        for ending in ENDINGS
    }
)


@pytest.fixture
async def exposed(emu):
    """The project's own folder is the assets' folder, with everything in it that must not get out."""
    project = emu.folder / "project"
    for name in (".dev.vars", ".env", ".env.local", "prod.vars", "PROD.VARS", ".git/config", ".hidden/a.txt"):
        emu.save(f"project/{name}", f"A={SECRET}")
    for name in ("sub/wrangler.jsonc", "_headers", "_redirects", ".assetsignore"):
        emu.save(f"project/{name}", f"# {SECRET}")
    emu.save("secret.txt", SECRET)
    emu.save("project/wrangler.toml", f'{CONFIG}# {SECRET}\n[assets]\ndirectory = "."\n')
    (project / "out.txt").symlink_to(emu.folder / "secret.txt")
    (project / "outside").symlink_to(emu.folder)
    (project / "link-to-vars.txt").symlink_to(project / ".dev.vars")
    (project / "link-to-state").symlink_to(project / ".emulator")
    (project / "nowhere.txt").symlink_to(project / "gone")
    (project / "circle").symlink_to(project / "circle")
    (project / "link.txt").symlink_to(project / "sub" / "open.txt")
    emu.save("project/sub/open.txt", "open")
    emu.save("project/.well-known/security.txt", "open too")
    emu.save("project/entry.py", WORKER)
    emu.configs = ["project/wrangler.toml"]
    return await emu.start()


@pytest.mark.parametrize("path", HIDDEN)
async def test_what_is_never_served(exposed, path):
    """
    Secrets, the config, the state, hidden files and links to them are the worker's to answer, as if not there.
    """
    answer = await exposed.get(path)

    assert f"worker {path}" == answer.text


async def test_what_may_be_served(exposed):
    """
    A link within the folder, and what is meant to be well known.
    """
    assert "open" == (await exposed.get("/link.txt")).text
    assert "open too" == (await exposed.get("/.well-known/security.txt")).text


async def test_paths_that_lead_out(exposed):
    """
    However a path out of the folder is written, not a byte of what is there comes back.
    """
    answers = {path: await exposed.get(path) for path in TRAVERSALS}

    assert len(answers) > 200
    assert {} == {path: answer for path, answer in answers.items() if SECRET in answer.text or answer.status == 500}


async def test_a_file_too_large_to_deploy(site, caplog):
    """
    It is not served, and the terminal says so, once.
    """
    emu = await site()
    with (emu.folder / "public" / "film.mp4").open("wb") as film:
        film.truncate((25 << 20) + 1)

    assert "worker /film.mp4" == (await emu.get("/film.mp4")).text
    assert "worker /film.mp4" == (await emu.get("/film.mp4")).text
    assert 1 == caplog.text.count("larger than 25 MiB")
