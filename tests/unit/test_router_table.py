"""The routing table and what it becomes, as literals."""

import pytest

from mothership.errors import Conflict, Invalid
from router.render import config, hosts_map
from router.runtime import parse_stat
from router.table import (
    Server,
    Slot,
    Table,
    Target,
    add_lines,
    checked_host,
    checked_target,
    dump,
    load,
    map_lines,
    switch_lines,
)

A = Server("a1", "10.0.0.2", 5000, weight=100)
B = Server("b2", "10.0.0.3", 5000)


def test_a_hostname_leads_to_the_apps_slot() -> None:
    table = Table(4).with_hosts("blog", ["Blog.Example.com.", "blog.localhost"])
    assert table.hosts() == {"blog.example.com": "slot00001", "blog.localhost": "slot00001"}
    assert hosts_map(table) == "blog.example.com slot00001\nblog.localhost slot00001\n"


def test_a_hostname_of_another_app_is_refused() -> None:
    table = Table(4).with_hosts("blog", ["a.example.com"])
    with pytest.raises(Conflict):
        table.with_hosts("shop", ["A.example.com"])


def test_slots_double_when_all_are_taken() -> None:
    table = Table(1).with_slot("a").with_slot("b")
    assert table.size == 2 and table.slots["b"].name == "slot00002"


def test_a_forgotten_apps_slot_is_used_again() -> None:
    assert Table(2).with_slot("a").with_slot("b").without("a").with_slot("c").slots["c"].name == "slot00001"


@pytest.mark.parametrize("host", ["", "a b", "a\nb", "a;b", "-a", "a..b", "x" * 300, "a/b", "#", "é.com", "a_b"])
def test_a_hostile_hostname_never_reaches_the_map(host: str) -> None:
    with pytest.raises(Invalid):
        checked_host(host)


@pytest.mark.parametrize("target", [Target("a;b", "10.0.0.1", 1), Target("a", "x;y", 1), Target("", "1.1.1.1", 1)])
def test_a_hostile_target_never_reaches_the_proxy(target: Target) -> None:
    with pytest.raises(Invalid):
        checked_target(target)


def test_a_new_server_is_down_until_its_first_probe_passes() -> None:
    lines = add_lines(Slot("slot00001", "blog"), B)
    assert lines[0].startswith("add server slot00001/b2 10.0.0.3:5000 weight 0 check inter 2s fastinter 100ms")
    assert lines[1:] == [
        "set server slot00001/b2 state ready",
        "set server slot00001/b2 health down",
        "enable health slot00001/b2",
    ]


def test_a_switch_gives_the_new_servers_everything_and_the_old_nothing_new() -> None:
    slot = Slot("slot00001", "blog", servers={"a1": A, "b2": B})
    assert switch_lines(slot, ["b2"]) == [
        "set server slot00001/b2 state ready",
        "set server slot00001/b2 weight 100",
        "set server slot00001/a1 state drain",
    ]


def test_the_host_map_is_changed_by_its_difference() -> None:
    lines = map_lines("/m", {"a": "s1", "b": "s2"}, {"b": "s3", "c": "s1"})
    assert lines == ["del map /m a", "add map /m c s1", "set map /m b s3"]


def test_the_table_survives_being_saved() -> None:
    table = Table(4).with_hosts("blog", ["blog.localhost"]).with_servers("blog", {"a1": A})
    assert load(dump(table)) == table


def test_the_configuration_holds_todays_servers_and_not_the_draining_ones() -> None:
    gone = Server("c3", "10.0.0.4", 5000, draining=True)
    table = Table(2).with_hosts("blog", ["blog.localhost"]).with_servers("blog", {"a1": A, "c3": gone})
    text = config(table, domain="apps.example.com", public_port=80)
    assert "backend slot00001\n    server a1 10.0.0.2:5000 weight 100 check" in text
    assert "c3" not in text and text.rstrip().endswith("backend slot00002")
    assert "var(txn.host) -m str mothership.apps.example.com" in text


def test_the_proxys_statistics_are_read() -> None:
    text = (
        "# pxname,svname,scur,status,weight,check_status,last_chk,addr\n"
        "slot00001,a1,3,UP,100,L4OK,,10.0.0.2:5000\n"
        "slot00001,BACKEND,3,UP,100,,,\n"
    )
    (row,) = parse_stat(text)
    assert (row.backend, row.name, row.sessions, row.status, row.weight) == ("slot00001", "a1", 3, "UP", 100)


def test_only_methods_that_change_nothing_are_ever_repeated() -> None:
    text = config(Table(1), domain="localhost", public_port=80)
    assert "retry-on conn-failure empty-response" in text
    assert "http-request disable-l7-retry unless { method GET HEAD OPTIONS }" in text


def test_only_a_proxy_in_front_is_believed_where_a_request_came_from() -> None:
    plain = config(Table(1), domain="localhost", public_port=80)
    assert "del-header X-Forwarded-For" in plain and "set-header X-Forwarded-Proto http\n" in plain
    behind = config(Table(1), domain="localhost", public_port=443, scheme="https")
    assert "del-header X-Forwarded-For" not in behind and "set-header X-Forwarded-Proto https\n" in behind
