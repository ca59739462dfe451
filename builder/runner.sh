# Runs buildpacks to the classic API, inside the builder container.
# Usage: runner.sh auto|all BUILDPACK…  A buildpack is a folder below /buildpack, or a URL of a git repository (#ref) or
# a tarball. What happened is left in /out: `name` (what bin/detect said), `release.N` (what bin/release printed),
# `failed` (the step that failed and its exit status).
set -u
# Standard input is the daemon's hand: when it lets go, the build ends with it.
exec 3<&0 </dev/null
(cat <&3 >/dev/null; kill -KILL -1) 2>/dev/null &
exec 3<&-
mode=$1
shift
export GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=https:http:git:ssh

failed() { # step status
  printf '%s %s\n' "$1" "$2" >/out/failed
  exit 1
}

fetch() { # url folder
  url=${1%%#*}
  ref=""
  case $1 in *'#'*) ref=${1#*#} ;; esac
  echo "-----> Fetching buildpack $url${ref:+ at $ref}"
  mkdir -p "$2"
  case $url in
    *.tgz | *.tar.gz)
      curl -fsSL --max-time 120 -- "$url" | tar -xz -C "$2" --no-same-owner || failed "fetching $url" $?
      ;;
    *)
      git clone -q -- "$url" "$2" || failed "fetching $url" $?
      [ -z "$ref" ] || git -C "$2" checkout -q "$ref" -- || failed "fetching $url" $?
      ;;
  esac
}

number=0
for given in "$@"; do
  number=$((number + 1))
  case $given in
    http://* | https://* | git://* | ssh://* | git@*)
      pack=/tmp/buildpack-$number
      fetch "$given" "$pack"
      ;;
    *) pack=$given ;;
  esac
  chmod +x "$pack"/bin/* 2>/dev/null
  cache=/cache/$(basename "${given%%#*}")
  mkdir -p "$cache"
  cd "$pack" || failed "opening $given" 1
  if ! detected=$(bin/detect /app 2>/tmp/detect.err); then
    [ "$mode" = auto ] && continue
    cat /tmp/detect.err >&2
    failed "$(basename "${given%%#*}") (bin/detect)" 1
  fi
  echo "-----> ${detected:-$(basename "${given%%#*}")} app detected"
  bin/compile /app "$cache" /env
  status=$?
  printf '%s\n' "$given" >>/out/used
  [ $status = 0 ] || failed "$(basename "${given%%#*}") (bin/compile)" $status
  if [ -x bin/release ]; then
    bin/release /app >"/out/release.$number" || failed "$(basename "${given%%#*}") (bin/release)" $?
  fi
  if [ -f export ]; then
    set +u
    . ./export
    set -u
  fi
  [ "$mode" = auto ] && exit 0
done
[ "$mode" = auto ] && failed detection 0
exit 0
