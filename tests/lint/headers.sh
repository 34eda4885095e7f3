#!/usr/bin/env bash
# Every header says what it is and guards itself; every .c says what it owns; no umbrella header.
set -u
status=0
say() { printf '%s\n' "$1"; status=1; }

while IFS= read -r f; do
	[[ $(head -c 2 "$f") == '/*' ]] || say "$f:1: does not open with a comment on what it is"
	[[ $f == *.h ]] || continue
	guard=$(sed -n 's/^#ifndef \([A-Z0-9_]*_H\)$/\1/p' "$f" | head -n 1)
	if [[ -z $guard ]] || ! grep -qx "#define $guard" "$f"; then
		say "$f:1: no include guard"
	elif [[ $f == lib/* && $guard != SM_$(tr 'a-z/.' 'A-Z__' <<<"${f#lib/}") ]]; then
		say "$f:1: guard $guard is not the file's name"
	fi
done < <(find lib tools tests -name '*.[ch]' | sort)
dup=$(find lib tools tests -name '*.h' -exec grep -hE '^#ifndef [A-Z0-9_]*_H$' {} + | sort | uniq -d)
[[ -z $dup ]] || say "guard in two headers: $dup"
exit $status
