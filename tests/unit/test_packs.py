"""What a buildpack's name stands for, and where mirrors send builds."""

import pytest

from builder.mirrors import mirrors, rewritten
from builder.packs import pack
from mothership.errors import Invalid


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("python", "own", "python"),
        ("heroku/nodejs", "own", "node"),
        ("heroku/gradle", "own", "java"),
        ("heroku-community/apt", "own", "apt"),
        ("https://github.com/heroku/heroku-buildpack-apt", "own", "apt"),
        ("https://github.com/heroku/heroku-buildpack-ruby", "own", "ruby"),
        ("https://github.com/heroku/heroku-buildpack-go.git#v200", "own", "go"),
        ("urn:buildpack:heroku/php", "own", "php"),
        ("./buildpacks/mine", "app", "buildpacks/mine"),
        ("https://host.test/pack.git#v1", "git", "https://host.test/pack.git#v1"),
        ("git@host.test:team/pack.git", "git", "git@host.test:team/pack.git"),
        ("ssh://git@host.test:2222/pack", "git", "ssh://git@host.test:2222/pack"),
        ("https://host.test/pack.tgz", "tar", "https://host.test/pack.tgz"),
        ("https://host.test/pack.tar.gz?sig=1", "tar", "https://host.test/pack.tar.gz?sig=1"),
        ("https://host.test/main.zip", "tar", "https://host.test/main.zip"),
        (
            "heroku-community/awscli",
            "tar",
            "https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku-community/awscli.tgz",
        ),
    ],
)
def test_a_name_stands_for_a_buildpack_and_where_it_is(name: str, kind: str, place: str) -> None:
    found = pack(name)
    assert (found.kind, found.place) == (kind, place)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "cobol",
        "../outside",
        "./../outside",
        "./a/../../b",
        "/etc",
        "file:///etc",
        "ftp://host/x",
        "a b",
        "--upload",
    ],
)
def test_what_is_no_buildpack_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        pack(name)
    assert caught.value.hint or "folder of the commit" in caught.value.message


def test_an_admins_names_come_first() -> None:
    configured = {"heroku/ruby": "https://host.test/ruby.git", "corp/tool": "/srv/buildpacks/tool"}
    assert pack("heroku/ruby", configured).place == "https://host.test/ruby.git"
    assert pack("heroku/ruby", configured).label == "heroku/ruby"
    assert (pack("corp/tool", configured).kind, pack("corp/tool", configured).place) == (
        "server",
        "/srv/buildpacks/tool",
    )


def test_a_password_in_a_url_is_in_no_label_and_no_cache_name() -> None:
    found = pack("https://ada:hunter2@host.test/pack.git#main")
    assert "hunter2" not in found.label and "hunter2" not in found.key and "hunter2" in found.place


def test_buildpacks_of_one_name_have_caches_of_their_own_and_keep_them_at_another_ref() -> None:
    first, other = pack("https://a.test/heroku-buildpack.git"), pack("https://b.test/heroku-buildpack.git")
    assert first.key != other.key
    assert first.key == pack("https://a.test/heroku-buildpack.git#v2").key


MIRRORS = {
    "https://": "https://proxy.corp.test/any/",
    "https://github.com/": "/srv/github/",
    "https://pypi.org/simple": "https://pypi.corp.test/simple",
    "https://index.crates.io/": "https://crates.corp.test/index/",
    "https://repo.maven.apache.org/maven2": "https://maven.corp.test/all?a=1&b=2",
}


def test_the_longest_prefix_decides() -> None:
    assert rewritten("https://github.com/a/b", MIRRORS) == "/srv/github/a/b"
    assert rewritten("https://other.test/x", MIRRORS) == "https://proxy.corp.test/any/other.test/x"
    assert rewritten("http://plain.test/x", MIRRORS) == "http://plain.test/x"


def test_a_folder_is_mounted_and_stands_in_as_a_file_url() -> None:
    found = mirrors({"https://github.com/": "/srv/github/"})
    assert [(bind.source, bind.target, bind.read_only) for bind in found.binds] == [("/srv/github", "/mirrors/0", True)]
    assert found.files["mirrors"] == "https://github.com/\tfile:///mirrors/0/\n"
    assert '[url "file:///mirrors/0/"]\n\tinsteadOf = https://github.com/\n' in found.files["gitconfig"]
    assert "file" in found.environment["GIT_ALLOW_PROTOCOL"]


def test_each_package_manager_is_told_in_its_own_way() -> None:
    found = mirrors(MIRRORS)
    assert (
        found.environment["PIP_INDEX_URL"] == found.environment["UV_DEFAULT_INDEX"] == "https://pypi.corp.test/simple"
    )
    assert found.environment["npm_config_registry"] == "https://proxy.corp.test/any/registry.npmjs.org"
    assert found.environment["GOPROXY"] == "https://proxy.corp.test/any/proxy.golang.org"
    assert found.environment["PACKAGIST_MIRROR"] == "https://proxy.corp.test/any/repo.packagist.org"
    assert 'registry = "sparse+https://crates.corp.test/index/"' in found.files["cargo.toml"]
    assert "<url>https://maven.corp.test/all?a=1&amp;b=2</url>" in found.files["settings.xml"]


def test_no_mirrors_change_nothing() -> None:
    found = mirrors({})
    assert (found.binds, dict(found.environment), dict(found.files)) == ((), {}, {})
    only = mirrors({"https://pypi.org/simple": "https://pypi.corp.test/simple"})
    assert set(only.environment) == {"PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"}
    assert "settings.xml" not in only.files and "cargo.toml" not in only.files
