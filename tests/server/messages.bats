#!/usr/bin/env bats
# Sending, fetching, deleting and the stream.
load helper

@test "a message goes through, once, and can be deleted" {
	serve
	person alice bob
	envelope e alice 1000 bob
	send 201 - alice e
	[ "$(json .id)" = "$(grep -a '^id ' e | cut -d' ' -f2)" ]
	[ "$(json '.recipients, .stored')" = $'1\ntrue' ]
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" = 1 ]
	json '.messages[0].envelope' | tr -d '\n' | sed 's/$/==/' | base64 -di 2>/dev/null | cmp - e
	call 200 - alice GET /api/v1/messages
	[ "$(json '.messages|length')" = 0 ]
	seq=$(json 0)
	call 200 - bob GET /api/v1/messages
	seq=$(json '.messages[0].seq')
	call 200 - bob DELETE "/api/v1/messages?ids=$seq,999999"
	[ "$(json .deleted)" = 1 ]
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" = 0 ]
	send 200 - alice e # also after it has been deleted
	[ "$(json .stored)" = false ]
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" = 0 ]
}

@test "the idempotency key: the same bytes are stored once, other bytes are a conflict, and it is the account's own" {
	serve
	person alice bob carol
	envelope e alice 100 carol
	envelope f alice 100 carol
	envelope g bob 100 carol
	send 201 - alice e header='Idempotency-Key: k1'
	send 200 - alice e header='Idempotency-Key: k1'
	[ "$(json .key)" = k1 ]
	send 409 key_conflict alice f header='Idempotency-Key: k1'
	send 201 - bob g header='Idempotency-Key: k1'
	send 201 - alice e header='Idempotency-Key: k2'
	send 400 bad_request alice e header='Idempotency-Key: not good'
	send 400 bad_request alice e header="Idempotency-Key: $(printf 'x%.0s' {1..65})"
	call 200 - carol GET /api/v1/messages
	[ "$(json '.messages|length')" = 3 ]
	stop
	serve
	send 200 - alice e header='Idempotency-Key: k1'
}

@test "sending is refused, and then nothing is stored" {
	serve
	person alice bob
	envelope e alice 100 bob nobody@"$ORIGIN"=alice
	send 404 no_such_recipient alice e
	[ "$(json '.recipients|join(" ")')" = "nobody@$ORIGIN" ]
	envelope e alice 100 "bob@elsewhere.example=bob"
	send 404 no_such_recipient alice e
	envelope e alice 100 "bob@$ORIGIN=alice"
	send 409 stale_devices alice e
	envelope e bob 100 alice
	send 403 wrong_sender alice e
	envelope e alice 100 bob
	sed 's/^from .*/from - -/' e >anonymous
	send 403 wrong_sender alice anonymous
	sed 's/^date .*/date yesterday/' e >broken
	send 400 bad_envelope alice broken
	[[ $(json .message) == "line 5"* ]]
	sed "s/^to bob@$ORIGIN /to - /" e >nowhere
	run ! cmp -s e nowhere
	send 400 no_recipient alice nowhere
	printf 'sm-envelope/1 nothing' >broken
	send 400 bad_envelope alice broken
	head -c 300000 /dev/zero >big
	cat e big >e3
	send 413 too_large alice e3
	call 415 bad_type alice POST /api/v1/messages type=text/plain body=e
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" = 0 ]
}

@test "one payload for several people, and each has it until deleted" {
	serve
	person alice bob carol
	envelope e alice 2000 bob carol alice
	send 201 - alice e
	[ "$(json .recipients)" = 3 ]
	for n in alice bob carol; do
		call 200 - $n GET /api/v1/messages
		[ "$(json '.messages|length')" = 1 ]
		call 200 - $n DELETE '/api/v1/messages?upto=100'
		[ "$(json .deleted)" = 1 ]
	done
	stop
	[ "$(sqlite3 "$DATA/sm.db" 'select count(*) from payload; select count(*) from delivery; select count(*) from refs')" = $'0\n0\n0' ]
}

@test "a batch: a result for each, in order, one bad frame hurting nobody" {
	serve
	person alice bob
	mkdir b
	envelope b/k1 alice 100 bob
	envelope b/k2 bob 100 alice
	envelope b/k3 alice 100 bob
	cp b/k1 b/k4
	"$API" "$URL" batch b/k1 b/k2 b/k3 b/k1 b/k4 >batch
	cp b/k3 b/x && cp b/k1 k1 && cp b/x b/k1 && "$API" "$URL" batch b/k1 >conflict
	call 200 - alice POST /api/v1/messages type=application/sm-batch body=batch
	[ "$(json '.results|map(.status)|join(" ")')" = "201 403 201 200 201" ]
	[ "$(json '.results[1].error')" = wrong_sender ]
	[ "$(json '.results[2].key')" = k3 ]
	call 200 - alice POST /api/v1/messages type=application/sm-batch body=conflict
	[ "$(json '.results|map(.status,.error)|join(" ")')" = "409 key_conflict" ]
	head -c 20 batch >short
	call 400 bad_request alice POST /api/v1/messages type=application/sm-batch body=short
	: >empty
	call 400 bad_request alice POST /api/v1/messages type=application/sm-batch body=empty
	for i in {1..257}; do printf '\0\0\0\0\0\0'; done >many
	call 413 too_large alice POST /api/v1/messages type=application/sm-batch body=many
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" = 3 ]
}

@test "pages: after, limit, more, and the binary form" {
	serve
	person alice bob
	for i in 1 2 3 4 5; do
		envelope e$i alice 100 bob
		send 201 - alice e$i
	done
	call 200 - bob GET '/api/v1/messages?limit=2'
	[ "$(json '(.messages|length), .more')" = $'2\ntrue' ]
	last=$(json '.messages[-1].seq')
	call 200 - bob GET "/api/v1/messages?after=$last"
	[ "$(json '(.messages|length), .more')" = $'3\nfalse' ]
	[ "$(json '.messages|map(.seq) as $s | ($s|sort) == $s')" = true ]
	call 400 bad_request bob GET '/api/v1/messages?limit=1001'
	call 400 bad_request bob GET '/api/v1/messages?limit=0'
	call 400 bad_request bob GET '/api/v1/messages?after=1&after=2'
	call 400 bad_request bob DELETE '/api/v1/messages?upto=1&upto=2'
	call 400 bad_request bob DELETE '/api/v1/messages?ids=1&ids=2'
	call 400 bad_request bob GET '/api/v1/messages?after=-1'
	"$API" "$URL" call bob GET '/api/v1/messages?limit=4' header='Accept: application/sm-batch' head >out
	grep -aqi '^sm-more: 1' out
	[ "$(grep -ac '^from alice' out)" = 4 ]
	grep -aqi '^content-type: application/sm-batch' out
}

@test "deleting takes exactly one of upto and ids" {
	serve
	person alice bob
	for i in 1 2 3; do
		envelope e$i alice 10 bob
		send 201 - alice e$i
	done
	call 400 bad_request bob DELETE /api/v1/messages
	call 400 bad_request bob DELETE '/api/v1/messages?upto=1&ids=1'
	call 400 bad_request bob DELETE '/api/v1/messages?ids=1,x'
	call 400 bad_request bob DELETE '/api/v1/messages?upto=x'
	call 200 - alice DELETE '/api/v1/messages?upto=1000' # another's mailbox is not touched
	[ "$(json .deleted)" = 0 ]
	call 200 - bob DELETE '/api/v1/messages?upto=2'
	[ "$(json .deleted)" = 2 ]
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|map(.seq)|join(" ")')" = 3 ]
}

@test "sequence numbers are never used again, restarts and crashes included" {
	serve
	person alice bob
	last=0
	for how in TERM KILL TERM KILL; do
		envelope e alice 10 bob
		send 201 - alice e
		call 200 - bob GET /api/v1/messages
		seq=$(json '.messages[0].seq')
		((seq > last))
		last=$seq
		call 200 - bob DELETE "/api/v1/messages?upto=$seq"
		stop $how
		serve
	done
}

@test "the stream begins with what waits, goes on with what comes, and remembers where it was" {
	serve
	person alice bob
	for i in 1 2; do
		envelope e$i alice 300 bob
		send 201 - alice e$i
	done
	mkfifo f
	timeout 20 "$API" "$URL" stream bob 3 >f 2>&1 3>&- &
	reader=$!
	exec 5<f
	read -r -t 10 line <&5 && [ "$line" = 200 ]
	read -r -t 10 line <&5 && [ "$line" = ': sm' ]
	read -r -t 10 line <&5 && [[ $line == 'id: '* ]]
	read -r -t 10 line <&5 && [[ $line == 'id: '* ]]
	second=${line#id: }
	envelope e3 alice 300 bob
	send 201 - alice e3
	read -r -t 10 line <&5 && [[ $line == 'id: '* ]]
	((${line#id: } > second))
	exec 5<&-
	wait $reader || true
	run timeout 10 "$API" "$URL" stream bob 1 last="$second"
	[ "${lines[2]}" = "id: ${line#id: }" ]
	run timeout 10 "$API" "$URL" stream bob 1 after="$second"
	[ "${lines[2]}" = "id: ${line#id: }" ]
}

@test "a large backlog comes through a stream whole and in order" {
	serve
	person alice bob
	mkdir b
	for i in {1..40}; do envelope b/k$i alice 20000 bob; done
	"$API" "$URL" batch b/k* >batch
	call 200 - alice POST /api/v1/messages type=application/sm-batch body=batch
	timeout 30 "$API" "$URL" stream bob 40 >out
	[ "$(grep -c '^id: ' out)" = 40 ]
	grep '^id: ' out | cut -c5- >got
	sort -n got | cmp - got
}

@test "a stream ends when its session does, and when the server goes down" {
	serve
	person alice bob
	for how in revoke disable drain; do
		[ $how = revoke ] || { "$SERVER" user enable bob --data "$DATA"; api 200 - login bob "$PASSWORD"; }
		mkfifo f.$how
		timeout 30 "$API" "$URL" stream bob 1 >f.$how 2>&1 3>&- &
		reader=$!
		exec 5<f.$how
		read -r -t 10 line <&5
		read -r -t 10 line <&5 && [ "$line" = ': sm' ]
		case $how in
		revoke) json_call 204 - bob POST /api/v1/logout '{}' ;;
		disable) "$SERVER" user disable bob --data "$DATA" ;;
		drain) stop ;;
		esac
		read -r -t 10 line <&5 && [ "$line" = closed ]
		exec 5<&-
		wait $reader
	done
	[ "$CODE" = 0 ]
}

@test "what is older than the retention goes, with its key" {
	SMSERVER_RETENTION=1 serve
	person alice bob
	envelope e alice 100 bob
	send 201 - alice e
	wait_for 20 mailbox_empty
	wait_for 20 forgotten
}
mailbox_empty() { call 200 - bob GET /api/v1/messages && [ "$(json '.messages|length')" = 0 ]; }
forgotten() { send 201 - alice e; }
