# What the scripts share. Sourced, with the repository as working directory.

PYTHON=/usr/bin/python3
SERVER_PACKAGES=(python3 python3-venv git openssh-client ca-certificates iproute2 iptables mmdebstrap debian-archive-keyring docker.io)
export DEBIAN_FRONTEND=noninteractive

step() { # text command…: one line with a tick and the time; a failure shows what the command said
  local text=$1 began log
  shift
  began=$(date +%s.%N)
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
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
  local wanted=("$@") missing name
  if have_engine; then wanted=("${wanted[@]/docker.io/}"); fi
  mapfile -t missing < <(missing_packages ${wanted[@]})
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
  fi
  # Where the client and its builder are packages of their own.
  for name in docker-cli docker-buildx; do
    if [ ${#missing[@]} -gt 0 ] && apt-cache show "$name" >/dev/null 2>&1 && dpkg-query -W docker.io >/dev/null 2>&1; then
      apt-get install -y -qq --no-install-recommends "$name" || true
    fi
  done
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or later is needed; this machine has $("$PYTHON" --version)."
    return 1
  }
}

have_engine() { # an engine other than Debian's counts
  [ -x /usr/bin/dockerd ] || [ -x /usr/sbin/dockerd ] || [ -x /usr/local/bin/dockerd ]
}

source_stamp() { # a hash of all that is installed
  find receiver hooks builder router mothership setup.py setup.cfg -type f -not -name '*.pyc' -print0 |
    sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

install_mothership() { # venv: the package as it is in this checkout, not linked to it
  local venv=$1 stamp scratch
  stamp=$(source_stamp)
  if [ "$(cat "$venv/stamp" 2>/dev/null)" = "$stamp" ]; then return; fi
  mkdir -p "$(dirname "$venv")"
  "$PYTHON" -m venv "$venv"
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
