"""HAProxy's configuration and maps, from the table (HAProxy 3.0 Configuration Manual)."""

from router.table import CHECK, Slot, Table, slot_name

PROXY = "/proxy"
HOSTS = f"{PROXY}/hosts.map"
CLOSED = f"{PROXY}/closed.map"
LOGGED = f"{PROXY}/logged.map"
LOG_SOCKET = "/daemon/requests.sock"
DAEMON_SOCKET = "/daemon/http.sock"
PORT = 8080

FORMAT = (
    '"%[var(txn.slot)] %s method=%HM path=%{+Q}HU host=%[var(txn.host)] request_id=%[var(txn.id)] fwd=%{+Q}ci '
    'connect=%Tc service=%Tr status=%ST bytes=%B end=%tsc"'
)
"""One request, a line: its slot, its server, then Heroku's router fields; `end` is how the session ended (HAProxy's
termination state, "--" when both sides were content)."""

HEAD = """\
global
    stats socket {proxy}/admin.sock mode 600 level admin
    hard-stop-after 1h
    log {log} len 8192 format raw local0
    tune.bufsize 32768

defaults
    mode http
    option idle-close-on-response
    option http-keep-alive
    option forwardfor
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    timeout connect 5s
    timeout queue 5s
    timeout http-request 30s
    timeout http-keep-alive 60s
    timeout client 15m
    timeout server 15m
    timeout tunnel 24h
    balance leastconn
    option tcp-check
    tcp-check connect linger
    http-error status 503 content-type "text/html; charset=utf-8" file {proxy}/503.html

frontend web
    bind :{port}
    log global
    log-format {format}
    http-request disable-l7-retry unless {{ method GET HEAD OPTIONS }}
{untrusted}    http-request set-header X-Forwarded-Proto {scheme}
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Port {public_port}
    http-request set-header X-Request-Id %[uuid] unless {{ req.hdr(x-request-id) -m reg ^[A-Za-z0-9._-]{{8,128}}$ }}
    http-request set-var(txn.host) req.hdr(host),field(1,:),lower,rtrim(.)
    http-request set-var(txn.id) req.hdr(x-request-id)
    acl known var(txn.slot) -m found
    acl closed var(txn.closed) -m found
    http-request set-var(txn.slot) var(txn.host),map_str({hosts})
    http-request set-var(txn.slot) 'var(txn.host),regsub("^[^.]*","*"),map_str({hosts})' unless known
    http-request set-var(txn.closed) var(txn.slot),map_str({closed}) if known
    http-request set-log-level silent unless {{ var(txn.slot),map_str({logged}) -m found }}
    http-request del-header X-Mothership-Closed
    use_backend mothership if {{ var(txn.host) -m str mothership.{domain} }}
    use_backend maintenance if {{ var(txn.closed) -m str . }}
    use_backend closed if closed
    use_backend %[var(txn.slot)] if known
    default_backend nobody

frontend probe
    bind unix@{proxy}/probe.sock mode 600
    http-request set-dst req.hdr(x-probe-address)
    http-request set-dst-port req.hdr(x-probe-port)
    http-request del-header x-probe-address
    http-request del-header x-probe-port
    default_backend probe

backend probe
    retries 0
    timeout connect 1s
    http-error status 502 hdr X-Probe failed
    http-error status 503 hdr X-Probe failed
    http-error status 504 hdr X-Probe failed
    server task 0.0.0.0

backend nobody
    http-request return status 404 content-type "text/html; charset=utf-8" file {proxy}/404.html

backend maintenance
    http-request return status 503 hdr Retry-After 300 content-type "text/html; charset=utf-8" file {proxy}/closed.html

backend closed
    http-error status 503 content-type "text/html; charset=utf-8" file {proxy}/closed.html
    http-request set-header X-Mothership-Closed %[var(txn.closed)]
    server daemon unix@{daemon}

backend mothership
    http-error status 503 content-type "text/plain; charset=utf-8" file {proxy}/daemon.txt
    timeout server 2h
    option abortonclose
    server daemon unix@{daemon}
"""


UNTRUSTED = "    http-request del-header X-Forwarded-For\n"
"""Only a proxy that stands in front of ours may say where a request came from."""


def config(table: Table, *, domain: str, public_port: int, scheme: str = "http") -> str:
    """The whole configuration file, with the servers of today in it. With https a proxy stands in front of ours."""
    head = HEAD.format(
        proxy=PROXY,
        port=PORT,
        public_port=public_port,
        scheme=scheme,
        untrusted="" if scheme == "https" else UNTRUSTED,
        domain=domain,
        hosts=HOSTS,
        closed=CLOSED,
        logged=LOGGED,
        daemon=DAEMON_SOCKET,
        log=LOG_SOCKET,
        format=FORMAT,
    )
    used = {slot.name: slot for slot in table.slots.values()}
    return head + "".join(_backend(used.get(name), name) for name in map(slot_name, range(1, table.size + 1)))


def logged_map(table: Table) -> str:
    """The map file of the apps whose requests are logged."""
    return "".join(f"{slot} {app}\n" for slot, app in sorted(table.logged().items()))


def head(text: str) -> str:
    """The part of a configuration that no deploy changes: another one takes a reload."""
    return text.partition("\nbackend slot")[0]


def hosts_map(table: Table) -> str:
    """The map file: a hostname and its slot on each line."""
    return "".join(f"{host} {slot}\n" for host, slot in sorted(table.hosts().items()))


def closed_map(table: Table) -> str:
    """The map file of the apps in maintenance: a slot and its page on each line."""
    return "".join(f"{slot} {page}\n" for slot, page in sorted(table.closed().items()))


def _backend(slot: Slot | None, name: str) -> str:
    lines = [f"\nbackend {name}\n"]
    for server in slot.servers.values() if slot else ():
        if not server.draining:
            lines.append(f"    server {server.id} {server.address}:{server.port} weight {server.weight} {CHECK}\n")
    return "".join(lines)
