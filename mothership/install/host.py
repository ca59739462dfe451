"""What builds must know of the host: its certificates, its proxies, its package mirrors."""

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
LOCAL_CERTIFICATES = Path("/usr/local/share/ca-certificates")
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
MIRRORS = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_PYTHON_INSTALL_MIRROR",
    "npm_config_registry",
    "NPM_CONFIG_REGISTRY",
    "YARN_NPM_REGISTRY_SERVER",
    "GOPROXY",
    "GONOSUMDB",
    "GOFLAGS",
)
PIP_FILES = ("/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf")
NPM_FILES = ("/etc/npmrc", "~/.npmrc")


def build_settings(environment: Mapping[str, str] | None = None) -> dict[str, object]:
    """The settings `ca_bundle` and `build_env`, from this host's own client configuration."""
    given = os.environ if environment is None else environment
    found: dict[str, object] = {}
    if bundle := ca_bundle(given):
        found["ca_bundle"] = bundle
    if variables := build_env(given):
        found["build_env"] = variables
    return found


def ca_bundle(environment: Mapping[str, str]) -> str:
    """The host's certificate bundle when it trusts more than the distribution does, else ""."""
    for name in CA_VARIABLES:
        if (path := environment.get(name)) and Path(path).is_file():
            return path
    local = LOCAL_CERTIFICATES.is_dir() and any(LOCAL_CERTIFICATES.rglob("*.crt"))
    return BUNDLE if local and Path(BUNDLE).is_file() else ""


def build_env(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxy and mirror variables that every build gets."""
    found = {name: environment[name] for name in (*PROXIES, *MIRRORS) if environment.get(name)}
    if "PIP_INDEX_URL" not in found and (index := _pip_index()):
        found["PIP_INDEX_URL"] = index
    if "PIP_INDEX_URL" in found:
        found.setdefault("UV_INDEX_URL", found["PIP_INDEX_URL"])
    if "npm_config_registry" not in found and (registry := _npm_registry()):
        found["npm_config_registry"] = registry
    return found


def _pip_index() -> str:
    for name in PIP_FILES:
        parser = configparser.RawConfigParser(strict=False, allow_no_value=False)
        try:
            parser.read(Path(name).expanduser())
        except configparser.Error:
            continue
        value = parser.get("global", "index-url", fallback="")
        if value:
            return str(value)
    return ""


def _npm_registry() -> str:
    for name in NPM_FILES:
        path = Path(name).expanduser()
        if path.is_file():
            for line in path.read_text(errors="replace").splitlines():
                key, _, value = line.partition("=")
                if key.strip() == "registry" and value.strip():
                    return value.strip()
    return ""
