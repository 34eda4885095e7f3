#!/usr/bin/env bats
# The durability promise: killed in the middle of the work, and a full disk.
load helper

@test "kill -9 under load, again and again: what was acknowledged is there, once, in order" {
	rounds=${ROUNDS:-12}
	serve
	person alice bob
	for ((i = 1; i <= rounds; i++)); do
		"$LOAD" "$URL" ledger "ledger.$i" alice "bob@$ORIGIN" 2>/dev/null 3>&- &
		load=$!
		want=$((50 + RANDOM % 400))
		wait_for 30 acked "ledger.$i" $want
		stop KILL
		wait $load || true
		serve
	done
	[ "$(sqlite3 "$DATA/sm.db" 'pragma integrity_check')" = ok ]
	run "$LOAD" "$URL" check bob ledger.*
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *" lost 0 twice 0 moved 0" ]]
}
acked() { [ "$(wc -l <"$1")" -ge "$2" ]; }

@test "a full disk: 507, nothing half stored, deleting still works, and it goes on when there is space" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a small file system"
	mkdir small
	mount -t tmpfs -o size=48m,mode=700 tmpfs small 2>/dev/null || skip "cannot mount a small file system here"
	DATA=$PWD/small/data
	serve
	person alice bob
	envelope e alice 200000 bob
	stored=0
	for i in {1..400}; do
		"$API" "$URL" call alice POST /api/v1/messages type=application/sm-envelope body=e header="Idempotency-Key: k$i" >out
		[[ $(head -n1 out) == 201 ]] || break
		stored=$((stored + 1))
	done
	full=$(head -n2 out)
	call 200 - bob GET '/api/v1/messages?limit=1'
	call 200 - bob DELETE '/api/v1/messages?upto=10'
	deleted=$(json .deleted)
	api 200 - login bob "$PASSWORD"
	call 200 - bob DELETE '/api/v1/messages?upto=100000'
	rest=$(json .deleted)
	ready=$(curl -sS "$URL/readyz")
	wait_for 20 sends_again
	again=$?
	stop
	umount small
	echo "stored $stored full: $full deleted $deleted + $rest"
	[[ $full == 507*no_space* ]]
	[ "$stored" -gt 10 ]
	[ "$((deleted + rest))" = "$stored" ]
	[ "$deleted" = 10 ]
	[ "$ready" = ready ]
	[ "$again" = 0 ]
	[ "$CODE" = 0 ]
}
sends_again() { send 201 - alice e header='Idempotency-Key: again'; }

@test "a write that fails with an I/O error: 503, exit 74, and nothing acknowledged is lost" {
	serve
	person alice bob
	envelope e alice 1000 bob
	send 201 - alice e
	stop
	# A file size limit makes write(2) fail with EFBIG in the middle of the write-ahead log.
	big=$(($(stat -c %s "$DATA/sm.db") + 16777216))
	(
		trap '' XFSZ
		ulimit -f $((big / 1024))
		exec env SMSERVER_KDF_T=1 SMSERVER_KDF_M=8 "$SERVER" --data "$DATA" --listen 127.0.0.1:"$PORT" --registration open >ready 2>>"$LOG" 3>&-
	) &
	PID=$!
	wait_for 10 grep -q ready ready
	envelope f alice 250000 bob
	for i in {1..300}; do
		"$API" "$URL" call alice POST /api/v1/messages type=application/sm-envelope body=f header="Idempotency-Key: k$i" >out 2>/dev/null || true
		[[ $(head -n1 out) == 201 ]] || break
		echo "k$i" >>kept
	done
	CODE=0
	wait "$PID" || CODE=$?
	[ "$(head -n1 out)" = 503 ] || [ ! -s out ]
	[ "$CODE" = 74 ]
	serve
	[ "$(sqlite3 "$DATA/sm.db" 'pragma integrity_check')" = ok ]
	for k in $(shuf -n 5 kept); do send 200 - alice f header="Idempotency-Key: $k"; done
}
