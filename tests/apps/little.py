"""Apps of a few lines: their files by path."""

SERVER = """\
import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text().encode())


def text():
    return %s


HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Page).serve_forever()
"""
WEB = "web: python web.py\n"


def python(expression: str, **files: str) -> dict[str, str]:
    """A web app of the standard library that answers with an expression."""
    return {"requirements.txt": "", "Procfile": WEB, "web.py": SERVER % expression, **files}


WORKER = {
    "requirements.txt": "",
    "Procfile": "worker: python work.py\n",
    "work.py": (
        "import itertools, time\n\nfor job in itertools.count(1):\n"
        "    print(f'working on job {job}')\n    time.sleep(1)\n"
    ),
}
SEVERAL = python("'web of several'") | {
    "Procfile": (
        "# what visitors see\nweb: python web.py\n\n\nworker: sleep infinity\n"
        "# twice a day\nclock: while true; do echo tick; sleep 60; done\n"
    ),
    "requirements.txt": "itsdangerous==2.2.0\n",
}
SLOW = python("'up at last'")
SLOW["web.py"] = "import time\n\ntime.sleep(3)\n" + SLOW["web.py"]
IPV4 = python("'IPv4'")
IPV6 = {
    "package.json": '{"name": "ipv6", "private": true, "scripts": {"start": "node index.mjs"}}\n',
    "index.mjs": (
        'import { createServer } from "node:http";\n\n'
        'const server = createServer((_, answer) => answer.end("family " + server.address().family));\n'
        'server.listen(process.env.PORT, "::");\n'
    ),
}
PROFILE = python("' '.join([os.environ['ONE'], os.environ['TWO'], os.environ['PATH'].split(':')[0]])") | {
    ".profile.d/one.sh": "export ONE=first TWO=overridden\n",
    ".profile": 'export TWO=second PATH="$HOME/tools:$PATH"\n',
    "Procfile": "web: start-it\n",
    "tools/start-it": "#!/bin/sh\nexec python web.py\n",
}
SLUGIGNORE = python("' '.join(sorted(name for name in os.listdir() if name[0] in 'bdk'))")
SLUGIGNORE |= {"kept.txt": "", "big.psd": "", "design/draft.txt": "", ".slugignore": "*.psd\n/design\n"}
CRLF = python("'from ' + __import__('bottle').__name__.replace('bottle', 'Windows')")
CRLF |= {"Procfile": "\ufeffweb: python web.py\r\nworker: python web.py\r\n", "requirements.txt": "bottle==0.13.4\r\n"}
SHELL = python("os.environ['SAID']") | {
    "Procfile": (
        "web: echo piped | tr a-z A-Z && "
        """SAID="it's ${CLOCK:-midnight} | \\$HOME=$HOME" PORT=${PORT:-80} python web.py\n"""
    ),
}
SCRIPTS = python("open('made.txt').read()") | {
    "bin/pre_compile": "#!/usr/bin/env bash\nset -e\nprintf 'before ' > made.txt\n",
    "bin/post_compile": "#!/usr/bin/env bash\nset -e\npython -c 'import bottle'\nprintf 'after ' >> made.txt\n",
    "bin/web": "#!/usr/bin/env bash\nprintf executable >> made.txt\nexec python web.py\n",
    "Procfile": "web: bin/web\n",
    "requirements.txt": "bottle==0.13.4\n",
}
BARE = {
    "package.json": '{"name": "bare"}\n',
    "server.js": 'require("http").createServer((_, answer) => answer.end("bare")).listen(process.env.PORT);\n',
}
MAIN = {
    "package.json": '{"name": "main", "main": "./lib/app.js"}\n',
    "lib/app.js": 'require("http").createServer((_, answer) => answer.end("main")).listen(process.env.PORT);\n',
}
PREPARE = {
    "package.json": (
        '{"name": "prepare", "private": true, "scripts": {"postinstall": "esbuild app.js --outfile=made/app.js",'
        ' "start": "node made/app.js"}, "devDependencies": {"esbuild": "0.25.0"}}\n'
    ),
    "app.js": (
        'const there = require("fs").existsSync("node_modules/esbuild");\n'
        'const text = "bundled, development packages: " + there;\n'
        'require("http").createServer((_, answer) => answer.end(text)).listen(process.env.PORT);\n'
    ),
}
BLUEPRINT = {
    "render.yaml": (
        "services:\n  - type: web\n    name: shop\n    runtime: python\n"
        "    buildCommand: pip install -r requirements.txt\n"
        "    startCommand: gunicorn hall:app\n    envVars:\n      - {key: WHERE, value: a blueprint}\n"
        "      - {key: PYTHON_VERSION, value: 3.13}\n      - {key: SECRET_KEY, generateValue: true}\n"
        "  - {type: worker, name: mails, runtime: python, startCommand: python -m http.server}\n"
    ),
    "requirements.txt": "gunicorn\n",
    "hall.py": (
        "import os\n\n\ndef app(environ, start_response):\n    start_response('200 OK', [])\n"
        "    return [f\"hello from {os.environ['WHERE']}\".encode()]\n"
    ),
}
PAGE_AND_TOOLS = {
    "package.json": (
        '{"name": "page", "main": "index.js", "scripts": {"test": "exit 1"}, "devDependencies": {"is-odd": "3.0.1"}}\n'
    ),
    "index.html": "<p>only a page</p>\n",
    "index.js": "document.title = 1;\n",
}
STATICFILE = {"Staticfile": "root: site\npushstate: enabled\n", "site/index.html": "<p>in a folder</p>\n"}
OWN_SERVER = {
    "requirements.txt": "bottle\n",
    "main.py": (
        "import os\n\nimport bottle\n\nbottle.route('/')(lambda: 'by itself')\n"
        "bottle.run(host='0.0.0.0', port=int(os.environ['PORT']))\n"
    ),
}
GRADIO = {
    "requirements.txt": "gradio\n",
    "app.py": "import gradio\n\ngradio.Interface(str.upper, 'text', 'text').launch()\n",
}
HOOKS = {
    "package.json": (
        '{"name": "hooks", "private": true, "scripts": {"heroku-prebuild": "printf prebuild > said.txt",'
        ' "heroku-postbuild": "printf \\" postbuild:$COLOUR\\" >> said.txt", "build": "exit 1",'
        ' "heroku-cleanup": "printf \\" cleanup\\" >> said.txt", "start": "node server.js"}}\n'
    ),
    "package-lock.json": (
        '{"name": "hooks", "lockfileVersion": 3, "requires": true, "packages": {"": {"name": "hooks"}}}\n'
    ),
    "server.js": (
        'const said = require("fs").readFileSync("said.txt");\n'
        'require("http").createServer((_, answer) => answer.end(said)).listen(process.env.PORT);\n'
    ),
}
PLAIN = {"index.html": "<a href='über/grüße.html'>greetings</a>\n", "über/grüße.html": "Grüße aus Köln\n"}
STATIC_JSON = {
    "static.json": (
        '{"root": "site", "clean_urls": true, "redirects": {"/old": {"url": "/new", "status": 302}},'
        ' "headers": {"/**": {"X-Frame-Options": "DENY"}}}\n'
    ),
    "site/index.html": "home\n",
    "site/new.html": "the new page\n",
}
LINKS = {"index.html": "links\n", "releases/v1/text.txt": "of version 1\n", "releases/v2/text.txt": "of version 2\n"}
APP_JSON = {
    "app.json": (
        '{"buildpacks": [{"url": "heroku/nodejs"}, {"url": "heroku/static"}],'
        ' "healthchecks": {"web": [{"type": "startup", "path": "/made.html", "content": "made by"}]}}\n'
    ),
    "package.json": '{"name": "site", "private": true, "scripts": {"heroku-postbuild": "node make.js"}}\n',
    "make.js": 'require("fs").writeFileSync("made.html", "made by Node");\n',
    "index.html": "home\n",
}
OWN = {
    ".buildpacks": "./buildpack\n",
    "buildpack/bin/detect": "#!/bin/sh\necho Own\n",
    "buildpack/bin/compile": (
        "#!/bin/sh\nset -e\ntouch $2/kept\n"
        'printf \'kept=%s colour=%s\' "$(ls $2 | wc -l)" "$(cat $3/COLOUR)" > $1/made\n'
        "mkdir -p $1/.profile.d\necho 'export MADE=$(cat made)' > $1/.profile.d/own.sh\n"
    ),
    "buildpack/bin/release": (
        "#!/bin/sh\nprintf 'config_vars:\\n  BY: own\\ndefault_process_types:\\n  web: python3 web.py\\n'\n"
    ),
    "web.py": SERVER % "f\"by the app's {os.environ['BY']} buildpack: {os.environ['MADE']}\"",
}
EXPOSE = {
    "Dockerfile": (
        "FROM mothership/stack-run:heroku-24\nARG AUDIENCE=nobody\nWORKDIR /srv\nCOPY web.py .\n"
        'ENV AUDIENCE=$AUDIENCE PORT=5000\nEXPOSE 5000\nCMD ["python3", "web.py"]\n'
    ),
    "web.py": SERVER.replace('int(os.environ["PORT"])', "5000") % "'exposed, built for ' + os.environ['AUDIENCE']",
}
DOCKER_PROCFILE = {
    "Dockerfile": "FROM mothership/stack-run:heroku-24\nWORKDIR /srv\nCOPY . .\nUSER 1000\n",
    "Procfile": "web: python3 web.py\nworker: sleep infinity\n",
    "web.py": SERVER % "'web in a container'",
}
NESTED = {
    "requirements.txt": "-r backend/requirements/production.txt\n",
    "backend/requirements/base.txt": "bottle==0.13.4\n",
    "backend/requirements/production.txt": "-r base.txt\n",
    "backend/requirements/development.txt": "a-package-that-is-not-there==1\n",
    "Procfile": "web: cd backend && python web.py\n",
    "backend/web.py": SERVER % "os.getcwd() + ' has Bottle ' + __import__('bottle').__version__",
}
COMPILED = python("'from C: ' + str(__import__('markupsafe._speedups')._speedups.__file__.endswith('.so'))") | {
    "requirements.txt": "--no-binary markupsafe\nmarkupsafe==3.0.3\n",
    ".python-version": "3.13\n",
}
SETUP_PY = {
    "setup.py": (
        "from setuptools import setup\n\n"
        "setup(name='harbour', version='2.0', py_modules=['harbour'], install_requires=['bottle'],\n"
        "      entry_points={'console_scripts': ['harbour = harbour:main']})\n"
    ),
    "harbour.py": (
        "import os\n\nimport bottle\n\n\n@bottle.get('/')\ndef home():\n    return 'an old harbour'\n\n\n"
        "def main():\n    bottle.run(host='0.0.0.0', port=int(os.environ['PORT']))\n"
    ),
    "Procfile": "web: harbour\n",
}
COMMITTED = {
    "package.json": '{"name": "committed", "dependencies": {"shout": "1.0.0"}, "scripts": {"start": "node app.js"}}\n',
    "app.js": (
        'const shout = require("shout");\n'
        'require("http").createServer((_, answer) => answer.end(shout("ahoy"))).listen(process.env.PORT);\n'
    ),
    "node_modules/shout/package.json": '{"name": "shout", "version": "1.0.0"}\n',
    "node_modules/shout/index.js": "module.exports = (text) => text.toUpperCase();\n",
}
PUBLIC = {
    "public/index.html": "home\n",
    "public/404.html": "nothing here\n",
    "public/vendor/lib.js": "vendored();\n",
    "README.md": "not served\n",
}
STAGES = {
    "Dockerfile": (
        "FROM mothership/stack-build:heroku-24 AS builder\nWORKDIR /src\nCOPY main.c .\n"
        "RUN gcc -O1 -o /tmp/answer main.c\n\n"
        "FROM mothership/stack-run:heroku-24\nCOPY --from=builder /tmp/answer /usr/local/bin/answer\n"
        "COPY web.py /srv/\nCMD python3 /srv/web.py\n"
    ),
    "main.c": '#include <stdio.h>\n\nint main(void) {\n    return puts("compiled in another stage") < 0;\n}\n',
    ".dockerignore": "*.md\n",
    "README.md": "left out\n",
    "web.py": SERVER % "__import__('subprocess').check_output('answer', text=True)",
}
