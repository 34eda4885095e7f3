# WHO on a command line, as smencrypt takes it: keys, contacts, and names that have to be looked up (tools/common/who.c). Without a server;
# with one, see e2e_*.bats.
load helper

setup() {
	sm_setup
	smkeygen -N >/dev/null
	smkeygen -N -o bob >/dev/null
	BOB=$(cut -d' ' -f1 bob.pub)
}

# Seals for $1; what for is said in the envelope's `to` line.
seal() { echo hi | smencrypt -b --no-self -r "$1" | grep -a '^to '; }
fingerprint() { smkeygen -l "$1" | cut -d' ' -f1; }

@test "a public key needs no contact" {
	[ "$(seal "$BOB")" = "to - $(fingerprint bob)" ]
	[ "$(seal "$BOB bob@example.org, at work")" = "to - $(fingerprint bob)" ]
}

@test "a contact goes by its address" {
	smcontact add bob@example.org "$BOB"
	[ "$(seal bob@example.org)" = "to bob@example.org $(fingerprint bob)" ]
}

@test "a bare name without an account whose server is meant: 78" {
	run seal bob
	[[ $output == *"'bob' needs its host (bob@host)"* ]]
	run smencrypt -r bob </dev/null
	[ "$status" -eq 78 ]
}

@test "neither key nor name: 65" {
	for who in 'Bad Name' '' '@' 'bob@' 'bob@EXAMPLE.org' '-' "${BOB%?}" "${BOB}q" "${BOB^^}"; do
		run smencrypt -r "$who" </dev/null
		[ "$status" -eq 65 ] || { echo "$who: $status $output"; return 1; }
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "a damaged key of the RSA suite: 65" {
	run smencrypt -r 'sm-rsa AAAA' </dev/null
	[ "$status" -eq 65 ]
	[[ $output == *'not a valid public key' ]]
}

@test "a changed key: 77, with what to do" {
	smkeygen -N -o new >/dev/null
	smcontact add bob@example.org "$BOB"
	run smcontact add bob@example.org "$(cut -d' ' -f1 new.pub)"
	[ "$status" -eq 77 ]
	run smencrypt -r bob@example.org </dev/null
	[ "$status" -eq 77 ]
	[[ $output == *"run 'smcontact accept bob@example.org $(fingerprint new)'" ]]
	smcontact accept bob@example.org "$(fingerprint new)"
	[ "$(seal bob@example.org)" = "to bob@example.org $(fingerprint new)" ]
}

@test "a name that is no contact is looked up by smcontact, which says why not" {
	run --separate-stderr smencrypt -r eve@example.org </dev/null
	[ "$status" -ne 0 ]
	[ "$output" = '' ]
	[[ $stderr == smcontact:* ]]
}

@test "without smcontact a name that is no contact: 67" {
	mkdir bin
	cp "$SM_BIN/smencrypt" bin/
	PATH=/nowhere run "$PWD/bin/smencrypt" -r eve@example.org </dev/null
	[ "$status" -eq 67 ]
	[[ $output == *"'eve@example.org' is no contact, and smcontact, which would look it up, cannot be run"* ]]
}

@test "smcontact does not eat the plaintext" {
	smcontact add bob@example.org "$BOB"
	# the first recipient is looked up in vain with the input waiting; the second run gets all of it
	{
		smencrypt -r eve@example.org || true
		smencrypt -r bob@example.org >sealed
	} <<<whole 2>/dev/null
	[ "$(smencrypt -d -i bob <sealed)" = whole ]
}

@test "a damaged account file: 78" {
	echo 'address = nonsense' >"$SM_HOME/config/account"
	chmod 600 "$SM_HOME/config/account"
	run smencrypt -r bob </dev/null
	[ "$status" -eq 78 ]
}
