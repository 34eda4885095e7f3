# smsend(1) over sessions: how they begin and go on, what is sent again under a key, and what a hostile server can try. A real smserver
# each time; where it is to lie, its database is doctored while it is down.
load helper

send() { as alice smsend "$@"; }
people() {
	start_server
	for name; do sm_user "$name"; done
}
texts() { as "$1" sminbox -a --json | jq -c 'if .text != null then .text else .base64 end'; }
# The stanzas of NAME's message N.
header_of() { as "$1" sminbox --raw "$2" | smencrypt --inspect | grep '^-> '; }
# SQL on the server's database. doctor: with the server down meanwhile, where it remembers what is changed.
server_sql() { sqlite3 -cmd '.timeout 10000' "$SERVER_DATA"/*.db "$1"; }
doctor() {
	stop_server
	server_sql "$1"
	start_server
}
device_of() { printf '(SELECT d.id FROM device d JOIN account a ON a.id = d.account WHERE a.name = '\''%s'\'')' "$1"; }
# enrolled NAME ACCOUNT: a home that is another device of ACCOUNT, whose first one approves it.
enrolled() {
	local code account=$2
	sm_home "$1"
	cp -p "$(home_of "$account")/password" "$(home_of "$1")/password"
	code=$(as "$1" smaccount login "$account@$SERVER_HOST" --password-file "$(home_of "$1")/password" --no-wait 2>/dev/null) || true
	as "$account" smaccount devices approve "$code"
	as "$1" smaccount login "$account@$SERVER_HOST" --password-file "$(home_of "$1")/password" 2>/dev/null
}
nothing_for() {
	run as "$1" sminbox
	[ "$status" -eq 1 ]
}

@test "a session begins by itself and goes on; the answer ends the first messages" {
	people alice bob
	run --separate-stderr send -v bob <<<'one'
	[ "$status" -eq 0 ]
	[[ $stderr == *"bob@$SERVER_HOST, device 1: a session is begun"* ]]
	[[ $stderr != *'without a one-time prekey'* ]]
	run --separate-stderr send -v bob <<<'two'
	[[ $stderr != *'is begun'* ]]
	[ "$(texts bob | tr -d '\n')" = '"one\n""two\n"' ]
	[[ $(header_of bob 1) == '-> ratchet 1 '*' x3dh '* ]]
	[[ $(header_of bob 2) == '-> ratchet 1 '*' x3dh '* ]]
	as bob smsend alice <<<'answer'
	[[ $(as alice sminbox --json | jq -r .text) == answer ]]
	[[ $(header_of alice 1) == '-> ratchet 1 '* && $(header_of alice 1) != *x3dh* ]]
	send bob <<<'three'
	as bob sminbox >/dev/null
	[[ $(header_of bob 3) == '-> ratchet 1 '* && $(header_of bob 3) != *x3dh* ]]
	[ "$(as bob sminbox -r 3)" = three ]
}

@test "several at once, with a subject, a file and attachments; oneself without a session" {
	people alice bob carol
	head -c 100000 /dev/urandom >f.bin
	echo a >a.txt
	run --separate-stderr send -v -s both -A a.txt bob carol alice ./f.bin
	[ "$status" -eq 0 ]
	[[ $stderr == *"alice@$SERVER_HOST: to this device itself, without a session"* ]]
	for name in alice bob carol; do
		mkdir "got-$name"
		as "$name" sminbox >/dev/null
		as "$name" sminbox -o "got-$name" 1
		cmp f.bin "got-$name/f.bin"
		cmp a.txt "got-$name/a.txt"
	done
	[ "$(header_of bob 1 | grep -c '^-> ratchet 1 ')" -eq 2 ]
	[ "$(header_of bob 1 | grep -c '^-> hpke ')" -eq 1 ]
}

@test "without one-time prekeys it works, and -v says so" {
	people alice bob
	server_sql "DELETE FROM opk WHERE device = $(device_of bob)"
	run --separate-stderr send -v bob <<<'first'
	[ "$status" -eq 0 ]
	[[ $stderr == *'a session is begun, without a one-time prekey'* ]]
	[ "$(texts bob)" = '"first\n"' ]
	[[ $(header_of bob 1) == *' x3dh '*' -' ]]
	# bob's tools have made new ones meanwhile
	[ "$(server_sql "SELECT count(*) FROM opk WHERE device = $(device_of bob)")" -eq 100 ]
}

@test "no signed prekey: 75, and the way to send without a session" {
	people alice bob
	server_sql "DELETE FROM spk WHERE device = $(device_of bob)"
	run --separate-stderr send bob <<<'x'
	[ "$status" -eq 75 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *"bob@$SERVER_HOST has no fresh prekeys"*'smencrypt -r bob | smsign | smsend bob' ]]
	echo stateless | as alice smencrypt -r bob | as alice smsign | send bob
	[ "$(texts bob)" = '"stateless\n"' ]
	[[ $(header_of bob 1) == '-> hpke '* ]]
	# bob's tools look after it four times a day
	sqlite3 "$(home_of bob)/data/sm.db" "UPDATE counter SET value = value - 86400 WHERE name = 'prekeys asked'"
	as bob sminbox -a >/dev/null
	send bob <<<'y'
	[ "$(texts bob | tail -n 1)" = '"y\n"' ]
}

@test "a signed prekey older than thirty days is refused" {
	need faketime
	unsanitized
	local shim
	shim=$(faketime -f +0 printenv LD_PRELOAD)
	smserver() { LD_PRELOAD=$shim FAKETIME=-31d exec "$SM_BIN/smserver" "$@"; }
	start_server
	sm_home bob
	(umask 077 && sm_password bob >pw)
	as bob env LD_PRELOAD="$shim" FAKETIME=-31d smaccount register "bob@$SERVER_HOST" --password-file pw
	unset -f smserver
	stop_server
	start_server
	sm_user alice
	refused 75 "bob@$SERVER_HOST has no fresh prekeys" send bob <<<'x'
	nothing_for alice
}

@test "forged prekeys: 76, nothing sent, nothing kept" {
	people alice bob eve
	local bob eve
	bob=$(device_of bob) eve=$(device_of eve)
	server_sql ".dump spk" >spk.sql
	# another's prekey as bob's; a signature that is wrong; keys of low order and not canonical
	for change in \
		"key = (SELECT key FROM spk WHERE device = $eve)" \
		"key = (SELECT key FROM spk WHERE device = $eve), signature = (SELECT signature FROM spk WHERE device = $eve), created = (SELECT created FROM spk WHERE device = $eve)" \
		"signature = x'$(printf '%0128d' 0)'" \
		"id = id + 1" \
		"created = created + 1" \
		"key = x'$(printf '%064d' 0)'" \
		"key = x'$(printf 'ff%.0s' {1..32})'"; do
		server_sql "UPDATE spk SET $change WHERE device = $bob"
		run --separate-stderr send bob <<<'secret'
		[ "$status" -eq 76 ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == "smsend: the server gives a prekey of bob@$SERVER_HOST (device 1) that this device has not made: refused" ]]
		server_sql "DELETE FROM spk; $(grep INSERT spk.sql)"
	done
	nothing_for bob
	send bob <<<'well'
	[ "$(texts bob)" = '"well\n"' ]
}

@test "one-time prekeys that are forged: of low order refused, swapped ones open nothing" {
	people alice bob eve
	server_sql "UPDATE opk SET key = x'$(printf '%064d' 0)' WHERE device = $(device_of bob)"
	run --separate-stderr send bob <<<'secret'
	[ "$status" -eq 76 ]
	nothing_for bob
	server_sql "UPDATE opk SET key = (SELECT key FROM opk WHERE device = $(device_of eve) LIMIT 1) WHERE device = $(device_of bob)"
	send bob <<<'secret'
	run as eve sminbox
	[ "$status" -eq 1 ]
	run as bob sminbox -r 1
	[ "$status" -ne 0 ]
}

@test "a changed key stops sending, session or not: 77, until it is accepted" {
	people alice bob eve
	send bob <<<'before'
	as alice smcontact list | grep -q "^bob@"
	doctor "UPDATE account SET pk = (SELECT pk FROM account WHERE name = 'eve') WHERE name = 'bob';
		UPDATE device SET pk = (SELECT pk FROM device WHERE id = $(device_of eve)), fp = (SELECT fp FROM device WHERE id = $(device_of eve)) WHERE id = $(device_of bob)"
	run --separate-stderr send bob <<<'secret'
	[ "$status" -eq 77 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == "smsend: the key of bob@$SERVER_HOST has changed: "*"'smcontact accept bob@$SERVER_HOST "* ]]
	run --separate-stderr send eve bob <<<'secret'
	[ "$status" -eq 77 ]
	nothing_for eve
}

@test "the server cannot name another key for the own account" {
	people alice bob eve
	doctor "UPDATE account SET pk = (SELECT pk FROM account WHERE name = 'eve') WHERE name = 'alice';
		UPDATE device SET pk = (SELECT pk FROM device WHERE id = $(device_of eve)), fp = (SELECT fp FROM device WHERE id = $(device_of eve)) WHERE id = $(device_of alice)"
	run --separate-stderr send alice <<<'secret'
	[ "$status" -eq 77 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *"another key for this account"* ]]
}

@test "the same text under the same key is stored once; another is refused" {
	people alice bob carol
	[ "$(send --json --id job-1 -s s bob carol <<<once | jq -r '.key + (.stored | tostring)')" = job-1true ]
	[ "$(send --json --id job-1 -s s carol bob <<<once | jq -r '.key + (.stored | tostring)')" = job-1false ]
	stop_server
	run --separate-stderr send --id job-2 bob <<<'later'
	[ "$status" -eq 69 ]
	start_server
	send --id job-2 bob <<<'later'
	for what in 'bob' 'bob carol -s other' 'carol bob -s s --unsigned' 'bob carol -s s -n x'; do
		# shellcheck disable=SC2086
		refused 65 "the key 'job-1' was used for other bytes already" send --id job-1 $what <<<once
	done
	refused 65 "the key 'job-1' was used for other bytes already" send --id job-1 -s s bob carol <<<twice
	echo 1 >a
	send --id job-3 -A a bob <<<'with a'
	send --id job-3 -A a bob <<<'with a'
	echo 2 >a
	refused 65 "the key 'job-3' was used" send --id job-3 -A a bob <<<'with a'
	[ "$(texts bob | tr -d '\n')" = '"once\n""later\n""with a\n"' ]
	[ "$(texts carol)" = '"once\n"' ]
}

@test "what could not be transmitted is transmitted later as the same bytes" {
	people alice bob
	send bob <<<'zero'
	stop_server
	run send --id k bob <<<'one'
	[ "$status" -eq 69 ]
	start_server
	# the first try found no server to ask: nothing was made; this one is cut off after it was made
	server_sql "CREATE TRIGGER stop BEFORE INSERT ON payload BEGIN SELECT RAISE(ABORT, 'no'); END"
	run --separate-stderr send --id k bob <<<'one'
	[ "$status" -ne 0 ]
	sqlite3 "$(home_of alice)"/data/sm.db 'SELECT hex(envelope), state FROM outbox WHERE key = '"'k'" >made
	[[ $(cat made) == *'|0' ]]
	server_sql 'DROP TRIGGER stop'
	send --id k bob <<<'one'
	[[ $(sqlite3 "$(home_of alice)"/data/sm.db 'SELECT hex(envelope) FROM outbox WHERE key = '"'k'") == "$(cut -d'|' -f1 made)" ]]
	send bob <<<'two'
	[ "$(texts bob | tr -d '\n')" = '"zero\n""one\n""two\n"' ]
}

@test "sixteen at once on one profile, to somebody new" {
	people alice bob
	for i in {1..16}; do send bob <<<"n$i" 2>>err || echo "$i" >>failed & done
	for job in $(jobs -p); do [ "$job" = "$SERVER_PID" ] || wait "$job"; done
	[ ! -e failed ] || { cat err; false; }
	[ "$(texts bob | sort -u | wc -l)" -eq 16 ]
	[ "$(texts bob | wc -l)" -eq 16 ]
}

@test "all devices of the recipient, and the sender's others; a new one is found by itself" {
	people alice bob
	send bob <<<'one'
	enrolled desk bob
	# bob's first device knows his list, alice does not yet
	run --separate-stderr send -v bob <<<'two'
	[ "$status" -eq 0 ]
	[[ $stderr == *"bob@$SERVER_HOST, device 2: a session is begun"* ]]
	enrolled laptop alice
	send bob <<<'three'
	as laptop smsend bob <<<'four'
	as desk smsend alice <<<'five'
	# to one's own account: this device, and the other
	as laptop smsend alice <<<'note'
	[ "$(texts bob | tr -d '\n')" = '"one\n""two\n""three\n""four\n""five\n"' ]
	[ "$(texts desk | tr -d '\n')" = '"two\n""three\n""four\n"' ]
	[ "$(texts laptop | tr -d '\n')" = '"three\n""five\n""note\n"' ]
	[ "$(texts alice | tr -d '\n')" = '"four\n""five\n""note\n"' ]
	as desk sminbox -a --json | jq -se 'all(.proof == "proven")'
	as alice sminbox -a --json | jq -se 'all(.proof == "proven")'
}

@test "the server knows of a device that was added after we asked: sent again by itself" {
	people alice bob
	enrolled laptop alice
	send bob <<<'one'
	# what alice's store says of her own devices is behind: the list is taken back, and 409 heals it
	sqlite3 "$(home_of alice)/data/sm.db" "DELETE FROM device_list WHERE address = 'alice@$SERVER_HOST'"
	run --separate-stderr send -v --json --id once bob <<<'two'
	[ "$status" -eq 0 ]
	[ "$(texts bob | tr -d '\n')" = '"one\n""two\n"' ]
	[ "$(texts laptop | tr -d '\n')" = '"one\n""two\n"' ]
	run --separate-stderr send --json --id once bob <<<'two'
	[[ $output == *'"stored":false'* ]]
}

@test "an own device without prekeys gets no copy, and that is said; it does not stop the sending" {
	people alice bob
	enrolled laptop alice
	server_sql "DELETE FROM spk WHERE device = (SELECT d.id FROM device d JOIN account a ON a.id = d.account WHERE a.name = 'alice' AND d.number = 2)"
	run --separate-stderr send bob <<<'one'
	[ "$status" -eq 0 ]
	[[ $stderr == 'smsend: warning: your device 2 has no fresh prekeys: it gets no copy'* ]]
	[ "$(texts bob)" = '"one\n"' ]
	nothing_for laptop
}

@test "a device that is removed can send no more, and is sent nothing" {
	people alice bob
	enrolled laptop alice
	as bob smsend alice <<<'both'
	[ "$(texts laptop)" = '"both\n"' ]
	as alice smaccount devices remove 2
	run --separate-stderr as laptop smsend bob <<<'x'
	[ "$status" -eq 77 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	as bob smsend alice <<<'one'
	[ "$(texts alice | tail -n 1)" = '"one\n"' ]
	[ "$(header_of alice 2 | wc -l)" -eq 1 ]
	nothing_for bob
}

@test "a list of devices that is older than the known one: 76; forged: 76" {
	people alice bob
	enrolled desk bob
	send bob <<<'one'
	local bob="name = 'bob'"
	server_sql "SELECT quote(list) FROM account WHERE $bob" >list
	# rolled back to none at all, with the device gone
	doctor "UPDATE account SET list = NULL, version = 0 WHERE $bob; DELETE FROM device WHERE number = 2 AND account = (SELECT id FROM account WHERE $bob)"
	refused 76 "a list of the devices of bob@$SERVER_HOST that may not follow" send bob <<<'two'
	refused 76 "a list of the devices of bob@$SERVER_HOST that may not follow" send alice bob <<<'two'
	# a list that the user key has not signed: the version raised
	doctor "UPDATE account SET list = replace($(cat list), 'version 2', 'version 3'), version = 3 WHERE $bob"
	refused 76 'does not answer as' send bob <<<'two'
	[ "$(texts bob)" = '"one\n"' ]
}

@test "a group stands alone, and takes no envelope" {
	people alice bob
	refused 64 'a group stands alone' send bob @ops <<<x
	as alice smcontact add bob
	echo x | as alice smencrypt -S -r bob >e.sm
	refused 65 'only text can be sent to a group' send @ops <e.sm
	refused 67 'ops' send @ops <<<x
}

@test "to a group only what is signed" {
	people alice bob
	as alice smgroup create ops bob
	refused 64 '--unsigned is not for groups' send --unsigned @ops <<<'x'
	nothing_for bob
}

# A server before the real one, which calls every message by another id. Its address goes into the account of NAME.
lying_server() {
	local port
	cat >lie.py <<-'PY'
		import re, socket, sys, threading
		def carry(a, b, lie):
		    while data := a.recv(65536):
		        b.sendall(re.sub(rb'("id": ?)"[a-z2-7]{26}"', rb'\1"' + b'a' * 26 + b'"', data) if lie else data)
		    b.shutdown(socket.SHUT_WR)
		s = socket.create_server(('127.0.0.1', 0))
		print(s.getsockname()[1], flush=True)
		while True:
		    a, b = s.accept()[0], socket.create_connection(('127.0.0.1', int(sys.argv[1])))
		    for job in ((a, b, False), (b, a, True)):
		        threading.Thread(target=carry, args=job, daemon=True).start()
	PY
	python3 lie.py "$SERVER_PORT" >lie.port 2>lie.err 3>&- &
	LIAR=$!
	wait_until 10 test -s lie.port
	port=$(<lie.port)
	sed -i "s|^url = .*|url = http://127.0.0.1:$port|" "$(home_of "$1")"/config/account
	grep -q ":$port" "$(home_of "$1")"/config/account
}

@test "a server that answers for another message is not believed" {
	need python3
	people alice bob
	as alice smgroup create ops bob
	as alice smencrypt -S -r bob <<<'three' >e
	send bob <<<'zero'
	lying_server alice
	refused 76 'answers for another message' send --json bob <<<'one'
	refused 76 'answers for another message' send --json @ops <<<'two'
	refused 76 'answers for another message' send --json bob ./e
	kill "$LIAR"
}
