#!/usr/bin/env bash
# The man pages: nothing that mandoc warns of, every program has one, every page of ours that is referred to exists.
set -u
status=0
if ! command -v mandoc >/dev/null; then
	echo "mandoc is not installed"
	exit 77
fi
# The order of SEE ALSO entries by section and name is ours, other base-system checks are for OpenBSD's own tree.
mandoc -Tlint -Wwarning man/*.[1-8] || status=1
tools=$(sed -n 's/^O[A-Z]*LINE = //p' Makefile)
for tool in $tools; do
	[[ -f man/$tool.1 ]] || { echo "man/$tool.1: missing"; status=1; }
done
for page in sm.7 sm-format.5 sm-protocol.7 sm-sessions.7 smserver.8 smserver.conf.5; do
	[[ -f man/$page ]] || { echo "man/$page: missing"; status=1; }
done
while IFS=: read -r file line text; do
	read -r _ name section _ <<<"$text"
	[[ -f man/$name.$section ]] || { echo "$file:$line: no page $name($section)"; status=1; }
done < <(grep -HnE '^\.(It )?Xr sm' man/*.[1-8] | sed 's/:\.It Xr/:.Xr/')
exit $status
