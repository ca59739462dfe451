# shellcheck shell=bash
# Brings a buildpack to a fresh, writable folder. Downloads are made here, in the build, never by the daemon.

export GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=${GIT_ALLOW_PROTOCOL:-https:http:git:ssh}
export GIT_HTTP_LOW_SPEED_LIMIT=1000 GIT_HTTP_LOW_SPEED_TIME=30

fetch() { # kind place folder key label
	mkdir -p "$(dirname "$3")"
	case $1 in
	own) ln -s "$2" "$3" ;;
	app) fetch_folder "/app/$2" "$3" "$5" ;;
	git) fetch_git "${2%%#*}" "$(fragment "$2")" "$3" "$4" "$5" ;;
	tar) fetch_tar "$2" "$3" "$5" ;;
	pack) unpack "${2%%#*}" "${2#*#}" "$3" "$5" ;;
	esac
}

fragment() { case $1 in *'#'*) echo "${1#*#}" ;; esac; }

fetch_folder() { # folder target label
	[[ -d $1 ]] || fetching_failed "$3" "There is no such folder in this commit."
	cp -R "$1" "$2"
}

unpack() { # file commit target label
	git init -q "$3"
	git -C "$3" unpack-objects -q <"$1" && git -C "$3" checkout -q --detach "$2" -- ||
		fetching_failed "$4" "What was fetched can not be unpacked."
}

# A copy of the repository stays in the app's cache: a commit that is there is not asked for again, and a host that is
# down doesn't stop a build.
fetch_git() { # url ref target key label
	local copy=/cache/.git/$4 said
	if [[ ! -d $copy ]]; then
		echo "-----> Fetching buildpack $5"
		rm -rf "$copy.new"
		said=$(git clone -q --bare -- "$1" "$copy.new" 2>&1) || fetching_failed "$5" "$said"
		git --git-dir="$copy.new" remote remove origin
		mv "$copy.new" "$copy"
	elif [[ ! $2 =~ ^[0-9a-f]{40}$ ]] || ! git --git-dir="$copy" cat-file -e "$2^{commit}" 2>/dev/null; then
		echo "-----> Updating buildpack $5"
		if ! said=$(git --git-dir="$copy" fetch -q --force --prune --update-head-ok "$1" \
			'+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' 2>&1); then
			redacted "$said" | tail -n 2 | sed 's/^/       /'
			echo "       It can't be reached now: going on with the copy of the last build"
		fi
	fi
	GIT_ALLOW_PROTOCOL=file git clone -q --no-checkout -- "$copy" "$3" || fetching_failed "$5" "Its copy in the cache is broken: push with -o no-cache."
	said=$(cd "$3" && checkout "$2" 2>&1) || fetching_failed "$5" "${said:-There is no $2 in it.}"
	[[ ! -f $3/.gitmodules ]] || said=$(cd "$3" && git remote set-url origin "$1" &&
		git submodule --quiet update --init --recursive 2>&1) || fetching_failed "$5" "$said"
}

checkout() { # ref
	if [[ -z $1 ]]; then
		git checkout -q HEAD --
	elif git rev-parse -q --verify "refs/remotes/origin/$1" >/dev/null; then
		git checkout -q --detach "refs/remotes/origin/$1" --
	else
		git checkout -q --detach "$1" --
	fi
}

fetch_tar() { # url target label
	local said file=/tmp/.buildpack.tar
	echo "-----> Fetching buildpack $3"
	said=$(printf 'url = "%s"\n' "$1" | curl -fsSL --retry 2 --connect-timeout 15 --max-time 300 --max-filesize 524288000 -K - -o "$file" 2>&1) ||
		fetching_failed "$3" "$said"
	mkdir -p "$2"
	case $1 in
	*.zip) said=$(unzip -q "$file" -d "$2" 2>&1) ;;
	*) said=$(tar -xf "$file" -C "$2" --no-same-owner --no-same-permissions 2>&1) ;;
	esac || fetching_failed "$3" "$said"
	rm -f "$file"
	local inside=("$2"/*)
	if [[ ! -d $2/bin && ${#inside[@]} = 1 && -d ${inside[0]} ]]; then
		mv "${inside[0]}" "$2.inside" && rm -rf "$2" && mv "$2.inside" "$2"
	fi
}

# redacted TEXT: without the user names and passwords of URLs.
redacted() { sed 's#://[^/@ ]*@#://#g' <<<"$1"; }

fetching_failed() { # label text
	redacted "$2" | tail -n 5 | sed 's/^/ !     /'
	failed "fetching $1" 1
}
