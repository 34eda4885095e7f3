# smserver is killed again and again while a thousand messages are sent: what was answered for is there, and nothing is there twice.
load helper

SENDS=1000
WORKERS=4

# Each worker makes its envelopes once, and sends each under one key until smsend says that it is stored.
worker() {
	local i code tries
	for ((i = $1; i < SENDS; i += WORKERS)); do
		echo "m$i" | smencrypt -S -b -r bob >"e.$i" || return 1
		tries=0
		until smsend --id "key-$i" bob <"e.$i" 2>>"err.$1"; do
			code=$?
			# 69: not reached; 75: broken off. Anything else is a failure.
			[[ $code == 69 || $code == 75 ]] || { echo "m$i: exit $code" >>failed; return 1; }
			[[ $((tries += 1)) -lt 60 ]] || { echo "m$i: never" >>failed; return 1; }
		done
		echo "m$i" >>"stored.$1"
	done
}

workers_run() {
	local p
	for p in "${workers[@]}"; do
		if kill -0 "$p" 2>/dev/null; then return 0; fi
	done
	return 1
}
stored() { cat stored.* 2>/dev/null | wc -l; }
more_than() { [[ $(stored) -gt $1 ]] || ! workers_run; }

@test "kill -9 of smserver during a thousand sends" {
	start_server
	sm_user alice
	sm_user bob
	as alice smcontact add bob
	workers=()
	for ((w = 0; w < WORKERS; w++)); do
		as alice worker "$w" 3>&- &
		workers+=($!)
	done
	kills=0
	while workers_run; do
		wait_until 60 more_than $(($(stored) + 60))
		workers_run || break
		kill_server
		start_server
		kills=$((kills + 1))
	done
	for p in "${workers[@]}"; do wait "$p" || true; done
	[ ! -e failed ] || { cat failed err.*; false; }
	echo "killed $kills times"
	[ "$kills" -ge 5 ]
	[ "$(stored)" -eq "$SENDS" ]

	# and the mailbox, while it is fetched: killed once more between two fetches
	as bob sminbox --json 2>/dev/null | jq -j .text >first || true
	kill_server
	start_server
	as bob sminbox -a --json | jq -j .text | sort >got
	cat stored.* | sort | diff - got
	[ "$(wc -l <got)" -eq "$SENDS" ]
	[ "$(as bob smaccount status --json | jq .waiting)" -eq 0 ]
}

@test "kill -9 of sminbox at any point loses nothing and repeats nothing" {
	start_server
	sm_user alice
	sm_user bob
	local home
	home=$(home_of bob)
	for i in {1..60}; do as alice smsend bob <<<"m$i"; done
	for i in {1..30}; do
		env SM_HOME="$home" sminbox >/dev/null 2>&1 3>&- &
		local pid=$!
		# somewhere within its first 30 ms
		read -r -t "0.0$(printf %02d "$i")" <> <(:) || true
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	as bob sminbox -a --json | jq -j .text | sort >got
	for i in {1..60}; do echo "m$i"; done | sort | diff - got
	[ "$(as bob smaccount status --json | jq .waiting)" -eq 0 ]
}
