# What every bats file loads: `load helper` (from a folder below: `load ../helper`).
# Each test gets its own SM_HOME, HOME and TMPDIR under BATS_TEST_TMPDIR, the built tools first on PATH, and nothing of the caller's sm
# or proxy settings. A file with a setup or teardown of its own calls sm_setup and sm_teardown from them.
#
#   start_server [CONFIG LINE]...   a real smserver on a free loopback port; sets SERVER_URL, SERVER_HOST, SERVER_PID, SERVER_DATA.
#                                   Lines go at the end of its file: '[messages]' 'message_bytes = 4096'
#   stop_server | kill_server       SIGTERM and wait for exit 0 | SIGKILL and wait; start_server again takes the same data and port
#   sm_user NAME                    a home with a plain identity, registered at the server and logged in
#   sm_home NAME                    the same home with an identity only: no server
#   as NAME COMMAND...              COMMAND with NAME's SM_HOME
#   wait_until SECONDS COMMAND...   until COMMAND succeeds: looks 50 times a second, fails at the end of the time
#   refused STATUS PATTERN COMMAND...   COMMAND ends with STATUS, says one line that has PATTERN on stderr, and nothing on stdout
#   notty COMMAND...                without a controlling terminal: nothing can prompt
#   unsanitized                     skips the test under sanitizers, whose own memory is not what it measures
#   need COMMAND...                 skips the test, with the reason, where one of them is not installed

bats_require_minimum_version 1.5.0

SM_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SM_BIN=$(cd "${SM_BIN:-$SM_TOP/build}" && pwd)
BIN=$SM_BIN
export SM_TOP SM_BIN BIN
PATH=$SM_BIN:$PATH

setup() { sm_setup; }
teardown() { sm_teardown; }

sm_setup() {
	unset "${!SM_PASSPHRASE@}" "${!SMSERVER_@}" "${!XDG_@}" "${!http_@}" "${!https_@}" "${!HTTP_@}" "${!HTTPS_@}" "${!all_proxy@}" "${!ALL_PROXY@}"
	unset CREDENTIALS_DIRECTORY NOTIFY_SOCKET
	umask 022
	TMPDIR=$BATS_TEST_TMPDIR/tmp
	HOME=$BATS_TEST_TMPDIR/home
	SM_HOME=$HOME/sm
	export TMPDIR HOME SM_HOME
	mkdir -p "$TMPDIR"
	private_dir "$SM_HOME"
	cd "$TMPDIR" || return
}
setup_home() { sm_setup; }

sm_teardown() {
	if [[ -n ${SERVER_PID:-} ]]; then
		kill -9 "$SERVER_PID" 2>/dev/null || true
		wait "$SERVER_PID" 2>/dev/null || true
		SERVER_PID=
		# Shown by bats when the test failed.
		[[ ! -s ${SERVER_LOG:-} ]] || sed 's/^/# smserver: /' "$SERVER_LOG" | tail -n 20
	fi
	[[ $PWD != "$BATS_TEST_TMPDIR"* ]] || cd /
}

start_server() {
	local line fifo=$BATS_TEST_TMPDIR/server.ready
	SERVER_DATA=${SERVER_DATA:-$BATS_TEST_TMPDIR/server}
	SERVER_CONF=$BATS_TEST_TMPDIR/smserver.conf
	SERVER_LOG=$BATS_TEST_TMPDIR/server.log
	private_dir "$SERVER_DATA"
	{
		printf '%s\n' '[server]' "data = $SERVER_DATA" "listen = 127.0.0.1:${SERVER_PORT:-0}"
		# The cheapest key derivation that clients still accept: a test makes many accounts.
		printf '%s\n' '[accounts]' 'registration = open' 'kdf_t = 1' 'kdf_m = 19456'
		[[ $# -eq 0 ]] || printf '%s\n' "$@"
	} >"$SERVER_CONF"
	rm -f "$fifo"
	mkfifo "$fifo"
	smserver -c "$SERVER_CONF" >"$fifo" 2>>"$SERVER_LOG" </dev/null 3>&- &
	SERVER_PID=$!
	# Opening waits for the server's side; a server that dies early is the end of the file, not a timeout.
	exec {SERVER_OUT}<"$fifo"
	if ! read -r -t 30 -u "$SERVER_OUT" line || [[ $line != "smserver ready on "* ]]; then
		printf 'smserver did not get ready: %s\n' "${line:-nothing on stdout}" >&2
		cat "$SERVER_LOG" >&2
		return 1
	fi
	SERVER_URL=${line#smserver ready on }
	SERVER_PORT=${SERVER_URL##*:}
	SERVER_HOST=localhost:$SERVER_PORT
	export SERVER_URL SERVER_HOST SERVER_PORT SERVER_PID SERVER_DATA
}

stop_server() {
	local pid=$SERVER_PID status=0
	kill -TERM "$pid"
	wait "$pid" || status=$?
	server_gone
	return "$status"
}

kill_server() {
	kill -KILL "$SERVER_PID"
	wait "$SERVER_PID" 2>/dev/null || true
	server_gone
}

server_gone() {
	SERVER_PID=
	exec {SERVER_OUT}<&-
}

private_dir() { (umask 077 && mkdir -p "$1"); }

home_of() { printf '%s/home-%s' "$BATS_TEST_TMPDIR" "$1"; }

as() {
	local SM_HOME
	SM_HOME=$(home_of "$1")
	export SM_HOME
	shift
	"$@"
}

sm_home() {
	private_dir "$(home_of "$1")"
	as "$1" smkeygen -N -C "$1" >/dev/null
}

# The password of every test account: the server's policy asks for a letter, a number and a special character.
sm_password() {
	printf 'Correct-h0rse!%s\n' "$1"
}

sm_user() {
	local file
	sm_home "$1" || return
	file=$(home_of "$1")/password
	(umask 077 && sm_password "$1" >"$file")
	as "$1" smaccount register "$1@$SERVER_HOST" --password-file "$file" >/dev/null
}

wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[[ $SECONDS -lt $end ]] || return 1
		read -r -t 0.02 <> <(:) || true
	done
}

refused() {
	local want=$1 pattern=$2 status=0
	shift 2
	"$@" >out 2>err || status=$?
	[[ $status -eq $want ]] || { echo "exit $status, not $want: $(cat err)" >&2; return 1; }
	[[ $(wc -l <err) -eq 1 ]] || { echo "not one line: $(cat err)" >&2; return 1; }
	grep -q -- "$pattern" err || { echo "'$(cat err)' has no '$pattern'" >&2; return 1; }
	[[ ! -s out ]] || { echo "something on stdout" >&2; return 1; }
}

notty() { setsid -w "$@" </dev/null; }

need() {
	local c
	for c; do
		command -v "$c" >/dev/null || skip "$c is not installed"
	done
}

unsanitized() { ! ldd "$SM_BIN/smkeygen" 2>/dev/null | grep -q 'lib[a-z]*san\.' || skip 'measures nothing under a sanitizer'; }
