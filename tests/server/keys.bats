#!/usr/bin/env bats
# Prekeys: putting, counting, handing out.
load helper

put_spk() { # STATUS CODE NAME ID [OPTION]...
	"$API" "$URL" spk "$3" "${DEVICE:-1}" "$4" "${@:5}" >spk.body
	call "$1" "$2" "$3" PUT /api/v1/keys/signed-prekey type=application/json body=spk.body
}
add_opks() { # STATUS CODE NAME FIRST COUNT [seed=N]
	"$API" "$URL" opks "${@:3}" >opks.body
	call "$1" "$2" "$3" POST /api/v1/keys/one-time-prekeys type=application/json body=opks.body
}

@test "a signed prekey: the device's own, ids that grow" {
	serve
	person alice bob
	call 200 - alice GET /api/v1/keys/count
	[ "$body" = '{"signed_prekey":null,"one_time":0,"highest":-1}' ]
	put_spk 401 bad_proof alice 5 bad-signature
	DEVICE=2 put_spk 401 bad_proof alice 5
	put_spk 400 bad_key alice 5 high-bit
	put_spk 200 - alice 5 created=1000
	[ "$body" = '{}' ]
	put_spk 200 - alice 5 created=1000
	put_spk 409 prekey_id alice 5 created=1001
	put_spk 409 prekey_id alice 4
	put_spk 200 - alice 4294967295 created=2000
	call 200 - alice GET /api/v1/keys/count
	[ "$(json -c .signed_prekey)" = '{"id":4294967295,"created":2000}' ]
	# bob cannot put what alice signed
	"$API" "$URL" spk alice 1 7 >spk.body
	call 401 bad_proof bob PUT /api/v1/keys/signed-prekey type=application/json body=spk.body
	for bad in '{"id":-1}' '{"id":4294967296}' '{"id":1.5}' '{"id":"1"}'; do
		jq -c ". + $bad" spk.body >bad.body
		call 400 bad_request alice PUT /api/v1/keys/signed-prekey type=application/json body=bad.body
	done
	jq -c '.created=-1' spk.body >bad.body
	call 400 bad_request alice PUT /api/v1/keys/signed-prekey type=application/json body=bad.body
}

@test "one-time prekeys: ids grow, 100 at once, 200 at all, what was taken once is never taken again" {
	serve
	person alice
	add_opks 200 - alice 0 100
	[ "$body" = '{"one_time":100}' ]
	add_opks 200 - alice 0 100 # the same again: nothing happens
	[ "$body" = '{"one_time":100}' ]
	add_opks 409 prekey_id alice 50 10 seed=other
	add_opks 409 prekey_id alice 99 5 seed=other
	call 200 - alice GET /api/v1/keys/count
	[ "$(json -c '[.one_time,.highest]')" = '[100,99]' ]
	add_opks 200 - alice 95 10 # half of them are known
	[ "$body" = '{"one_time":105}' ]
	add_opks 413 too_many alice 200 100
	call 200 - alice GET /api/v1/keys/count
	[ "$(json -c '[.one_time,.highest]')" = '[105,104]' ]
	add_opks 200 - alice 4294967200 95
	[ "$body" = '{"one_time":200}' ]
	add_opks 413 too_many alice 4294967295 1
	for bad in '{"keys":[]}' '{"keys":1}' '{"keys":[{"id":1}]}' '{"keys":[{"id":1,"key":"AA"}]}'; do
		json_call 400 bad_request alice POST /api/v1/keys/one-time-prekeys "$bad"
	done
	"$API" "$URL" opks alice 5 101 >bad.body
	call 400 bad_request alice POST /api/v1/keys/one-time-prekeys type=application/json body=bad.body
	"$API" "$URL" opks alice 500 3 | jq -c '.keys|=reverse|{keys}' >bad.body
	call 400 bad_request alice POST /api/v1/keys/one-time-prekeys type=application/json body=bad.body
	"$API" "$URL" opks alice 500 1 | jq -c '.keys+=.keys|{keys}' >bad.body
	call 400 bad_request alice POST /api/v1/keys/one-time-prekeys type=application/json body=bad.body
}

@test "a bundle: signed prekey and one one-time prekey, each handed out once" {
	serve
	person alice bob
	call 404 no_such_user bob GET /api/v1/keys/nobody/bundle
	call 404 no_such_user bob GET /api/v1/keys/NoBody/bundle
	call 200 - bob GET /api/v1/keys/alice/bundle
	[ "$(json -c '[.user,.list,.devices[0].id,.devices[0].signed_prekey,.devices[0].one_time_prekey]')" = '["alice",null,1,null,null]' ]
	[ "$(json .identity)" = "$("$API" "$URL" show alice identity)" ]
	[ "$(json '.devices[0].identity')" = "$(json .identity)" ]
	add_opks 200 - alice 7 3
	# without a signed prekey there is nothing to use a one-time prekey with
	call 200 - bob GET /api/v1/keys/alice/bundle
	[ "$(json '.devices[0].one_time_prekey')" = null ]
	put_spk 200 - alice 1
	for id in 7 8 9; do
		call 200 - bob GET /api/v1/keys/alice/bundle
		[ "$(json '.devices[0].one_time_prekey.id')" = $id ]
		[ "$(json '.devices[0].signed_prekey.key')" = "$(jq -r .key spk.body)" ]
		[ "$(json '.devices[0].one_time_prekey.key')" = "$(jq -r ".keys[$id-7].key" opks.body)" ]
		stop KILL
		serve
	done
	call 200 - bob GET /api/v1/keys/alice/bundle
	[ "$(json '.devices[0].one_time_prekey')" = null ]
	# those that were handed out do not come back
	add_opks 200 - alice 7 3
	[ "$body" = '{"one_time":0}' ]
	call 200 - bob GET '/api/v1/keys/alice/bundle?devices=2,3'
	[ "$(json -c .devices)" = '[]' ]
	for bad in '' ',' '1,' 0 a '1,,2' 4294967296 '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17'; do
		call 400 bad_request bob GET "/api/v1/keys/alice/bundle?devices=$bad"
	done
}

@test "one asker gets six of a device at once, all askers sixty; then bundles come without" {
	serve
	person alice bob
	put_spk 200 - alice 1
	add_opks 200 - alice 0 100
	got=0
	for _ in 1 2 3 4 5 6 7 8; do
		call 200 - bob GET /api/v1/keys/alice/bundle
		[ "$(json '.devices[0].one_time_prekey')" = null ] || got=$((got + 1))
	done
	[ $got = 6 ]
	# by another call, too, and to oneself
	json_call 200 - bob POST /api/v1/keys/bundles '{"want":[{"user":"alice"}]}'
	[ "$(json '.bundles[0].devices[0].one_time_prekey')" = null ]
	call 200 - alice GET /api/v1/keys/alice/bundle
	[ "$(json '.devices[0].one_time_prekey.id')" = 6 ]
	for i in {1..10}; do
		person p$i
		for _ in {1..6}; do
			call 200 - p$i GET /api/v1/keys/alice/bundle
			json '.devices[0].one_time_prekey.id' >>ids
		done
	done
	[ "$(grep -cv null ids)" = 53 ]
	[ "$(grep -v null ids | sort -n | uniq | wc -l)" = 53 ]
}

@test "bundles of many at once: sorted, unknown ones left out, bounded" {
	serve
	person alice bob carol
	for n in alice bob; do
		put_spk 200 - $n 1
		add_opks 200 - $n 0 5
	done
	json_call 200 - carol POST /api/v1/keys/bundles '{"want":[{"user":"nobody"},{"user":"bob","devices":[1,9]},{"user":"alice","devices":[2]}]}'
	[ "$(json -c '[.bundles[]|[.user,.devices[].one_time_prekey.id]]')" = '[["alice"],["bob",0]]' ]
	for bad in '{"want":[]}' '{"want":[{"user":"Bob"}]}' '{"want":[{"user":"bob"},{"user":"bob"}]}' '{"want":[{"user":"bob","devices":[]}]}' \
		'{"want":[{"user":"bob","devices":[0]}]}' '{"want":[{"user":"bob","devices":"1"}]}' '{"want":[{"user":"bob","x":1}]}' '{"want":[1]}'; do
		json_call 400 bad_request carol POST /api/v1/keys/bundles "$bad"
	done
	jq -nc '{want:[range(1024)|{user:"nobody-with-a-long-name-\(.)",devices:[range(1;17)]}]}' >many
	[ "$(stat -c %s many)" -gt 65536 ]
	call 200 - carol POST /api/v1/keys/bundles type=application/json body=many
	[ "$body" = '{"bundles":[]}' ]
	jq -c '.want+=[{user:"bob"}]' many >more
	call 400 bad_request carol POST /api/v1/keys/bundles type=application/json body=more
	head -c 300000 /dev/zero >huge
	call 413 too_large carol POST /api/v1/keys/bundles type=application/json body=huge
}

@test "sixteen askers at once never get the same one-time prekey, crashes between included" {
	serve
	person alice
	put_spk 200 - alice 1
	add_opks 200 - alice 0 100
	for i in {1..16}; do person q$i; done
	ask_for() { # NAME: what it is told goes to a file of its own, as long as the server is there
		local i
		for i in 1 2 3; do "$API" "$URL" call "$1" GET /api/v1/keys/alice/bundle | tail -n 1 >>"got.$1" || return 0; done
	}
	for round in 1 2; do
		pids=()
		for i in {1..16}; do
			ask_for q$i 2>/dev/null 3>&- &
			pids+=($!)
		done
		[ $round = 1 ] || stop KILL
		wait "${pids[@]}" || true
	done
	serve
	cat got.* | grep -o '"one_time_prekey":{"id":[0-9]*' | grep -o '[0-9]*$' | sort -n >ids
	[ "$(wc -l <ids)" -ge 48 ]
	[ -z "$(uniq -d ids)" ]
	# What was handed out is gone: what is there and what was told never overlap.
	call 200 - alice GET /api/v1/keys/count
	[ $(($(json .one_time) + $(wc -l <ids))) -le 100 ]
	call 200 - q1 GET /api/v1/keys/alice/bundle
	id=$(json '.devices[0].one_time_prekey.id')
	! grep -qx "$id" ids
}

@test "a new identity takes the prekeys with it" {
	serve
	person alice bob
	put_spk 200 - alice 3
	add_opks 200 - alice 0 5
	api 200 - identity alice newkey
	cp "$CLIENTS/newkey.key" "$CLIENTS/alice.key"
	call 200 - alice GET /api/v1/keys/count
	[ "$body" = '{"signed_prekey":null,"one_time":0,"highest":4}' ]
	call 200 - bob GET /api/v1/keys/alice/bundle
	[ "$(json '.devices[0].signed_prekey')" = null ]
	put_spk 200 - alice 1
}

@test "nobody takes the name of a call" {
	serve
	api 400 bad_name register count "$PASSWORD"
}
