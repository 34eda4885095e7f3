# Messages that do not open (a restored backup, a lost database, a copied state directory): kept, named, asked for, and sent again. Nothing is
# lost, nothing comes twice, and nothing goes on for ever.
load helper

people() {
	start_server
	for name; do sm_user "$name"; done
}
database() { printf '%s/data/sm.db' "$(home_of "$1")"; }
save() { cp -a "$(home_of "$1")" "$(home_of "$1").$2"; }
restore() { rm -rf "$(home_of "$1")" && cp -a "$(home_of "$1").$2" "$(home_of "$1")"; }
# Only the database: tokens go on.
restore_database() { cp -p "$(home_of "$1").$2/data/sm.db" "$(database "$1")"; }
look() { as "$1" sminbox >/dev/null || [ $? -eq 1 ]; }
texts() { as "$1" sminbox --offline -a --json | jq -r '.text // empty | rtrimstr("\n")' | sort | tr '\n' ' '; }
errors() { as "$1" sminbox --offline -a --json | jq -r '.error // empty'; }
# Both have heard of each other, so that the session is one of both sides.
acquainted() {
	as alice smsend bob <<<'hello bob'
	look bob
	as bob smsend alice <<<'hello alice'
	look alice
}

@test "the recipient goes back to a backup: what does not open is named, asked for, and comes" {
	people alice bob
	acquainted
	save bob old
	as alice smsend bob <<<'one'
	look bob
	as bob smsend alice <<<'two'
	look alice
	restore_database bob old
	as alice smsend -s 'the subject' -n name.txt bob <<<'three'
	run --separate-stderr as bob sminbox
	[ "$status" -eq 0 ]
	[[ $output == *"?alice@$SERVER_HOST	[cannot be opened: no session with its sender fits; it is asked for again]	0" ]]
	[[ $output != *'the subject'* ]]
	number=$(cut -f1 <<<"$output" | tail -n 1)
	run --separate-stderr as bob sminbox -r "$number"
	[ "$status" -eq 65 ]
	[ "$stderr" = "sminbox: message $number cannot be opened: no session with its sender fits; it is asked for again" ]
	# the sender's tool answers when it is run the next time
	run --separate-stderr as alice sminbox -v
	[[ $stderr == *"sent again to bob@$SERVER_HOST"* ]]
	run --separate-stderr as bob sminbox
	[[ $output == *"alice@$SERVER_HOST	the subject	6" ]]
	[ -z "$(errors bob)" ]
	[ "$(texts bob)" = 'hello bob three ' ]
	[ "$(as bob sminbox -a --json | jq -r 'select(.subject == "the subject") | [.proof, .name, (.original | length)] | join(" ")')" = 'proven name.txt 26' ]
	# and the session works again, both ways
	as bob smsend alice <<<'four'
	look alice
	as alice smsend bob <<<'five'
	look bob
	[ "$(texts alice)" = 'four hello alice two ' ]
	[ "$(texts bob)" = 'five hello bob three ' ]
}

@test "the sender goes back to a backup: its message keys come twice, its messages once" {
	people alice bob
	acquainted
	save alice old
	as alice smsend bob <<<'one'
	look bob
	restore_database alice old
	as alice smsend bob <<<'again at the same number'
	look bob
	[ -n "$(errors bob)" ]
	look alice
	look bob
	[ -z "$(errors bob)" ]
	[ "$(texts bob)" = 'again at the same number hello bob one ' ]
}

@test "a lost database" {
	people alice bob
	acquainted
	rm "$(database bob)"
	as alice smsend bob <<<'one'
	look bob
	[ -n "$(errors bob)" ]
	look alice
	look bob
	[ -z "$(errors bob)" ]
	[ "$(texts bob)" = 'one ' ]
	as bob smsend alice <<<'two'
	look alice
	[ "$(texts alice)" = 'hello alice two ' ]
}

@test "a copied state directory: both send, both read, everything arrives once" {
	people alice bob
	acquainted
	save alice copy
	clone() { local SM_HOME; SM_HOME=$(home_of alice).copy; export SM_HOME; "$@"; }
	as alice smsend bob <<<'a1'
	clone smsend bob <<<'c1'
	as alice smsend bob <<<'a2'
	clone smsend bob <<<'c2'
	for i in 1 2 3; do
		look bob
		look alice
		clone sminbox >/dev/null || [ $? -eq 1 ]
	done
	look bob
	[ "$(texts bob)" = 'a1 a2 c1 c2 hello bob ' ]
	[ -z "$(errors bob)" ]
	# what bob sends reaches one of the two, whichever looks first; what does not open there is healed there
	as bob smsend alice <<<'b1'
	clone sminbox >/dev/null
	as bob smsend alice <<<'b2'
	for i in 1 2 3; do
		look alice
		look bob
		clone sminbox >/dev/null || [ $? -eq 1 ]
	done
	got=$( (texts alice; SM_HOME=$(home_of alice).copy sminbox --offline -a --json | jq -r '.text // empty | rtrimstr("\n")') | tr ' ' '\n' | grep '^b[12]' | sort -u | tr '\n' ' ')
	[ "$got" = 'b1 b2 ' ]
}

@test "what cannot be sent again is asked for three times, and no more" {
	people alice bob
	acquainted
	save bob old
	as alice smsend bob <<<'one'
	look bob
	as bob smsend alice <<<'two'
	look alice
	restore_database bob old
	as alice smsend bob <<<'lost'
	sqlite3 "$(database alice)" 'DELETE FROM outbox'
	for i in 1 2 3 4 5; do
		look bob
		look alice
	done
	[ -n "$(errors bob)" ]
	[ "$(sqlite3 "$(database bob)" "SELECT max(count) FROM heal WHERE asked = 1 AND id <> 'requests'")" -eq 3 ]
	[ "$(sqlite3 "$(database bob)" 'SELECT count(*) FROM outbox')" -le 5 ]
	[ "$(sqlite3 "$(database bob)" 'SELECT count(*) FROM inbox WHERE waits = 1')" -eq 0 ]
}

@test "nothing is sent again to a changed key" {
	people alice bob
	acquainted
	save bob old
	as alice smsend bob <<<'one'
	look bob
	as bob smsend alice <<<'two'
	look alice
	restore_database bob old
	as alice smsend bob <<<'secret'
	look bob
	# alice has seen another key for bob's address meanwhile
	smkeygen -N -o other >/dev/null
	sqlite3 "$(database alice)" "UPDATE contact SET trust = 2, seen = '$(smkeygen -y -i other | cut -d' ' -f1)' WHERE address LIKE 'bob@%'"
	sent=$(sqlite3 "$(database alice)" 'SELECT count(*) FROM outbox')
	as alice sminbox --json >got || [ $? -eq 1 ]
	[ "$(sqlite3 "$(database alice)" 'SELECT count(*) FROM outbox')" -eq "$sent" ]
	# the request is a message like others, then
	jq -se 'any(.type == "application/sm-control" and .trust == "changed")' got
	look bob
	[ -n "$(errors bob)" ]
}

@test "an attachment is sent again; what is not signed might be anybody's, and is not asked for" {
	people alice bob
	acquainted
	save bob old
	as alice smsend bob <<<'one'
	look bob
	as bob smsend alice <<<'two'
	look alice
	restore_database bob old
	seq 5000 >numbers
	as alice smsend -A numbers bob <<<'with a file'
	as alice smsend --unsigned bob <<<'unsigned'
	look bob
	look alice
	look bob
	[ "$(errors bob)" = 'cannot be opened: no session with its sender fits' ]
	[ "$(texts bob)" = 'hello bob with a file ' ]
	[ "$(sqlite3 "$(database bob)" "SELECT count(*) FROM heal WHERE asked = 1 AND id <> 'requests'")" -eq 1 ]
	n=$(as bob sminbox -a --json | jq -r 'select(.text == "with a file\n").n')
	mkdir d
	as bob sminbox -o d "$n" >/dev/null
	cmp numbers d/numbers
}

@test "followed: what did not open is listed when it has come" {
	people alice bob
	acquainted
	save bob old
	as alice smsend bob <<<'one'
	look bob
	as bob smsend alice <<<'two'
	look alice
	restore_database bob old
	env SM_HOME="$(home_of bob)" sminbox -f --json >got 2>err 3>&- &
	follower=$!
	shown() { grep -q "$1" got; }
	as alice smsend bob <<<'three'
	wait_until 10 shown 'cannot be opened'
	answered() { as alice sminbox -v 2>&1 | grep -q 'sent again'; }
	wait_until 10 answered
	wait_until 10 shown '"three'
	kill "$follower"
}

# Killed at every STEPth write and send, then run again: NAME's sminbox, while something is to be healed.
killed_heal() {
	local k n status
	for ((k = n = 1; ; k += STEP, n++)); do
		sqlite3 "$(database bob)" 'DELETE FROM pair; DELETE FROM heal' # so many requests would not be made
		as alice smsend bob <<<"$1 $n"
		[[ $1 == bob ]] || look bob
		status=0
		env SM_HOME="$(home_of "$1")" LD_PRELOAD="$SM_BIN/tests/crash/crash.so" SM_CRASH_AT="$k" ASAN_OPTIONS=verify_asan_link_order=0 \
			sminbox >/dev/null 2>&1 || status=$?
		for again in 1 2; do
			look bob
			look alice
		done
		look bob
		[[ $status == 137 ]] || break
	done
	[[ $k -gt 10 && $status -le 1 ]]
	[ "$(as bob sminbox --offline -a --json | jq -r '.text // empty | rtrimstr("\n")' | grep -c "^$1 ")" -eq "$n" ]
	[ "$(as bob sminbox --offline -a --json | jq -r '.text // empty' | grep "^$1 " | sort -u | wc -l)" -eq "$n" ]
	[ -z "$(errors bob)" ]
}

@test "killed while it asks, and while it answers: everything comes, once" {
	[[ -e $SM_BIN/tests/crash/crash.so ]]
	people alice bob
	acquainted
	as bob smsend alice <<<'more'
	look alice
	# the session is one that bob has begun: without it, nothing of alice's opens
	sqlite3 "$(database alice)" 'DELETE FROM pair'
	as bob smsend alice <<<'again'
	look alice
	as bob sminbox -q >/dev/null || [ $? -eq 1 ]
	STEP=4 killed_heal alice
	STEP=4 killed_heal bob
}

# enrolled NAME ACCOUNT: NAME becomes another device of ACCOUNT.
enrolled() {
	local code
	sm_home "$1"
	cp -p "$(home_of "$2")/password" "$(home_of "$1")/password"
	code=$(as "$1" smaccount login "$2@$SERVER_HOST" --password-file "$(home_of "$1")/password" --no-wait) || [ $? -eq 75 ]
	as "$2" smaccount devices approve "$code"
	as "$1" smaccount login "$2@$SERVER_HOST" --password-file "$(home_of "$1")/password"
}
# asks NAME ID: NAME asks alice for the message with this id.
asks() {
	printf 'sm-control/1\nresend %s\n' "$2" >"resend.$1"
	as "$1" smsend -m application/sm-control alice "./resend.$1"
	look alice
	look "$1"
}

@test "a group's message is sent again to devices that could read it then, and to no others" {
	people alice bob
	as alice smgroup create ops bob
	one=$(as alice smsend --json @ops <<<'one' | jq -r .id)
	look bob
	enrolled laptop bob
	as bob smsend alice <<<'alice is to know of the laptop'
	look alice
	two=$(as alice smsend --json @ops <<<'two' | jq -r .id)
	look laptop
	[ "$(texts laptop)" = 'alice is to know of the laptop two ' ]
	# it has the chain now, which was the same for both
	asks laptop "$one"
	[ "$(texts laptop)" = 'alice is to know of the laptop two ' ]
	# what it could read, it can ask for
	sqlite3 "$(database laptop)" 'DELETE FROM inbox'
	asks laptop "$two"
	[ "$(texts laptop)" = 'two ' ]
	# also when alice has taken another chain since
	sqlite3 "$(database laptop)" 'DELETE FROM inbox'
	sqlite3 "$(database alice)" 'DELETE FROM heal'
	as alice smgroup add ops alice bob || true
	sqlite3 "$(database alice)" "UPDATE own_chain SET id = 'bbbbbbbbbbbbbbbbbbbbbbbbbb'"
	asks laptop "$one"
	asks laptop "$two"
	[ "$(texts laptop)" = 'two ' ]
}

@test "a member whom no session could be begun with asks for what it missed" {
	people alice bob
	as alice smgroup create ops bob
	look bob
	stop_server
	bob="(SELECT d.id FROM device d JOIN account a ON a.id = d.account WHERE a.name = 'bob')"
	sqlite3 "$SERVER_DATA"/*.db "DELETE FROM spk WHERE device = $bob; DELETE FROM opk WHERE device = $bob"
	start_server
	sqlite3 "$(database alice)" 'DELETE FROM pair'
	sqlite3 "$(database bob)" "DELETE FROM pair; UPDATE counter SET value = 0 WHERE name = 'prekeys asked'"
	run --separate-stderr as alice smsend @ops <<<'while away'
	[ "$status" -eq 0 ]
	[[ $stderr == *"bob@$SERVER_HOST, device 1: no prekeys"* ]]
	for i in 1 2; do
		look bob
		look alice
	done
	look bob
	[ -z "$(errors bob)" ]
	[ "$(texts bob)" = 'while away ' ]
}
