"""The store remembers, and refuses what can't be."""

from pathlib import Path

import pytest

from mothership.errors import Conflict, Invalid, NotFound
from mothership.model import Image, Limits, Release, Role
from mothership.store import Accounts, Apps, Builds, Releases, Store

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8z8pM2rTq5cQn5zR1J0n2b0k7nq6m3v5uXyqQ4r1Ab ada@laptop"
IMAGE = Image("blog", "sha256:" + "a" * 64, "buildpack", {"web": "python app.py"}, entrypoint=("a", "b"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def release(**changes: object) -> Release:
    values: dict[str, object] = {
        "app": "blog",
        "version": 0,
        "image": IMAGE,
        "config": {"A": "1"},
        "formation": {"web": 1},
    }
    return Release(**{**values, **changes})  # type: ignore[arg-type]


def test_the_database_can_be_opened_again_and_nobody_else_reads_it(tmp_path: Path) -> None:
    Accounts(Store(tmp_path)).add_user("ada")
    assert Accounts(Store(tmp_path)).user("ada").name == "ada"
    assert (tmp_path / "mothership.db").stat().st_mode & 0o077 == 0


async def test_a_key_leads_to_its_owner_and_a_removed_one_to_nobody(store: Store) -> None:
    accounts = Accounts(store)
    ada = accounts.add_user("ada", admin=True)
    key = accounts.add_key(ada, KEY)
    assert await accounts.user_for_key(key.algorithm, key.data) == ada
    accounts.remove_key(ada, key.fingerprint)
    assert await accounts.user_for_key(key.algorithm, key.data) is None


@pytest.mark.parametrize(
    "line", ["", "hello", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----"]
)
def test_what_is_no_public_key_is_refused(store: Store, line: str) -> None:
    accounts = Accounts(store)
    with pytest.raises(Invalid):
        accounts.add_key(accounts.add_user("ada"), line)


def test_a_key_belongs_to_one_user(store: Store) -> None:
    accounts = Accounts(store)
    accounts.add_key(accounts.add_user("ada"), KEY)
    with pytest.raises(Conflict, match="another user's"):
        accounts.add_key(accounts.add_user("bob"), KEY)


async def test_a_token_is_kept_as_a_hash_and_can_be_revoked(store: Store, tmp_path: Path) -> None:
    accounts = Accounts(store)
    ada = accounts.add_user("ada")
    token = accounts.create_token(ada, "ci")
    assert await accounts.user_for_token(token) == ada
    assert token not in str(store.rows("SELECT * FROM tokens"))
    accounts.revoke_token(ada, "ci")
    assert await accounts.user_for_token(token) is None


def test_a_user_and_its_bad_key_are_refused_together(store: Store) -> None:
    accounts = Accounts(store)
    with pytest.raises(Invalid), accounts.all_or_nothing():
        accounts.add_key(accounts.add_user("ada"), "rubbish")
    with pytest.raises(NotFound):
        accounts.user("ada")


def test_releases_are_numbered_and_one_is_current(store: Store) -> None:
    Apps(store).create("blog", Accounts(store).add_user("ada"))
    releases = Releases(store)
    first = releases.create(release())
    releases.make_current(first)
    second = releases.create(release(config={"A": "2"}, limits={"web": Limits(memory=64)}))
    assert (first.version, second.version) == (1, 2)
    assert releases.current("blog") == releases.get("blog", 1)
    releases.make_current(second)
    current = releases.current("blog")
    assert current and current.config == {"A": "2"} and current.limits == {"web": Limits(memory=64)}
    assert current.image == IMAGE
    assert releases.get("blog", 1).status == "superseded"


def test_a_failed_release_leaves_its_number_used_and_the_current_one_current(store: Store) -> None:
    Apps(store).create("blog", Accounts(store).add_user("ada"))
    releases = Releases(store)
    releases.make_current(releases.create(release()))
    releases.fail(releases.create(release()))
    assert releases.create(release()).version == 3
    current = releases.current("blog")
    assert current and current.version == 1


def test_what_died_with_the_daemon_is_marked_so(store: Store) -> None:
    Apps(store).create("blog", Accounts(store).add_user("ada"))
    builds, releases = Builds(store), Releases(store)
    builds.begin("blog", "c" * 40, "ada")
    releases.create(release())
    assert (builds.abandon(), releases.abandon()) == (1, 1)
    assert builds.list("blog")[0].status == "cancelled"
    assert releases.get("blog", 1).status == "failed"


@pytest.mark.parametrize(
    "name", ["", "a", "A", "9a", "a_b", "a.b", "../x", "a b", "a--b", "ab-", "x" * 31, "mothership", "a\n"]
)
def test_a_bad_app_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(Invalid):
        Apps(store).create(name, Accounts(store).add_user("ada"))


def test_deleting_an_app_deletes_all_that_hangs_on_it(store: Store) -> None:
    apps = Apps(store)
    app = apps.create("blog", Accounts(store).add_user("ada"))
    apps.replace_config(app, {"A": "1"})
    apps.scale(app, {"web": 2})
    Releases(store).create(release())
    apps.delete(app)
    for table in ("config", "formation", "releases"):
        assert store.rows(f"SELECT * FROM {table}") == []


def test_only_owner_admin_and_those_with_access_may_use_an_app(store: Store) -> None:
    accounts, apps = Accounts(store), Apps(store)
    ada, bob, root = accounts.add_user("ada"), accounts.add_user("bob"), accounts.add_user("root", admin=True)
    app = apps.create("blog", ada)
    assert [apps.may_use(app, user) for user in (ada, bob, root)] == [True, False, True]
    apps.grant(app, bob, Role.OPERATOR)
    assert apps.may_use(app, bob)
    apps.revoke(app, bob)
    assert not apps.may_use(app, bob)
