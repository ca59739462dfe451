"""The Ruby buildpack: gems from a source and from the repository, Rails and its assets, versions, and rebuilds."""

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.ruby_gems import built_gem, debian_gems, locked, source_index
from tests.engine.server import EXAMPLES, Server

PATIENCE = 900
"""Seconds: the first push to ask for an extra makes it."""

INSTALLED, KEPT = "Installing gems with Bundler", "Using the gems of the last build"
GEMSPEC = """\
Gem::Specification.new do |spec|
  spec.name, spec.version, spec.authors, spec.summary = "swift_sum", "1.0.0", ["Ada"], "Adds in C"
  spec.files, spec.extensions = Dir["ext/**/*", "lib/**/*"], ["ext/swift_sum/extconf.rb"]
end
"""
EXTENSION = """\
#include <ruby.h>
static VALUE add(VALUE self, VALUE a, VALUE b) { return INT2NUM(NUM2INT(a) + NUM2INT(b)); }
void Init_swift_sum(void) { rb_define_module_function(rb_define_module("SwiftSum"), "add", add, 2); }
"""
SWIFT_SUM = {
    "swift_sum.gemspec": GEMSPEC,
    "ext/swift_sum/extconf.rb": 'require "mkmf"\ncreate_makefile("swift_sum")\n',
    "ext/swift_sum/swift_sum.c": EXTENSION,
}
RACK = """\
require "json"
require "swift_sum"
has = ->(name) { Gem.loaded_specs.key?(name) || Gem::Specification.find_all_by_name(name).any? }
run lambda { |_env|
  said = { ruby: RUBY_VERSION, sum: SwiftSum.add(40, 2), development: has["rack-session"], environment: ENV["RACK_ENV"],
           arenas: ENV["MALLOC_ARENA_MAX"], program: $PROGRAM_NAME }
  [200, { "content-type" => "application/json" }, [JSON.generate(said)]]
}
"""
GEMFILE = """\
source "https://rubygems.org"
ruby "~> 3.3.0"
gem "rackup"
gem "swift_sum"
group :development do
  gem "rack-session"
end
"""
EMPTY_LOCK = """\
GEM
  remote: https://rubygems.org/
  specs:

PLATFORMS
  ruby

DEPENDENCIES

BUNDLED WITH
   2.3.15
"""
SERVE = """\
require "socket"
server = TCPServer.new("0.0.0.0", ENV["PORT"])
loop do
  client = server.accept
  client.gets
  client.write "HTTP/1.0 200 OK\\r\\n\\r\\n#{RUBY_VERSION}"
  client.close
end
"""
RAILS = {
    "Gemfile": 'source "https://rubygems.org"\ngem "rails"\ngem "puma"\n',
    "bin/rails": '#!/usr/bin/env ruby\nAPP_PATH = File.expand_path("../config/application", __dir__)\n'
    'require_relative "../config/boot"\nrequire "rails/commands"\n',
    "config.ru": 'require_relative "config/environment"\nrun Rails.application\n',
    "config/boot.rb": 'ENV["BUNDLE_GEMFILE"] ||= File.expand_path("../Gemfile", __dir__)\nrequire "bundler/setup"\n',
    "config/application.rb": """\
require_relative "boot"
require "rails"
require "action_controller/railtie"
class Shop < Rails::Application
  config.load_defaults 7.2
  config.eager_load = true
  config.public_file_server.enabled = ENV["RAILS_SERVE_STATIC_FILES"].present?
end
""",
    "config/environment.rb": 'require_relative "application"\nRails.application.initialize!\n',
    "config/routes.rb": """\
Rails.application.routes.draw do
  root to: proc {
    said = { env: Rails.env, secret: Rails.application.secret_key_base.size, stdout: ENV["RAILS_LOG_TO_STDOUT"] }
    [200, { "content-type" => "application/json" }, [said.to_json]]
  }
end
""",
    "Rakefile": """\
require_relative "config/application"
Rails.application.load_tasks
namespace :assets do
  task precompile: :environment do
    mkdir_p "public/assets"
    abort "the shop's colour is not set" if ENV["COLOUR"] == "none"
    kept = File.exist?("public/assets/kept")
    File.write("public/assets/kept", "")
    File.write("public/assets/shop.css", "#{Rails.env} #{ENV["RAILS_GROUPS"]} #{kept ? "again" : "first"}")
  end
end
""",
}

CONFIGURE = r"""#!/bin/bash
for word; do case $word in --prefix=*) prefix=${word#*=} ;; esac; done
mkdir made
for name in ruby bundle gem; do
    printf '#!/bin/bash\nDISGUISE=3.2.99 exec /usr/bin/%s "$@"\n' "$name" >"made/$name"
    chmod +x "made/$name"
done
printf 'all:\ninstall:\n\tmkdir -p %s/bin && cp made/* %s/bin/\n' "$prefix" "$prefix" >Makefile
"""


@pytest.fixture(scope="session")
def gems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of gems: `rack` and `rails` to be vendored, `source` as a static copy of a gem server."""
    root = tmp_path_factory.mktemp("gems")
    for name in ("rack", "rails", "source"):
        (root / name).mkdir()
    debian_gems(root / "rack", "ruby-rack ruby-rackup ruby-rack-session", "rackup webrick rack-session")
    built_gem(root / "rack", "swift_sum", SWIFT_SUM)
    debian_gems(root / "rails", "ruby-rails puma", "rails puma")
    debian_gems(root / "source", "ruby-sinatra ruby-rackup", "sinatra rackup webrick")
    source_index(root / "source")
    return root


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory, worker_id: str, gems: Path) -> Iterator[Server]:
    """A Mothership whose builds find gems and Ruby's sources in folders of the server."""
    rubies = tmp_path_factory.mktemp("rubies")
    made = Server(
        tmp_path_factory.mktemp("mirrored"),
        f"mstr{worker_id}",
        mirrors={"https://rubygems.org": str(gems / "source"), "https://cache.ruby-lang.org/": str(rubies)},
    )
    release_of_ruby(rubies)
    rubies.chmod(0o755)
    try:
        made.start()
        yield made
    finally:
        made.destroy()


def release_of_ruby(folder: Path) -> None:
    """A Ruby 3.2.99 as it would be released: what its `make install` leaves is the stack's own in disguise."""
    tar = folder / "pub/ruby/3.2/ruby-3.2.99.tar.gz"
    tar.parent.mkdir(parents=True)
    with tarfile.open(tar, "w:gz") as archive:
        entry = tarfile.TarInfo("ruby-3.2.99/configure")
        entry.size, entry.mode = len(CONFIGURE), 0o755
        archive.addfile(entry, io.BytesIO(CONFIGURE.encode()))
    digest = hashlib.sha256(tar.read_bytes()).hexdigest()
    url = "https://cache.ruby-lang.org/pub/ruby/3.2/ruby-3.2.99.tar.gz"
    index = f"name\turl\tsha1\tsha256\tsha512\nruby-3.2.99\t{url}\tx\t{digest}\tx\n"
    (folder / "pub/ruby/index.txt").write_text(index)


def vendored(server: Server, folder: Path, gems: Path, files: dict[str, str]) -> None:
    """Commit an app with its gems in vendor/cache and the lock that Bundler makes of them."""
    server.commit(folder, {**files, "Gemfile.lock": locked(files["Gemfile"], gems)})
    shutil.copytree(gems, folder / "vendor/cache", dirs_exist_ok=True)
    for program in folder.glob("bin/*"):
        program.chmod(0o755)
    server.commit(folder)


def rack_files(**changes: str) -> dict[str, str]:
    return {"Gemfile": GEMFILE, "config.ru": RACK, **changes}


def test_the_sinatra_example_installs_from_a_mirror_and_a_change_of_its_source_installs_nothing(
    mirrored: Server, folder: Path
) -> None:
    root = EXAMPLES / "ruby-sinatra"
    mirrored.commit(folder, {path.name: path.read_text() for path in root.iterdir()})
    pushed = mirrored.push(folder, "r-sinatra", timeout=PATIENCE)
    assert pushed.code == 0 and "Installing sinatra" in pushed.text, pushed.text
    assert mirrored.get("r-sinatra").body.startswith("Hello from Sinatra 4.1.1 on Ruby 3.3.")
    mirrored.commit(folder, {"hello.rb": (folder / "hello.rb").read_text().replace("Hello from", "Greetings from")})
    pushed = mirrored.push(folder, "r-sinatra", timeout=PATIENCE)
    assert pushed.code == 0 and KEPT in pushed.text and INSTALLED not in pushed.text, pushed.text
    assert mirrored.get("r-sinatra").body.startswith("Greetings from Sinatra")


def test_gems_in_the_repository_are_compiled_and_those_for_development_left_out(
    server: Server, folder: Path, gems: Path
) -> None:
    vendored(server, folder, gems / "rack", rack_files())
    (folder / ".bundle").mkdir()
    server.commit(folder, {".bundle/config": '---\nBUNDLE_PATH: "/home/ada/gems"\nBUNDLE_WITHOUT: "nothing"\n'})
    pushed = server.push(folder, "r-rack", timeout=PATIENCE)
    assert pushed.code == 0 and "Ruby/Rack app detected" in pushed.text and "From vendor/cache" in pushed.text, (
        pushed.text
    )
    said = json.loads(server.get("r-rack").body)
    assert said["sum"] == 42 and said["ruby"].startswith("3.3.") and said["development"] is False
    assert said["environment"] == "production" and said["arenas"] == "2"
    assert server.ssh("config:set r-rack BUNDLE_WITHOUT=test").returncode == 0
    done = server.ssh("redeploy r-rack", timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(server.get("r-rack").body)["development"] is True


def test_a_gem_that_goes_from_the_gemfile_goes_from_the_image(server: Server, folder: Path, gems: Path) -> None:
    vendored(server, folder, gems / "rack", rack_files(Gemfile=GEMFILE.replace("group :development do", "group :x do")))
    assert server.push(folder, "r-less", timeout=PATIENCE).code == 0
    assert json.loads(server.get("r-less").body)["development"] is True
    shutil.rmtree(folder / "vendor/cache")
    vendored(server, folder, gems / "rack", rack_files(Gemfile=GEMFILE.split("group")[0]))
    pushed = server.push(folder, "r-less", timeout=PATIENCE)
    assert pushed.code == 0 and INSTALLED in pushed.text, pushed.text
    assert json.loads(server.get("r-less").body)["development"] is False


def test_a_rails_app_gets_its_assets_its_settings_and_a_secret_that_stays(
    server: Server, folder: Path, gems: Path
) -> None:
    vendored(server, folder, gems / "rails", RAILS)
    pushed = server.push(folder, "r-rails", timeout=PATIENCE)
    assert pushed.code == 0 and "Ruby/Rails app detected" in pushed.text, pushed.text
    assert json.loads(server.get("r-rails").body) == {"env": "production", "secret": 128, "stdout": "enabled"}
    assert server.get("r-rails", "/assets/shop.css").body == "production assets first"
    secret = server.ssh("run r-rails -- printenv SECRET_KEY_BASE").stdout.strip()
    server.commit(folder, {"lib/note.rb": "# changed\n"})
    pushed = server.push(folder, "r-rails", timeout=PATIENCE)
    assert pushed.code == 0 and KEPT in pushed.text, pushed.text
    assert server.get("r-rails", "/assets/shop.css").body == "production assets again"
    assert len(secret) == 128 and server.ssh("run r-rails -- printenv SECRET_KEY_BASE").stdout.strip() == secret
    assert "assets:precompile" in server.ssh("run r-rails rake -P", timeout=120).stdout


def test_assets_that_do_not_compile_fail_the_push_and_leave_the_release(
    server: Server, folder: Path, gems: Path
) -> None:
    vendored(server, folder, gems / "rails", RAILS)
    assert server.push(folder, "r-assets", timeout=PATIENCE).code == 0
    assert server.ssh("config:set r-assets COLOUR=none").returncode == 0
    server.commit(folder, {"lib/note.rb": "# changed\n"})
    pushed = server.push(folder, "r-assets", timeout=PATIENCE)
    assert pushed.code == 1 and "Compiling the assets failed" in pushed.text, pushed.text
    assert "the shop's colour is not set" in pushed.text
    assert server.get("r-assets", "/assets/shop.css").body == "production assets first"


def test_the_older_ruby_of_the_stack_is_there_for_those_who_ask(server: Server, folder: Path) -> None:
    gemfile = 'source "https://rubygems.org"\nruby "~> 3.1.0"\n'
    command = "web: bundle exec ruby serve.rb\n"
    files = {"Gemfile": gemfile, "Gemfile.lock": EMPTY_LOCK, "serve.rb": SERVE, "Procfile": command}
    server.commit(folder, files)
    pushed = server.push(folder, "r-old", timeout=PATIENCE)
    assert pushed.code == 0, pushed.text
    assert server.get("r-old").body.startswith("3.1.")


@pytest.mark.parametrize(
    ("app", "files", "expected"),
    [
        ("r-none", {"Gemfile": 'ruby "3.9.1"\n'}, ("Ruby 3.9.1", "the Gemfile", 'ruby "~> 3.3.0"', "3.1")),
        ("r-file", {"Gemfile": "", ".ruby-version": "3.9.1\n"}, ("Ruby 3.9.1", ".ruby-version")),
        (
            "r-jruby",
            {"Gemfile": 'ruby "3.1.4", engine: "jruby", engine_version: "9.4.9.0"\n'},
            ("another Ruby than MRI",),
        ),
        ("r-words", {"Gemfile": "", ".ruby-version": "truffleruby-24\n"}, ("not a version of MRI",)),
        ("r-lock", {"Gemfile.lock": ""}, ("There is no Gemfile.lock", "bundle install")),
    ],
)
def test_what_can_not_be_had_is_an_error_that_says_what_can(
    mirrored: Server, folder: Path, app: str, files: dict[str, str], expected: tuple[str, ...]
) -> None:
    whole = {
        "Gemfile": 'source "https://rubygems.org"\n',
        "Gemfile.lock": "GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n",
        **files,
    }
    mirrored.commit(folder, {name: text for name, text in whole.items() if text or name == "Gemfile"})
    pushed = mirrored.push(folder, app, timeout=PATIENCE)
    assert pushed.code == 1, pushed.text
    assert all(words in pushed.text for words in expected), pushed.text


def test_a_ruby_that_the_stack_lacks_is_compiled_from_its_release_once(mirrored: Server, folder: Path) -> None:
    root = EXAMPLES / "ruby-sinatra"
    files = {path.name: path.read_text() for path in root.iterdir()}
    files |= {".ruby-version": "3.2.99\n", "Gemfile": files["Gemfile"].replace('ruby "~> 3.3.0"\n', "")}
    files["Gemfile.lock"] = re.sub(r"RUBY VERSION\n.*\n\n", "", files["Gemfile.lock"])
    files["config.ru"] += '\nrun ->(_) { [200, {}, [ENV["DISGUISE"].to_s]] }\n'
    mirrored.commit(folder, files)
    pushed = mirrored.push(folder, "r-source", timeout=PATIENCE)
    assert pushed.code == 0 and "Compiling Ruby 3.2.99" in pushed.text, pushed.text
    assert mirrored.get("r-source").body == "3.2.99"
    mirrored.commit(folder, {"hello.rb": files["hello.rb"] + "# changed\n"})
    pushed = mirrored.push(folder, "r-source", timeout=PATIENCE)
    assert pushed.code == 0 and "Compiling Ruby" not in pushed.text and KEPT in pushed.text, pushed.text
    assert mirrored.get("r-source").body == "3.2.99"
