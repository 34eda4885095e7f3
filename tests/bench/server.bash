# Rows of tests/bench/run with a server. What it stores is in $DISK, on a real disk: these rows are about durable writes. Load and
# server share the machine, and so do the peer and its clients. Accounts of the load generator log in with the cheapest password hash, which is
# not what is measured; accounts of the tools with the ordinary one.

SECONDS_EACH=$([[ -n $QUICK ]] && echo 1 || echo 5)
INBOX=$([[ -n $QUICK ]] && echo 500 || echo 10000)
STREAMS=$([[ -n $QUICK ]] && echo 100 || echo 1000)
IDLE=$([[ -n $QUICK ]] && echo 500 || echo 10000)

server_pid='' server_url='' server_data='' server_key='' cluster=''

# server KEY LINE...: smserver on a free port with a fresh data folder and these lines after [accounts], unless the one that runs is KEY.
server() {
	local key=$1 data line
	shift
	[[ $key != "$server_key" || -z $server_pid ]] || return 0
	server_kill
	data=$(mktemp -d "$DISK/server.XXXXXX") || return
	printf '%s\n' '[server]' "data = $data" 'listen = 127.0.0.1:0' '[log]' 'log_level = warn' '[accounts]' 'registration = open' "$@" >"$data.conf"
	mkfifo "$data.ready"
	smserver -c "$data.conf" >"$data.ready" 2>"$data.log" </dev/null &
	server_pid=$! server_data=$data server_key=$key
	if ! read -r -t 30 line <"$data.ready" || [[ $line != 'smserver ready on '* ]]; then
		say "smserver did not get ready: ${line:-nothing on stdout}"
		cat "$data.log" >&2
		return 1
	fi
	server_url=${line#smserver ready on }
}
server_kill() {
	[[ -n $server_pid ]] || return 0
	kill -9 "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
	[[ ! -s $server_data.log ]] || sed 's/^/smserver: /' "$server_data.log" | tail -n 5 >&2
	rm -rf "$server_data" "$server_data".*
	server_pid=''
}
load_server() { server load 'kdf_t = 1' 'kdf_m = 8'; }
load() { "$HELPER/load" -u "$server_url" "$@"; }
# field NAME: the word after NAME in the line on stdin
field() { awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) { print $(i + 1); found = 1 } } END { exit !found }'; }

durable() {
	case $(stat -f -c %T "$DISK") in
	tmpfs | ramfs) skipped "$1" "$2" "$DISK is not on a disk: set SM_BENCH_DISK" && return 1 ;;
	esac
}

# ---- PostgreSQL, a private cluster of an unprivileged user on the same disk

postgres_user() { if [[ $(id -u) -eq 0 ]]; then (cd / && runuser -u postgres -- env -u TMPDIR HOME=/ "$@"); else "$@"; fi; }
postgres_have() {
	local d
	for d in /usr/lib/postgresql/*/bin; do [[ ! -x $d/initdb ]] || PATH=$PATH:$d; done
	needs "$1" "$2" initdb pg_ctl psql pgbench || return
	[[ $(id -u) -ne 0 ]] || needs "$1" "$2" runuser || return
	[[ $(id -u) -ne 0 ]] || id -u postgres >/dev/null 2>&1 || { skipped "$1" "$2" 'there is no user postgres'; return 1; }
}
postgres_start() {
	[[ -z $cluster ]] || return 0
	cluster=$DISK/pg
	mkdir "$cluster"
	[[ $(id -u) -ne 0 ]] || chown postgres "$cluster"
	postgres_user initdb -D "$cluster/data" -A trust -E UTF8 --no-locale >/dev/null 2>&1 || return
	postgres_user pg_ctl -D "$cluster/data" -s -w -l "$cluster/log" \
		-o "-c listen_addresses='' -c unix_socket_directories='$cluster' -c fsync=on -c synchronous_commit=on -c max_connections=100" start || return
	postgres_sql 'CREATE TABLE message (id bigserial PRIMARY KEY, mailbox int NOT NULL, body text NOT NULL)'
	# The row is a parameter: it travels with every insert, as a message does.
	# shellcheck disable=SC2016
	printf 'INSERT INTO message (mailbox, body) VALUES (:client_id, :body);\n' >"$DISK/insert.sql"
	chmod 644 "$DISK/insert.sql"
}
postgres_sql() { postgres_user psql -X -q -h "$cluster" -d postgres -c "$1" >/dev/null; }
postgres_stop() {
	[[ -z $cluster ]] || postgres_user pg_ctl -D "$cluster/data" -s -w -m immediate stop 2>/dev/null
	cluster=''
}
postgres_insert() {
	local body tps
	body=$(printf 'x%.0s' {1..1024})
	tps=$(postgres_user pgbench -h "$cluster" -n -M prepared -c 64 -j "$(nproc)" -T "$SECONDS_EACH" -D "body=$body" -f "$DISK/insert.sql" postgres 2>/dev/null |
		sed -n 's/^tps = \([0-9.]*\) .*without initial.*/\1/p')
	# What it has put off it shall not do during our next sample.
	postgres_sql CHECKPOINT
	[[ -n $tps ]] && printf '%s\n' "$tps"
}

# ---- sends

send_64() { load -c 64 -t "$SECONDS_EACH" | field rate; }
row_sends_64() {
	durable sends-64 '>= 1.0' && postgres_have sends-64 '>= 1.0' || return 0
	load_server && postgres_start && in_turn send_64 postgres_insert && ratio_row sends-64 rate '>= 1.0'
	local status=$?
	postgres_stop
	return "$status"
}

send_one() { load -c 1 -p one -t "$SECONDS_EACH" | field p50_us; }
sync_one() {
	"$HELPER/fdatasync" "$DISK/append" "$((SECONDS_EACH * 400))" | field p50_us
	rm -f "$DISK/append"
}
row_send_one() {
	local ratio goal='<= peer + 1 ms'
	durable send-one "$goal" || return 0
	load_server && in_turn send_one sync_one || return
	ratio=$(calc "$OURS / ($PEER + 1000)")
	print_row send-one "$(seconds "${OURS}e-6")" "$(seconds "${PEER}e-6")" "$(printf '%.3f' "$ratio")" "$goal" "$(holds "$ratio <= 1" && echo met || echo short)"
}

send_256() { load -c 256 -a 64 -t "$SECONDS_EACH" | field p99_us | sed 's/$/e-6/'; }
row_sends_256() {
	durable sends-256 '<= 25.00 ms' || return 0
	load_server && OURS=$(sample "$RUNS" send_256) && plain_row sends-256 seconds '<=' 0.025
}

# From the request to the answer, which the commit and its sync are part of: more than the server's own time, which is what counts.
group_send() { "$HELPER/group" -u "$server_url" -m 200 -n "$((SECONDS_EACH * 100))" | field p50_us | sed 's/$/e-6/'; }
row_group_send() {
	durable group-send '<= 4.00 ms' || return 0
	load_server && OURS=$(sample "$RUNS" group_send) && plain_row group-send seconds '<=' 0.004
}

# ---- the tools

tls_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
		-keyout "$FAST/tls.key" -out "$FAST/tls.pem" 2>/dev/null
}
tools_server() { server tools; }
tls_server() {
	[[ -s $FAST/tls.pem ]] || tls_certificate || return
	server tls '[tls]' "tls_cert = $FAST/tls.pem" "tls_key = $FAST/tls.key"
}
# person NAME: a profile with an account at the server that runs; its SM_HOME becomes current
person() {
	local options=()
	export SM_HOME=$server_data.$1
	[[ ! -d $SM_HOME ]] || return 0
	mkdir -p "$SM_HOME"
	[[ $server_key != tls ]] || options=(--url "https://localhost:${server_url##*:}" --cacert "$FAST/tls.pem")
	smkeygen -N -q -C "$1" >/dev/null && printf 'Correct-h0rse!bench\n' >"$SM_HOME/password" &&
		smaccount register "$1@localhost:${server_url##*:}" --password-file "$SM_HOME/password" "${options[@]}" >/dev/null
}
contact() { smcontact add "$1@localhost:${server_url##*:}" >/dev/null; }

# One process a message: it starts, connects, seals, signs, and has the answer that follows the commit.
smsend_process() { "$HELPER/measure" -n "$((SECONDS_EACH * 10))" -i "$FAST/letter" smsend bob; }
# smsend_row NAME SERVER LIMIT
smsend_row() {
	durable "$1" "<= $(seconds "$3")" || return 0
	printf 'hello\n' >"$FAST/letter"
	"$2" && person bob && person alice && contact bob && OURS=$(sample "$RUNS" smsend_process) && plain_row "$1" seconds '<=' "$3"
}
row_smsend() { smsend_row smsend tools_server 0.015; }
row_smsend_https() {
	needs smsend-https '<= 30.00 ms' openssl || return 0
	smsend_row smsend-https tls_server 0.030
}

# Every sample starts from the same profile, with INBOX new messages waiting from a sender whose key it has.
inbox_once() {
	local took
	load -c 16 -a 1 -p peer -r bob -n "$INBOX" -e "$INBOX" >/dev/null || return
	rm -rf "$SM_HOME"
	cp -a "$SM_HOME.empty" "$SM_HOME"
	took=$("$HELPER/measure" -o "$FAST/list" sminbox) || return
	[[ $(wc -l <"$FAST/list") -eq $INBOX ]] || { say "sminbox listed $(wc -l <"$FAST/list") messages, not $INBOX"; return 1; }
	calc "$INBOX / $took"
}
row_sminbox() {
	durable sminbox '>= 8000/s' || return 0
	server inbox && person bob && load -c 1 -p peer -n 1 >/dev/null && contact peer0 && cp -a "$SM_HOME" "$SM_HOME.empty" &&
		OURS=$(sample "$RUNS" inbox_once) && plain_row sminbox rate '>=' 8000
}

# ---- streams

# From the send, not from the commit that lies between it and the answer: this is more than what the goal counts.
row_stream_latency() {
	durable stream-latency '<= 10.00 ms' || return 0
	server streams 'kdf_t = 1' 'kdf_m = 8' || return
	OURS=$("$HELPER/streams" latency -u "$server_url" -n "$STREAMS" -k "$((RUNS + 1))" | sed 1d | field send_p99_us | median) && [[ -n $OURS ]] || return
	OURS=${OURS}e-6
	plain_row stream-latency seconds '<=' 0.010
}

# A fresh server for each sample: memory once asked for stays.
idle_once() {
	server "idle-$RANDOM$RANDOM" 'kdf_t = 1' 'kdf_m = 8' || return
	"$HELPER/streams" idle -u "$server_url" -n "$1" -P "$server_pid" | field growth_kib
}
row_idle_streams() {
	local n=$IDLE allowed i list=()
	allowed=$(($(ulimit -n) - 200))
	[[ $n -le $allowed ]] || { say "idle-streams: $allowed streams in place of $n, the limit on open files is $(ulimit -n)"; n=$allowed; }
	# Not in a subshell: the server has to be known to the next one, and to the end.
	for ((i = 0; i < RUNS; i++)); do
		idle_once "$n" >"$FAST/growth" || return
		list+=("$(cat "$FAST/growth")")
	done
	OURS=$(printf '%s\n' "${list[@]}" | median)
	plain_row idle-streams mebibytes '<=' 65536
}
