#!/usr/bin/env bats
# Groups: rosters and their rules, delivery to all devices of all members.
load helper

G=aaaaaaaaaaaaaaaaaaaaaaaaaa
# roster FILE NAME GROUP EPOCH PREVIOUS|FILE TITLE MEMBER...: PREVIOUS may be the file of the roster before
roster() {
	local file=$1 previous=$5
	[[ ! -f $previous ]] || previous=$("$API" "$URL" roster-hash "$previous")
	"$API" "$URL" roster "$2" "$3" "$4" "$previous" "${@:6}" >"$file"
}
post_group() { # STATUS CODE NAME FILE
	text "$4" roster >roster.body
	call "$1" "$2" "$3" POST /api/v1/groups type=application/json body=roster.body
}
put_group() { # STATUS CODE NAME FILE [GROUP]
	text "$4" roster >roster.body
	call "$1" "$2" "$3" PUT "/api/v1/groups/${5:-$G}" type=application/json body=roster.body
}
# envelope_to FILE FROM ROSTERFILE [BYTES]
envelope_to() {
	local epoch
	epoch=$(sed -n 's/^epoch //p' "$3")
	"$API" "$URL" group-envelope "$2" "${4:-100}" "$(sed -n '1s/.* //p' "$3")" "$epoch" "$("$API" "$URL" roster-hash "$3")" >"$1"
}
devices_of() { # NAME [GROUP]
	call 200 - "$1" GET "/api/v1/groups/${2:-$G}/members"
	DEVICES=$(json .devices)
}
send_group() { # STATUS CODE NAME FILE DEVICES
	call "$1" "$2" "$3" POST "/api/v1/messages?devices=$5" type=application/sm-envelope body="$4" "${@:6}"
}

@test "a group is made, seen by its members only, and ended by its last" {
	serve
	person alice bob carol
	roster r1 alice $G 1 - ops 'alice!' bob
	post_group 201 - alice r1
	[ "$body" = "{\"group\":\"$G\",\"epoch\":1}" ]
	post_group 200 - alice r1
	call 200 - bob GET /api/v1/groups
	[ "$body" = "{\"groups\":[{\"group\":\"$G\",\"epoch\":1,\"name\":\"ops\"}]}" ]
	call 200 - carol GET /api/v1/groups
	[ "$body" = '{"groups":[]}' ]
	for n in alice bob; do
		call 200 - $n GET /api/v1/groups/$G
		[ "$(json -j '.rosters[0]')" = "$(cat r1)" ]
		[ "$(json -c '[.group,.epoch,.more,(.rosters|length)]')" = "[\"$G\",1,false,1]" ]
	done
	for path in $G $G/members eeeeeeeeeeeeeeeeeeeeeeeeee x; do call 404 no_such_group carol GET /api/v1/groups/$path; done
	call 404 no_such_group carol DELETE /api/v1/groups/$G
	call 409 members_left alice DELETE /api/v1/groups/$G
	roster r2 bob $G 2 r1 ops 'alice!' # a leave
	put_group 200 - bob r2
	call 404 no_such_group bob GET /api/v1/groups/$G
	put_group 200 - bob r2 # the answer was lost: the same again
	call 200 - alice GET "/api/v1/groups/$G?after=1"
	[ "$(json -j '.rosters[0]')" = "$(cat r2)" ]
	call 400 bad_request alice GET "/api/v1/groups/$G?after=x"
	stop KILL
	serve
	call 204 - alice DELETE /api/v1/groups/$G
	call 404 no_such_group alice GET /api/v1/groups/$G
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT (SELECT count(*) FROM roster)+(SELECT count(*) FROM member)+(SELECT count(*) FROM grp)')" = 0 ]
}

@test "a first roster is refused: forms, signers, members" {
	serve --registration open
	person alice bob
	printf 'x' >bad
	post_group 400 bad_roster alice bad
	json_call 400 bad_request alice POST /api/v1/groups '{}'
	json_call 400 bad_request alice POST /api/v1/groups '{"roster":"","x":1}'
	roster r1 alice $G 1 - ops 'alice!' bob
	sed 's/^name ops/name oops/' r1 >bad # unsigned, so to say
	post_group 400 bad_roster alice bad
	roster bad alice $G 1 - ops 'alice!' nobody # the signature comes before the members
	sed -i 's/^name ops/name oops/' bad
	post_group 400 bad_roster alice bad
	sed '/^---/,$d' r1 >bad
	post_group 400 bad_roster alice bad
	{ sed '/^member/,$d' r1; grep '^member' r1 | tac; sed -n '/^signer/,$p' r1; } >bad
	post_group 400 bad_roster alice bad
	post_group 403 wrong_signer bob r1
	roster bad alice $G 1 - ops alice 'bob!' # the signer is no admin
	post_group 400 bad_roster alice bad
	roster bad alice $G 1 - ops 'bob!'
	post_group 400 bad_roster alice bad
	roster bad alice $G 2 "$(printf %064d 0)" ops 'alice!'
	post_group 400 bad_roster alice bad
	roster bad alice $G 1 - ops 'alice!' nobody zz
	post_group 404 no_such_member alice bad
	[ "$(json -c .members)" = "[\"nobody@$ORIGIN\",\"zz@$ORIGIN\"]" ]
	roster bad alice $G 1 - ops 'alice!' bob@other.example
	post_group 404 no_such_member alice bad
	[ "$(json -c .members)" = '["bob@other.example"]' ]
	roster bad alice $G 1 - ops 'alice!' bob=other
	post_group 409 member_key alice bad
	[ "$(json -c .members)" = "[\"bob@$ORIGIN\"]" ]
	post_group 201 - alice r1
	roster other bob $G 1 - ops 'bob!'
	post_group 409 group_exists bob other
	put_group 400 bad_roster alice r1
}

@test "epochs: forged, stale, reordered, by whom they may not be" {
	serve
	person alice bob carol dave
	roster r1 alice $G 1 - ops 'alice!' bob
	post_group 201 - alice r1
	zeros=$(printf %064d 0)
	roster r2 alice $G 2 r1 ops 'alice!' bob carol
	roster bad alice $G 2 $zeros ops 'alice!' bob carol # not in the chain
	put_group 409 stale_group alice bad
	[ "$(json .epoch)" = 1 ]
	roster bad alice $G 3 r1 ops 'alice!' bob carol
	put_group 409 stale_group alice bad
	put_group 400 bad_roster alice r2 eeeeeeeeeeeeeeeeeeeeeeeeee
	put_group 404 no_such_group dave r2
	put_group 403 wrong_signer bob r2
	roster bad bob $G 2 r1 ops 'alice!' bob carol # bob is no admin
	put_group 400 bad_roster bob bad
	roster bad bob $G 2 r1 ops 'alice!' 'bob!'
	put_group 400 bad_roster bob bad
	roster bad bob $G 2 r1 ops bob # throws alice out
	put_group 400 bad_roster bob bad
	sed 's/^name ops/name oops/' r2 >bad
	put_group 400 bad_roster alice bad
	roster bad alice $G 2 r1 ops 'alice!' bob=carol # the key of one who stays
	put_group 400 bad_roster alice bad
	roster bad alice $G 2 r1 ops alice bob # no admin left
	put_group 400 bad_roster alice bad
	roster bad alice $G 2 r1 ops 'alice!' bob nobody
	put_group 404 no_such_member alice bad
	sed -i 's/^name ops/name oops/' bad # the signature comes before the members
	put_group 400 bad_roster alice bad
	roster bad bob $G 2 r1 ops 'alice!' bob nobody
	put_group 400 bad_roster bob bad
	roster bad alice $G 2 r1 ops 'alice!' bob carol=other
	put_group 409 member_key alice bad
	put_group 200 - alice r2
	put_group 200 - alice r2
	roster other alice $G 2 r1 ops 'alice!' bob dave
	put_group 409 stale_group alice other
	[ "$(json .epoch)" = 2 ]
	roster r3 alice $G 3 r2 renamed 'alice!' 'bob!' carol
	put_group 200 - alice r3
	put_group 200 - alice r2 # long ago, and true
	[ "$(json .epoch)" = 3 ]
	roster r4 bob $G 4 r3 renamed 'bob!' carol # an admin removes the one who made it
	put_group 200 - bob r4
	call 404 no_such_group alice GET /api/v1/groups/$G
	call 200 - carol GET "/api/v1/groups/$G"
	[ "$(json -c '[.epoch,(.rosters|length)]')" = '[4,4]' ]
	call 200 - carol GET "/api/v1/groups/$G?after=2"
	[ "$(json -j '.rosters[0]')" = "$(cat r3)" ]
	[ "$(json -j '.rosters[1]')" = "$(cat r4)" ]
	# A member whose key changed stays as it is on the roster; as a new member it would need the new one.
	api 200 - identity carol newkey
	roster r5 bob $G 5 r4 renamed 'bob!' carol dave
	put_group 200 - bob r5
}

@test "a message reaches all devices of all members but the sending one: one payload" {
	serve
	person alice bob carol dave
	second alice bob
	roster r1 alice $G 1 - ops 'alice!' bob carol
	post_group 201 - alice r1
	devices_of alice
	# The digest is over the sorted fingerprints.
	for n in alice alice+2 bob bob+2 carol; do
		"$API" "$URL" show $n fp | sed 's/^SHA256://; s/$/=/' | base64 -d | od -An -v -tx1 | tr -d ' \n'
		echo
	done | sort | tr -d '\n' >hex
	perl -e 'undef $/; print pack("H*", <>)' hex | sha256sum | cut -d' ' -f1 >digest
	[ "$(cat digest)" = "$DEVICES" ]
	[ "$(json -c '.members|map([.user,(.list!=null)])')" = '[["alice",true],["bob",true],["carol",false]]' ]
	envelope_to e alice r1
	send 400 bad_request alice e
	send_group 201 - alice e "$DEVICES"
	[ "$(json .recipients)" = 4 ]
	for n in alice+2 bob bob+2 carol; do
		call 200 - $n GET /api/v1/messages
		json '.messages[0].envelope' | base64 -d 2>/dev/null | cmp - e
	done
	call 200 - alice GET /api/v1/messages
	[ "$(json '.messages|length')" = 0 ]
	send_group 200 - alice e "$DEVICES" # again: stored once
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT (SELECT count(*) FROM payload), (SELECT count(*) FROM delivery), (SELECT n FROM refs)')" = '1|4|4' ]
	for n in alice+2 bob bob+2 carol; do call 200 - $n DELETE '/api/v1/messages?upto=100'; done
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT (SELECT count(*) FROM payload), (SELECT count(*) FROM delivery), (SELECT count(*) FROM refs)')" = '0|0|0' ]
	# Alone in a group with one device: nobody to deliver to, and nothing is left lying about.
	roster solo dave eeeeeeeeeeeeeeeeeeeeeeeeee 1 - solo 'dave!'
	post_group 201 - dave solo
	devices_of dave eeeeeeeeeeeeeeeeeeeeeeeeee
	envelope_to e dave solo
	send_group 201 - dave e "$DEVICES"
	[ "$(json .recipients)" = 0 ]
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT count(*) FROM payload')" = 0 ]
}

@test "a group message is refused: strangers, stale rosters, stale devices" {
	serve
	person alice bob carol
	roster r1 alice $G 1 - ops 'alice!' bob carol
	envelope_to e alice r1
	zeros=$(printf %064d 0)
	send_group 404 no_such_group alice e $zeros
	post_group 201 - alice r1
	devices_of alice
	first=$DEVICES
	send_group 409 stale_group_devices alice e $zeros
	envelope_to e bob r1
	send_group 403 wrong_sender alice e "$first"
	roster r2 alice $G 2 r1 ops 'alice!' bob
	put_group 200 - alice r2
	envelope_to e carol r1
	send_group 403 not_member carol e "$first"
	envelope_to e alice r1
	devices_of alice
	send_group 409 stale_group alice e "$DEVICES"
	[ "$(json .epoch)" = 2 ]
	"$API" "$URL" group-envelope alice 100 $G 2 $zeros >e
	send_group 409 stale_group alice e "$DEVICES"
	envelope_to e alice r2
	send_group 409 stale_group_devices alice e "$first"
	send_group 201 - alice e "$DEVICES"
	# In a batch there is no place for devices=.
	envelope_to e alice r2
	"$API" "$URL" batch e >batch
	call 200 - alice POST "/api/v1/messages?devices=$DEVICES" type=application/sm-batch body=batch
	[ "$(json -c '.results|map([.status,.error])')" = '[[400,"bad_request"]]' ]
	# A member's new device makes the digest stale, and its removal again.
	second bob
	send_group 409 stale_group_devices alice e "$DEVICES"
	devices_of alice
	send_group 201 - alice e "$DEVICES"
	[ "$(json .recipients)" = 2 ]
	"$API" "$URL" list bob 2 2=bob+2 >l2
	put_list 200 - bob+2 l2
	envelope_to e alice r2
	send_group 409 stale_group_devices alice e "$DEVICES"
	devices_of alice
	send_group 201 - alice e "$DEVICES"
	[ "$(json .recipients)" = 1 ]
}

@test "limits: members by configuration, bodies of a megabyte" {
	printf '[groups]\ngroup_members = 2\n' >conf
	serve -c conf
	person alice bob carol
	roster r1 alice $G 1 - ops 'alice!' bob carol
	post_group 413 too_many_members alice r1
	roster r1 alice $G 1 - ops 'alice!' bob
	post_group 201 - alice r1
	roster r2 alice $G 2 r1 ops 'alice!' bob carol
	put_group 413 too_many_members alice r2
	api 200 - call alice GET /api/v1/policy
	[ "$(json .limits.group_members)" = 2 ]
	head -c 1048577 /dev/zero >huge
	call 413 too_large alice POST /api/v1/groups type=application/json body=huge
	call 413 too_large alice PUT /api/v1/groups/$G type=application/json body=huge
	head -c 70000 /dev/zero >huge
	call 401 unauthenticated alice POST /api/v1/groups type=application/json body=huge no-token
	stop
	sqlite3 "$DATA/sm.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<999)
		INSERT INTO grp(name,title,epoch,hash,maker) SELECT 'made' || i, 'x', 1, zeroblob(32), 1 FROM n"
	serve -c conf
	roster r1 alice eeeeeeeeeeeeeeeeeeeeeeeeee 1 - ops 'alice!'
	post_group 403 too_many_groups alice r1
	# What is too large by today's configuration may shrink.
	printf '[groups]\ngroup_members = 1\n' >conf
	kill -HUP "$PID"
	wait_for 10 eval 'api 200 - call alice GET /api/v1/policy && [ "$(json .limits.group_members)" = 1 ]'
	call 200 - alice GET /api/v1/groups/$G
	json -j '.rosters[0]' >r1
	roster r2 alice $G 2 r1 ops 'alice!'
	put_group 200 - alice r2
}

@test "a thousand members: made, listed, sent to, paged" {
	serve
	person alice
	api 200 - call alice GET /api/v1/policy
	"$API" "$URL" people m 999 "$PASSWORD"
	roster r1 alice $G 1 - big 'alice!' m{1..999}
	post_group 201 - alice r1
	devices_of alice
	[ "$(json '.members|length')" = 1000 ]
	envelope_to e alice r1 1000
	send_group 201 - alice e "$DEVICES"
	[ "$(json .recipients)" = 999 ]
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT (SELECT count(*) FROM payload), (SELECT count(*) FROM delivery), (SELECT n FROM refs)')" = '1|999|999' ]
	previous=r1
	for i in {2..24}; do
		roster r$i alice $G $i $previous big$i 'alice!' m{1..999}
		put_group 200 - alice r$i
		previous=r$i
	done
	call 200 - alice GET "/api/v1/groups/$G"
	[ "$(json .more)" = true ]
	first=$(json '.rosters|length')
	call 200 - alice GET "/api/v1/groups/$G?after=$first"
	[ $((first + $(json '.rosters|length'))) = 24 ]
	[ "$(json .more)" = false ]
	roster r25 alice $G 25 r24 big 'alice!'
	put_group 200 - alice r25
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT count(*) FROM member')" = 1 ]
}

@test "sends while members come and go: what is accepted was for those who were in" {
	serve
	person alice bob carol
	roster r1 alice $G 1 - ops 'alice!' bob carol
	post_group 201 - alice r1
	devices_of alice
	with=$DEVICES
	for i in 2 4 6 8; do
		p=$((i - 1))
		envelope_to e$p alice r$p
		"$API" "$URL" call alice POST "/api/v1/messages?devices=$with" type=application/sm-envelope body=e$p >out.$p 3>&- &
		sender=$!
		roster r$i alice $G $i r$p ops 'alice!' bob
		put_group 200 - alice r$i
		wait $sender
		roster r$((i + 1)) alice $G $((i + 1)) r$i ops 'alice!' bob carol
		put_group 200 - alice r$((i + 1))
	done
	accepted=$(cat out.* | grep -c '^201' || true)
	[ $((accepted + $(cat out.* | grep -c '^409' || true))) = 4 ]
	for n in bob carol; do
		call 200 - $n GET /api/v1/messages
		[ "$(json '.messages|length')" = "$accepted" ]
	done
}

@test "kill -9 around epochs and messages: the chain has no gap, and what was accepted is delivered" {
	serve
	person alice bob
	roster r1 alice $G 1 - ops 'alice!' bob
	post_group 201 - alice r1
	devices_of alice
	epoch=1 accepted=0
	for round in {1..10}; do
		envelope_to e alice r$epoch
		roster next alice $G $((epoch + 1)) r$epoch "ops$round" 'alice!' bob
		text next roster >roster.body
		"$API" "$URL" call alice POST "/api/v1/messages?devices=$DEVICES" type=application/sm-envelope body=e >out.e 2>/dev/null 3>&- &
		pids=($!)
		"$API" "$URL" call alice PUT "/api/v1/groups/$G" type=application/json body=roster.body >out.r 2>/dev/null 3>&- &
		pids+=($!)
		if ((round % 3)); then wait "${pids[@]}" || true; fi
		stop KILL
		wait "${pids[@]}" || true
		serve
		[[ $(head -n 1 out.e) != 201 ]] || accepted=$((accepted + 1))
		call 200 - alice GET "/api/v1/groups/$G"
		[ "$(json '.rosters|length')" = "$(json .epoch)" ]
		[[ $(head -n 1 out.r) != 200 ]] || [ "$(json .epoch)" = $((epoch + 1)) ]
		epoch=$(json .epoch)
		json -j ".rosters[$((epoch - 1))]" >r$epoch
	done
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" -ge "$accepted" ]
	[ "$accepted" -gt 0 ]
	[ "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT count(*) FROM delivery')" = "$(sqlite3 -readonly "$DATA/sm.db" 'SELECT count(*) FROM payload')" ]
}
