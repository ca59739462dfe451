# shellcheck shell=bash
# A git credential helper (gitcredentials(7)): GO_GIT_CRED__HTTPS__HOST__COM, a token or "user:password", is what git
# answers to https://host.com with.
[[ $1 == get ]] || exit 0
while IFS='=' read -r key value; do
	case $key in
		protocol) protocol=${value^^} ;;
		host) host=${value^^} ;;
	esac
done
host=${host//[^A-Z0-9]/__}
file=$ENV_DIR/GO_GIT_CRED__${protocol}__$host
[[ -f $file ]] || exit 0
IFS= read -rd '' given <"$file" || true
if [[ $given == *:* ]]; then
	printf 'username=%s\npassword=%s\n' "${given%%:*}" "${given#*:}"
else
	printf 'username=%s\npassword=x-oauth-basic\n' "$given"
fi
