"""The Go buildpack: versions, vendored modules, several programs, tags, linker symbols, cgo, hooks, caches."""

import shutil
from pathlib import Path

import pytest

from tests.engine.server import EXAMPLES, Server

SERVE = """
package main

import (
	"fmt"
	"net"
	"os"
)

func serve(text string) {
	listener, err := net.Listen("tcp", ":"+os.Getenv("PORT"))
	if err != nil {
		panic(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		go func() {
			connection.Read(make([]byte, 4096))
			fmt.Fprintf(connection, "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n")
			fmt.Fprintf(connection, "Content-Length: %d\\r\\n\\r\\n%s", len(text), text)
			connection.Close()
		}()
	}
}
"""
VERSION = """
package main

import "runtime"

func main() { serve(runtime.Version()) }
"""
MAIN = """
package main

import "example.com/greet"

var commit = "unset"

func main() { serve(greet.Greet() + " " + tag + " " + commit + " " + sum()) }
"""
CGO = """
package main

/*
static int add(int a, int b) { return a + b; }
*/
import "C"
import "strconv"

func sum() string { return strconv.Itoa(int(C.add(1, 2))) }
"""
MANY = {
    "go.mod": "module example.com/many\n\n// +heroku goVersion go1.26\n// +heroku install ./cmd/...\n\ngo 1.24\n\n"
    "require example.com/greet v1.0.0\n",
    "vendor/modules.txt": "# example.com/greet v1.0.0\n## explicit; go 1.24\nexample.com/greet\n",
    "vendor/example.com/greet/greet.go": 'package greet\n\nfunc Greet() string { return "vendored" }\n',
    "cmd/site/serve.go": SERVE,
    "cmd/site/main.go": MAIN,
    "cmd/site/cgo.go": CGO,
    "cmd/site/with.go": '//go:build heroku\n\npackage main\n\nconst tag = "tagged"\n',
    "cmd/site/without.go": '//go:build !heroku\n\npackage main\n\nconst tag = "plain"\n',
    "cmd/migrate/main.go": 'package main\n\nfunc main() { println("migrated") }\n',
    "tools/gen/main.go": "package main\n\nfunc main() { not go at all }\n",
    "bin/go-pre-compile": "#!/bin/sh\necho made with $(go env GOVERSION) >made.txt\n",
    "bin/go-post-compile": "#!/bin/sh\necho After: bin/migrate is $(test -x bin/migrate && echo there)\n",
    "Procfile": "web: site\nrelease: migrate\n",
}


def test_the_go_example_is_served_and_a_source_change_compiles_only_the_app(server: Server, folder: Path) -> None:
    shutil.copytree(EXAMPLES / "go", folder, dirs_exist_ok=True)
    server.commit(folder)
    pushed = server.push(folder, "go-example", timeout=400)
    assert pushed.code == 0, pushed.text
    assert "github.com/go-chi/chi/v5" in pushed.text and "web: bin/hello" not in pushed.text, pushed.text
    assert "net/http" not in pushed.text.split(), pushed.text
    assert server.get("go-example").body.startswith("Hello from go1.25.")
    main = (folder / "main.go").read_text().replace("Hello", "Good day")
    server.commit(folder, {"main.go": main})
    pushed = server.push(folder, "go-example")
    assert pushed.code == 0 and "Using Go 1.25." in pushed.text, pushed.text
    assert "Fetch" not in pushed.text and "go-chi" not in pushed.text, pushed.text
    assert server.get("go-example").body.startswith("Good day from go1.25.")
    found = server.ssh("run go-example 'ls -A /app/.heroku /app/bin; command -v hello; test $GOMEMLIMIT -gt 1000000'")
    assert found.returncode == 0 and found.stdout.split()[-2:] == ["hello", "/app/bin/hello"], found.stdout


def test_vendored_modules_tags_linker_symbols_cgo_hooks_and_chosen_packages(server: Server, folder: Path) -> None:
    server.commit(folder, MANY)
    assert server.ssh("apps:create go-many").returncode == 0
    assert server.ssh("config:set go-many GO_LINKER_SYMBOL=main.commit 'GO_LINKER_VALUE=a b'").returncode == 0
    pushed = server.push(folder, "go-many", timeout=400)
    assert pushed.code == 0, pushed.text
    assert server.get("go-many").body == "vendored tagged a b 3"
    assert "After: bin/migrate is there" in pushed.text and "migrated" in pushed.text
    assert "made with go1.26." in server.ssh("run go-many cat made.txt").stdout
    assert server.ssh("run go-many ls bin").stdout.split() == ["go-post-compile", "go-pre-compile", "migrate", "site"]


def test_the_version_in_the_config_is_the_one_that_builds_and_another_patch_is_fetched(
    server: Server, folder: Path
) -> None:
    server.commit(folder, {"go.mod": "module example.com/old\n\ngo 1.21\n", "serve.go": SERVE, "main.go": VERSION})
    assert server.ssh("apps:create go-old").returncode == 0
    assert server.ssh("config:set go-old GOVERSION=go1.24.5").returncode == 0
    pushed = server.push(folder, "go-old", timeout=400)
    assert pushed.code == 0 and "as the config var GOVERSION asks for 1.24.5" in pushed.text, pushed.text
    assert server.get("go-old").body == "go1.24.5"


def test_a_go_older_than_the_flags_of_today_builds(server: Server, folder: Path) -> None:
    server.commit(folder, {"go.mod": "module example.com/older\n\ngo 1.13\n", "serve.go": SERVE, "main.go": VERSION})
    pushed = server.push(folder, "go-older", timeout=400)
    assert pushed.code == 0, pushed.text
    assert server.get("go-older").body.startswith("go1.13.")


@pytest.mark.parametrize(
    ("app", "comment", "said"),
    [
        ("go-none", "// +heroku goVersion go1.99\n", "There is no Go 1.99"),
        ("go-gone", "// +heroku goVersion go1.24.99\n", "There is no Go 1.24.99"),
        ("go-word", "// +heroku goVersion newest\n", '"newest", which is not a version'),
        ("go-before", "// +heroku goVersion go1.9\n", "knows no modules"),
    ],
)
def test_a_go_that_can_not_be_had_is_an_error_that_lists_what_can(
    server: Server, folder: Path, app: str, comment: str, said: str
) -> None:
    server.commit(folder, {"go.mod": f"module example.com/none\n\n{comment}go 1.24\n", "main.go": VERSION})
    pushed = server.push(folder, app)
    assert pushed.code == 1 and said in pushed.text, pushed.text
    assert "no Go" not in said or "1.26." in pushed.text, pushed.text


def test_what_go_says_of_a_mistake_reaches_the_one_who_pushes(server: Server, folder: Path) -> None:
    module = "module example.com/wrong\n\ngo 1.26\n"
    server.commit(folder, {"go.mod": module, "lib.go": "package wrong\n"})
    pushed = server.push(folder, "go-wrong")
    assert pushed.code == 1 and "no main package in module example.com/wrong" in pushed.text, pushed.text
    server.commit(folder, {"lib.go": "package main\n\nfunc main() { nothing() }\n"})
    pushed = server.push(folder, "go-wrong")
    assert pushed.code == 1 and "undefined: nothing" in pushed.text, pushed.text
    server.commit(folder, {"go.mod": "module example.com/wrong\nrequire (\n"})
    pushed = server.push(folder, "go-wrong")
    assert pushed.code == 1 and "go.mod" in pushed.text and "What go says is above" in pushed.text, pushed.text


def test_of_several_programs_the_roots_is_the_web_process(server: Server, folder: Path) -> None:
    tool = 'package main\n\nfunc main() { println("a tool") }\n'
    server.commit(
        folder, {"go.mod": "module example.com/shop\n", "serve.go": SERVE, "main.go": VERSION, "cmd/tool/main.go": tool}
    )
    pushed = server.push(folder, "go-root")
    assert pushed.code == 0 and "Default types -> web, tool" in pushed.text, pushed.text
    assert server.get("go-root").body.startswith("go1.")
