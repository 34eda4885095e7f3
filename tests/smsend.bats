# smsend(1): text and ready envelopes to one and to many, and every way in which sending fails. A real smserver each time.
load helper

send() { as alice smsend "$@"; }
people() {
	start_server
	for name; do sm_user "$name"; done
}
fp_of() { as "$1" smkeygen -l | cut -d' ' -f1; }
# The contents of NAME's messages, one JSON string a line, in order.
texts() { as "$1" sminbox -a --json | jq -c 'if .text != null then .text else .base64 end'; }

@test "text from stdin, silently" {
	people alice bob
	run --separate-stderr send bob <<<'hello bob'
	[ "$status" -eq 0 ]
	[ "$output$stderr" = '' ]
	as bob sminbox --json >got
	jq -e ".from == \"alice@$SERVER_HOST\" and .proof == \"proven\" and .verified and .type == \"text/plain\" and .text == \"hello bob\\n\" and .fingerprint == \"$(fp_of alice)\"" got
	# the sender's contact was pinned on the way
	[[ $(as alice smcontact list) == "bob@$SERVER_HOST	$(fp_of bob)	unverified" ]]
}

@test "subject, name, type, a file, and what was sent as JSON" {
	people alice bob
	head -c 3000 /dev/urandom >report.bin
	send -s 'the report' bob ./report.bin --json >said
	jq -e ".v == 1 and .stored and .to == [\"bob@$SERVER_HOST\"] and (.id | length) == 26 and (.key | length) == 26" said
	send -s 'as typed' -n x.txt -m text/x-test bob - <<<'hm'
	as bob sminbox --json >got
	[ "$(jq -r 'select(.n == 1) | .subject + "|" + .name + "|" + .type + "|" + (.size | tostring)' got)" = 'the report|report.bin|application/octet-stream|3000' ]
	jq -r 'select(.n == 1).base64' got | base64 -d | cmp - report.bin
	[ "$(jq -r 'select(.n == 1).id' got)" = "$(jq -r .id said)" ]
	[ "$(jq -r 'select(.n == 2) | .subject + "|" + .name + "|" + .type + "|" + .text' got)" = $'as typed|x.txt|text/x-test|hm' ]
}

@test "several recipients, each once; oneself too" {
	people alice bob carol
	send bob carol "bob@$SERVER_HOST" alice <<<'to all'
	for name in alice bob carol; do
		[ "$(texts "$name")" = '"to all\n"' ]
	done
}

@test "what smencrypt makes readable for oneself is not delivered to oneself, unless asked for" {
	people alice bob
	echo x | as alice smencrypt -S -r bob >e.sm
	[ "$(as alice smencrypt -d -q e.sm)" = x ]
	send bob <e.sm
	[ "$(texts bob)" = '"x\n"' ]
	run as alice sminbox
	[ "$status" -eq 1 ]
	echo y | as alice smencrypt -S -r bob | send bob alice
	[ "$(texts alice)" = '"y\n"' ]
}

@test "attachments: sent, told of, saved with the message, never over a file" {
	people alice bob
	printf 'one\n' >a.txt
	head -c 50000 /dev/urandom >"b c.bin"
	send -s files -A a.txt -A "b c.bin" bob <<<'see attached'
	as bob sminbox >/dev/null
	run --separate-stderr as bob sminbox -r 1
	[ "$output" = 'see attached' ]
	[[ $stderr == *'with 2 attachments: -o DIR saves them too' ]]
	mkdir got
	as bob sminbox -o got 1
	cmp a.txt got/a.txt && cmp "b c.bin" "got/b c.bin" && [ "$(cat got/message-1)" = 'see attached' ]
	run --separate-stderr as bob sminbox -o got 1
	[ "$status" -eq 73 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	run --separate-stderr send -A missing bob <<<'x'
	[ "$status" -eq 66 ]
}

@test "nothing is sent when one of them does not exist: 67, named" {
	people alice bob
	run --separate-stderr send bob nobody <<<'x'
	[ "$status" -eq 67 ]
	[ "$stderr" = "smsend: nobody is called nobody@$SERVER_HOST" ]
	run --separate-stderr send bob@example.org <<<'x'
	[ "$status" -eq 67 ]
	[[ $stderr == *"is on another server"* ]]
	run --separate-stderr send "$(as bob smkeygen -y | cut -d' ' -f1)" <<<'x'
	[ "$status" -eq 67 ]
	run as bob sminbox
	[ "$status" -eq 1 ]
}

@test "no bytes, one byte, all bytes" {
	people alice bob
	send bob </dev/null
	printf a | send bob
	for i in {0..255}; do printf "\\x$(printf %02x "$i")"; done >all
	send bob <all
	[ "$(texts bob | head -n 2 | tr -d '\n')" = '"""a"' ]
	as bob sminbox -r 3 | cmp - all
	[ "$(as bob sminbox -a | cut -f6 | tr '\n' ' ')" = '0 1 256 ' ]
}

@test "as large as the server takes, and no larger: 65, with the limit" {
	people alice bob
	as alice smcontact add bob
	head -c 30000 /dev/zero | as alice smencrypt -S -b -r bob >e.sm
	size=$(stat -c %s e.sm)
	stop_server
	start_server '[messages]' "message_bytes = $size"
	send bob <e.sm
	stop_server
	start_server '[messages]' "message_bytes = $((size - 1))"
	run --separate-stderr send bob <e.sm
	[ "$status" -eq 65 ]
	[ "$stderr" = "smsend: the message is too large: $size bytes with its envelope, where $SERVER_HOST takes $((size - 1))" ]
	[ "$(texts bob | wc -l)" -eq 1 ]
}

@test "a message far over the limit says so too" {
	people alice bob
	run --separate-stderr bash -c "head -c 20000000 /dev/zero | SM_HOME=$(home_of alice) smsend bob"
	[ "$status" -eq 65 ]
	[[ $stderr == "smsend: the message is too large: "* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "a ready envelope is sent as it is" {
	people alice bob
	as alice smcontact add bob
	echo sealed | as alice smencrypt -r bob | as alice smsign >e.sm
	send bob <e.sm
	as bob sminbox >/dev/null
	as bob sminbox --raw 1 | cmp - e.sm
	# binary is the same
	echo binary | as alice smencrypt -S -b -r bob | send bob
	[ "$(texts bob | tail -n 1)" = '"binary\n"' ]
}

@test "an envelope that is not for exactly these people, not from here, or not signed" {
	people alice bob carol
	as alice smcontact add bob
	as alice smcontact add carol
	refused() {
		local code=$1 want=$2
		shift 2
		run --separate-stderr send "$@" <e.sm
		[ "$status" -eq "$code" ]
		[[ $stderr == "smsend: "*"$want"* ]] || { echo "$stderr"; return 1; }
		[ "${#stderr_lines[@]}" -eq 1 ]
	}
	echo x | as alice smencrypt -S -r bob -r carol >e.sm
	refused 65 "is encrypted to carol@$SERVER_HOST too" bob
	send bob carol <e.sm
	echo x | as alice smencrypt -r bob >e.sm
	refused 65 'is not signed' bob
	send --unsigned bob <e.sm
	echo x | as alice smencrypt -S -r "$(as carol smkeygen -y | cut -d' ' -f1)" >e.sm
	refused 65 'is not encrypted to carol' carol
	as bob smcontact add carol
	echo x | as bob smencrypt -S -r carol >e.sm
	refused 65 'is from bob@' carol
	echo x | as alice smencrypt --anonymous -r bob >e.sm
	refused 65 'is from nobody' bob
	(umask 077 && echo secret >pw)
	echo x | as alice smencrypt -p --argon2 1,64 --passphrase-file pw >e.sm
	refused 67 'under a passphrase' bob
	echo x | as alice smencrypt -S -r bob | head -n 3 >e.sm
	refused 65 'stdin' bob
	echo x | as alice smencrypt -S -r bob | sed 's/^[A-Za-z]/-/' >e.sm
	refused 65 'stdin' bob
	echo x | as alice smencrypt -S -r bob >e.sm
	run send -s subject bob <e.sm
	[ "$status" -eq 64 ]
	# unsigned is marked for bob
	[[ $(as bob sminbox | cut -f4 | tr '\n' ' ') == "alice@$SERVER_HOST ?alice@$SERVER_HOST " ]]
}

@test "a retry under the same key stores nothing twice" {
	people alice bob
	as alice smcontact add bob
	echo once | as alice smencrypt -S -r bob >e.sm
	[ "$(send --json --id job-1 bob <e.sm | jq -r '.key + (.stored | tostring)')" = job-1true ]
	[ "$(send --json --id job-1 bob <e.sm | jq -r '.key + (.stored | tostring)')" = job-1false ]
	run --separate-stderr send --id job-1 bob <<<'other bytes'
	[ "$status" -eq 65 ]
	[[ $stderr == "smsend: the key 'job-1' was used for other bytes already"* ]]
	[ "$(texts bob)" = '"once\n"' ]
	run send --id 'a b' bob <<<x
	[ "$status" -eq 64 ]
}

@test "a changed key stops sending: 77, until it is accepted" {
	people alice bob
	as bob smkeygen -N -o other >/dev/null
	as alice smcontact add "bob@$SERVER_HOST" "$(smkeygen -y -i other | cut -d' ' -f1)"
	run --separate-stderr send bob <<<'secret'
	[ "$status" -eq 77 ]
	[ "$stderr" = "smsend: the key of bob@$SERVER_HOST has changed: once you know that the new one is theirs, run 'smcontact accept bob@$SERVER_HOST $(fp_of bob)'" ]
	run as bob sminbox
	[ "$status" -eq 1 ]
	as alice smcontact accept bob "$(fp_of bob)"
	send bob <<<'secret'
	[ "$(texts bob)" = '"secret\n"' ]
}

@test "another identity than the one that logged in: 77" {
	people alice bob
	smkeygen -N -o other >/dev/null
	run --separate-stderr send -i other bob <<<x
	[ "$status" -eq 77 ]
	[[ $stderr == *"not the one that logged in"* ]]
}

@test "no server: 69, nothing on stdout; not logged in: 77" {
	people alice bob
	stop_server
	run --separate-stderr send --json bob <<<x
	[ "$status" -eq 69 ]
	[ "$output" = '' ]
	[[ $stderr == "smsend: cannot reach http://$SERVER_HOST: "* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	as alice smaccount logout || true
	run --separate-stderr send bob <<<x
	[ "$status" -eq 77 ]
	[[ $stderr == *"not logged in as alice@$SERVER_HOST: run 'smaccount login'" ]]
	run --separate-stderr smsend bob <<<x
	[ "$status" -eq 77 ]
}

@test "a server that starts again meanwhile is waited for" {
	people alice bob
	kill_server
	send bob <<<'patience' 2>err &
	local job=$!
	start_server
	wait "$job" || { cat err; false; }
	[ "$(texts bob)" = '"patience\n"' ]
}

@test "outputs that cannot be written, inputs that are not there" {
	people alice bob
	run --separate-stderr as alice bash -c 'echo x | smsend --json bob >/dev/full'
	[ "$status" -eq 74 ]
	[[ $stderr == *'it is sent, but'* ]]
	run as alice bash -c 'echo x | smsend --json bob >&-'
	[ "$status" -eq 74 ]
	run --separate-stderr send bob ./missing
	[ "$status" -eq 66 ]
	run --separate-stderr send bob ./
	[ "$status" -ne 0 ]
	run --separate-stderr send -n ../x bob <<<x
	[ "$status" -eq 65 ]
	run --separate-stderr send -s $'a\nb' bob <<<x
	[ "$status" -eq 65 ]
	run smsend
	[ "$status" -eq 64 ]
	touch notes.txt
	run --separate-stderr send bob notes.txt
	[ "$status" -eq 67 ]
	[[ $stderr == *"./notes.txt"* ]]
}

@test "a protected identity: with its passphrase, and 77 without" {
	people alice bob
	(umask 077 && echo old >pw)
	rm "$(home_of alice)"/config/identity*
	run as alice smkeygen --passphrase-file pw
	run --separate-stderr as alice notty smsend bob
	[ "$status" -eq 77 ]
}

@test "sixteen at once all arrive" {
	people alice bob
	for i in {1..16}; do send bob <<<"n$i" 2>>err || echo "$i" >>failed & done
	for job in $(jobs -p); do [ "$job" = "$SERVER_PID" ] || wait "$job"; done
	[ ! -e failed ] || { cat err; false; }
	[ "$(texts bob | sort -u | wc -l)" -eq 16 ]
	[ "$(texts bob | wc -l)" -eq 16 ]
}
