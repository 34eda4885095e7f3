#!/usr/bin/env bash
# Who may include whom (HACKING.md): base <- crypto <- wire <- {stream, session}, stream <- {store, net} <- tools, session <- {store, net}, cli on base
# alone; each third-party header in its one home.
set -uo pipefail

# One line a rule: files (extended regex on the path), then the headers they may include of ours. The first that fits counts.
ours='
^lib/base/              base
^lib/crypto/            base|crypto
^lib/wire/              base|crypto|wire
^lib/stream/            base|crypto|wire|stream
^lib/session/           base|crypto|wire|session
^lib/store/             base|crypto|wire|stream|session|store
^lib/net/              base|crypto|wire|stream|session|net
^lib/cli/               base|cli
^tools/smserver/        base|crypto|wire|cli|smserver
^tools/common/.*net     base|crypto|wire|stream|session|store|net|cli|common
^tools/common/          base|crypto|wire|stream|session|store|cli|common
^tools/sm(keygen|encrypt|sign|totp)(\.c$|/)  base|crypto|wire|stream|session|store|cli|common
^tools/                 base|crypto|wire|stream|session|store|net|cli|common
'
# Third-party header (extended regex), then the files that are its home.
theirs='
^openssl/(ssl|err|x509.*)\.h$  ^tools/smserver/[a-z_]*tls[a-z_]*\.[ch]$|^lib/crypto/
^openssl/               ^lib/crypto/
^sodium                 ^lib/crypto/|^lib/base/secret\.c$
^curl/                  ^lib/net/
^sqlite3\.h             ^lib/store/|^tools/smserver/store_sqlite[a-z_]*\.[ch]$
^event2/|^event\.h|^evhttp\.h  ^tools/smserver/[a-z_]*(http|tls)[a-z_]*\.[ch]$
^jansson\.h             ^lib/net/|^tools/
^ini\.h                 ^lib/base/config\.c$
^qrencode\.h            ^lib/cli/qr\.c$
^(linux|sys)/(landlock|seccomp)|^seccomp\.h  ^tools/smserver/sandbox
'

find lib tools -name '*.[ch]' -exec grep -HnE '^[[:space:]]*#[[:space:]]*include' {} + | sort | ours=$ours theirs=$theirs awk '
function table(text, key, value,    lines, word, i, n, k) {
	n = split(text, lines, "\n")
	for (i = 1; i <= n; i++)
		if (split(lines[i], word, /[ \t]+/) >= 2) {
			key[++k] = word[1]
			value[k] = word[2]
		}
	return k
}
BEGIN {
	nours = table(ENVIRON["ours"], of, may)
	ntheirs = table(ENVIRON["theirs"], header, home)
}
{
	split($0, part, ":")
	file = part[1]
	where = file ":" part[2] ": "
}
match($0, /"[^"]*"/) {
	name = layer = substr($0, RSTART + 1, RLENGTH - 2)
	sub(/\/.*/, "", layer)
	for (i = 1; i <= nours && file !~ of[i]; i++)
		;
	# What is not named by one of the layers is named from its own folder.
	if (name ~ /lib\//)
		print where "reaches into lib by a path"
	else if (index(" base crypto wire stream session store net cli common smserver ", " " layer " ") &&
		 (i > nours || !index("|" may[i] "|", "|" layer "|")))
		print where "may not include \"" name "\""
	next
}
match($0, /<[^>]*>/) {
	name = substr($0, RSTART + 1, RLENGTH - 2)
	for (i = 1; i <= ntheirs && name !~ header[i]; i++)
		;
	if (i <= ntheirs && file !~ home[i])
		print where "<" name "> has its home elsewhere"
}' | { ! grep .; }
