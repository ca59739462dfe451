"""What a push means, decided from plain data."""

import pytest

from hooks.pre_receive import decide
from mothership.errors import Invalid, Refused
from mothership.model import Push, RefUpdate, User

NONE, OLD, NEW = "0" * 40, "1" * 40, "2" * 40


def push(*refs: tuple[str, str, str], options: tuple[str, ...] = ()) -> Push:
    return Push("blog", User(1, "ada"), tuple(RefUpdate(*ref) for ref in refs), options)


def test_the_deploy_branch_deploys() -> None:
    decision = decide(push((OLD, NEW, "refs/heads/main")), branch="main", released=True)
    assert decision.deploy and decision.deploy.new == NEW
    assert decision.notes == ()


def test_master_deploys_on_a_first_push() -> None:
    decision = decide(push((NONE, NEW, "refs/heads/master")), branch="main", released=False)
    assert decision.deploy and decision.branch == "master"


def test_master_is_only_stored_once_main_has_been_released() -> None:
    decision = decide(push((NONE, NEW, "refs/heads/master")), branch="main", released=True)
    assert decision.deploy is None and decision.branch == "main"


def test_main_wins_when_both_come_first() -> None:
    both = push((NONE, OLD, "refs/heads/master"), (NONE, NEW, "refs/heads/main"))
    decision = decide(both, branch="main", released=False)
    assert decision.deploy and decision.deploy.new == NEW


def test_another_branch_is_stored_and_the_command_that_deploys_it_is_named() -> None:
    decision = decide(push((NONE, NEW, "refs/heads/feature")), branch="main", released=True)
    assert decision.deploy is None
    assert decision.notes == ("feature stored, not deployed. To deploy it: git push mothership feature:main",)


def test_a_tag_is_stored_and_the_command_that_deploys_it_is_named() -> None:
    decision = decide(push((NONE, NEW, "refs/tags/v1")), branch="main", released=True)
    assert decision.notes == ("Tag v1 stored, not deployed. To deploy it: git push mothership v1^{commit}:main",)


def test_deleting_the_deploy_branch_is_refused_with_a_reason() -> None:
    with pytest.raises(Refused) as error:
        decide(push((OLD, NONE, "refs/heads/main")), branch="main", released=True)
    assert error.value.reason == "the deploy branch can't be deleted"


def test_deleting_another_branch_is_fine() -> None:
    decision = decide(push((OLD, NONE, "refs/heads/feature")), branch="main", released=True)
    assert decision.notes == ("feature deleted.",)


def test_an_unknown_push_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid) as error:
        decide(push((OLD, NEW, "refs/heads/main"), options=("ref=abc",)), branch="main", released=True)
    assert "'ref=abc'" in error.value.message
    assert "no-cache" in error.value.hint and "dry-run" in error.value.hint


def test_known_push_options_are_understood() -> None:
    both = push((OLD, NEW, "refs/heads/main"), options=("no-cache", "dry-run"))
    chosen = decide(both, branch="main", released=True).options
    assert chosen.no_cache and chosen.dry_run


def test_a_dry_run_of_a_branch_that_does_not_deploy_is_refused() -> None:
    with pytest.raises(Invalid, match="Nothing to build"):
        decide(push((OLD, NEW, "refs/heads/x"), options=("dry-run",)), branch="main", released=True)
