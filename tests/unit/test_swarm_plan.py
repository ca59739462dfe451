"""The service of a process type, as a literal."""

import pytest

from mothership.config import Settings
from mothership.model import Image, Limits, Release
from mothership.swarm.plan import escaped, port, service, service_name

IMAGE = Image("blog", "sha256:ab", "buildpack", {"web": "python app.py", "worker": "python w.py"})


def test_a_web_service_is_named_labelled_limited_and_launched() -> None:
    release = Release(
        "blog", 3, IMAGE, {"KEY": "{{.Node.ID}}"}, {"web": 2}, "c0ffee", limits={"web": Limits(64, 0.5, 99)}
    )
    assert service(Settings(), release, "web", 2, network="mothership") == {
        "Name": "blog-web-v3",
        "Labels": {
            "mothership.instance": "mothership",
            "mothership.app": "blog",
            "mothership.process": "web",
            "mothership.release": "3",
        },
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "127.0.0.1:7878/blog@sha256:ab",
                "Args": ["app", "python app.py"],
                "Env": [
                    "PORT=5000",
                    'KEY={{"{{"}}.Node.ID}}',
                    "MOTHERSHIP_APP=blog",
                    "MOTHERSHIP_RELEASE=v3",
                    "HEROKU_RELEASE_VERSION=v3",
                    "SOURCE_VERSION=c0ffee",
                    "DYNO=web.{{.Task.Slot}}",
                    "MOTHERSHIP_DRAIN=30",
                ],
                "Labels": {
                    "mothership.instance": "mothership",
                    "mothership.app": "blog",
                    "mothership.process": "web",
                    "mothership.release": "3",
                },
                "Hostname": "web-{{.Task.Slot}}",
                "StopGracePeriod": 65_000_000_000,
                "CapabilityDrop": [
                    "CAP_NET_RAW",
                    "CAP_MKNOD",
                    "CAP_AUDIT_WRITE",
                    "CAP_SETFCAP",
                    "CAP_SETPCAP",
                    "CAP_SYS_CHROOT",
                ],
                "Init": False,
            },
            "Resources": {"Limits": {"MemoryBytes": 67108864, "Pids": 99, "NanoCPUs": 500_000_000}},
            "RestartPolicy": {"Condition": "any", "Delay": 2_000_000_000},
            "Networks": [{"Target": "mothership"}],
            "LogDriver": {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "3"}},
        },
        "Mode": {"Replicated": {"Replicas": 2}},
        "EndpointSpec": {"Mode": "dnsrr"},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [("80", 80), ("65535", 65535), ("65536", 5000), ("0", 5000), ("x", 5000), ("", 5000), ("٣", 5000)],
)
def test_a_config_var_moves_the_web_port_if_it_is_one(given: str, expected: int) -> None:
    release = Release("blog", 1, IMAGE, {"PORT": given}, {"web": 1})
    assert port(release) == expected
    env = service(Settings(), release, "web", 1, network="n")["TaskTemplate"]["ContainerSpec"]["Env"]
    assert f"PORT={expected}" in env


def test_templates_in_values_stay_as_they_are() -> None:
    assert escaped("a {{ b }}") == 'a {{"{{"}} b }}'


def test_a_dockerfile_image_runs_its_own_command_unless_a_procfile_names_one() -> None:
    image = Image(
        "blog", "sha256:ab", "dockerfile", {"web": "", "job": "echo hi"}, port=8080, entrypoint=("/srv", "-x")
    )
    release = Release("blog", 1, image, {}, {"web": 1, "job": 1})
    web = service(Settings(), release, "web", 1, network="n")["TaskTemplate"]["ContainerSpec"]
    job = service(Settings(), release, "job", 1, network="n")["TaskTemplate"]["ContainerSpec"]
    assert web["Args"] == ["exec", "/srv", "-x"] and "PORT=8080" in web["Env"]
    assert job["Args"] == ["sh", "echo hi"]


def test_a_service_name_is_never_too_long_for_swarm() -> None:
    long = service_name(Settings(), "a" * 30, "b" * 30, 1234)
    assert len(long) == 63 and long != service_name(Settings(), "a" * 30, "b" * 30, 1235)
    assert service_name(Settings(instance="other"), "blog", "web", 1) == "other-blog-web-v1"
