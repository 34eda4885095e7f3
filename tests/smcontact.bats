# smcontact(1): pins on first use, changed keys, and keys given by hand.
load helper

contact() { as alice smcontact "$@"; }

@test "add asks the server and pins" {
	start_server
	sm_user alice
	sm_user bob
	run --separate-stderr contact add bob
	[ "$status" -eq 0 ]
	[ "$output$stderr" = '' ]
	fp=$(as bob smkeygen -l | cut -d' ' -f1)
	[ "$(contact list)" = "bob@$SERVER_HOST	$fp	unverified" ]
	contact add "bob@$SERVER_HOST" # again: nothing changes
	contact show bob --json | jq -e ".v == 1 and .address == \"bob@$SERVER_HOST\" and .fingerprint == \"$fp\" and .trust == \"unverified\" and (.identity | startswith(\"sm1\"))"
	contact add -v alice 2>err
	grep -q pinned err
	[ "$(contact list --json | jq -s length)" -eq 2 ]
	contact remove bob
	run --separate-stderr contact remove bob
	[ "$status" -eq 66 ]
	[ "$stderr" = "smcontact: 'bob@$SERVER_HOST' is no contact" ]
}

@test "nobody, another server, nonsense: 67" {
	start_server
	sm_user alice
	run --separate-stderr contact add nobody
	[ "$status" -eq 67 ]
	[ "$stderr" = "smcontact: nobody is called nobody@$SERVER_HOST" ]
	run --separate-stderr contact add bob@example.org
	[ "$status" -eq 67 ]
	[[ $stderr == *'on another server'* ]]
	run contact add 'Bob Smith'
	[ "$status" -eq 67 ]
}

@test "a key given by hand needs no account and no server" {
	sm_home bob
	key=$(as bob smkeygen -y | cut -d' ' -f1)
	smcontact add bob@example.org "$key"
	smcontact add bob@example.org "$key"
	[[ $(smcontact list) == "bob@example.org	SHA256:"*"	unverified" ]]
	run smcontact add bob@example.org sm1nonsense
	[ "$status" -eq 65 ]
	run smcontact add bob "$key"
	[ "$status" -eq 78 ]
	# another key for the same address: refused until it is accepted
	sm_home other
	other=$(as other smkeygen -y | cut -d' ' -f1)
	fp=$(as other smkeygen -l | cut -d' ' -f1)
	run --separate-stderr smcontact add bob@example.org "$other"
	[ "$status" -eq 77 ]
	[ "$stderr" = "smcontact: the key of bob@example.org has changed: once you know that the new one is theirs, run 'smcontact accept bob@example.org $fp'" ]
	[[ $(smcontact list) == *"	changed	now $fp" ]]
	run smcontact accept bob@example.org "$(as bob smkeygen -l | cut -d' ' -f1)"
	[ "$status" -eq 77 ]
	run smcontact accept bob@example.org SHA256:short
	[ "$status" -eq 65 ]
	smcontact accept bob@example.org "$fp"
	[ "$(smcontact list)" = "bob@example.org	$fp	unverified" ]
}

@test "keys of the other suite are pinned, listed and changed alike" {
	smkeygen -N -t rsa:2048 -o one >/dev/null
	smkeygen -N -t rsa:2048 -o two >/dev/null
	smcontact add bob@x "$(cut -d' ' -f1,2 one.pub)"
	[[ $(smcontact list) == "bob@x	$(smkeygen -l one | cut -d' ' -f1)	unverified" ]]
	[ "$(smcontact show bob@x --json | jq -r .identity)" = "$(cut -d' ' -f1,2 one.pub)" ]
	run smcontact add bob@x "$(cut -d' ' -f1,2 two.pub)"
	[ "$status" -eq 77 ]
	smcontact accept bob@x "$(smkeygen -l two | cut -d' ' -f1)"
	[ "$(smcontact show bob@x --json | jq -r .identity)" = "$(cut -d' ' -f1,2 two.pub)" ]
}

@test "the pinned key seen again ends a change" {
	sm_home bob
	sm_home other
	smcontact add bob@x "$(as bob smkeygen -y | cut -d' ' -f1)"
	run smcontact add bob@x "$(as other smkeygen -y | cut -d' ' -f1)"
	[ "$status" -eq 77 ]
	smcontact add bob@x "$(as bob smkeygen -y | cut -d' ' -f1)"
	[[ $(smcontact list) == *'	unverified' ]]
}

@test "many at once pin once" {
	start_server
	sm_user alice
	sm_user bob
	for i in 1 2 3 4 5 6 7 8; do contact add bob 2>>err || echo "$i" >>failed & done
	for job in $(jobs -p); do [ "$job" = "$SERVER_PID" ] || wait "$job"; done
	[ ! -e failed ] || { cat err; false; }
	[ "$(contact list | wc -l)" -eq 1 ]
}

@test "not logged in, no server, and usage" {
	run --separate-stderr smcontact add bob
	[ "$status" -eq 77 ]
	[[ $stderr == *'smaccount register'* ]]
	start_server
	sm_user alice
	stop_server
	run --separate-stderr contact add bob
	[ "$status" -eq 69 ]
	[[ $stderr == "smcontact: cannot reach http://$SERVER_HOST: "* ]]
	run smcontact
	[ "$status" -eq 64 ]
	run smcontact add
	[ "$status" -eq 64 ]
	run smcontact list extra
	[ "$status" -eq 64 ]
	run smcontact show nobody@x
	[ "$status" -eq 66 ]
	run smcontact list
	[ "$status" -eq 0 ]
	sm_home bob
	smcontact add bob@x "$(as bob smkeygen -y | cut -d' ' -f1)"
	run bash -c 'smcontact list >/dev/full'
	[ "$status" -eq 74 ]
}
