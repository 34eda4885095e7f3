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

# An account without a server: all that is asked of it here is its address.
account() { # NAME ADDRESS
	sm_home "$1"
	(umask 077 && printf 'address = %s\nurl = http://localhost\n' "$2" >"$(home_of "$1")/config/account")
}
key_of() { as "$1" smkeygen -y | cut -d' ' -f1; }
fp_of() { as "$1" smkeygen -l | cut -d' ' -f1; }
# alice and bob, who have each other's key.
two() {
	account alice alice@x
	account bob bob@x:99
	as alice smcontact add bob@x:99 "$(key_of bob)"
	as bob smcontact add alice@x "$(key_of alice)"
}

@test "both sides have the same safety number, and right digits verify" {
	two
	number=$(contact verify bob@x:99)
	[[ $number =~ ^([0-9]{5}\ ){11}[0-9]{5}$ ]]
	[ "$(as bob smcontact verify alice@x)" = "$number" ]
	[[ $(contact list) == *'	unverified' ]]
	run contact verify bob@x:99 "$number"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[[ $(contact list) == *'	verified' ]]
	contact show bob@x:99 --json | jq -e ".trust == \"verified\" and .safety == \"${number// /}\""
	contact show bob@x:99 | grep -qx "safety       $number"
	# without spaces, in pieces, with others; without a terminal
	for digits in "${number// /}" " ${number// /  } " "${number/ /	}"; do notty env SM_HOME="$(home_of bob)" smcontact verify alice@x "$digits"; done
	# shellcheck disable=SC2086
	as bob smcontact verify alice@x $number
	[[ $(as bob smcontact list) == *'	verified' ]]
}

@test "wrong digits: 1, and nothing is verified" {
	two
	number=$(contact verify bob@x:99)
	wrong=$(tr '0-9' '1-90' <<<"$number")
	run --separate-stderr contact verify bob@x:99 "$wrong"
	[ "$status" -eq 1 ]
	[[ $stderr == 'smcontact: these are not the digits of bob@x:99'* ]]
	[ -z "$output" ]
	[[ $(contact list) == *'	unverified' ]]
	# what is no number at all is said before it is compared
	for digits in 1 "${number}1" "${number%?}" "${number%?}x" ''; do refused 65 '60 digits' contact verify bob@x:99 "$digits"; done
	refused 66 'no contact' contact verify carol@x "$number"
	refused 65 'this account itself' contact_of_self
	[ "$(as alice smcontact list | wc -l)" -eq 2 ]
	# another's number is wrong too
	account carol carol@x
	contact add carol@x "$(key_of carol)"
	run contact verify carol@x "$number"
	[ "$status" -eq 1 ]
	# a verified one stays so, whatever digits come later
	contact verify bob@x:99 "$number"
	run contact verify bob@x:99 "$wrong"
	[ "$status" -eq 1 ]
	contact list | grep -q '^bob@x:99	.*	verified$'
}
contact_of_self() {
	contact add alice@x "$(key_of alice)"
	contact verify alice@x
}

@test "a changed contact is not verified: 77, and what was accepted, or came back, is unverified" {
	two
	sm_home other
	number=$(contact verify bob@x:99)
	contact verify bob@x:99 "$number"
	refused 77 'has changed' contact add bob@x:99 "$(key_of other)"
	refused 77 "smcontact accept bob@x:99 $(fp_of other)" contact verify bob@x:99 "$number"
	refused 77 'has changed' contact verify bob@x:99
	contact show bob@x:99 | grep -qx "now          $(fp_of other)"
	run contact show bob@x:99
	[[ $output != *safety* ]]
	contact show bob@x:99 --json | jq -e 'has("safety") | not'
	contact accept bob@x:99 "$(fp_of other)"
	[[ $(contact list) == *'	unverified' ]]
	run contact verify bob@x:99 "$number"
	[ "$status" -eq 1 ]
	# the old key again is a change like any other
	refused 77 'has changed' contact add bob@x:99 "$(key_of bob)"
	contact accept bob@x:99 "$(fp_of bob)"
	[[ $(contact list) == *'	unverified' ]]
	contact verify bob@x:99 "$number"
	contact remove bob@x:99
	contact add bob@x:99 "$(key_of bob)"
	[[ $(contact list) == *'	unverified' ]]
}

@test "safety numbers are made of user keys: a second device has the pin of its own account" {
	two
	number=$(contact verify bob@x:99)
	account second alice@x
	as second smcontact add bob@x:99 "$(key_of bob)"
	[ "$(as second smcontact verify bob@x:99)" != "$number" ]
	as second smcontact add alice@x "$(key_of alice)"
	[ "$(as second smcontact verify bob@x:99)" = "$number" ]
	refused 77 'has changed' as second smcontact add alice@x "$(key_of bob)"
	refused 77 "smcontact accept alice@x $(fp_of bob)" as second smcontact verify bob@x:99
}

@test "a protected identity: its public half is enough, and show never asks for the passphrase" {
	account bob bob@x
	(umask 077 && echo secret >pass)
	private_dir "$(home_of alice)"
	as alice smkeygen --passphrase-file pass >/dev/null
	(umask 077 && printf 'address = alice@x\nurl = http://localhost\n' >"$(home_of alice)/config/account")
	contact add bob@x "$(key_of bob)"
	number=$(notty env SM_HOME="$(home_of alice)" smcontact verify bob@x)
	contact show bob@x | grep -qx "safety       $number"
	rm "$(home_of alice)/config/identity.pub"
	notty env SM_HOME="$(home_of alice)" smcontact show bob@x >shown
	run ! grep safety shown
	refused 77 'no terminal' notty env SM_HOME="$(home_of alice)" smcontact verify bob@x
	[ "$(contact verify bob@x --passphrase-file pass)" = "$number" ]
}

@test "without an account there is no safety number, and show goes without" {
	sm_home bob
	smcontact add bob@x "$(key_of bob)"
	refused 78 "this profile has none" smcontact verify bob@x
	run smcontact show bob@x
	[ "$status" -eq 0 ]
	[[ $output == "address      bob@x"*"device 1     $(fp_of bob)" ]]
	[[ $output != *safety* ]]
}

@test "on a terminal the number is a QR code, too" {
	need script zbarimg
	two
	number=$(contact verify bob@x:99)
	[[ $number != *█* ]]
	as alice script -qec 'smcontact verify bob@x:99' /dev/null </dev/null >screen
	tr -d '\r' <screen | tail -n 1 | grep -qx "$number"
	# the drawing, module by module, as a picture
	head -n -1 screen | tr -d '\r' | sed $'s/\033\\[[0-9;]*m//g; s/█/3/g; s/▀/1/g; s/▄/2/g; s/ /0/g' | awk '
		{ for (half = 0; half < 2; half++) { line = ""
			for (i = 1; i <= length; i++) { v = substr($0, i, 1); bit = half ? int(v / 2) : v % 2; for (k = 0; k < 6; k++) line = line bit " " }
			for (k = 0; k < 6; k++) row[++n] = line } }
		END { print "P1"; print length(row[1]) / 2, n; for (i = 1; i <= n; i++) print row[i] }' >code.pbm
	[ "$(zbarimg -q --raw code.pbm)" = "${number// /}" ]
	# no colours where none are wanted
	NO_COLOR=1 as alice script -qec 'smcontact verify bob@x:99' /dev/null </dev/null >screen
	run ! grep -q $'\033' screen
	grep -q █ screen
}

@test "export and import carry the contacts over, with what was verified" {
	two
	sm_home carol
	smkeygen -N -t rsa:2048 -o old >/dev/null
	contact add carol@x "$(key_of carol)"
	contact add dave@x "$(cut -d' ' -f1,2 old.pub)"
	contact verify bob@x:99 "$(contact verify bob@x:99)"
	contact export >file
	[ "$(cat file)" = "bob@x:99 $(key_of bob) verified
carol@x $(key_of carol)
dave@x $(cut -d' ' -f1,2 old.pub)" ]
	smcontact import file
	cmp <(smcontact export) file
	smcontact import - <file
	{ echo '# mine'; echo; cat file; } | smcontact import
	cmp <(smcontact export) file
	cmp <(smcontact list) <(contact list)
	# what is verified stays so
	sed 's/ verified$//' file | smcontact import
	cmp <(smcontact export) file
	# a last line without its end
	printf '%s' "eve@x $(key_of carol)" | smcontact import
	smcontact list | grep -q '^eve@x'
}

@test "import never replaces a pin: 77, naming them, and the others are there" {
	two
	sm_home carol
	sm_home other
	smcontact add bob@x:99 "$(key_of bob)"
	printf '%s\n' "bob@x:99 $(key_of other) verified" "carol@x $(key_of carol)" "carol@x $(key_of other)" >file
	run --separate-stderr smcontact import file
	[ "$status" -eq 77 ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ ${stderr_lines[0]} == 'smcontact: bob@x:99 is pinned to another key'* ]]
	[[ ${stderr_lines[1]} == 'smcontact: carol@x is pinned to another key'* ]]
	[ "$(smcontact export)" = "bob@x:99 $(key_of bob)
carol@x $(key_of carol)" ]
	# and it does not count as seen: who wrote the file changes nothing about the contact
	[[ $(smcontact list) != *changed* ]]
	# after a change the pin is exported without the word, and imports as it is
	refused 77 'has changed' smcontact add bob@x:99 "$(key_of other)"
	[ "$(smcontact export | head -n 1)" = "bob@x:99 $(key_of bob)" ]
	smcontact export | smcontact import
	smcontact list | grep -q '^bob@x:99	.*	changed	now '
}

@test "a file that is wrong anywhere imports nothing: 65 with the line" {
	sm_home bob
	good="bob@x $(key_of bob)"
	for bad in 'bob' 'bob@x' 'bob@x sm1nonsense' "bob $(key_of bob)" "$good " "$good Verified" "$good verified now" "$good verified " \
		" $good" "bob@x  $(key_of bob)" "$good"$'\r' 'bob@x sm-rsa AAAA'; do
		printf '%s\n' '# contacts' "carol@x $(key_of bob)" "$bad" >file
		refused 65 'file: line 3 is not' smcontact import file
	done
	[ -z "$(smcontact list)" ]
	refused 66 "cannot read 'none'" smcontact import none
	: | smcontact import
	[ -z "$(smcontact export)" ]
	run smcontact import one two
	[ "$status" -eq 64 ]
	run smcontact export one
	[ "$status" -eq 64 ]
	run smcontact verify
	[ "$status" -eq 64 ]
	smcontact add bob@x "$(key_of bob)"
	run bash -c 'smcontact export >/dev/full'
	[ "$status" -eq 74 ]
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
