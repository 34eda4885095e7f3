# smsend and sminbox are killed just before every single write, sync and send (tests/crash/crash.c), and run again: each message is there
# once, and the sessions go on.
load helper

setup() {
	sm_setup
	start_server
	sm_user alice
	sm_user bob
	ALICE=$(home_of alice) BOB=$(home_of bob)
	[[ -e $SM_BIN/tests/crash/crash.so ]]
}
# HOME K COMMAND...: killed at call K; its status. What it prints goes where no call counts.
killed_at() {
	local home=$1 k=$2
	shift 2
	env SM_HOME="$home" LD_PRELOAD="$SM_BIN/tests/crash/crash.so" SM_CRASH_AT="$k" ASAN_OPTIONS=verify_asan_link_order=0 "$@" 2>&1 >/dev/null | cat >err
	return "${PIPESTATUS[0]}"
}
# The texts of all that NAME has, sorted; what cannot be opened is a line of its own.
texts() { as "$1" sminbox -a --json | jq -r 'if .text != null then .text[:-1] else "?" end' | sort; }
expected() {
	local k
	for ((k = 1; k <= $2; k++)); do echo "$1 $k"; done | sort
}

# PASS [fresh]: one message for each K, to bob or to $TO; with fresh, alice begins a new session each time.
send_pass() {
	local k n status step=${STEP:-1}
	for ((k = n = 1; ; k += step, n++)); do
		if [[ ${2-} == fresh ]]; then
			rm -rf "$ALICE"
			cp -a "$ALICE.fresh" "$ALICE"
		fi
		status=0
		killed_at "$ALICE" "$k" smsend --id "$1-$n" "${TO:-bob}" <<<"$1 $n" || status=$?
		[[ $status == 137 ]] || break
		as alice smsend --id "$1-$n" "${TO:-bob}" <<<"$1 $n"
		[[ ${2-} != fresh ]] || as bob sminbox >/dev/null
	done
	[[ $status == 0 ]] || { cat err; return 1; }
	echo "$1: $k"
	[[ $k -gt 10 ]]
	texts bob | grep "^$1 " | diff - <(expected "$1" "$n")
}

# PASS [fresh]: before each K a message is sent, and sminbox killed over it.
receive_pass() {
	local k n status step=${STEP:-1}
	for ((k = n = 1; ; k += step, n++)); do
		if [[ ${2-} == fresh ]]; then
			rm -rf "$ALICE"
			cp -a "$ALICE.fresh" "$ALICE"
		fi
		as alice smsend bob <<<"$1 $n"
		status=0
		killed_at "$BOB" "$k" sminbox || status=$?
		[[ $status == 137 ]] || break
		# an answer in between: the ratchet has to turn, too
		[[ $((n % 5)) != 0 || ${2-} == fresh ]] || as bob smsend alice <<<"answer $1 $n"
	done
	[[ $status == 0 ]] || { cat err; return 1; }
	echo "$1: $k"
	[[ $k -gt 10 ]]
	texts bob | grep "^$1 " | diff - <(expected "$1" "$n")
}
go_on() {
	! texts bob | grep -qx '?'
	! texts alice | grep -qx '?'
	as alice smsend bob <<<'to bob'
	as bob sminbox >/dev/null
	as bob smsend alice <<<'to alice'
	texts bob | grep -qx 'to bob'
	texts alice | grep -qx 'to alice'
}

@test "smsend killed at every write, with a session and where one begins" {
	cp -a "$ALICE" "$ALICE.fresh"
	send_pass new fresh
	send_pass old
	export SM_CRASH_TORN=1 STEP=3
	send_pass torn
	unset SM_CRASH_TORN STEP
	go_on
}

@test "smsend to a group killed at every write, where the key is given and where it is known" {
	# from before the group: it is found at the server, and the session and the chain begin each time
	cp -a "$ALICE" "$ALICE.fresh"
	as alice smgroup create ops bob
	as bob sminbox >/dev/null 2>&1 || [ $? -eq 1 ]
	export TO=@ops
	send_pass new fresh
	send_pass old
	unset TO
	go_on
}

@test "sminbox killed at every write, with a session and where one begins" {
	cp -a "$ALICE" "$ALICE.fresh"
	receive_pass new fresh
	receive_pass old
	export SM_CRASH_TORN=1 STEP=3
	receive_pass torn
	unset SM_CRASH_TORN STEP
	go_on
}

@test "killed while prekeys are made and uploaded: what the server has can be opened" {
	local k status alice
	alice="(SELECT d.id FROM device d JOIN account a ON a.id = d.account WHERE a.name = 'alice')"
	sm_user carol
	for ((k = 1; ; k++)); do
		# a day has gone by, and others have taken all of alice's prekeys
		sqlite3 -cmd '.timeout 10000' "$SERVER_DATA"/*.db "DELETE FROM opk WHERE device = $alice"
		sqlite3 -cmd '.timeout 10000' "$ALICE/data/sm.db" "UPDATE counter SET value = value - 86400 WHERE name = 'prekeys asked'"
		status=0
		killed_at "$ALICE" "$k" smsend alice <<<"self $k" || status=$?
		# somebody new writes, with what is there now
		rm -rf "$(home_of carol).now"
		cp -a "$(home_of carol)" "$(home_of carol).now"
		env SM_HOME="$(home_of carol).now" smsend alice <<<"carol $k"
		as alice sminbox >/dev/null
		[[ $status == 137 ]] || break
	done
	[ "$status" -eq 0 ]
	[ "$k" -gt 20 ]
	texts alice | grep '^carol ' | diff - <(expected carol "$k")
	[ "$(sqlite3 "$SERVER_DATA"/*.db "SELECT count(*) FROM opk WHERE device = $alice")" -ge 25 ]
}
