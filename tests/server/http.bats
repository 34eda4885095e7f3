#!/usr/bin/env bats
# HTTP itself: what is malformed, too large or too slow, and TLS.
load helper

raw() { printf "$1" >request; timeout 20 "$API" "$URL" raw request keep | head -c 4000 >answer; }
status() { [[ $(head -n1 answer) == "HTTP/1.1 $1"* ]] || { cat answer; return 1; }; }

@test "malformed and ambiguous requests are refused and the server stays up" {
	serve
	raw 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	status 200
	raw 'nonsense\r\n\r\n'
	run ! grep -q ' 200 ' answer
	raw 'GET /healthz HTTP/1.1\r\n\r\n'
	status 400
	raw 'GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'
	status 400
	raw 'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
	status 400
	raw 'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'
	status 400
	raw 'GET http://elsewhere/healthz HTTP/1.1\r\nHost: x\r\n\r\n'
	run ! grep -q '^ok' answer
	raw 'POST /api/v1/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n'
	run ! grep -q ' 200 ' answer
	for i in {1..300}; do head -c $((RANDOM % 900)) /dev/urandom >request; "$API" "$URL" raw request >/dev/null; done
	[ "$(curl -sS "$URL/healthz")" = ok ]
}

# one STATUS REQUEST: the request, and a second one right behind it that must not be seen. Exactly one answer, then the end.
one() {
	raw "$2"'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
	status "$1"
	[ "$(grep -ac '^HTTP/1' answer)" = 1 ] || { cat answer; return 1; }
	grep -aqi '^connection: close' answer
}

@test "what could be read in two ways is refused with 400, and the connection ends: nothing is smuggled behind it" {
	serve
	post='POST /api/v1/challenge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
	for field in 'Content-Length : 35' 'Transfer-Encoding : chunked\r\nContent-Length: 0' 'Transfer-Encoding: identity' \
		'Transfer-Encoding: xchunked' 'Transfer-Encoding:\r\n chunked' 'X: y\r\n Content-Length: 35' 'Transfer-Encoding:\tchunked' \
		'Transfer-Encoding: "chunked"' 'Transfer-Encoding:' 'Content-Length: 0\00035' 'Content-Length\000: 35' 'Content-Length: 0\rX: y' \
		'Content-Length: 0\r\nContent-Length: 0' 'Host: y' ': x'; do
		one 400 "$post$field\r\n\r\n"
		grep -aq '"error":"bad_request"' answer
	done
	one 400 'GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\n'
	one 400 'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 35\r\n\r\n'
	one 400 'GET /healthz HTTP/1.1\nHost: x\n\n'
	for version in 1.2 1.11 2.0 1.-1 1.99999999999; do one 400 "GET /healthz HTTP/$version\\r\\nHost: x\\r\\n\\r\\n"; done
	[ "$(curl -sS "$URL/healthz")" = ok ]
}

@test "a refusal comes after the answers to what came before it" {
	serve
	raw 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
	[ "$(grep -a '^HTTP/1' answer | cut -d' ' -f2 | xargs)" = '200 200 400' ]
}

@test "methods that no call has: 405 in JSON where there is a call, and whatever followed is not read" {
	serve
	for method in OPTIONS TRACE PATCH CONNECT FOO; do
		one 405 "$method /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 35\r\n\r\n"
		grep -aqi '^allow: GET' answer && grep -aq '"error":"bad_method"' answer
		one 404 "$method /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
	done
	one 405 'HEAD /api/v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: 35\r\n\r\n'
	grep -aqi '^allow: GET' answer && grep -aqi '^content-length: [1-9]' answer
	run ! grep -aq bad_method answer
}

@test "a large body is refused by its head: 413 for any other call, 401 without an access token" {
	serve
	big() { one "$1" "POST $2 HTTP/1.1\r\nHost: x\r\nContent-Type: $3\r\nContent-Length: $4\r\n\r\n"; }
	big 413 /api/v1/challenge application/json 65537
	grep -aq '"error":"too_large"' answer
	big 413 /nothing application/sm-batch 4194304
	big 413 /api/v1/messagesX application/sm-batch 4194304
	big 413 /api/v1/messages text/plain 65537
	big 413 /api/v1/messages application/sm-envelope 262145
	big 413 /api/v1/messages application/sm-batch 4194305
	big 401 /api/v1/messages application/sm-batch 4194304
	big 401 '/api/v1/messages?self=no' application/sm-envelope 262144
	high() { awk '/^VmHWM/ { print $2 }' "/proc/$PID/status"; }
	before=$(high)
	# A hundred of them at once, each sending all it has: nothing of it is kept.
	head -c 4194303 /dev/zero >zeros
	(printf 'POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/sm-batch\r\nContent-Length: 4194304\r\n\r\n'; cat zeros) >request
	for i in {1..100}; do timeout 20 "$API" "$URL" raw request keep >/dev/null & done
	for job in $(jobs -p); do [ "$job" = "$PID" ] || wait "$job"; done
	[ "$(($(high) - before))" -lt 100000 ] || { ldd "$SERVER" | grep -q 'lib[a-z]*san\.' && skip 'a sanitizer has memory of its own'; }
}

@test "a head in many small pieces is one head" {
	serve
	exec 6<>"/dev/tcp/127.0.0.1/$PORT"
	request=$'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	for ((i = 0; i < ${#request}; i++)); do printf %s "${request:i:1}" >&6; done
	timeout 20 cat <&6 >answer
	exec 6<&-
	[ "$(grep -ac '^HTTP/1.1 200' answer)" = 2 ]
}

@test "headers beyond 16 KiB and bodies beyond the limit are refused" {
	serve
	run curl -sS -o /dev/null -w '%{http_code}' -H "X: $(printf 'x%.0s' {1..20000})" "$URL/healthz"
	[[ $output == 413* || $output == 000* ]]
	head -c 5000000 /dev/zero >big
	run curl -sS -o /dev/null -w '%{http_code}' -H 'Content-Type: application/sm-batch' --data-binary @big "$URL/api/v1/messages"
	[[ $output == *413* || $output == *000* ]]
	[ "$(curl -sS "$URL/healthz")" = ok ]
}

@test "several requests on one connection, and one after another without waiting" {
	serve
	[ "$(curl -sS "$URL/healthz" "$URL/readyz" "$URL/healthz" -w '%{num_connects}')" = $'ok\n1ready\n0ok\n0' ]
	raw 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	[ "$(grep -c '^HTTP/1.1 200' answer)" = 2 ]
}

@test "TLS: served, floor at 1.2, and a new certificate at SIGHUP" {
	cert() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" -keyout key.pem -out cert.pem 2>/dev/null; }
	cert first
	SMSERVER_TLS_CERT=$PWD/cert.pem SMSERVER_TLS_KEY=$PWD/key.pem serve
	[[ $URL == https://* ]]
	[ "$(curl -sSk "$URL/healthz")" = ok ]
	[ "$(curl -sSk "$URL/healthz" "$URL/readyz" -w '%{num_connects}')" = $'ok\n1ready\n0' ]
	run -35 curl -sSk --tls-max 1.1 "$URL/healthz"
	served() { [[ $(openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>/dev/null | openssl x509 -noout -subject) == *"$1"* ]]; }
	served first
	cert second
	kill -HUP "$PID"
	wait_for 10 served second
	echo broken >cert.pem
	kill -HUP "$PID"
	wait_for 10 grep -q 'tls_cert' "$LOG"
	served second
	stop
	[ "$CODE" = 0 ]
}

@test "a bad certificate stops the start, naming the file" {
	echo x >cert.pem
	SMSERVER_TLS_CERT=$PWD/cert.pem SMSERVER_TLS_KEY=$PWD/cert.pem run "$SERVER" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" = 78 ] && [[ $output == *cert.pem* ]]
	SMSERVER_TLS_CERT=$PWD/cert.pem SMSERVER_TLS_KEY=$PWD/cert.pem run "$SERVER" -t --data "$DATA"
	[ "$status" = 78 ] && [[ $output == *cert.pem* ]]
}

@test "a client that sends its request too slowly is cut off, others are not" {
	serve
	exec 6<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /healthz HTTP/1.1\r\nHo' >&6
	[ "$(curl -sS "$URL/healthz")" = ok ]
	run timeout 30 cat <&6 # ends when the server closes
	[ "$status" = 0 ]
	exec 6<&-
}

@test "an address may hold so many connections and no more, loopback apart" {
	address=$(ip -4 -o addr show scope global 2>/dev/null | awk '{split($4, a, "/"); print a[1]; exit}')
	[ -n "$address" ] || skip "this machine has no address but loopback"
	mkfifo r
	SMSERVER_CONNECTIONS=3 SMSERVER_PLAIN_HTTP=yes "$SERVER" --data "$DATA" --listen "$address:0" --registration open >r 2>>"$LOG" 3>&- &
	PID=$!
	read -r line <r
	port=${line##*:}
	for fd in 6 7 8; do
		eval "exec $fd<>/dev/tcp/$address/$port"
		printf 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n' >&$fd
		read -r -t 10 first <&$fd
		[[ $first == *200* ]]
	done
	run curl -sS --max-time 10 "http://$address:$port/healthz"
	[ "$status" != 0 ]
	exec 7<&-
	wait_for 10 curl -sS -o /dev/null "http://$address:$port/healthz"
	exec 6<&- 8<&-
}
