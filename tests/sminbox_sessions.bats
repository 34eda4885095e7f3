# sminbox(1) over sessions: order, losses, and what a hostile server or another member can try; marks; control messages. A real smserver,
# whose database is doctored while it is down where it is to lie.
load helper

people() {
	start_server
	for name; do sm_user "$name"; done
}
inbox() { as bob sminbox "$@"; }
database() { printf '%s/data/sm.db' "$(home_of "$1")"; }
bob_sql() { sqlite3 "$(database bob)" "$1"; }
texts() { as "$1" sminbox -a --json | jq -r '.text // empty | rtrimstr("\n")' | tr '\n' ' '; }
# SQL on the server's database, with the server down meanwhile.
doctor() {
	stop_server
	sqlite3 "$SERVER_DATA"/*.db "$1"
	start_server
}
mailbox_of() { printf '(SELECT d.id FROM device d JOIN account a ON a.id = d.account WHERE a.name = '\''%s'\'')' "$1"; }
# Body number $2 of those that wait for $1 (from 0), as a file; and files put in the place of it.
body_of() { sqlite3 "$SERVER_DATA"/*.db "SELECT hex(p.body) FROM delivery d JOIN payload p ON p.id = d.payload WHERE d.mailbox = $(mailbox_of "$1") ORDER BY d.seq LIMIT 1 OFFSET $2" | xxd -r -p; }
insert_sql() {
	printf "INSERT INTO payload (sender, received, body) VALUES (1, %s000, x'%s');" "$(date +%s)" "$(xxd -p "$2" | tr -d '\n')"
	printf "INSERT INTO delivery (mailbox, seq, payload, shared) SELECT %s, %s, last_insert_rowid(), 0;" "$(mailbox_of "$1")" "$3"
	printf "UPDATE mailbox SET reserved_seq = max(reserved_seq, %s + 1000) WHERE device = %s;" "$3" "$(mailbox_of "$1")"
}
# An envelope as header and rest.
split() {
	python3 - "$1" <<-'PY'
		import sys
		data = open(sys.argv[1], 'rb').read()
		at = data.index(b'\n---\n') + 5
		open(sys.argv[1] + '.head', 'wb').write(data[:at])
		open(sys.argv[1] + '.rest', 'wb').write(data[at:])
	PY
}

@test "out of order, and with some missing" {
	people alice bob
	as alice smsend bob <<<'hello'
	inbox >/dev/null
	as bob smsend alice <<<'hello'
	as alice sminbox >/dev/null
	for i in 1 2 3 4 5 6; do as alice smsend bob <<<"m$i"; done
	# 2 is lost for now, the others come backwards
	stop_server
	body_of bob 1 >late
	start_server
	doctor "DELETE FROM delivery WHERE mailbox = $(mailbox_of bob) AND seq = (SELECT seq FROM delivery WHERE mailbox = $(mailbox_of bob) ORDER BY seq LIMIT 1 OFFSET 1);
		UPDATE delivery SET seq = 1000 - seq WHERE mailbox = $(mailbox_of bob);
		UPDATE mailbox SET reserved_seq = 2000 WHERE device = $(mailbox_of bob)"
	[ "$(texts bob)" = 'hello m6 m5 m4 m3 m1 ' ]
	doctor "$(insert_sql bob late 3000)"
	[ "$(texts bob)" = 'hello m6 m5 m4 m3 m1 m2 ' ]
	inbox -a --json | jq -se 'all(.proof == "proven" and .trust == "unverified")'
}

@test "the same envelope again, under another number: nothing is shown, nothing asked for" {
	people alice bob
	as alice smsend bob <<<'first'
	as alice smsend bob <<<'second'
	body_of bob 0 >first
	body_of bob 1 >second
	[ "$(texts bob)" = 'first second ' ]
	doctor "$(insert_sql bob first 5000)$(insert_sql bob second 5001)"
	run --separate-stderr inbox -v
	[[ $stderr == *"a message from alice@$SERVER_HOST is here already: passed over"* ]]
	[ "$(inbox -a | wc -l)" -eq 2 ]
	# also when they were removed, or altered on the way
	inbox --delete 1 2
	printf 'x' >>second
	doctor "$(insert_sql bob first 6000)$(insert_sql bob second 6001)"
	run inbox -a
	[ "$status" -eq 1 ]
	[ "$(bob_sql 'SELECT count(*) FROM heal')" -eq 0 ]
}

@test "a first message that was taken begins no session again, though session and message are forgotten" {
	people alice bob
	as alice smsend bob <<<'first'
	body_of bob 0 >first
	inbox >/dev/null
	bob_sql 'DELETE FROM pair; DELETE FROM inbox'
	doctor "$(insert_sql bob first 5000)"
	[[ $(inbox) == *'[cannot be opened: no session with its sender fits; it is asked for again]'* ]]
	[ "$(bob_sql 'SELECT count(*) FROM pair')" -eq 1 ] # the fresh one, over which it is asked for
	[ "$(bob_sql "SELECT count FROM heal WHERE id <> 'requests'")" -eq 1 ]
}

@test "reflection: what alice sent comes back to her, and opens nothing" {
	people alice bob
	as alice smsend bob <<<'one'
	body_of bob 0 >one
	sed "s/^from alice@\([^ ]*\) \(.*\)/from bob@\1 \2/" one >as-bob
	doctor "$(insert_sql alice one 5000)$(insert_sql alice as-bob 5001)"
	run as alice sminbox
	[ "${#lines[@]}" -eq 2 ]
	[ "$(grep -c '\[refused by policy\]' <<<"$output")" -eq 2 ]
	[ "$(texts bob)" = 'one ' ]
}

@test "stanzas swapped between envelopes open nothing and use nothing up" {
	need python3
	people alice bob
	as alice smsend bob <<<'hello'
	inbox >/dev/null
	as bob smsend alice <<<'hello'
	as alice sminbox >/dev/null
	as alice smsend bob <<<'one'
	as alice smsend bob <<<'two'
	for i in 0 1; do body_of bob "$i" >"e$i"; split "e$i"; done
	python3 - <<-'PY'
		import re
		a, b = open('e0.head', 'rb').read(), open('e1.head', 'rb').read()
		stanza = re.compile(rb'-> ratchet [^\n]*\n(?:[A-Za-z0-9+\/][^\n]*\n)*')
		sa, sb = stanza.search(a).group(), stanza.search(b).group()
		assert sa != sb
		open('x0', 'wb').write(a.replace(sa, sb) + open('e0.rest', 'rb').read())
		open('x1', 'wb').write(b.replace(sb, sa) + open('e1.rest', 'rb').read())
	PY
	doctor "DELETE FROM delivery WHERE mailbox = $(mailbox_of bob);$(insert_sql bob x0 5000)$(insert_sql bob x1 5001)"
	run inbox
	[ "${#lines[@]}" -eq 3 ]
	[ "$(grep -c 'commitment\|damaged' <<<"$output")" -eq 2 ]
	# they had come to nothing: the genuine ones open still
	doctor "$(insert_sql bob e0 6000)$(insert_sql bob e1 6001)"
	[ "$(texts bob)" = 'hello one two ' ]
}

@test "somebody else's address on one's own session" {
	people alice bob mallory
	as mallory smsend bob <<<'from mallory'
	body_of bob 0 >e
	fp=$(as alice smkeygen -l | cut -d' ' -f1)
	sed "s|^from mallory@\([^ ]*\) .*|from alice@\1 $fp|" e >x
	as alice smsend bob <<<'from alice'
	doctor "DELETE FROM delivery WHERE payload = 1;$(insert_sql bob x 5000)"
	inbox >/dev/null
	[ "$(inbox -a --json | jq -r 'select(.text != null).text')" = 'from alice' ]
	[ "$(inbox -a --json | jq -r 'select(.error != null) | .error + " " + (.verified | tostring)')" = 'cannot be opened: no session with its sender fits false' ]
}

@test "control messages are believed from a session alone, signed and proven" {
	people alice bob
	id=aaaaaaaaaaaaaaaaaaaaaaaaaa
	printf 'sm-control/1\nchain %s 1 %064d %s 0 %s\n' $id 0 $id "$(head -c 32 /dev/zero | base64 | tr -d =)" >chain
	known() { bob_sql 'SELECT (SELECT count(*) FROM chain) + (SELECT count(*) FROM team)'; }
	# not signed
	as alice smsend --unsigned -m application/sm-control bob ./chain
	# no session
	as alice smencrypt -S -m application/sm-control -r bob chain | as alice smsend bob
	[ "$(inbox --json | jq -r '[.type, .proof] | join(" ")' | tr '\n' ' ')" = 'application/sm-control none application/sm-control proven ' ]
	[ "$(known)" -eq 0 ]
	# not canonical
	sed 's/chain/chaim/' chain >x
	as alice smsend -m application/sm-control bob ./x
	inbox >/dev/null
	[ "$(inbox | wc -l)" -eq 3 ]
	[ "$(known)" -eq 0 ]
	# over a session: acted upon, and not shown
	printf 'sm-control/1\nresend %s\n' $id >resend
	as alice smsend --unsigned -m application/sm-control bob ./resend
	run --separate-stderr inbox -v
	[[ $stderr != *'has asked for'* ]]
	[ "${#lines[@]}" -eq 4 ]
	as alice smsend -m application/sm-control bob ./resend
	run --separate-stderr inbox -v
	[[ $stderr == *"message $id, which alice@$SERVER_HOST has asked for, is not sent again"* ]]
	[ "${#lines[@]}" -eq 4 ]
	# a group that the server does not know of either
	as alice smsend -m application/sm-control bob ./chain
	[ "$(inbox | wc -l)" -eq 4 ]
	inbox >/dev/null
	[ "$(as bob smaccount status --json | jq .waiting)" -eq 0 ]
}

@test "what has not verified says nothing: no subject, no type, no name" {
	people alice bob
	as alice smsend -s 'a subject' -n name -m application/sm-control bob <<<'hi'
	body_of bob 0 >e
	size=$(stat -c %s e)
	cp e x
	printf 'z' | dd of=x bs=1 seek=$((size - 10)) conv=notrunc status=none
	doctor "DELETE FROM delivery;$(insert_sql bob x 5000)"
	inbox --json | jq -e '.error == "bad signature" and .subject == null and .type == null and .name == null and .proof == "none" and .trust == "unknown"'
	[ "$(bob_sql 'SELECT count(*) FROM pair')" -eq 0 ]
	doctor "$(insert_sql bob e 6000)"
	inbox --json | jq -se 'any(.subject == "a subject")'
}

@test "every message is marked: unverified, verified, changed" {
	people alice bob
	as alice smsend bob <<<'one'
	[[ $(inbox | cut -f4) == "alice@$SERVER_HOST" ]]
	inbox --json | jq -e '.trust == "unverified" and .verified and .proof == "proven"'
	as bob smcontact verify alice "$(as alice smcontact add bob >/dev/null && as alice smcontact verify bob)"
	[[ $(inbox | cut -f4) == "+alice@$SERVER_HOST" ]]
	inbox --json | jq -e '.trust == "verified"'
	run --separate-stderr inbox -v -r 1
	[[ $stderr == *"from alice@$SERVER_HOST SHA256:"*', verified'* ]]
	# alice comes back with another key: her messages are marked, the old one too
	smkeygen -N -o other >/dev/null
	bob_sql "UPDATE contact SET trust = 2, seen = '$(smkeygen -y -i other | cut -d' ' -f1)' WHERE address LIKE 'alice@%'"
	[[ $(inbox -a | cut -f4) == "!alice@$SERVER_HOST" ]]
	inbox -a --json | jq -e '.trust == "changed" and .proof == "proven"'
	run --separate-stderr inbox -r 1
	[ "$output" = one ]
	[[ $stderr == *"the key of alice@$SERVER_HOST has changed since"* ]]
}

@test "a raw envelope of a session opens with the key that the inbox keeps" {
	people alice bob
	as alice smsend bob <<<'hi'
	inbox >/dev/null
	inbox --raw 1 >e
	[ "$(as bob smsign -V -s alice <e | as bob smencrypt -d)" = hi ]
	inbox --delete 1
	refused 65 'came over a session: it opens here only while it is in the inbox' as bob smencrypt -d e
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

@test "devices: each reads, and a removed one is not believed any more" {
	people alice bob
	enrolled laptop alice
	as bob smsend alice <<<'to both'
	[ "$(texts alice)" = 'to both ' ]
	[ "$(texts laptop)" = 'to both ' ]
	as laptop smsend bob <<<'from the laptop'
	[[ $(inbox | cut -f4) == "alice@$SERVER_HOST" ]]
	# the sender's other device has it too, as its own account's
	as alice sminbox --json | jq -se "any(.text == \"from the laptop\n\" and .proof == \"proven\" and .trust == \"verified\" and .from == \"alice@$SERVER_HOST\")"
	# what it sends before it is removed comes after: the server has kept it back
	as laptop smsend bob <<<'kept back'
	body_of bob 0 >late
	doctor "DELETE FROM delivery WHERE mailbox = $(mailbox_of bob)"
	as alice smaccount devices remove 2
	as bob smsend alice <<<'now bob knows'
	doctor "$(insert_sql bob late 5000)"
	run inbox
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == *"?alice@$SERVER_HOST	[cannot be opened: its sender's device is not known here]	0" ]]
	[ "$(bob_sql 'SELECT count(*) FROM heal')" -eq 0 ]
	# what was proven while it was one stays so
	inbox --json | jq -se '.[0].text == "from the laptop\n" and .[0].proof == "proven" and .[0].trust == "unverified"'
	run --separate-stderr as laptop sminbox
	[ "$status" -eq 77 ]
}

@test "messages to a group say so" {
	people alice bob
	as alice smgroup create ops bob
	as alice smsend -s all @ops <<<'hi'
	as alice smsend -s alone bob <<<'hi'
	[ "$(inbox --from @ops | cut -f4,5)" = "alice@$SERVER_HOST @ops	all" ]
	[ "$(inbox --from "@$(bob_sql 'SELECT id FROM team')" | wc -l)" -eq 1 ]
	[ "$(inbox --from alice | wc -l)" -eq 2 ]
	run inbox --from @none
	[ "$status" -eq 1 ]
	inbox --delete 2
	inbox --json | jq -e '.group == "ops" and .proof == "proven" and .trust == "unverified"'
	run --separate-stderr inbox -v -r 1
	[[ $stderr == *'to the group @ops'* ]]
}

@test "a device that lost its state hears of its groups again, and reads what came meanwhile" {
	people alice bob
	as alice smgroup create ops bob
	as alice smsend @ops <<<'one'
	[ "$(texts bob)" = 'one ' ]
	rm "$(database bob)"
	as alice smsend @ops <<<'two'
	[[ $(inbox) == *"?alice@$SERVER_HOST @"*"	[cannot be opened: the group is not known here; it is asked for again]	0" ]]
	as alice sminbox >/dev/null || true
	[ "$(texts bob)" = 'two ' ]
	as alice smsend @ops <<<'three'
	[ "$(texts bob)" = 'two three ' ]
	[ "$(inbox -a | tail -n 1 | cut -f4)" = "alice@$SERVER_HOST @ops" ]
	as bob smsend @ops <<<'four'
	[ "$(texts alice)" = 'four ' ]
}

@test "an envelope without a session, again after it was removed" {
	people alice bob
	as alice smencrypt -S -r bob <<<'pay 100' | as alice smsend bob
	body_of bob 0 >e
	as alice smencrypt -r bob <<<'unsigned' | as alice smsend --unsigned bob
	body_of bob 1 >unsigned
	[ "$(texts bob)" = 'pay 100 unsigned ' ]
	inbox --delete 1 2
	head -c -66 e >stripped
	printf '\0\0' >>stripped
	# the server's word for when it came is not to decide how long it is remembered
	doctor "$(insert_sql bob e 5000)$(insert_sql bob stripped 5001)$(insert_sql bob unsigned 5002)UPDATE payload SET received = 1000;"
	run inbox -a
	[ "$status" -eq 1 ]
	as alice smencrypt -S -r bob <<<'another' | as alice smsend bob
	doctor "$(insert_sql bob e 6000)"
	[ "$(texts bob)" = 'another ' ]
}

@test "what its sender's device has not signed is not asked for" {
	people alice bob
	as alice smsend bob <<<'hello'
	inbox >/dev/null
	as bob smsend alice <<<'hello'
	as alice sminbox >/dev/null
	as alice smsend bob <<<'genuine'
	body_of bob 0 >e
	head -c -1 e >x
	printf '\0' >>x
	cmp -s e x && printf '\1' | dd of=x bs=1 seek=$(($(stat -c %s x) - 1)) conv=notrunc status=none
	head -c -66 e >y
	printf '\0\0' >>y
	bob_sql 'DELETE FROM pair'
	doctor "DELETE FROM delivery; $(insert_sql bob x 5000)$(insert_sql bob y 5001)"
	run inbox
	[ "${#lines[@]}" -eq 3 ]
	[ "$(grep -c '\[cannot be opened: no session with its sender fits\]' <<<"$output")" -eq 2 ]
	[ "$(bob_sql 'SELECT (SELECT count(*) FROM heal) + (SELECT count(*) FROM pair)')" -eq 0 ]
	# with the right signature it is
	doctor "$(insert_sql bob e 6000)"
	[[ $(inbox) == *'fits; it is asked for again]'* ]]
	[ "$(bob_sql "SELECT count FROM heal WHERE id <> 'requests'")" -eq 1 ]
}

@test "a stranger's many wishes leave nothing behind, and few invitations" {
	people mallory bob
	id() { printf '%025da' "$1" | tr 0-9 a-j; }
	{ printf 'sm-control/1\n' && for i in {1..64}; do printf 'resend %s\n' "$(id "$i")"; done; } >resend
	{ printf 'sm-control/1\n' && for i in {1..64}; do printf 'group %s 1 %064d\n' "$(id "$i")" 0; done; } >group
	{ printf 'sm-control/1\n' && for i in {65..90}; do printf 'chain %s 1 %064d %s 0 %s\n' "$(id "$i")" 0 "$(id "$i")" "$(head -c 32 /dev/zero | base64 | tr -d =)"; done; } >chain
	for kind in resend group chain; do as mallory smsend -m application/sm-control bob "./$kind"; done
	run inbox
	[ "$status" -eq 1 ]
	[ "$(bob_sql 'SELECT (SELECT count(*) FROM wanted) + (SELECT count(*) FROM outbox)')" -eq 0 ]
	[ "$(bob_sql 'SELECT count(*) FROM team')" -eq 8 ]
	[ "$(bob_sql 'SELECT count(*) FROM chain')" -eq 8 ]
	[ "$(bob_sql 'SELECT count(*) FROM team WHERE id IN (SELECT team FROM chain)')" -eq 8 ]
}

@test "who is no member is not believed: keys and invitations" {
	people alice bob mallory
	as alice smgroup create ops bob
	as alice smsend @ops <<<'hi'
	inbox >/dev/null
	team=$(bob_sql 'SELECT id FROM team')
	chains() { bob_sql 'SELECT count(*) FROM chain'; }
	[ "$(chains)" -eq 1 ]
	printf 'sm-control/1\nchain %s %s %064d %s 0 %s\n' "$team" 1 0 aaaaaaaaaaaaaaaaaaaaaaaaaa "$(head -c 32 /dev/zero | base64 | tr -d =)" >chain
	as mallory smsend -m application/sm-control bob ./chain
	sed 's/ 1 0/ 7 0/' chain >later
	as mallory smsend -m application/sm-control bob ./later
	run inbox
	[ "${#lines[@]}" -eq 1 ]
	[ "$(chains)" -eq 1 ]
	[ "$(bob_sql 'SELECT expect FROM team')" -le 1 ]
	# a member is; of a newer list that has not come, too
	as alice smsend -m application/sm-control bob ./later
	inbox >/dev/null
	[ "$(chains)" -eq 2 ]
	[ "$(bob_sql "SELECT expect || ' ' || state || ' ' || teller FROM team")" = "7 1 alice@$SERVER_HOST" ]
	# an older word behind it changes nothing
	sed 's/ 7 0/ 6 0/' later >between
	as alice smsend -m application/sm-control bob ./between
	inbox >/dev/null
	[ "$(bob_sql 'SELECT expect FROM team')" -eq 7 ]
}

@test "the key of who was just taken in, before the message" {
	people alice bob carol
	as alice smgroup create ops bob
	inbox >/dev/null || true
	as alice smgroup add ops carol
	as carol sminbox >/dev/null || true
	as carol smsend @ops <<<'from the new one'
	# the message comes later than the key: bob does not know yet that carol is a member
	stop_server
	body_of bob 1 >message
	body_of bob 0 >key
	start_server
	grep -aq '^group ' message
	doctor "DELETE FROM delivery WHERE mailbox = $(mailbox_of bob); $(insert_sql bob key 5000)"
	inbox >/dev/null || true
	doctor "$(insert_sql bob message 6000)"
	[ "$(texts bob)" = 'from the new one ' ]
	[ "$(bob_sql 'SELECT count(*) FROM heal')" -eq 0 ]
}
