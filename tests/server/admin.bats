#!/usr/bin/env bats
# Configuration, verbs, the data directory, signals.
load helper

conf() { printf '%s\n' "$@" >conf; }
# refuses LINE...: the file is refused and the last line of it is named
refuses() {
	local want=$1
	shift
	conf "$@"
	run "$SERVER" -t -c conf --data "$DATA"
	[ "$status" = 78 ] && [[ $output == "smserver: conf:$#: "*"$want"* ]] || { echo "$output"; return 1; }
}

@test "every bad line of a configuration is named with its number" {
	refuses "unknown key 'nome'" '[server]' 'nome = x'
	refuses "belongs under [server]" '[log]' 'name = example.org'
	refuses "there twice" '[server]' 'name = example.org' 'name = example.net'
	refuses "must be host" '[server]' 'name = Example.org'
	refuses "ADDRESS:PORT" '[server]' 'listen = 8600'
	refuses "number from 0 to 64" '[server]' 'threads = many'
	refuses "number from 0 to 64" '[server]' 'threads = 65'
	refuses "yes or no" '[server]' 'plain_http = maybe'
	refuses "is empty" '[tls]' 'tls_cert ='
	refuses "invite, open or closed" '[accounts]' 'registration = sometimes'
	refuses "number from 1 to 10" '[accounts]' 'kdf_t = 0'
	refuses "time like" '[messages]' 'retention = soon'
	refuses "number from 4096" '[messages]' 'message_bytes = 12'
	refuses "debug, info, warn or error" '[log]' 'log_level = loud'
	refuses "" '[server]' 'this is no line'
}

@test "a good configuration, over it the environment, over that the flags" {
	conf '[server]' 'name = file.example' '[accounts]' 'registration = closed'
	run "$SERVER" -t -c conf
	[ "$status" = 0 ] && [ "$output" = "configuration ok" ]
	serve -c conf
	[ "$(curl -sS "$URL/api/v1/policy" | jq -r '.origin, .registration')" = $'file.example\nopen' ]
	stop
	SMSERVER_NAME=env.example serve -c conf
	[ "$(curl -sS "$URL/api/v1/policy" | jq -r .origin)" = env.example ]
	stop
	SMSERVER_NAME=env.example serve -c conf --name flag.example
	[ "$(curl -sS "$URL/api/v1/policy" | jq -r .origin)" = flag.example ]
}

@test "unknown variables, bad flags, missing files and half a TLS pair are refused" {
	SMSERVER_NOME=x run "$SERVER" -t
	[ "$status" = 78 ] && [[ $output == *SMSERVER_NOME* ]]
	run "$SERVER" -t --name 'Not A Host'
	[ "$status" = 78 ] && [[ $output == *--name* ]]
	run "$SERVER" -t -c nowhere
	[ "$status" = 66 ] && [[ $output == *"'nowhere'"* ]]
	SMSERVER_TLS_CERT=x run "$SERVER" -t
	[ "$status" = 78 ] && [[ $output == *tls_key* ]]
	run "$SERVER" --nonsense
	[ "$status" = 64 ]
	run "$SERVER" nonsense
	[ "$status" = 64 ]
	run "$SERVER" --data "$DATA" --listen 0.0.0.0:0
	[ "$status" = 78 ] && [[ $output == *plain_http* ]]
	run "$SERVER" --data "$DATA" --listen 203.0.113.1:1
	[ "$status" = 69 ] || [ "$status" = 78 ]
}

@test "init makes a server, says what to do, and does not do it twice" {
	run "$SERVER" init --data "$DATA" --name example.org
	[ "$status" = 0 ] && [[ $output == *"smserver user add"* ]]
	[ "$(stat -c %a "$DATA" "$DATA/master.key" "$DATA/sm.db" "$DATA/smserver.conf")" = $'700\n600\n600\n600' ]
	"$SERVER" -t -c "$DATA/smserver.conf"
	grep -qx "data = $DATA" "$DATA/smserver.conf"
	"$SERVER" -t -c "$DATA/smserver.conf"
	run "$SERVER" init --data "$DATA"
	[ "$status" = 73 ]
	# Every key that is commented out can be used as it stands there.
	sed 's/^#\([a-z_]* = \)/\1/' "$DATA/smserver.conf" | grep -vE '^(user|tls_[a-z]*) ' >all.conf
	"$SERVER" -t -c all.conf
	serve
	[ "$(curl -sS "$URL/api/v1/policy" | jq -r .origin)" = example.org ]
}

@test "users: added by invitation, listed, disabled and enabled, with and without a server running" {
	REGISTRATION=invite
	"$SERVER" init --data "$DATA"
	code=$("$SERVER" user add alice --data "$DATA") # on the files
	serve
	api 201 - register alice "$PASSWORD" invite="$code"
	run "$SERVER" user add alice --data "$DATA"
	[ "$status" = 73 ] && [[ $output == *alice* ]]
	run "$SERVER" user add 'Bad Name' --data "$DATA"
	[ "$status" = 65 ]
	run "$SERVER" user disable nobody --data "$DATA"
	[ "$status" = 66 ]
	api 200 - login alice "$PASSWORD"
	call 200 - alice GET /api/v1/sessions
	"$SERVER" user disable alice --data "$DATA"
	[[ $("$SERVER" user list --data "$DATA") == $'alice\tdisabled\t20'* ]]
	call 401 unauthenticated alice GET /api/v1/sessions
	api 401 login_refused login alice "$PASSWORD"
	stop
	"$SERVER" user enable alice --data "$DATA"
	[[ $("$SERVER" user list --data "$DATA") == $'alice\tenabled\t20'* ]]
	serve
	call 401 unauthenticated alice GET /api/v1/sessions
	api 200 - login alice "$PASSWORD"
	run "$SERVER" user
	[ "$status" = 64 ]
	run "$SERVER" invite --uses 0 --data "$DATA"
	[ "$status" = 64 ]
	run "$SERVER" invite --expires never --data "$DATA"
	[ "$status" = 64 ]
	run "$SERVER" user list --data "$BATS_TEST_TMPDIR/nowhere"
	[ "$status" = 66 ]
}

@test "a second server on the same data, and one on the same port, are refused" {
	serve
	run "$SERVER" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" = 75 ] && [[ $output == *"process $PID"* ]]
	run "$SERVER" --data "$BATS_TEST_TMPDIR/other" --listen "127.0.0.1:$PORT"
	[ "$status" = 69 ] && [[ $output == *"$PORT"* ]]
	[ "$(curl -sS "$URL/healthz")" = ok ]
}

@test "a data directory or key open to others is refused, a lost key too" {
	"$SERVER" init --data "$DATA"
	chmod 750 "$DATA"
	run "$SERVER" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" = 77 ]
	chmod 700 "$DATA"
	chmod 644 "$DATA/master.key"
	run "$SERVER" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" = 77 ]
	rm "$DATA/master.key"
	run "$SERVER" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" = 78 ] && [[ $output == *master.key* ]]
	printf short >"$DATA/master.key" && chmod 600 "$DATA/master.key"
	run "$SERVER" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" = 78 ]
}

@test "a file that is no database is refused, not overwritten" {
	"$SERVER" init --data "$DATA"
	head -c 8192 /dev/urandom >"$DATA/sm.db"
	cp "$DATA/sm.db" before
	run "$SERVER" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" = 74 ] && [[ $output == *sm.db* ]]
	cmp before "$DATA/sm.db"
}

@test "SIGHUP reloads all or nothing" {
	conf '[accounts]' 'registration = closed' '[server]' 'name = example.org'
	mode() { [ "$(curl -sS "$URL/api/v1/policy" | jq -r "$1")" = "$2" ]; }
	mkfifo r
	"$SERVER" -c conf --data "$DATA" --listen 127.0.0.1:0 >r 2>>"$LOG" 3>&- &
	PID=$!
	read -r line <r
	URL=${line##* }
	mode .registration closed
	conf '[accounts]' 'registration = open' '[server]' 'name = example.org'
	kill -HUP $PID
	wait_for 10 mode .registration open
	conf '[accounts]' 'registration = closed' '[server]' 'name = example.net'
	kill -HUP $PID
	wait_for 10 grep -q 'name cannot change' "$LOG"
	mode .registration open
	conf '[accounts]' 'registration = closed' 'nonsense = 1'
	kill -HUP $PID
	wait_for 10 grep -q 'unknown key' "$LOG"
	mode .registration open
	stop
	[ "$CODE" = 0 ]
}

@test "SIGTERM drains: what was sent is there, the log is in the database, exit 0" {
	serve
	person alice bob
	envelope e alice 100 bob
	send 201 - alice e
	stop
	[ "$CODE" = 0 ]
	[ ! -s "$DATA/sm.db-wal" ]
	[ ! -e "$DATA/control" ]
	[ "$(sqlite3 "$DATA/sm.db" 'select count(*) from delivery')" = 1 ]
	serve
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" = 1 ]
}

@test "readiness is told to the service manager" {
	command -v socat >/dev/null || skip "socat is not installed"
	socat -u UNIX-RECV:notify - >told 3>&- &
	listener=$!
	wait_for 10 test -S notify
	NOTIFY_SOCKET=$PWD/notify serve
	wait_for 10 grep -q READY=1 told
	stop
	wait_for 10 grep -q STOPPING=1 told
	kill $listener
}

@test "the log names no tokens, no bodies and no addresses" {
	SMSERVER_LOG_REQUESTS=yes serve
	person alice bob
	envelope e alice 100 bob
	send 201 - alice e
	call 401 unauthenticated alice GET /api/v1/sessions token=secret.secret.secret
	grep -q 'msg=request .*path=/api/v1/messages' "$LOG"
	run ! grep -qE "secret|$("$API" "$URL" show alice refresh)|127\.0\.0\.1 |peer=127|$PASSWORD|sm-envelope/1" "$LOG"
	stop
	SMSERVER_LOG_REQUESTS=yes SMSERVER_LOG_ADDRESSES=yes serve
	call 200 - alice GET /api/v1/sessions
	grep -q 'peer=127.0.0.1' "$LOG"
}
