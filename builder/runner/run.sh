# Runs buildpacks to the classic API, inside the builder container.
# Usage: run.sh auto|all. /plan lists the buildpacks, a line each: label, kind (own, app, git, tar), place, cache key,
# with tabs between. What happened is left in /out: `used`, `release.N` (what bin/release printed), `wants` (the extras
# that the stack lacks), `extras` (all that are used), `failed` (the step that failed and its exit status).
set -u
# Standard input is the daemon's hand: when it lets go, the build ends with it.
exec 3<&0 </dev/null
(cat <&3 >/dev/null; kill -KILL -1) 2>/dev/null &
exec 3<&-

. /runner/fetch.sh
ms_mode=$1
ms_path=$PATH
mapfile -t ms_plan </plan

failed() { # step status
	printf '%s %s\n' "$1" "$2" >/out/failed
	trap - EXIT
	exit 1
}

# fields LINE: sets ms_label, ms_kind, ms_place, ms_key.
fields() { IFS=$'\t' read -r ms_label ms_kind ms_place ms_key <<<"$1"; }

# extras: what a built-in buildpack needs of the stack, by its bin/stack; ends the build here when the stack lacks any.
extras() {
	[[ $ms_kind = own && -x bin/stack ]] || return 0
	local wanted name
	wanted=$(bin/stack /app) || failed "$ms_label (bin/stack)" $?
	for name in $wanted; do
		grep -qx "$name" /out/extras 2>/dev/null || echo "$name" >>/out/extras
		[[ " $MOTHERSHIP_EXTRAS " = *" $name "* ]] || echo "$name" >>/out/wants
	done
}

# followed: tells a built-in buildpack whether another one runs before it, or after it and says what serves the app.
followed() {
	unset MOTHERSHIP_FOLLOWED MOTHERSHIP_PRECEDED
	[[ $ms_kind != own || $ms_mode != all || $ms_number = 1 ]] || export MOTHERSHIP_PRECEDED=yes
	[[ $ms_kind != own || $ms_mode != all || $ms_number -ge ${#ms_plan[@]} ]] || export MOTHERSHIP_FOLLOWED=yes
}

# Before anything is built: does the stack have all that the buildpacks named by hand ask of it?
if [[ $ms_mode = all ]]; then
	for ms_line in "${ms_plan[@]}"; do
		fields "$ms_line"
		if [[ $ms_kind = own ]] && cd "$ms_place" && bin/detect /app >/dev/null 2>&1; then extras; fi
	done
	[[ ! -e /out/wants ]] || exit 0
fi

ms_number=0
for ms_line in "${ms_plan[@]}"; do
	fields "$ms_line"
	ms_number=$((ms_number + 1))
	ms_pack=/tmp/.buildpacks/$ms_number
	ms_cache=/cache/$ms_key
	fetch "$ms_kind" "$ms_place" "$ms_pack" "$ms_key" "$ms_label"
	mkdir -p "$ms_cache"
	cd "$ms_pack" || failed "opening $ms_label" 1
	[[ -f bin/detect || -f bin/compile ]] || failed "opening $ms_label: it has no bin/detect and bin/compile" 1
	chmod +x bin/* 2>/dev/null
	if ! ms_detected=$(bin/detect /app 2>/tmp/.detect); then
		[[ $ms_mode = auto ]] && continue
		cat /tmp/.detect >&2
		failed "$ms_label (bin/detect)" 1
	fi
	extras
	[[ ! -e /out/wants ]] || exit 0
	ms_detected=${ms_detected%%$'\n'*}
	echo "-----> ${ms_detected:-$ms_label} app detected"
	followed
	[[ $ms_kind = own ]] && export MOTHERSHIP_READS=/out/reads.$ms_number || unset MOTHERSHIP_READS
	bin/compile /app "$ms_cache" /env
	ms_status=$?
	printf '%s\n' "$ms_key" >>/out/used
	[[ $ms_status = 0 ]] || failed "$ms_label (bin/compile)" $ms_status
	if [[ -f bin/release ]]; then
		bin/release /app >"/out/release.$ms_number" || failed "$ms_label (bin/release)" $?
	fi
	if [[ -f export ]]; then
		# At the top level, where `declare -x` is not local. An exit in it would be ours.
		trap 'failed "$ms_label (export)" $?' EXIT
		set +eu
		. ./export
		set +e -u
		trap - EXIT
	fi
	[[ $ms_mode = auto ]] && exit 0
done
[[ $ms_mode = auto ]] && failed detection 0
exit 0
