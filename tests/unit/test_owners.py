"""Whose service is whose after a rename."""

from mothership.releases.owners import Owners
from mothership.swarm.cluster import Service

OLD = Service("s1", "mothership-old-web-v1", "old", "web", 1, 1)
FRESH = Service("s2", "mothership-old-web-v1", "old", "web", 1, 1)


def test_a_service_is_its_labels_until_a_rename() -> None:
    assert Owners().of(OLD) == "old" and not Owners().anothers(OLD.name, "old")


def test_a_renamed_apps_service_is_the_new_names_and_a_newcomers_is_its_own() -> None:
    owners = Owners()
    owners.move([OLD], "new")
    assert owners.of(OLD) == "new" and owners.of(FRESH) == "old"
    assert owners.anothers(OLD.name, "old") and not owners.anothers(OLD.name, "new")


def test_there_and_back_it_is_the_first_names_again() -> None:
    owners = Owners()
    owners.move([OLD], "new")
    owners.move([OLD], "old")
    assert owners.of(OLD) == "old" and not owners.anothers(OLD.name, "old")
    owners.forget(OLD)
    assert owners.of(OLD) == "old"
