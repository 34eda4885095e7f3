# sminbox(1): fetching, listing, reading, saving, following; who is proven and who is not. A real smserver each time.
load helper

people() {
	start_server
	for name; do sm_user "$name"; done
}
inbox() { as bob sminbox "$@"; }
fp_of() { as "$1" smkeygen -l | cut -d' ' -f1; }
jobs_but_server() { for job in $(jobs -p); do [ "$job" = "$SERVER_PID" ] || wait "$job"; done; }
# Follows bob's inbox into got and err, as the process $follower.
follow() {
	env SM_HOME="$(home_of bob)" sminbox -f "$@" >got 2>err 3>&- &
	follower=$!
}
teardown() {
	[[ -z ${follower:-} ]] || kill "$follower" 2>/dev/null || true
	[[ ! -e mounted ]] || umount "$(cat mounted)" 2>/dev/null || true
	sm_teardown
}
none_new() { ! as bob sminbox --offline >/dev/null; }
lines_in() { [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]; }

@test "one line each: number, state, time, from, subject, size; then they are read" {
	people alice bob
	run inbox
	[ "$status" -eq 1 ]
	[ "$output" = '' ]
	as alice smsend -s 'the subject' bob <<<'one'
	as alice smsend -n file.txt bob <<<'two!'
	run --separate-stderr inbox
	[ "$status" -eq 0 ]
	[ "$stderr" = '' ]
	[[ ${lines[0]} =~ ^"1	new	"20[0-9-]+T[0-9:]+Z"	alice@$SERVER_HOST	the subject	4"$ ]]
	[[ ${lines[1]} =~ ^"2	new	"20[0-9-]+T[0-9:]+Z"	alice@$SERVER_HOST	file.txt	5"$ ]]
	[ "$(inbox -r 1)" = one ]
	[ "$(inbox | cut -f1)" = 2 ]
	inbox --ack 2
	run inbox
	[ "$status" -eq 1 ]
	[ "$(inbox -a | cut -f1,2 | tr '\n' ' ')" = '1	read 2	read ' ]
	inbox --delete 1
	[ "$(inbox -a | cut -f1)" = 2 ]
	run --separate-stderr inbox -r 1
	[ "$status" -eq 66 ]
	[ "$stderr" = 'sminbox: there is no message 1' ]
	# the server has nothing left
	[ "$(as bob smaccount status --json | jq .waiting)" -eq 0 ]
}

@test "several numbers at once, and one that is missing" {
	people alice bob
	for i in 1 2 3; do as alice smsend bob <<<"m$i"; done
	inbox >/dev/null
	[ "$(inbox -r 1 -r 2 3 | tr '\n' ' ')" = 'm1 m2 m3 ' ]
	run --separate-stderr inbox --delete 1 9 2
	[ "$status" -eq 66 ]
	[ "$(inbox -a | cut -f1)" = 3 ]
}

@test "JSON has everything, and marks nothing" {
	people alice bob
	as alice smsend -s s -n n.txt bob <<<$'text "quoted" \e[31m'
	printf '\xff\x00' | as alice smsend bob
	inbox --json >got
	inbox --json | cmp - got
	jq -s -e "length == 2 and all(.v == 1 and .proof == \"proven\" and .verified and .state == \"new\" and .from == \"alice@$SERVER_HOST\" and .fingerprint == \"$(fp_of alice)\")" got
	[ "$(jq -r 'select(.n == 1).text' got)" = $'text "quoted" \e[31m' ]
	run ! grep -P '\e' got
	[ "$(jq -r 'select(.n == 2).base64' got)" = /wA= ]
	inbox --json -r 1 | jq -e '.n == 1'
	[ "$(inbox --json | jq .n)" = 2 ]
}

@test "raw goes through the other tools" {
	people alice bob
	as alice smsend bob <<<'hi'
	inbox >/dev/null
	[ "$(inbox --raw 1 | as bob smsign -V -s alice | as bob smencrypt -d)" = hi ]
	[ "$(inbox | cut -f2)" = new ]
	[[ $(inbox --raw 1 | head -n 1) == '-----BEGIN SM ENVELOPE-----' ]]
}

@test "saving: under its name, never over a file, never outside, never hidden" {
	people alice bob
	as alice smsend -n report.txt bob <<<'report'
	as alice smsend bob <<<'no name'
	as alice smsend -n .bashrc bob <<<'hidden'
	as alice smsend -n -rf bob <<<'option'
	inbox >/dev/null
	mkdir d
	[ "$(inbox -o d 1 2 3 4 | tr '\n' ' ')" = 'd/report.txt d/message-2 d/_bashrc d/_rf ' ]
	[ "$(cat d/report.txt d/message-2 d/_bashrc d/_rf | tr '\n' ' ')" = 'report no name hidden option ' ]
	[ "$(stat -c %a d/report.txt)" = 644 ]
	run inbox
	[ "$status" -eq 1 ]
	echo mine >d/report.txt
	run --separate-stderr inbox -o d 1
	[ "$status" -eq 73 ]
	[ "$stderr" = "sminbox: 'd/report.txt' exists: not overwriting it" ]
	[ "$(cat d/report.txt)" = mine ]
	rm d/report.txt
	ln -s ../outside d/report.txt
	run inbox -o d 1
	[ "$status" -eq 73 ]
	[ ! -e outside ]
	run --separate-stderr inbox -o missing 1
	[ "$status" -eq 73 ]
	[ "$(ls -A d | wc -l)" -eq 4 ]
}

@test "a terminal never sees anything raw" {
	need script
	people alice bob
	printf 'red \e[31m\e]0;title\a \xc2\x9b0m\n' | as alice smsend -s $'b\xe2\x80\xaeidi' bob
	inbox >/dev/null
	as bob script -qec 'sminbox; sminbox -r 1; sminbox -a --json' typescript >/dev/null
	run ! grep -P '\e\[31|\e\]0|\xc2\x9b|\xe2\x80\xae' typescript
	grep -qF 'red \e[31m' typescript
}

@test "unsigned, and signed by nobody known: marked, never proven" {
	people alice bob
	as alice smsend --unsigned bob <<<'claimed'
	[[ $(inbox | cut -f4) == "?alice@$SERVER_HOST" ]]
	inbox --json | jq -e '.proof == "none" and (.verified | not)'
	run --separate-stderr inbox -r 1
	[ "$status" -eq 0 ]
	[ "$output" = claimed ]
	[[ $stderr == 'sminbox: warning: the sender is not proven: message 1 is not signed'* ]]
	# a contact that was removed proves nothing any more, until it is pinned again
	as alice smsend bob <<<'signed'
	[[ $(inbox | cut -f4) == "alice@$SERVER_HOST" ]]
	as bob smcontact remove alice
	[[ $(inbox | cut -f4) == "?alice@$SERVER_HOST" ]]
	inbox --json | jq -e '.proof == "unknown" and (.verified | not)'
	as bob smcontact add alice
	[[ $(inbox | cut -f4) == "alice@$SERVER_HOST" ]]
}

@test "a sender whose key is not the pinned one: marked as changed, proven once it is accepted" {
	people alice bob
	smkeygen -N -o other >/dev/null
	as bob smcontact add "alice@$SERVER_HOST" "$(smkeygen -y -i other | cut -d' ' -f1)"
	as alice smsend bob <<<'who am I'
	[[ $(inbox | cut -f4) == "?!alice@$SERVER_HOST" ]]
	inbox --json | jq -e '.proof == "changed" and (.verified | not)'
	run --separate-stderr inbox -r 1
	[[ $stderr == *'is pinned to another key'* ]]
	# the new key was seen: it can be accepted by its fingerprint
	as bob smcontact accept alice "$(fp_of alice)"
	[[ $(inbox -a | cut -f4) == "alice@$SERVER_HOST" ]]
	inbox -a --json | jq -e '.proof == "proven" and .verified'
}

@test "what does not open is kept and listed, and blocks nothing" {
	people alice bob
	as alice smcontact add bob
	# the last byte of the body altered: the server routes by the header alone
	echo 'before' | as alice smsend bob
	echo broken | as alice smencrypt -b -S -r bob >e.bin
	size=$(stat -c %s e.bin)
	was=$(tail -c 80 e.bin | head -c 1 | xxd -p)
	printf '%b' "\\x$([ "$was" = 00 ] && echo 01 || echo 00)" | dd of=e.bin bs=1 seek=$((size - 80)) conv=notrunc status=none
	as alice smsend bob <e.bin
	echo 'after' | as alice smsend bob
	run --separate-stderr inbox
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[1]} =~ ^"2	new	"[^\	]+"	?alice@$SERVER_HOST	["(damaged payload|bad signature)"]	0"$ ]]
	[ "$(inbox -r 3)" = after ]
	run --separate-stderr inbox -r 2
	[ "$status" -eq 65 ]
	inbox --json | jq -e 'select(.n == 2) | .error != null and .text == null and (.verified | not)'
	inbox --raw 2 >/dev/null
	inbox --delete 2
}

@test "another identity: messages stay, unreadable" {
	people alice bob
	as alice smsend bob <<<'for the old key'
	inbox >/dev/null
	rm "$(home_of bob)"/config/identity*
	as bob smkeygen -N >/dev/null
	run --separate-stderr inbox --offline
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	run --separate-stderr inbox -r 1
	[ "$status" -eq 77 ]
	[[ $stderr == *'under another identity' ]]
}

@test "offline, and a server that is away" {
	people alice bob
	as alice smsend bob <<<'here'
	inbox >/dev/null
	as alice smsend bob <<<'there'
	[ "$(inbox --offline | wc -l)" -eq 1 ]
	stop_server
	[ "$(inbox --offline | wc -l)" -eq 1 ]
	[ "$(inbox -r 1)" = here ]
	run --separate-stderr inbox -a
	[ "$status" -eq 69 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $stderr == "sminbox: cannot reach http://$SERVER_HOST: "* ]]
	start_server
	[ "$(inbox | cut -f1)" = 2 ]
}

@test "only from somebody" {
	people alice bob carol
	as alice smsend bob <<<a
	as carol smsend bob <<<c
	[ "$(inbox --from carol | cut -f4)" = "carol@$SERVER_HOST" ]
	[ "$(inbox --from "alice@$SERVER_HOST" --json | jq -r .text)" = a ]
	run inbox --from dave
	[ "$status" -eq 1 ]
}

@test "sixteen at once neither lose nor repeat" {
	people alice bob
	for i in {1..40}; do as alice smsend bob <<<"m$i"; done
	for i in {1..16}; do inbox -a >"out$i" 2>"err$i" || echo "$? $i" >>failed & done
	jobs_but_server
	[ ! -s failed ] || { cat failed err*; false; }
	[ "$(inbox -a --json | jq -c .text | sort -u | wc -l)" -eq 40 ]
	[ "$(inbox -a | wc -l)" -eq 40 ]
	[ "$(as bob smaccount status --json | jq .waiting)" -eq 0 ]
}

@test "many pages" {
	people alice bob
	echo x >f
	seq 300 | xargs -P 4 -I{} env SM_HOME="$(home_of alice)" smsend bob ./f
	[ "$(inbox | wc -l)" -eq 300 ]
	[ "$(inbox | cut -f1 | sort -n | uniq | wc -l)" -eq 300 ]
}

@test "following: what is new first, then as it comes; whole messages as JSON" {
	people alice bob
	as alice smsend bob <<<'waiting'
	follow --json
	wait_until 10 lines_in got 1
	as alice smsend bob <<<'live 1'
	wait_until 10 lines_in got 2
	as alice smsend bob <<<'live 2'
	wait_until 10 lines_in got 3
	wait_until 10 none_new # it is written first, and marked then
	kill "$follower"
	[ "$(jq -j .text got | tr '\n' ' ')" = 'waiting live 1 live 2 ' ]
	jq -s -e 'all(.verified)' got
	# what was written whole is read
	run inbox
	[ "$status" -eq 1 ]
	[ "$(as bob smaccount status --json | jq .waiting)" -eq 0 ]
}

@test "following outlives the server" {
	people alice bob
	follow
	as alice smsend bob <<<'one'
	wait_until 10 lines_in got 1
	kill_server
	start_server
	as alice smsend bob <<<'two'
	wait_until 30 lines_in got 2
	kill "$follower"
	[ "$(cut -f1 got | tr '\n' ' ')" = '1 2 ' ]
	[ "$(wc -l <got)" -eq 2 ]
}

@test "following shows what another process has fetched, and only from somebody" {
	people alice bob carol
	follow --from carol --json
	as alice smsend bob <<<'not this'
	as carol smsend bob <<<'this'
	inbox >/dev/null || true
	wait_until 10 lines_in got 1
	kill "$follower"
	[ "$(jq -r .text got)" = this ]
}

@test "following ends when its reader has gone, and when the session is over: 77" {
	people alice bob
	as alice smsend bob <<<'x'
	run as bob bash -c 'set -o pipefail; sminbox -f | head -n 1'
	[ "$status" -eq 74 ]
	follow
	wait_until 10 lines_in got 1
	as bob smaccount logout
	status=0
	wait "$follower" || status=$?
	[ "$status" -eq 77 ]
	grep -q 'smaccount login' err
	run --separate-stderr inbox -f
	[ "$status" -eq 77 ]
}

@test "a full disk: 74, nothing lost" {
	[ "$(id -u)" -eq 0 ] || skip 'mounting a small disk wants root'
	people alice bob
	local home
	home=$(home_of bob)
	mkdir -p small "$home/data"
	chmod 700 "$home/data"
	mount -t tmpfs -o size=200k,mode=700 none "$home/data" || skip 'no mount here'
	echo "$home/data" >mounted
	head -c 150000 /dev/urandom | as alice smsend bob
	head -c 150000 /dev/urandom | as alice smsend bob
	run --separate-stderr inbox
	umount "$home/data"
	[ "$status" -eq 74 ]
	[[ $stderr == 'sminbox: '*'No space left on device' ]]
	[ "$(inbox | wc -l)" -eq 2 ]
}

@test "outputs that cannot be written leave a message unread" {
	people alice bob
	as alice smsend bob <<<'x'
	inbox >/dev/null
	run --separate-stderr as bob bash -c 'sminbox >/dev/full'
	[ "$status" -eq 74 ]
	run as bob bash -c 'sminbox -r 1 >/dev/full'
	[ "$status" -eq 74 ]
	run as bob bash -c 'sminbox -r 1 >&-'
	[ "$status" -eq 74 ]
	[ "$(inbox | cut -f2)" = new ]
}

@test "not logged in, no account, no identity, and usage" {
	run --separate-stderr sminbox
	[ "$status" -eq 66 ]
	[[ $stderr == *'make one with smkeygen' ]]
	smkeygen -N >/dev/null
	run --separate-stderr sminbox
	[ "$status" -eq 77 ]
	[[ $stderr == *'smaccount register'* ]]
	run sminbox --offline
	[ "$status" -eq 1 ]
	for bad in '3' '-r' '-r 0' '-r x' '-r 1 --raw 1' '-o d' '-a -r 1' '-f --offline' '--json --raw 1' '--from a -r 1'; do
		# shellcheck disable=SC2086
		run sminbox $bad
		[ "$status" -eq 64 ] || { echo "$bad: $status"; false; }
	done
}

@test "a subject longer than the list has room for is cut between characters" {
	people alice bob
	long=$(printf '\303\251%.0s' {1..3000})
	as alice smsend -s "x$long" bob <<<'hm'
	run as bob sminbox --json
	[ "$status" -eq 0 ]
	[ "$(jq '.subject | length' <<<"$output")" -eq 512 ]
	[ "$(as bob sminbox -r 1)" = hm ]
}
