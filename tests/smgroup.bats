# smgroup, and messages to groups: real server, real devices.
load helper

# A server and people, logged in.
people() {
	start_server
	local p
	for p; do sm_user "$p"; done
}

# What NAME reads of everything that is new, a content a line; then it is deleted.
reads() {
	local n
	as "$1" sminbox --json >"new-$1" 2>"said-$1" || [ $? -eq 1 ]
	jq -j '.text // "unreadable\n"' "new-$1"
	for n in $(jq '.n' "new-$1"); do as "$1" sminbox --delete "$n"; done
}

password_of() { printf '%s/password' "$(home_of "$1")"; }

# enrolled NAME ACCOUNT: NAME becomes another device of ACCOUNT.
enrolled() {
	local code
	sm_home "$1"
	cp -p "$(password_of "$2")" "$(password_of "$1")"
	code=$(as "$1" smaccount login "$2@$SERVER_HOST" --password-file "$(password_of "$1")" --no-wait) || [ $? -eq 75 ]
	as "$2" smaccount devices approve "$code"
	as "$1" smaccount login "$2@$SERVER_HOST" --password-file "$(password_of "$1")"
}

row_count() { sqlite3 "$SERVER_DATA/sm.db" "SELECT count(*) FROM $1"; }

@test "a group is made, written to, and read by all of it" {
	people alice bob carol
	as alice smgroup create ops bob carol
	run -0 as alice smgroup list
	[[ $output == ops$'\t'3\ members$'\t'admin$'\t'* ]]
	echo hello all | as alice smsend @ops
	run -0 reads bob
	[ "$output" = "hello all" ]
	run -0 reads carol
	[ "$output" = "hello all" ]
	run -0 as bob smgroup list
	[[ $output == ops$'\t'3\ members$'\t'member$'\t'* ]]
	echo from bob | as bob smsend @ops
	run -0 reads alice
	[ "$output" = "from bob" ]
	run -0 reads carol
	[ "$output" = "from bob" ]
}

@test "one payload is stored for all of a group" {
	people alice bob carol
	as alice smgroup create ops bob carol
	echo one | as alice smsend @ops
	reads bob >/dev/null
	reads carol >/dev/null
	before=$(row_count payload)
	echo two | as alice smsend @ops
	after=$(row_count payload)
	[ $((after - before)) -eq 1 ]
	run -0 reads bob
	[ "$output" = two ]
	run -0 reads carol
	[ "$output" = two ]
}

@test "who is taken in reads what comes, and nothing older" {
	people alice bob carol
	as alice smgroup create ops bob
	echo old | as alice smsend @ops
	as alice smgroup add ops carol
	run -0 reads carol
	[ -z "$output" ]
	echo new | as alice smsend @ops
	run -0 reads carol
	[ "$output" = new ]
	run -0 reads bob
	[ "$output" = old$'\n'new ]
}

@test "who is put out reads nothing further, whoever sends" {
	people alice bob carol
	as alice smgroup create ops bob carol
	echo a | as alice smsend @ops
	reads bob >/dev/null
	echo b | as bob smsend @ops
	reads carol >/dev/null
	reads alice >/dev/null
	as alice smgroup remove ops carol
	echo from alice | as alice smsend @ops
	echo from bob | as bob smsend @ops
	run -0 reads carol
	[ -z "$output" ]
	run -0 reads bob
	[ "$output" = "from alice" ]
	run -0 reads alice
	[ "$output" = "from bob" ]
	# Not even with the server's help: everything that was stored for the others, laid into the mailbox of the one who is out.
	refused 67 'not in the group ops' as carol smsend -q @ops </dev/null
	refused 67 'is called' as carol smsend @ops </dev/null
	run -0 as carol smgroup list
	[ -z "$output" ]
}

@test "a chain that carol holds opens nothing that comes after she is out" {
	people alice bob carol
	as alice smgroup create ops bob carol
	echo a | as alice smsend @ops
	reads carol >/dev/null
	reads bob >/dev/null
	as alice smgroup remove ops carol
	echo secret | as alice smsend @ops
	stop_server
	# A hostile server gives her the last message, too.
	box=$(sqlite3 "$SERVER_DATA/sm.db" "SELECT d.id FROM device d JOIN account a ON a.id = d.account WHERE a.name = 'carol'")
	sqlite3 "$SERVER_DATA/sm.db" "INSERT INTO delivery(mailbox, seq, payload, shared) SELECT $box, 100000, max(id), 0 FROM payload;"
	start_server
	run -0 as carol sminbox --json
	[[ $output != *secret* ]]
	[ "$(jq -r .from <<<"$output")" = "alice@$SERVER_HOST" ]
	[ "$(jq -r .text <<<"$output")" = null ]
}

@test "leaving, promoting, renaming" {
	people alice bob carol
	as alice smgroup create ops bob carol
	refused 77 'promote' as alice smgroup leave ops
	as alice smgroup promote ops bob
	as alice smgroup leave ops
	run -0 as alice smgroup list
	[ -z "$output" ]
	refused 67 'is called' as alice smsend @ops </dev/null
	reads bob >/dev/null
	reads carol >/dev/null
	as bob smgroup rename ops crew
	run -0 as bob smgroup list
	[[ $output == crew$'\t'2\ members* ]]
	# Carol keeps the name under which she knows it.
	run -0 as carol smgroup list --json
	[ "$(jq -r '.group + " " + .name' <<<"$output")" = "ops crew" ]
	echo x | as bob smsend @crew
	run -0 reads carol
	[ "$output" = x ]
	as carol smgroup leave ops
	as bob smgroup leave crew
	run -0 as bob smgroup list
	[ -z "$output" ]
}

@test "only admins change a group" {
	people alice bob carol
	as alice smgroup create ops bob
	reads bob >/dev/null
	refused 77 'only its admins' as bob smgroup add ops carol
	refused 77 'only its admins' as bob smgroup remove ops alice
	refused 77 'only its admins' as bob smgroup promote ops bob
	refused 77 'only its admins' as bob smgroup rename ops mine
	refused 67 'not in the group' as alice smgroup remove ops carol
	refused 67 'nobody is called' as alice smgroup add ops nobody
	refused 64 'cannot be a group' as alice smgroup create 'no such name'
	refused 77 'smgroup leave' as alice smgroup remove ops alice
}

@test "two groups of one name are told apart" {
	people alice bob
	as alice smgroup create ops bob
	reads bob >/dev/null
	as bob smgroup list >/dev/null
	run -0 --separate-stderr as bob smgroup create ops alice
	[[ $stderr == *ops-2* ]]
	echo mine | as bob smsend @ops-2
	# The other one has neither been made here nor been sent to: which is meant has to be said once.
	refused 77 'two groups call themselves ops' as bob smsend @ops <<<hers
	id=$(as bob smgroup list | awk '$1 == "ops" { print $NF }')
	echo hers | as bob smsend "@$id"
	echo again | as bob smsend @ops
	run -0 as alice sminbox -q --json
	[ "$(jq -j '.group + " " + .text' <<<"$output" | sort)" = $'ops again\nops hers\nops-2 mine' ]
}

@test "two admins at once: both changes are there in the end" {
	people alice bob carol dave
	as alice smgroup create ops bob
	as alice smgroup promote ops bob
	reads bob >/dev/null
	as alice smgroup add ops carol &
	one=$!
	as bob smgroup add ops dave &
	wait "$one"
	wait $!
	run -0 as alice smgroup show ops
	[ "$(wc -l <<<"$output")" -eq 4 ]
}

@test "a member's changed key stops a send to the group" {
	people alice bob carol
	as alice smgroup create ops bob carol
	echo a | as alice smsend @ops
	stop_server
	# Another key for carol at the server.
	sm_home mallory
	pk=$(as mallory smkeygen -y | cut -d' ' -f1)
	hex=$(as mallory smkeygen -l | head -n 1)
	[ -n "$pk" ] && [ -n "$hex" ]
	start_server
	as alice smcontact remove carol
	as alice smcontact add carol "$pk"
	refused 77 "smgroup remove" as alice smsend @ops <<<secret
}

@test "rosters that nobody signed are refused" {
	people alice bob
	as alice smgroup create ops bob
	reads bob >/dev/null
	as bob smgroup list
	as alice smgroup rename ops crew
	stop_server
	sqlite3 "$SERVER_DATA/sm.db" "UPDATE roster SET text = replace(text, 'name crew', 'name cre2') WHERE epoch = 2"
	start_server
	refused 76 'not what its members have signed' as bob smgroup show ops
	echo x >in
	run as bob smsend @ops in
	[ "$status" -ne 0 ]
}

@test "a group of one" {
	people alice
	as alice smgroup create diary
	echo dear | as alice smsend @diary
	as alice smgroup leave diary
	run -0 as alice smgroup list
	[ -z "$output" ]
}

@test "a retry under the same id is stored once" {
	people alice bob
	as alice smgroup create ops bob
	echo once | as alice smsend --id k1 @ops
	echo once | as alice smsend --id k1 @ops
	refused 65 'k1' as alice smsend --id k1 @ops <<<other
	run -0 reads bob
	[ "$output" = once ]
}

@test "members who joined at the same time, sending at the same time" {
	people alice bob carol
	as alice smgroup create ops bob carol
	reads bob >/dev/null
	reads carol >/dev/null
	local pids=()
	for who in alice bob carol; do
		for i in 1 2 3; do
			as "$who" smsend @ops <<<"$who $i" &
			pids+=($!)
		done
	done
	for i in "${pids[@]}"; do wait "$i"; done
	run -0 reads bob
	[ "$(sort <<<"$output")" = "$(printf '%s\n' 'alice 1' 'alice 2' 'alice 3' 'carol 1' 'carol 2' 'carol 3')" ]
}

@test "every device of every member reads, the sender's others too; a new one reads what comes" {
	people alice bob
	enrolled laptop alice
	as alice smgroup create ops bob
	echo one | as alice smsend @ops
	run -0 reads bob
	[ "$output" = one ]
	run -0 reads laptop
	[ "$output" = one ]
	enrolled tablet bob
	echo two | as alice smsend @ops
	run -0 reads tablet
	[ "$output" = two ]
	run -0 reads bob
	[ "$output" = two ]
	echo three | as laptop smsend @ops
	run -0 reads alice
	[ "$output" = three ]
	run -0 reads tablet
	[ "$output" = three ]
	# Rosters are signed with the user key, which the laptop does not have.
	refused 77 'does not hold' as laptop smgroup rename ops crew
}

@test "a device that was removed is given no further key" {
	people alice bob
	enrolled tablet bob
	as alice smgroup create ops bob
	echo one | as alice smsend @ops
	run -0 reads tablet
	[ "$output" = one ]
	chain_of() { as bob sminbox --raw "$1" | smencrypt --inspect | grep -o 'senderkey .*' | cut -d' ' -f3; }
	as bob sminbox >list
	first=$(chain_of "$(tail -n 1 list | cut -f1)")
	echo two | as alice smsend @ops
	as bob sminbox >list
	[ "$(chain_of "$(tail -n 1 list | cut -f1)")" = "$first" ]
	as bob smaccount devices remove 2
	echo three | as alice smsend @ops
	as bob sminbox >list
	[ "$(chain_of "$(tail -n 1 list | cut -f1)")" != "$first" ]
	run -0 reads bob
	[ "$output" = one$'\n'two$'\n'three ]
}

@test "a message to a group that is not signed is not read" {
	people alice bob
	as alice smgroup create ops bob
	echo x | as alice smsend --unsigned @ops || true
	as bob sminbox --json >new || [ $? -eq 1 ]
	[ "$(jq -r 'select(.text == "x\n") | .text' new)" = '' ]
}

@test "a thousand members" {
	people alice bob
	stop_server
	"$SM_BIN/tests/server/people" 998 | sqlite3 "$SERVER_DATA/sm.db"
	start_server
	# shellcheck disable=SC2046
	as alice smgroup create big bob $(printf 'u%04d ' {1..998})
	[ "$(as alice smgroup list | cut -f2)" = '1000 members' ]
	before=$(row_count payload)
	echo all | as alice smsend @big
	run -0 reads bob
	[ "$output" = all ]
	echo again | as alice smsend @big
	# The keys in four envelopes, and each message in one.
	[ $(($(row_count payload) - before)) -eq 6 ]
	echo reply | as bob smsend @big
	run -0 reads alice
	[ "$output" = reply ]
}

@test "a stranger's group of that name is announced, and does not take the name away" {
	people alice bob mallory
	as mallory smgroup create family bob
	run -0 --separate-stderr as bob sminbox -v || [ "$status" -eq 1 ]
	[[ $stderr == *"mallory@$SERVER_HOST has taken this account into the group family"* ]]
	as alice smgroup create family bob
	run --separate-stderr as bob sminbox
	[[ $stderr == *"alice@$SERVER_HOST has taken this account into the group family-2"* ]]
	refused 77 "@family (by mallory@$SERVER_HOST) and @family-2 (by alice@$SERVER_HOST)" as bob smsend @family <<<secret
	refused 77 'two groups call themselves family' as bob smsend @family-2 <<<secret
	reads mallory >got
	[ ! -s got ]
	id=$(as bob smgroup list | awk '$1 == "family-2" { print $NF }')
	as bob smsend "@$id" <<<dear
	as bob smsend @family-2 <<<all
	run -0 reads alice
	[ "$output" = $'dear\nall' ]
}

@test "members speak of a newer roster than the server gives: nothing is sent on the old one" {
	people alice bob mallory
	as alice smgroup create ops bob mallory
	reads bob >/dev/null
	as bob smsend -q @ops <<<hello
	as alice smgroup remove ops mallory
	as alice smsend @ops <<<news
	stop_server
	# The server forgets that mallory is out.
	db="$SERVER_DATA/sm.db"
	old=$(sqlite3 "$db" 'SELECT text FROM roster WHERE epoch = 1' | sed '/^---$/q' | sha256sum | cut -d' ' -f1)
	sqlite3 "$db" "CREATE TABLE kept AS SELECT * FROM roster WHERE epoch = 2; DELETE FROM roster WHERE epoch = 2;
		UPDATE grp SET epoch = 1, hash = x'$old';
		INSERT INTO member SELECT (SELECT id FROM grp), id FROM account WHERE name = 'mallory'"
	start_server
	reads bob >got
	refused 76 'speaks of a newer list' as bob smsend @ops <<<secret
	reads mallory >got
	run ! grep -q secret got
	stop_server
	sqlite3 "$db" "INSERT INTO roster SELECT * FROM kept; UPDATE grp SET epoch = 2, hash = x'$(sqlite3 "$db" 'SELECT text FROM kept' | sed '/^---$/q' | sha256sum | cut -d' ' -f1)';
		DELETE FROM member WHERE account = (SELECT id FROM account WHERE name = 'mallory')"
	start_server
	as bob smsend @ops <<<secret
	run -0 reads alice
	[ "$output" = hello$'\n'secret ]
}

@test "after seven days a sender makes a new chain" {
	need faketime
	unsanitized
	local shim who
	shim=$(faketime -f +0 printenv LD_PRELOAD)
	past() { as "$1" env LD_PRELOAD="$shim" FAKETIME=-8d "${@:2}"; }
	smserver() { LD_PRELOAD=$shim FAKETIME=-8d exec "$SM_BIN/smserver" "$@"; }
	start_server
	for who in alice bob; do
		sm_home "$who"
		(umask 077 && sm_password "$who" >"$(password_of "$who")")
		past "$who" smaccount register "$who@$SERVER_HOST" --password-file "$(password_of "$who")" >/dev/null
	done
	past alice smgroup create ops bob
	past alice smsend @ops <<<one
	past alice smsend @ops <<<two
	unset -f smserver
	stop_server
	start_server '[messages]' 'retention = 30d'
	as alice smsend @ops <<<three
	as bob sminbox --json >new 2>said
	[ "$(jq -j .text new)" = $'one\ntwo\nthree' ]
	chains() { for n in $(jq .n new); do as bob sminbox --raw "$n" | smencrypt --inspect | grep -o 'senderkey .*' | cut -d' ' -f3; done | uniq -c | awk '{ print $1 }'; }
	[ "$(chains | paste -sd' ')" = '2 1' ]
}
