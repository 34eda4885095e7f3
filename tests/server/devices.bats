#!/usr/bin/env bats
# Device lists, enrolment, and what several devices mean for sending.
load helper

@test "an account begins with one device and no list" {
	serve
	person alice
	call 200 - alice GET /api/v1/devices
	[ "$(json -c '[.list,.version,.next,.waiting]')" = '[null,0,2,[]]' ]
	[ "$(json -c '.devices|map([.id,.current])')" = '[[1,true]]' ]
	[ "$(json .user)" = "$("$API" "$URL" show alice identity)" ]
	[ "$(json '.devices[0].fingerprint')" = "$("$API" "$URL" show alice fp)" ]
	call 200 - alice GET /api/v1/keys/alice
	[ "$(json .list)" = null ]
}

@test "a device is enrolled: asks, is approved by a list, logs in" {
	serve
	person alice bob
	api 202 - enroll alice+2 "$PASSWORD" label="second one"
	[ "$(json -c '[.list,.version,.next]')" = '[null,0,2]' ]
	[ "$(json .identity)" = "$("$API" "$URL" show alice identity)" ]
	id=$(json .enrollment) expires=$(json .expires)
	[ ${#id} = 26 ]
	[ $((expires - $(date +%s))) -gt 880 ]
	call 200 - alice GET "/api/v1/enroll/$id" unsigned
	[ "$body" = '{"state":"waiting"}' ]
	# not a device yet
	api 401 login_refused login alice+2 "$PASSWORD"
	call 200 - alice GET /api/v1/devices
	[ "$(json '.waiting[0].label')" = 'second one' ]
	[ "$(json '.waiting[0].fingerprint')" = "$("$API" "$URL" show alice+2 fp)" ]
	# asking again renews
	api 202 - enroll alice+2 "$PASSWORD" label=renamed
	[ "$(json .enrollment)" = "$id" ]
	call 200 - alice GET /api/v1/devices
	[ "$(json -c '.waiting|map(.label)')" = '["renamed"]' ]
	"$API" "$URL" list alice 1 1=alice 2=alice+2 >l1
	put_list 200 - alice l1
	[ "$(json -c '[.version,.next,(.devices|map([.id,.label,.current])),.waiting]')" = '[1,3,[[1,"",true],[2,"renamed",false]],[]]' ]
	[ "$(json -j .list)" = "$(cat l1)" ]
	put_list 200 - alice l1 # again
	call 200 - alice GET "/api/v1/enroll/$id" unsigned
	[ "$body" = '{"state":"approved"}' ]
	api 200 - login alice+2 "$PASSWORD"
	[ "$(json .device)" = 2 ]
	api 409 known_device enroll alice+2 "$PASSWORD"
	call 200 - bob GET /api/v1/keys/alice
	[ "$(json -c '.devices|map(.id)')" = '[1,2]' ]
	[ "$(json -j .list)" = "$(cat l1)" ]
	stop KILL
	serve
	call 200 - alice+2 GET /api/v1/devices
	[ "$(json -c '.devices|map(.current)')" = '[false,true]' ]
}

@test "enrolling is refused: passwords, proofs, challenges, all alike" {
	serve
	person alice
	api 401 login_refused enroll alice+2 'wrong1!word'
	first=$body
	api 401 login_refused enroll nobody "$PASSWORD"
	[ "$body" = "$first" ]
	for fault in bad-proof bad-signature wrong-purpose replay; do
		# a replayed one: the first attempt is right, the second has a used challenge
		api 401 login_refused enroll alice+3 "$PASSWORD" $fault
	done
	call 200 - alice GET /api/v1/devices
	[ "$(json -c '.waiting|map(.fingerprint)')" = "[\"$("$API" "$URL" show alice+3 fp)\"]" ]
	api 400 wrong_origin enroll alice+2 "$PASSWORD" origin=other.example
	api 400 bad_request enroll alice+2 "$PASSWORD" label=$'\x01'
	# A login's challenge is none for an enrolment, and the other way round
	api 401 login_refused login alice "$PASSWORD" wrong-purpose
	"$SERVER" user disable alice --data "$DATA" >/dev/null
	api 401 login_refused enroll alice+2 "$PASSWORD"
}

@test "four may wait, until they are forgotten or a quarter of an hour has gone" {
	serve
	person alice
	for i in 2 3 4 5; do api 202 - enroll alice+$i "$PASSWORD"; done
	id=$(json .enrollment)
	api 429 too_many_waiting enroll alice+6 "$PASSWORD"
	api 202 - enroll alice+3 "$PASSWORD"
	call 204 - alice DELETE /api/v1/devices/waiting
	call 404 no_such_enrollment alice GET "/api/v1/enroll/$id" unsigned
	call 404 no_such_enrollment alice GET "/api/v1/enroll/short" unsigned
	api 202 - enroll alice+6 "$PASSWORD"
	id=$(json .enrollment)
	stop
	sqlite3 "$DATA/sm.db" 'UPDATE waiting SET expires=expires-900'
	serve
	call 404 no_such_enrollment alice GET "/api/v1/enroll/$id" unsigned
	"$API" "$URL" list alice 1 1=alice 2=alice+6 >l1
	put_list 409 not_waiting alice l1
}

@test "lists are refused: unsigned, another's, reordered, reused numbers, rolled back" {
	serve
	person alice bob
	api 202 - enroll alice+2 "$PASSWORD"
	"$API" "$URL" list alice 1 1=alice 2=alice+2 >l1
	printf 'x' >bad
	put_list 400 bad_list alice bad
	sed 's/^device 2/device 3/' l1 >bad # the signature is over another text
	put_list 400 bad_list alice bad
	sed '/^---/,$d' l1 >bad
	put_list 400 bad_list alice bad
	{ grep -v '^device' l1 | head -n 4; grep '^device' l1 | tac; sed -n '/^---/,$p' l1; } >bad
	put_list 400 bad_list alice bad
	"$API" "$URL" list alice 1 1=alice 2=alice+2 user=bob >bad # signed by somebody else's key
	put_list 400 bad_list alice bad
	"$API" "$URL" list alice 1 1=alice 2=alice+2 address=bob@$ORIGIN >bad
	put_list 400 bad_list alice bad
	put_list 400 bad_list bob l1
	"$API" "$URL" list alice 2 1=alice 2=alice+2 >bad # version
	put_list 409 stale_list alice bad
	[ "$(json .version)" = 0 ]
	"$API" "$URL" list alice 1 1=alice 2=alice+9 >bad
	put_list 409 not_waiting alice bad
	"$API" "$URL" list alice 1 1=alice+2 >bad # another key under a number that stays
	put_list 400 bad_list alice bad
	json_call 400 bad_list alice PUT /api/v1/devices "{\"list\":\"$(head -c 5000 /dev/zero | tr '\0' a)\"}"
	put_list 200 - alice l1
	"$API" "$URL" list alice 1 1=alice >bad # another version 1
	put_list 409 stale_list alice bad
	[ "$(json .version)" = 1 ]
	"$API" "$URL" list alice 2 1=alice >l2
	put_list 200 - alice l2
	put_list 409 stale_list alice l1 # a rollback
	api 202 - enroll alice+3 "$PASSWORD"
	"$API" "$URL" list alice 3 1=alice 2=alice+3 >bad # the number of one that was removed
	put_list 400 bad_list alice bad
	"$API" "$URL" list alice 3 1=alice 3=alice+3 >l3
	put_list 200 - alice l3
	[ "$(json .next)" = 4 ]
}

@test "with the recovery code a device brings its own list" {
	serve
	person alice
	"$API" "$URL" list alice 1 1=alice 2=alice+2 >l1
	"$API" "$URL" list alice 1 1=alice >without
	api 400 bad_list enroll alice+2 "$PASSWORD" list=without
	api 401 login_refused enroll alice+2 'wrong1!word' list=l1
	api 400 bad_list enroll alice+2 "$PASSWORD" list=/dev/fd/9 9<<<'nonsense'
	"$API" "$URL" list alice 3 1=alice 2=alice+2 >early
	api 409 stale_list enroll alice+2 "$PASSWORD" list=early
	call 200 - alice GET /api/v1/devices
	[ "$(json -c '[.version,.waiting]')" = '[0,[]]' ]
	for i in 3 4 5 6; do api 202 - enroll alice+$i "$PASSWORD"; done
	api 201 - enroll alice+2 "$PASSWORD" list=l1 label=new
	[ "$(json -c '[.version,.next]')" = '[1,3]' ]
	[ "$(json -j .list)" = "$(cat l1)" ]
	call 200 - alice GET "/api/v1/enroll/$(json .enrollment)" unsigned
	[ "$body" = '{"state":"approved"}' ]
	api 200 - login alice+2 "$PASSWORD"
	api 409 known_device enroll alice+2 "$PASSWORD" list=l1
}

@test "a message reaches all devices and the sender's others" {
	serve
	person alice bob
	second alice bob
	envelope e alice 100 bob # not for all
	send 409 stale_devices alice e
	[ "$(json '.missing|map(.address)|sort|join(" ")')" = "alice@$ORIGIN bob@$ORIGIN" ]
	[ "$(json '.missing|map(.identity)|sort|join(" ")')" = "$( ("$API" "$URL" show alice+2 identity; "$API" "$URL" show bob+2 identity) | sort | paste -sd' ')" ]
	envelope e alice 100 bob bob=bob+2
	send 409 stale_devices alice e
	[ "$(json '.missing|length')" = 1 ]
	[ "$(json '.missing[0].identity')" = "$("$API" "$URL" show alice+2 identity)" ]
	envelope e alice 100 bob bob=bob+2 alice=alice+2
	send 201 - alice e
	[ "$(json .recipients)" = 3 ]
	for n in bob bob+2 alice+2; do
		call 200 - $n GET /api/v1/messages
		[ "$(json '.messages|length')" = 1 ]
	done
	call 200 - alice GET /api/v1/messages
	[ "$(json '.messages|length')" = 0 ]
	# The sending one may be there, with or without delivery.
	envelope e alice 100 bob bob=bob+2 alice=alice alice=alice+2
	send 201 - alice e
	[ "$(json .recipients)" = 4 ]
	envelope e alice 100 bob bob=bob+2 alice=alice alice=alice+2
	call 201 - alice POST '/api/v1/messages?self=no' type=application/sm-envelope body=e
	[ "$(json .recipients)" = 3 ]
	envelope e alice 100 bob bob=bob+2
	call 201 - alice POST '/api/v1/messages?self=none' type=application/sm-envelope body=e
	[ "$(json .recipients)" = 2 ]
	# From the second device
	envelope e alice+2 100 bob bob=bob+2 alice
	send 201 - alice+2 e
	envelope e alice 100 bob bob=bob+2 alice
	send 403 wrong_sender alice+2 e
	# To oneself alone
	envelope e alice 100 alice=alice+2
	send 201 - alice e
	envelope e alice 100 alice
	send 409 stale_devices alice e
}

@test "partial=yes names some, and still no others" {
	serve
	person alice bob
	second alice bob
	envelope e alice 100 bob=bob+2
	send 409 stale_devices alice e
	call 201 - alice POST '/api/v1/messages?partial=yes' type=application/sm-envelope body=e
	[ "$(json .recipients)" = 1 ]
	envelope e alice 100 bob=alice
	call 409 stale_devices alice POST '/api/v1/messages?partial=yes' type=application/sm-envelope body=e
	[ "$(json -c '[(.missing|length),(.extra|length)]')" = '[0,1]' ]
	envelope e alice 100 nobody=bob
	call 404 no_such_recipient alice POST '/api/v1/messages?partial=yes' type=application/sm-envelope body=e
	for q in partial=no partial= partial self=some self= devices=00 devices=; do
		call 400 bad_request alice POST "/api/v1/messages?$q" type=application/sm-envelope body=e
	done
}

@test "a removed device: its sessions and stream end, its mailbox is gone, senders are told" {
	serve
	person alice bob
	second bob
	envelope e alice 100 bob bob=bob+2
	send 201 - alice e
	"$API" "$URL" stream bob+2 5 >events 3>&- &
	reader=$!
	wait_for 10 grep -q '^id:' events
	"$API" "$URL" list bob 2 1=bob >l2
	put_list 200 - bob l2
	wait $reader
	[ "$(tail -n 1 events)" = closed ]
	for round in kept restarted; do
		call 401 device_removed bob+2 GET /api/v1/messages
		call 401 device_removed bob+2 GET /api/v1/sessions
		# Only with a token of its own: nobody else learns it.
		call 401 unauthenticated bob+2 GET /api/v1/sessions no-token
		call 401 unauthenticated bob+2 GET /api/v1/sessions token=x.y.z
		call 401 unauthenticated bob+2 GET /api/v1/sessions token="$("$API" "$URL" show bob token)"
		api 401 device_removed refresh bob+2
		api 401 unauthenticated refresh bob+2 token=nonsense
		[ $round = restarted ] || { stop; serve; }
	done
	api 401 login_refused login bob+2 "$PASSWORD"
	send 409 stale_devices alice e header='Idempotency-Key: another'
	[ "$(json '.extra[0].fingerprint')" = "$("$API" "$URL" show bob+2 fp)" ]
	envelope e2 alice 100 bob
	send 201 - alice e2
	wait_for 10 eval '[ "$(sqlite3 -readonly "$DATA/sm.db" "SELECT count(*) FROM dead")" = 0 ]'
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT count(*) FROM delivery')" = 2 ]
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT count(*) FROM session WHERE revoked=0')" = 2 ]
	# It may come back as another one, under another number.
	api 202 - enroll bob+2 "$PASSWORD"
	"$API" "$URL" list bob 3 1=bob 3=bob+2 >l3
	put_list 200 - bob l3
	api 200 - login bob+2 "$PASSWORD"
	call 200 - bob+2 GET /api/v1/messages
	[ "$(json '.messages|length')" = 0 ]
}

@test "the first device can be removed by the second" {
	serve
	person alice bob
	second alice
	"$API" "$URL" list alice 2 2=alice+2 >l2
	put_list 200 - alice+2 l2
	call 401 device_removed alice GET /api/v1/devices
	call 200 - bob GET /api/v1/keys/alice
	[ "$(json -c '.devices|map(.id)')" = '[2]' ]
	[ "$(json .identity)" = "$("$API" "$URL" show alice identity)" ] # the user key stays
	envelope e bob 100 alice=alice+2
	send 201 - bob e
}

@test "a new identity ends the list and the other devices, and the account starts over as device 1" {
	serve
	person alice bob
	second alice
	api 202 - enroll alice+3 "$PASSWORD"
	cp "$CLIENTS/alice+2.session" "$CLIENTS/old.session"
	envelope e bob 100 alice alice=alice+2
	send 201 - bob e
	# from the second device, since the first is lost
	cp "$CLIENTS/alice+2.key" "$CLIENTS/old.key"
	api 200 - identity alice+2 newkey
	[ "$(json -c '[.list,(.devices|map(.id))]')" = '[null,[1]]' ]
	cp "$CLIENTS/newkey.key" "$CLIENTS/alice+2.key"
	call 401 device_removed alice GET /api/v1/devices
	call 200 - alice+2 GET /api/v1/devices
	[ "$(json -c '[.list,.version,.next,(.devices|map([.id,.current])),.waiting]')" = '[null,0,2,[[1,true]],[]]' ]
	call 200 - alice+2 GET /api/v1/messages # its mailbox stays
	[ "$(json '.messages|length')" = 1 ]
	envelope e alice+2 100 bob
	send 201 - alice+2 e
	# After a restart the token's number is seen to be old, and refreshing helps.
	stop
	serve
	call 401 token_expired alice+2 GET /api/v1/messages
	api 200 - refresh alice+2
	call 200 - alice+2 GET /api/v1/messages
}

@test "sends while a device comes and goes are all answered rightly" {
	serve
	person alice bob
	api 202 - enroll bob+2 "$PASSWORD"
	envelope one alice 100 bob
	envelope two alice 100 bob bob=bob+2
	for i in {1..6}; do
		n=$((2 * i))
		senders=()
		# a send of each kind races with the change; whatever is 201 is in the mailboxes, the others are 409
		for kind in one two; do
			"$API" "$URL" call alice POST /api/v1/messages type=application/sm-envelope body=$kind "header=Idempotency-Key: $i.$kind" >out.$i.$kind 3>&- &
			senders+=($!)
		done
		if ((i % 2)); then
			api 202 - enroll bob+2 "$PASSWORD"
			"$API" "$URL" list bob $i 1=bob $((i + 1))=bob+2 >l
		else
			"$API" "$URL" list bob $i 1=bob >l
		fi
		put_list 200 - bob l
		wait "${senders[@]}"
	done
	ok=$(cat out.*.one | grep -c '^201') all=$(cat out.*.two | grep -c '^201')
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" = $((ok + all)) ]
	[ $(($(cat out.* | grep -c '^201') + $(cat out.* | grep -c '^409'))) = 12 ]
}

# Lists, devices, mailboxes and prekeys in the files fit each other.
consistent() {
	local bad
	bad=$(sqlite3 -readonly "$DATA/sm.db" "
		SELECT 'no mailbox' FROM device WHERE id NOT IN (SELECT device FROM mailbox)
		UNION ALL SELECT 'no device' FROM mailbox WHERE device NOT IN (SELECT id FROM device)
		UNION ALL SELECT 'spk' FROM spk WHERE device NOT IN (SELECT id FROM device)
		UNION ALL SELECT 'opk' FROM opk WHERE device NOT IN (SELECT id FROM device)
		UNION ALL SELECT 'session' FROM session WHERE revoked=0 AND device NOT IN (SELECT id FROM device)
		UNION ALL SELECT 'list' FROM account WHERE list IS NOT NULL AND
			(length(list)-length(replace(list,char(10)||'device ','')))/8 <> (SELECT count(*) FROM device WHERE account=account.id)
		UNION ALL SELECT 'version' FROM account WHERE list IS NOT NULL AND instr(list, char(10)||'version '||version||char(10))=0")
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}

@test "kill -9 between a list and its devices leaves them as one" {
	serve
	person alice
	version=0 next=2 had=
	for round in {1..12}; do
		api 202 - enroll "alice+$round" "$PASSWORD"
		"$API" "$URL" list alice $((version + 1)) 1=alice $next="alice+$round" >l
		text l list >list.body
		"$API" "$URL" call alice PUT /api/v1/devices type=application/json body=list.body >out 2>/dev/null 3>&- &
		putting=$!
		if ((round % 3)); then wait $putting || true; fi
		stop KILL
		wait $putting || true
		consistent
		serve
		call 200 - alice GET /api/v1/devices
		if [[ $(head -n 1 out) == 200 ]]; then [ "$(json .version)" = $((version + 1)) ]; had=yes; fi
		version=$(json .version) next=$(json .next)
		call 204 - alice DELETE /api/v1/devices/waiting
	done
	[ -n "$had" ]
}
