# What the scripts share. Sourced, with the repository as working directory.

PYTHON=/usr/bin/python3
SERVER_PACKAGES=(python3 python3-venv git openssh-client ca-certificates iproute2 iptables mmdebstrap debian-archive-keyring docker.io)
BUNDLE=/etc/ssl/certs/ca-certificates.crt
# What a person may have set for their proxies, mirrors and certificates; sudo would drop it.
KEPT=HTTP_PROXY,HTTPS_PROXY,NO_PROXY,http_proxy,https_proxy,no_proxy
KEPT+=,SSL_CERT_FILE,REQUESTS_CA_BUNDLE,CURL_CA_BUNDLE,PIP_CERT,NODE_EXTRA_CA_CERTS
KEPT+=,PIP_INDEX_URL,PIP_EXTRA_INDEX_URL,PIP_TRUSTED_HOST,UV_INDEX_URL,UV_DEFAULT_INDEX,UV_PYTHON_INSTALL_MIRROR
KEPT+=,npm_config_registry,NPM_CONFIG_REGISTRY,YARN_NPM_REGISTRY_SERVER,GOPROXY,GONOSUMDB,GOFLAGS
KEPT+=,MOTHERSHIP_DEBIAN_MIRROR,MOTHERSHIP_ADVERTISE
export DEBIAN_FRONTEND=noninteractive

as_root() { # script argument…: the same command again with sudo, unless this is root already
  [ "$(id -u)" != 0 ] || return 0
  command -v sudo >/dev/null || {
    echo "This needs root, and there is no sudo on this machine. Run it as root: su -c '$*'" >&2
    exit 1
  }
  exec sudo --preserve-env="$KEPT" "$@"
}

help_if_asked() { # usage argument…: nothing is installed for a question
  local usage=$1 word
  shift
  for word in "$@"; do
    if [ "$word" = --help ] || [ "$word" = -h ]; then
      echo "$usage"
      exit 0
    fi
  done
}

data_directory() { # argument…: the absolute path that --data names, or the usual one
  local path=/var/lib/mothership
  while [ $# -gt 0 ]; do
    case $1 in
      --data) path=${2:-$path} ;;
      --data=*) path=${1#--data=} ;;
    esac
    shift
  done
  realpath -m "$path"
}

step() { # text command…: one line with a tick and the time; a failure shows what the command said
  local text=$1 began log code
  shift
  began=$(date +%s.%N)
  log=$(mktemp)
  set +e # in a condition, a function would run on after the first command that fails
  (
    set -e
    "$@"
  ) >"$log" 2>&1
  code=$?
  set -e
  if [ "$code" != 0 ]; then
    printf '✗ %s…\n' "$text"
    tail -n 15 "$log" >&2
    printf '%s failed. Mend what is said above, then run the same command again.\n' "$text" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
  printf '✓ %s… %.1fs\n' "$text" "$(echo "$(date +%s.%N) $began" | awk '{print $1 - $2}')"
}

missing_packages() { # name…: those that aren't installed
  local name
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || echo "$name"
  done
}

install_packages() { # name…
  local wanted=("$@") missing
  if have_engine; then wanted=("${wanted[@]/docker.io/}"); fi
  mapfile -t missing < <(missing_packages ${wanted[@]})
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
  fi
  mapfile -t missing < <(missing_client)
  if [ ${#missing[@]} -gt 0 ]; then apt-get install -y -qq --no-install-recommends "${missing[@]}"; fi
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or later is needed; this machine has $("$PYTHON" --version)."
    return 1
  }
}

missing_client() { # the client and the builder of the distribution's engine, where they are packages of their own
  [ -z "$(missing_packages docker.io)" ] || return 0
  local name
  for name in $(missing_packages docker-cli docker-buildx); do
    if apt-cache show "$name" >/dev/null 2>&1; then echo "$name"; fi
  done
}

have_engine() { # an engine other than Debian's counts
  [ -x /usr/bin/dockerd ] || [ -x /usr/sbin/dockerd ] || [ -x /usr/local/bin/dockerd ]
}

source_stamp() { # a hash of all that is installed, and of the Python it is installed for
  {
    "$PYTHON" --version
    find receiver hooks builder router mothership setup.py setup.cfg -type f -not -name '*.pyc' -print0 |
      sort -z | xargs -0 sha256sum
  } | sha256sum | cut -d' ' -f1
}

trust_this_machine() { # pip…: some distributions' pip brings certificates of its own and would ignore this machine's
  if [ -z "${PIP_CERT:-}${REQUESTS_CA_BUNDLE:-}${CURL_CA_BUNDLE:-}" ] && ! "$@" config get global.cert; then
    export PIP_CERT=${SSL_CERT_FILE:-$BUNDLE}
  fi
}

install_mothership() { # venv: the package as it is in this checkout, not linked to it
  local venv=$1 stamp scratch
  stamp=$(source_stamp)
  if [ "$(cat "$venv/stamp" 2>/dev/null)" = "$stamp" ]; then return; fi
  mkdir -p "$(dirname "$venv")"
  "$PYTHON" -m venv "$venv"
  trust_this_machine "$venv/bin/pip"
  scratch=$(mktemp -d)
  cp -r receiver hooks builder router mothership setup.py setup.cfg README.md "$scratch"
  "$venv/bin/pip" install -q --disable-pip-version-check --upgrade "$scratch"
  rm -rf "$scratch"
  local packages
  packages=$("$venv/bin/python" -P -c 'import mothership, pathlib; print(pathlib.Path(mothership.__file__).parents[1])')
  printf '%s\n' "$stamp" >"$packages/.mothership-source"
  if [ ! -e /usr/local/bin/mothership ] || [ "$venv" = /var/lib/mothership/venv ]; then
    ln -sfn "$venv/bin/mothership" /usr/local/bin/mothership
  fi
  printf '%s\n' "$stamp" >"$venv/stamp"
}

install_locked() { # the checkout's own environment, as the lock says
  if cmp -s requirements.lock .venv/locked; then return; fi
  [ -x .venv/bin/pip ] || "$PYTHON" -m venv --clear .venv
  trust_this_machine .venv/bin/pip
  .venv/bin/pip install -q --disable-pip-version-check -r requirements.lock

  .venv/bin/pip install -q --disable-pip-version-check --no-deps -e .
  cp requirements.lock .venv/locked
}

forget_dead_engine() { # a pid file whose process is another program by now would keep dockerd from starting
  local file
  for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    if [ -f "$file" ] && ! grep -qE '^(dockerd|containerd)$' "/proc/$(cat "$file")/comm" 2>/dev/null; then
      rm -f "$file"
    fi
  done
}
