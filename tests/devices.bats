# Devices of an account: enrolling by approval and by recovery code, listing, removing, and what a hostile server cannot do. A real smserver
# each time; what the server would have to lie about is put into its database.
load helper

password_of() { printf '%s/password' "$(home_of "$1")"; }
db() { sqlite3 "$SERVER_DATA/sm.db" "$@"; }

# second NAME ACCOUNT: a home with an identity of its own, about to be another device of ACCOUNT.
second() {
	sm_home "$1"
	cp -p "$(password_of "$2")" "$(password_of "$1")"
}
login() { as "$1" smaccount login "$2@$SERVER_HOST" --password-file "$(password_of "$1")" "${@:3}"; }
# code NAME ACCOUNT: asks to be let in, without waiting; prints the code.
code() {
	local status=0
	login "$1" "$2" --no-wait 2>"$1.err" || status=$?
	[[ $status -eq 75 ]]
}
# enrolled NAME ACCOUNT BY: NAME becomes a device of ACCOUNT, approved by BY.
enrolled() {
	second "$1" "$2"
	as "$3" smaccount devices approve "$(code "$1" "$2")"
	login "$1" "$2" 2>"$1.err"
}
numbers() { as "$1" smaccount devices --json | jq -r 'select(.number) | .number' | paste -sd' '; }
fingerprint() { as "$1" smkeygen -l | cut -d' ' -f1; }

@test "a second device asks, waits, is approved and logs in" {
	start_server
	sm_user alice
	second laptop alice
	login laptop alice >code 2>err 3>&- &
	pid=$!
	wait_until 20 test -s code
	[[ $(cat code) =~ ^[a-z2-7]{4}(-[a-z2-7]{4}){3}$ ]]
	[[ $(cat err) == "smaccount: this device is not one of alice@$SERVER_HOST yet: approve it on one that is, until 2"*": smaccount devices approve $(cat code)" ]]
	as alice smaccount devices >list
	[ "$(wc -l <list)" -eq 2 ]
	[[ $(sed -n 1p list) == "1"$'\t'"$(fingerprint alice)"$'\t2'*$'\tthis device, holds the user key' ]]
	[[ $(sed -n 2p list) == "waiting"$'\t'"$(fingerprint laptop)"$'\t2'*$'\t'"code $(cat code)" ]]
	[ "$(awk -F'\t' '{ print NF }' list | paste -sd' ')" = '5 5' ]
	as alice smaccount devices approve "$(cat code)"
	wait "$pid"
	[ "$(wc -l <code)" -eq 1 ]
	[[ $(tail -n 1 err) == "smaccount: warning: the server says that the user key of alice@$SERVER_HOST is $(fingerprint alice):"* ]]
	# both see the same, and who is who
	[ "$(numbers alice)" = '1 2' ]
	[ "$(numbers laptop)" = '1 2' ]
	as laptop smaccount devices --json | jq -se '(.[1].current and (.[1].user_key | not)) and (.[0].user_key and (.[0].current | not)) and all(.v == 1)'
	as laptop smaccount status >status
	[[ $(as laptop smaccount devices | sed -n 1p) == *$'\tholds the user key' ]]
	grep -qx 'device   2 (2 in all)' status
	grep -qx "user key $(fingerprint alice)" status
	as laptop smaccount status --json | jq -e ".device == 2 and .devices == 2 and .asking == 0 and .prekeys == 100 and .user_key == \"$(fingerprint alice)\""
	# from now on a login is only a login
	run --separate-stderr as laptop smaccount login --password-file "$(password_of laptop)"
	[ "$status" -eq 0 ]
	[ "$output$stderr" = '' ]
}

@test "--no-wait: 75 and the code; running login again goes on" {
	start_server
	sm_user alice
	second laptop alice
	run --separate-stderr login laptop alice --no-wait
	[ "$status" -eq 75 ]
	first=$output
	[ ! -e "$(home_of laptop)/config/account" ]
	# that this profile is to be alice's is remembered, but it is not yet, and speaks for nobody
	run --separate-stderr as laptop smaccount login --password-file "$(password_of laptop)" --no-wait
	[ "$status" -eq 75 ]
	[ "$output" = "$first" ]
	refused 77 'no account: make one' as laptop smaccount status
	# no password was tried in vain for the first
	[ "$(grep -c 'status=401 .*path=/api/v1/login ' "$SERVER_LOG")" -eq 1 ]
	as alice smaccount status --json | jq -e '.asking == 1'
	# in capitals and without the strokes, as somebody may type it
	as alice smaccount devices approve "$(tr a-z A-Z <<<"$first" | tr -d -)"
	run --separate-stderr as laptop smaccount login --password-file "$(password_of laptop)"
	[ "$status" -eq 0 ]
	[ "$output" = '' ]
	as laptop smaccount status >/dev/null
	[ ! -e "$(home_of laptop)/config/account.asked" ]
}

@test "a profile that has lost its account file is in all the same" {
	start_server
	sm_user alice
	rm "$(home_of alice)/config/account" "$(home_of alice)"/state/session*
	run --separate-stderr login alice alice
	[ "$status" -eq 0 ]
	[ "$output$stderr" = '' ]
	[ "$(numbers alice)" = 1 ]
}

@test "everything works without a terminal" {
	start_server
	sm_user alice
	second laptop alice
	c=$(notty env SM_HOME="$(home_of laptop)" smaccount login "alice@$SERVER_HOST" --password-file "$(password_of laptop)" --no-wait 2>err) || [ $? -eq 75 ]
	SM_HOME=$(home_of alice) notty smaccount devices approve "$c"
	SM_HOME=$(home_of laptop) notty smaccount login "alice@$SERVER_HOST" --password-file "$(password_of laptop)"
	SM_HOME=$(home_of laptop) notty smaccount status
	# approval wants the key, and says so where there is nobody to ask
	secret_file() { (umask 077 && printf '%s\n' "$2" >"$1"); }
	secret_file pass new
	as alice smkeygen -p --new-passphrase-file pass
	run --separate-stderr env SM_HOME="$(home_of alice)" setsid -w smaccount devices remove 2 </dev/null
	[ "$status" -eq 77 ]
	[[ $stderr == *'no terminal to ask on'* ]]
	as alice smaccount status --json | jq -e '.prekeys == 100' # asks for nothing
	as alice smaccount devices remove 2 --passphrase-file pass
}

@test "a wrong code approves nothing, and of two that wait only the one that is named" {
	start_server
	sm_user alice
	second laptop alice
	second thief alice
	ours=$(code laptop alice)
	theirs=$(code thief alice)
	[ "$ours" != "$theirs" ]
	[ "$(as alice smaccount devices --json | jq -s '[.[] | select(.waiting)] | length')" -eq 2 ]
	for wrong in aaaa-aaaa-aaaa-aaaa "${ours%?}" "${ours}a" '' - "$(fingerprint laptop)"; do
		refused 1 'waits to be let in' as alice smaccount devices approve "$wrong"
	done
	[ "$(numbers alice)" = 1 ]
	as alice smaccount devices approve "$ours"
	[ "$(numbers alice)" = '1 2' ]
	[ "$(as alice smaccount devices --json | jq -r 'select(.number == 2) | .fingerprint')" = "$(fingerprint laptop)" ]
	login laptop alice 2>/dev/null
	# the other one waits on, until it is refused
	run --separate-stderr login thief alice --no-wait
	[ "$status" -eq 75 ]
	as laptop smaccount devices refuse
	refused 1 'waits to be let in' as alice smaccount devices approve "$theirs"
	# a code is of one account: the same key has another one elsewhere
	sm_user bob
	second thief2 bob
	cp -p "$(home_of thief)"/config/identity* "$(home_of thief2)/config/"
	[ "$(code thief2 bob)" != "$theirs" ]
}

@test "one that is refused while it waits: 77" {
	start_server
	sm_user alice
	second laptop alice
	login laptop alice >code 2>err 3>&- &
	pid=$!
	wait_until 20 test -s code
	as alice smaccount devices refuse
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 77 ]
	[[ $(tail -n 1 err) == 'smaccount: this device was refused, or nobody has approved it in time' ]]
	[ ! -e "$(home_of laptop)/config/account" ]
}

@test "a wrong password is no way to be asked about" {
	start_server
	sm_user alice
	second laptop alice
	printf 'Wrong-h0rse!\n' >"$(password_of laptop)"
	refused 77 'login refused: wrong name, password or identity' login laptop alice --no-wait
	[ "$(as alice smaccount devices --json | wc -l)" -eq 1 ]
}

@test "only the device that holds the user key approves; or the recovery code" {
	start_server
	sm_user alice
	enrolled laptop alice alice
	second phone alice
	c=$(code phone alice)
	refused 77 "this device does not hold the user key of alice@$SERVER_HOST" as laptop smaccount devices approve "$c"
	refused 77 'does not hold the user key' as laptop smaccount devices remove 1
	# the code of this device's own key is not the account's
	(umask 077 && as laptop smkeygen --recovery >own && as alice smkeygen --recovery >right)
	refused 77 "is not that of the user key of alice@$SERVER_HOST" as laptop smaccount devices approve "$c" --recovery-file own
	sed 's/^\(.\)\(.*\)$/\2\1/' right >typo && chmod 600 typo
	refused 65 'the recovery code has a mistake in it' as laptop smaccount devices approve "$c" --recovery-file typo
	[ "$(numbers alice)" = '1 2' ]
	as laptop smaccount devices approve "$c" --recovery-file right
	[ "$(numbers laptop)" = '1 2 3' ]
	login phone alice 2>/dev/null
}

@test "a new device with the recovery code needs nobody" {
	start_server
	sm_user alice
	(umask 077 && as alice smkeygen --recovery >right)
	second laptop alice
	second other alice
	(umask 077 && as other smkeygen --recovery >wrong)
	refused 77 'is not that of the user key' login laptop alice --recovery-file wrong
	tr A-Z B-ZA <right >typo && chmod 600 typo
	refused 65 'the recovery code has a mistake in it' login laptop alice --recovery-file typo
	[ "$(numbers alice)" = 1 ]
	[ ! -e "$(home_of laptop)/config/account" ]
	run --separate-stderr login laptop alice -q --recovery-fd 6 6<right
	[ "$status" -eq 0 ]
	[ "$output" = '' ]
	# what was signed is said, whatever -q says
	label=$(as alice smaccount devices --json | jq -r 'select(.number == 1) | .label')
	[ "${#stderr_lines[@]}" -eq 3 ]
	[[ ${stderr_lines[0]} == "smaccount: signing that these are the devices of alice@$SERVER_HOST ("* ]]
	[ "${stderr_lines[1]}" = "smaccount: device 1: $(fingerprint alice) ${label:--}" ]
	[ "${stderr_lines[2]}" = "smaccount: device 2: $(fingerprint laptop) ${label:--} (this device)" ]
	[ "$(numbers laptop)" = '1 2' ]
	as laptop smaccount status >/dev/null
	# the user key itself is not kept there
	refused 77 'does not hold the user key' as laptop smaccount devices remove 1
	# and a third, when the first is gone and with it the user key
	as laptop smaccount devices remove 1 --recovery-file right 2>warning
	grep -q 'from now on devices are changed with the recovery code alone' warning
	login other alice --recovery-file right 2>/dev/null
	[ "$(numbers other)" = '2 3' ]
}

# with_terminal NAME ANSWER: NAME logs in to alice's account with the recovery code, typed, and answers.
with_terminal() {
	as "$1" expect -c "
		set timeout 20
		spawn smaccount login alice@$SERVER_HOST --recovery --password-file $(password_of "$1")
		expect {Recovery code: }; send [string trim {$(cat right)}]\r
		expect {Sign it? }; send $2\r
		expect eof
		exit [lindex [wait] 3]" >screen
}

@test "who types a recovery code is asked whether the devices are right" {
	need expect
	start_server
	sm_user alice
	(umask 077 && as alice smkeygen --recovery >right)
	second laptop alice
	run with_terminal laptop n
	[ "$status" -eq 77 ]
	grep -q "device 1: $(fingerprint alice)" screen
	grep -q 'not signed: this device stays outside' screen
	[ "$(numbers alice)" = 1 ]
	with_terminal laptop yes
	[ "$(numbers alice)" = '1 2' ]
}

@test "the user key itself lets itself in: nobody else could" {
	start_server
	sm_user alice
	(umask 077 && as alice smkeygen --recovery >right)
	enrolled laptop alice alice
	as laptop smaccount devices remove 1 --recovery-file right 2>/dev/null
	# on another computer, from the code
	second tower alice
	rm "$(home_of tower)"/config/identity*
	as tower smkeygen --recover --recovery-file right -N >/dev/null
	run --separate-stderr login tower alice --no-wait
	[ "$status" -eq 0 ]
	[ "$output" = '' ]
	[[ $stderr == *"device 2: $(fingerprint laptop) "*"device 3: $(fingerprint alice) "*' (this device)' ]]
	[ "$(numbers tower)" = '2 3' ]
	as tower smaccount devices --json | jq -se '.[1].current and .[1].user_key'
	# it holds the user key as the first one did
	as tower smaccount devices remove 2
	refused 77 "this device has been removed from alice@$SERVER_HOST" as laptop smaccount status
	# and so does the profile that was removed, should it come back
	run --separate-stderr login tower alice
	[ "$status" -eq 0 ]
	[ "$output$stderr" = '' ]
}

@test "a device that is removed is out at once, and asks to be let in again" {
	start_server
	sm_user alice
	enrolled laptop alice alice
	as laptop smaccount status >/dev/null
	as alice smaccount devices remove 2
	[ "$(numbers alice)" = 1 ]
	# every tool says it in the same words, with a token that is good and with one that has run out
	for command in 'smaccount devices' 'smaccount status' sminbox 'smcontact add alice' 'smsend alice'; do
		refused 77 "^[a-z]*: this device has been removed from alice@$SERVER_HOST\$" as laptop $command </dev/null
	done
	sed -i 's/^access_expires = .*/access_expires = 1/' "$(home_of laptop)/state/session"
	refused 77 "^smaccount: this device has been removed from alice@$SERVER_HOST\$" as laptop smaccount devices
	run --separate-stderr login laptop alice --no-wait
	[ "$status" -eq 75 ]
	[[ ${stderr_lines[0]} == "smaccount: warning: this device has been removed from alice@$SERVER_HOST, and asks to be let in again" ]]
	# numbers are never used again
	as alice smaccount devices approve "$output"
	login laptop alice
	[ "$(numbers laptop)" = '1 3' ]
}

@test "which devices stay" {
	start_server
	sm_user alice
	refused 77 'is the last of' as alice smaccount devices remove 1
	enrolled laptop alice alice
	refused 77 'device 1 is this device: --yes removes it all the same' as alice smaccount devices remove 1
	refused 66 'has no device 7' as alice smaccount devices remove 7
	refused 64 'number' as alice smaccount devices remove 0
	refused 64 'wants the device' as alice smaccount devices remove
	refused 64 'wants the CODE' as alice smaccount devices approve
	refused 64 'none of list, approve' as alice smaccount devices rename
	refused 64 'goes with list' as alice smaccount devices refuse --json
	refused 64 'goes with remove' as alice smaccount devices list --yes
	refused 64 'goes with approve and remove' as alice smaccount devices list --recovery
	[ "$(numbers alice)" = '1 2' ]
	run --separate-stderr as alice smaccount devices remove 1 --yes
	[ "$status" -eq 0 ]
	[[ $stderr == *'device 1 held the user key'* ]]
	[ "$(numbers laptop)" = 2 ]
	refused 77 'not logged in' as alice smaccount devices
}

@test "two devices that change the list at once both get their way" {
	start_server
	sm_user alice
	for d in a b c; do second "$d" alice && code "$d" alice >"code.$d"; done
	pids=()
	for d in a b c; do
		as alice smaccount devices approve "$(cat "code.$d")" 2>"err.$d" 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || true; done
	# one of three may have to try a third time
	for d in a b c; do
		[ ! -s "err.$d" ] || as alice smaccount devices approve "$(cat "code.$d")"
	done
	[ "$(numbers alice)" = '1 2 3 4' ]
}

@test "what a label says does not reach a terminal raw" {
	start_server
	sm_user alice
	enrolled laptop alice alice
	stop_server
	db "UPDATE device SET label = char(27) || '[31mred' || char(10) || 'two' WHERE number = 2"
	start_server
	as alice smaccount devices >list
	[ "$(wc -l <list)" -eq 2 ]
	grep -q '\\e\[31mred\\ntwo' list
	as alice smaccount devices --json | jq -se '.[1].label == "\u001b[31mred\ntwo"'
}

# --- What the tools without sessions make of it ---

@test "smencrypt reaches all devices of both, and each of them speaks for its user" {
	start_server
	sm_user alice
	sm_user bob
	enrolled laptop alice alice
	enrolled tower bob bob
	as bob smcontact add alice
	as alice smcontact add bob
	as laptop smcontact add bob
	echo hi | as bob smencrypt -S -r alice >envelope
	[ "$(smencrypt --inspect --json envelope | jq '.to | length')" -eq 4 ]
	for d in alice laptop; do
		[ "$(as "$d" smencrypt -d -s bob envelope 2>"err.$d")" = hi ]
	done
	[ "$(as tower smencrypt -d envelope)" = hi ]
	[ "$(as bob smencrypt -d envelope)" = hi ]
	# a device that holds no user key seals and signs all the same
	echo back | as laptop smencrypt -r bob | as laptop smsign >answer
	[ "$(as bob smencrypt -d -s alice answer 2>err)" = back ]
	[ "$(as tower smencrypt -d --require-signature answer 2>err2 || cat err2)" != back ] # alice is no contact there yet
	as tower smcontact add alice
	[ "$(as tower smencrypt -d -s alice answer)" = back ]
	as bob smencrypt -d -v answer 2>&1 >/dev/null | grep -q "signed by alice@$SERVER_HOST $(fingerprint laptop)"
	as bob smsign -V -s alice answer >/dev/null
	echo text >file
	as laptop smsign file
	[ "$(as bob smsign -V -s alice file)" = 'file: OK' ]
	run as alice smsign -V -s bob file
	[ "$status" -eq 1 ]
	# removed: what it signs from then on, or has signed, is nobody's as soon as that is known
	as alice smaccount devices remove 2
	as bob smcontact add alice
	run as bob smsign -V -s alice file
	[ "$status" -eq 1 ]
	[[ $output == *"signed by another key than alice's"* ]]
	refused 65 'is not signed by alice' as bob smencrypt -d -s alice answer
	echo hi | as bob smencrypt -r alice >envelope2
	[ "$(smencrypt --inspect --json envelope2 | jq '.to | length')" -eq 3 ]
}

@test "a removed device that knows it neither signs nor seals" {
	start_server
	sm_user alice
	enrolled laptop alice alice
	enrolled phone alice alice
	as laptop smaccount devices >/dev/null
	echo hi | as laptop smencrypt -r alice >/dev/null
	# what it would learn from the server, were it asked in the moment between
	as alice smaccount devices remove 2
	as alice smaccount devices >/dev/null
	list=$(sqlite3 "$(home_of alice)/data/sm.db" "SELECT hex(text) FROM device_list WHERE address = 'alice@$SERVER_HOST'")
	sqlite3 "$(home_of laptop)/data/sm.db" "UPDATE device_list SET text = X'$list', version = 3"
	refused 77 "this device has been removed from alice@$SERVER_HOST" as laptop smencrypt -r alice /dev/null
	echo x >file
	refused 77 "this device has been removed from alice@$SERVER_HOST" as laptop smsign file
	[ ! -e file.sig ]
}

@test "the recovery code of a device that holds no user key is said to be that" {
	start_server
	sm_user alice
	enrolled laptop alice alice
	(umask 077 && as laptop smkeygen --recovery >code 2>err)
	grep -q "this is not the user key of alice@$SERVER_HOST" err
	(umask 077 && as alice smkeygen --recovery >code 2>err)
	[ ! -s err ]
}

@test "sixteen devices at most, four that wait" {
	start_server
	sm_user alice
	(umask 077 && as alice smkeygen --recovery >right)
	for i in 1 2 3 4; do
		second "w$i" alice
		code "w$i" alice >/dev/null
	done
	second w5 alice
	refused 75 'too many devices wait' login w5 alice --no-wait
	as alice smaccount devices refuse
	for i in $(seq 2 16); do
		second "d$i" alice
		login "d$i" alice --recovery-file right 2>/dev/null
	done
	refused 77 'has 16 devices, which is all it may have' login w5 alice --recovery-file right
	c=$(code w5 alice)
	refused 77 'has 16 devices, which is all it may have' as alice smaccount devices approve "$c"
	as d9 smaccount devices remove 16 --recovery-file right
	as alice smaccount devices approve "$c"
	login w5 alice 2>/dev/null
	[ "$(numbers w5)" = "$(seq -s' ' 15) 17" ]
}

# --- A hostile server ---

@test "a removed device does not come back unseen with a new one" {
	need sqlite3
	start_server
	sm_user alice
	(umask 077 && as alice smkeygen --recovery >right)
	enrolled laptop alice alice
	old=$(db "SELECT list FROM account WHERE name = 'alice'")
	device=$(db "SELECT quote(pk), quote(fp), account FROM device WHERE number = 2")
	as alice smaccount devices remove 2
	stop_server
	IFS='|' read -r pk fp account <<<"$device"
	db "UPDATE account SET list = '$old' || char(10), version = 1 WHERE name = 'alice'"
	db "INSERT INTO device(account, number, pk, fp, label, created) VALUES ($account, 2, $pk, $fp, 'stolen', 0)"
	start_server
	# a new device cannot know better, but says what it signs
	second phone alice
	login phone alice --recovery-file right 2>err
	grep -q "^smaccount: device 2: $(fingerprint laptop) stolen\$" err
	# one that has been there does
	refused 76 'may not follow the one it gave before' as alice smaccount devices
}

@test "a number that would be the last is not signed" {
	need sqlite3
	start_server
	sm_user alice
	(umask 077 && as alice smkeygen --recovery >right)
	second laptop alice
	c=$(code laptop alice)
	for next in 4294967295 1002 1; do
		db "UPDATE account SET next = $next"
		refused 76 "wants the next device of alice@$SERVER_HOST to be number $next, after 1: refused" as alice smaccount devices approve "$c"
		refused 76 "to be number $next, after 1: refused" login laptop alice --recovery-file right
	done
	db "UPDATE account SET next = 1001"
	as alice smaccount devices approve "$c"
	[ "$(numbers alice)" = '1 1001' ]
}

@test "a device that the user key has not signed for is refused by every tool, by name" {
	need sqlite3
	start_server
	sm_user alice
	sm_user bob
	sm_home mallory
	as bob smcontact add alice
	enrolled laptop alice alice
	as bob smcontact add alice
	good=$(db "SELECT list FROM account WHERE name = 'alice'")
	key=$(as mallory smkeygen -y | cut -d' ' -f1)
	stop_server
	# in the list, without a signature that holds
	bad=$(sed "s/^version 1/version 2/; s/^---/device 3 $key\n---/" <<<"$good")
	db "UPDATE account SET list = '$bad' || char(10), version = 2 WHERE name = 'alice'"
	db "INSERT INTO device(account, number, pk, fp, label, created) SELECT account, 3, pk, randomblob(32), '', 0 FROM device WHERE number = 2"
	start_server
	refused 76 "list of the devices of alice@$SERVER_HOST" as alice smaccount devices
	run --separate-stderr as bob smcontact add alice
	[ "$status" -eq 76 ]
	echo hi | as bob smencrypt -r alice >envelope
	[ "$(grep -ac "^to alice@" <(smencrypt --inspect <envelope) || true)" -le 2 ]
	run ! grep -q "$(fingerprint mallory)" <(smencrypt --inspect <envelope)
	stop_server
	# all of it by another key
	db "UPDATE account SET list = '$(printf '%s' "$good" | sed "s/^user .*/user $key/")' || char(10), version = 1 WHERE name = 'alice'"
	db "DELETE FROM device WHERE number = 3"
	start_server
	refused 76 "of the devices of alice@$SERVER_HOST" as alice smaccount devices
}

@test "the list cannot be rolled back" {
	need sqlite3
	start_server
	sm_user alice
	sm_user bob
	enrolled laptop alice alice
	old=$(db "SELECT list FROM account WHERE name = 'alice'")
	device=$(db "SELECT quote(pk), quote(fp), account FROM device WHERE number = 2")
	as alice smaccount devices remove 2
	as bob smcontact add alice
	second phone alice
	c=$(code phone alice)
	stop_server
	# the removed laptop is back
	IFS='|' read -r pk fp account <<<"$device"
	db "UPDATE account SET list = '$old' || char(10), version = 1 WHERE name = 'alice'"
	db "INSERT INTO device(account, number, pk, fp, label, created) VALUES ($account, 2, $pk, $fp, '', 0)"
	db "INSERT INTO mailbox SELECT id, 0 FROM device WHERE id NOT IN (SELECT device FROM mailbox)"
	start_server
	refused 76 'may not follow the one it gave before' as alice smaccount devices
	refused 76 'may not follow the one it gave before' as alice smaccount devices approve "$c"
	refused 76 'may not follow the one it gave before' as alice smaccount status
	run --separate-stderr as bob smcontact add alice
	[ "$status" -eq 76 ]
	stop_server
	# nor to none at all
	db "UPDATE account SET list = NULL, version = 0 WHERE name = 'alice'"
	db "DELETE FROM device WHERE number = 2"
	start_server
	refused 76 'may not follow the one it gave before' as alice smaccount devices
	refused 76 'may not follow the one it gave before' as alice smaccount devices approve "$c"
}

@test "another user key for the own account is not believed, at login neither" {
	need sqlite3
	start_server
	sm_user alice
	sm_user mallory
	key=$(db "SELECT quote(pk) FROM account WHERE name = 'mallory'")
	stop_server
	db "UPDATE account SET pk = $key WHERE name = 'alice'"
	start_server
	run --separate-stderr as alice smaccount devices
	[ "$status" -eq 76 ]
	run --separate-stderr as alice smaccount login --password-file "$(password_of alice)"
	[ "$status" -eq 76 ]
}
