# What the tests of smserver share: a real server on a free loopback port, its data in a private directory, and apiclient, a client
# written from sm-protocol(7). Waiting is for events, never for time.
bats_require_minimum_version 1.5.0
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SM_BIN=$(cd "${SM_BIN:-$TOP/build}" && pwd)
SERVER=$SM_BIN/smserver
API=$SM_BIN/tests/server/apiclient
LOAD=$SM_BIN/tests/server/load
PASSWORD='pass1!word'

setup() {
	unset "${!SMSERVER_@}" "${!XDG_@}" NOTIFY_SOCKET STATE_DIRECTORY
	export TMPDIR=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR CLIENTS=$BATS_TEST_TMPDIR/clients
	DATA=$BATS_TEST_TMPDIR/data
	LOG=$BATS_TEST_TMPDIR/log
	PID=
	mkdir -p "$CLIENTS"
	cd "$BATS_TEST_TMPDIR" || return
}
teardown() {
	if [[ -n $PID ]]; then kill -9 "$PID" 2>/dev/null || true; wait "$PID" 2>/dev/null || true; fi
	[[ ! -s $LOG ]] || tail -n 20 "$LOG" | sed 's/^/# smserver: /'
	cd /
}

# serve [ARGUMENT]...: starts the server and waits for its line; sets PID and URL. Cheap key derivation, open registration.
serve() {
	local fifo=$BATS_TEST_TMPDIR/ready.$RANDOM
	mkfifo "$fifo"
	SMSERVER_KDF_T=${KDF_T:-1} SMSERVER_KDF_M=${KDF_M:-8} "$SERVER" --data "$DATA" --listen "127.0.0.1:${PORT:-0}" \
		--registration "${REGISTRATION:-open}" "$@" >"$fifo" 2>>"$LOG" 3>&- &
	PID=$!
	read -r -t 30 line <"$fifo" || return 1
	rm "$fifo"
	URL=${line##* }
	PORT=${URL##*:}
	ORIGIN=localhost:$PORT
	[[ $line == "smserver ready on http"*://127.0.0.1:* ]]
}
# stop [SIGNAL]: sends it, waits; sets CODE.
stop() {
	kill -"${1:-TERM}" "$PID"
	CODE=0
	wait "$PID" || CODE=$?
	PID=
}
# person NAME...: registered and logged in.
person() {
	local n
	for n; do
		"$API" "$URL" register "$n" "$PASSWORD" >"reg.$n" && [[ $(head -n1 "reg.$n") == 201 ]] || return 1
		"$API" "$URL" login "$n" "$PASSWORD" >"login.$n" && [[ $(head -n1 "login.$n") == 200 ]] || return 1
	done
}
# api STATUS CODE ARGUMENT...: apiclient's answer has that status, and that error code unless it is -. The body is left in $body.
api() {
	local want=$1 code=$2 out
	shift 2
	out=$("$API" "$URL" "$@") || return 1
	body=${out#*$'\n'}
	[[ ${out%%$'\n'*} == "$want" ]] || { echo "wanted $want $code, got: $out"; return 1; }
	[[ $code == - || $body == *"\"error\":\"$code\""* ]] || { echo "wanted $code, got: $out"; return 1; }
}
# call STATUS CODE NAME METHOD TARGET [OPTION]...
call() { api "$1" "$2" call "${@:3}"; }
# json [OPTION] FILTER: of $body, with jq.
json() { jq -r "$@" <<<"$body"; }
# envelope FILE FROM BYTES TO...: TO is a name or address, with =KEYOWNER behind it where the key is another one's
envelope() {
	local file=$1 from=$2 bytes=$3 t to=()
	shift 3
	for t; do
		[[ $t == *@* ]] || t=${t%%=*}@$ORIGIN${t#"${t%%=*}"}
		to+=("$t")
	done
	"$API" "$URL" envelope "$from" "$bytes" "${to[@]}" >"$file"
}
# send STATUS CODE FROM FILE [OPTION]...
send() { call "$1" "$2" "$3" POST /api/v1/messages type=application/sm-envelope body="$4" "${@:5}"; }
# json_call STATUS CODE NAME METHOD TARGET TEXT [OPTION]...
json_call() {
	printf %s "$6" >json.body
	call "$1" "$2" "$3" "$4" "$5" type=application/json body=json.body "${@:7}"
}
wait_for() { # SECONDS COMMAND...: looks ten times a second
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		read -r -t 0.1 <> <(:) || true
	done
}
# text FILE MEMBER: FILE's text as the one member of a JSON object, on stdout.
text() { jq -Rsc --arg m "$2" '{($m): .}' <"$1"; }
# put_list STATUS CODE NAME LISTFILE: PUT devices
put_list() {
	text "$4" list >list.body
	call "$1" "$2" "$3" PUT /api/v1/devices type=application/json body=list.body
}
# second NAME...: a second device of NAME, "NAME+2", enrolled, approved by the first, logged in.
second() {
	local n
	for n; do
		api 202 - enroll "$n+2" "$PASSWORD"
		"$API" "$URL" list "$n" 1 1="$n" 2="$n+2" >"list.$n"
		put_list 200 - "$n" "list.$n"
		api 200 - login "$n+2" "$PASSWORD"
	done
}
