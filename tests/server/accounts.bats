#!/usr/bin/env bats
# Registration, login, sessions, keys and users: each call's good way and the ways it is refused.
load helper

@test "policy says what clients need, and nothing needs a session to read it" {
	serve
	body=$(curl -sS "$URL/api/v1/policy")
	[ "$(json '.v, .origin, .registration, .kdf.name, .kdf.t, .kdf.m, .limits.message_bytes, .password.min_length')" = \
		$'1\n'"$ORIGIN"$'\nopen\nargon2id\n1\n8\n262144\n8' ]
}

@test "registering: made once, with the fingerprint of the key" {
	serve
	api 201 - register alice "$PASSWORD" label='my laptop'
	[ "$(json .address)" = "alice@$ORIGIN" ]
	[ "$(json .fingerprint)" = "$("$API" "$URL" show alice fp)" ]
	[ "$(json .device)" = 1 ]
	api 409 name_taken register alice "$PASSWORD"
}

@test "registering is refused: names, identities, proofs, members" {
	serve
	api 400 bad_name register Alice "$PASSWORD"
	api 400 bad_name register .alice "$PASSWORD"
	zeros=$(head -c 32 /dev/zero | base64 -w0 | tr -d =)
	body=$(curl -sS -H 'Content-Type: application/json' -d "{\"purpose\":\"register\",\"origin\":\"$ORIGIN\",\"user\":\"$(printf 'a%.0s' {1..33})\",\"device\":\"$zeros\",\"cnonce\":\"$zeros\"}" "$URL/api/v1/challenge")
	[ "$(json .error)" = bad_name ]
	api 400 bad_identity register alice "$PASSWORD" identity=sm1qqqq
	api 400 bad_identity register alice "$PASSWORD" identity="sm1$(printf 'q%.0s' {1..300})"
	api 401 bad_proof register alice "$PASSWORD" bad-signature
	api 401 bad_proof register alice "$PASSWORD" bad-salt
	api 401 bad_proof register alice "$PASSWORD" wrong-purpose
	api 400 wrong_origin register alice "$PASSWORD" origin=example.net
	api 400 bad_request register alice "$PASSWORD" extra-member
	api 400 bad_request register alice "$PASSWORD" label=$'line\nline'
	api 401 bad_proof register alice "$PASSWORD" replay # the second use of a challenge, although the first made the account
	api 200 - login alice "$PASSWORD"
}

@test "JSON is strict: repeated members, other kinds, other types" {
	serve
	post() { curl -sS -o out -w '%{http_code}' -H "Content-Type: ${3:-application/json}" -d "$2" "$URL/api/v1/$1"; }
	[ "$(post challenge '{"purpose":"login","purpose":"login"}')" = 400 ]
	[ "$(post challenge '[]')" = 400 ]
	[ "$(post challenge '{"purpose":1}')" = 400 ]
	[ "$(post challenge '{"purpose":"login"} x')" = 400 ]
	[ "$(post challenge '{}' text/plain)" = 415 ]
	body=$(cat out)
	[ "$(json .error)" = bad_type ]
	head -c 70000 /dev/zero | tr '\0' ' ' >big
	[ "$(curl -sS -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' --data-binary @big "$URL/api/v1/challenge")" = 413 ]
}

@test "closed registration takes nobody" {
	REGISTRATION=closed serve
	api 403 registration_closed register alice "$PASSWORD"
}

@test "invitations: needed, counted, bound to a name, expiring" {
	REGISTRATION=invite serve
	api 403 invite_required register alice "$PASSWORD"
	api 403 bad_invite register alice "$PASSWORD" invite=aaaaaaaaaaaaaaaaaaaa
	code=$("$SERVER" invite --uses 2 --data "$DATA")
	api 201 - register alice "$PASSWORD" invite="$code"
	api 409 name_taken register alice "$PASSWORD" invite="$code" # does not use it up
	api 201 - register bob "$PASSWORD" invite="$code"
	api 403 bad_invite register carol "$PASSWORD" invite="$code"
	code=$("$SERVER" user add dave --data "$DATA")
	api 403 bad_invite register carol "$PASSWORD" invite="$code"
	api 201 - register dave "$PASSWORD" invite="$code"
	# Without an invitation nothing is said about which names there are.
	api 403 bad_invite register alice "$PASSWORD" invite=aaaaaaaaaaaaaaaaaaaa
	code=$("$SERVER" invite --expires 1 --data "$DATA")
	wait_for 10 expired
}
expired() { api 403 bad_invite register erin "$PASSWORD" invite="$code"; }

@test "login proves both sides, and every refusal looks the same" {
	serve
	person alice
	body=$(tail -n +2 login.alice)
	[ "$(json .user)" = alice ]
	[ "$(json '.access_expires - .refresh_expires < 0')" = true ]
	api 401 login_refused login alice wrong
	refused=$body
	for fault in bad-proof bad-signature other-device wrong-purpose; do
		api 401 login_refused login alice "$PASSWORD" $fault
		[ "$body" = "$refused" ]
	done
	api 401 login_refused login nobody "$PASSWORD"
	[ "$body" = "$refused" ]
	api 401 login_refused login alice "$PASSWORD" replay
}

@test "an unknown user's salt is always the same and looks like any other" {
	serve
	person alice
	ask() {
		curl -sS -H 'Content-Type: application/json' -d "{\"purpose\":\"login\",\"origin\":\"$ORIGIN\",\"user\":\"$1\",\"device\":\"$zeros\",\"cnonce\":\"$zeros\"}" \
			"$URL/api/v1/challenge" | jq -r "$2"
	}
	zeros=$(head -c 32 /dev/zero | base64 -w0 | tr -d =)
	[ "$(ask nobody .salt)" = "$(ask nobody .salt)" ]
	[ "$(ask nobody .salt)" != "$(ask nobody2 .salt)" ]
	[ "$(ask nobody 'keys|join(" ")')" = "$(ask alice 'keys|join(" ")')" ]
	[ "$(ask nobody '.kdf|tostring')" = "$(ask alice '.kdf|tostring')" ]
	[ "$(ask nobody .nonce)" != "$(ask nobody .nonce)" ]
}

@test "signed requests: what is not exactly right is refused" {
	serve
	person alice bob
	call 200 - alice GET /api/v1/sessions
	call 401 unauthenticated alice GET /api/v1/sessions unsigned
	call 401 unauthenticated alice GET /api/v1/sessions no-token
	call 401 unauthenticated alice GET /api/v1/sessions token=x.y.z
	call 401 unauthenticated alice GET /api/v1/sessions token="$("$API" "$URL" show bob token)"
	call 401 unauthenticated alice GET /api/v1/sessions keyid="$("$API" "$URL" show bob sid)"
	call 401 unauthenticated alice GET /api/v1/sessions keyid=aaaaaaaaaaaaaaaaaaaaaaaaaa
	call 401 unauthenticated alice GET /api/v1/sessions signature=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
	call 401 unauthenticated alice GET /api/v1/sessions digest='sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:'
	call 401 unauthenticated alice GET /api/v1/sessions digest='sha-512=:AAAA:'
	call 401 unauthenticated alice GET /api/v1/sessions nonce=short
	call 401 unauthenticated alice GET /api/v1/sessions header='Signature: sm=:AAAA:'
	call 401 replay alice GET /api/v1/sessions again
	call 401 clock alice GET /api/v1/sessions created=-40
	[ "$(json '.time > 1500000000')" = true ]
	call 401 clock alice GET /api/v1/sessions created=40
	call 200 - alice GET /api/v1/sessions created=20
	call 200 - alice GET '/api/v1/users/bob?a=1&b=%20'
	t=$("$API" "$URL" show alice token)
	call 401 unauthenticated alice GET /api/v1/sessions token="${t%??}BB"
}

@test "an access token with another algorithm or a forged claim is refused" {
	serve
	person alice
	none=$(printf '{"alg":"none","typ":"JWT"}' | base64 -w0 | tr -d = | tr '+/' '-_')
	t=$("$API" "$URL" show alice token)
	rest=${t#*.}
	call 401 unauthenticated alice GET /api/v1/sessions token="$none.${rest%.*}."
	# Claims of another kind of token, or of another device, under a tag that fits.
	key=$(openssl kdf -keylen 32 -kdfopt digest:SHA2-256 -kdfopt hexkey:"$(od -An -tx1 -v "$DATA/master.key" | tr -d ' \n')" \
		-kdfopt info:'sm jwt v1' -binary HKDF | od -An -tx1 -v | tr -d ' \n')
	minted() {
		local c
		c=$(printf '{"sub":"alice","device":%s,"sid":"%s","scope":"%s","iat":1,"exp":99999999999}' "$1" "$("$API" "$URL" show alice sid)" "$2" | base64 -w0 | tr -d = | tr '+/' '-_')
		printf '%s.%s.%s' "${t%%.*}" "$c" "$(printf %s "${t%%.*}.$c" | openssl dgst -sha256 -mac hmac -macopt hexkey:"$key" -binary | base64 -w0 | tr -d = | tr '+/' '-_')"
	}
	call 200 - alice GET /api/v1/sessions token="$(minted 1 session)"
	call 401 token_expired alice GET /api/v1/sessions token="$(minted 2 session)"
	call 401 unauthenticated alice GET /api/v1/sessions token="$(minted 1 send)"
	claims=$(printf '{"sub":"alice","device":1,"sid":"%s","scope":"session","iat":1,"exp":99999999999}' "$("$API" "$URL" show alice sid)" | base64 -w0 | tr -d = | tr '+/' '-_')
	call 401 unauthenticated alice GET /api/v1/sessions token="${t%%.*}.$claims.${t##*.}"
}

@test "what was signed before the server started is refused, also in its very second, and sending it again works" {
	serve
	person alice
	for signal in TERM KILL; do
		call 200 - alice GET /api/v1/sessions
		at=$(date +%s)
		stop $signal
		serve # mostly within that second
		call 401 replay_window alice GET /api/v1/sessions at=$at
		call 401 replay_window alice GET /api/v1/sessions created=-10
		call 200 - alice GET /api/v1/sessions
	done
	# A session made after the start has nothing to wait for.
	stop
	serve
	api 200 - login alice "$PASSWORD"
	call 200 - alice GET /api/v1/sessions created=0
}

@test "a request dated ahead of the clock is not taken again by the next server" {
	serve
	person alice bob
	at=$(($(date +%s) + 20))
	call 200 - alice GET /api/v1/sessions at=$at nonce=BBBBBBBBBBBBBBBBBBBBBA
	stop KILL
	serve
	call 401 replay_window alice GET /api/v1/sessions at=$at nonce=BBBBBBBBBBBBBBBBBBBBBA
	call 200 - alice GET /api/v1/sessions at=$((at + 1))
	call 200 - bob GET /api/v1/sessions at=$((at - 5)) # another's clock was right
}

@test "refreshing: rotates, forgives a lost answer, and ends the session when an old token comes back" {
	serve
	person alice
	old=$("$API" "$URL" show alice refresh)
	api 200 - refresh alice keep          # the answer is lost
	dead=$(json .refresh_token)
	api 200 - refresh alice               # asks again: another successor
	api 401 unauthenticated refresh alice token="$dead"
	api 401 unauthenticated refresh alice token=nonsense
	api 401 unauthenticated refresh alice token="$(printf 'a%.0s' {1..128})"
	api 400 bad_request refresh alice token="$(printf 'a%.0s' {1..129})"
	api 200 - refresh alice               # uses the successor
	call 200 - alice GET /api/v1/sessions
	api 401 session_revoked refresh alice token="$old"
	call 401 unauthenticated alice GET /api/v1/sessions
	api 401 session_revoked refresh alice
}

@test "a refreshed session outlives a restart, its tokens too" {
	serve
	person alice
	stop
	serve
	call 200 - alice GET /api/v1/sessions
	api 200 - refresh alice
	call 200 - alice GET /api/v1/sessions
}

@test "logout, and ending other sessions" {
	serve
	person alice
	first=$("$API" "$URL" show alice sid)
	cp "$CLIENTS/alice.session" first.session
	api 200 - login alice "$PASSWORD"
	call 200 - alice GET /api/v1/sessions
	[ "$(json '.sessions|length')" = 2 ]
	[ "$(json '.sessions|map(select(.current))|length')" = 1 ]
	call 204 - alice DELETE "/api/v1/sessions/$first"
	call 404 no_such_session alice DELETE "/api/v1/sessions/$first"
	call 404 no_such_session alice DELETE /api/v1/sessions/short
	cp "$CLIENTS/alice.session" second.session
	cp first.session "$CLIENTS/alice.session"
	call 401 unauthenticated alice GET /api/v1/sessions
	cp second.session "$CLIENTS/alice.session"
	api 200 - login alice "$PASSWORD"
	call 204 - alice DELETE /api/v1/sessions
	call 200 - alice GET /api/v1/sessions
	[ "$(json '.sessions|length')" = 1 ]
	json_call 204 - alice POST /api/v1/logout '{}'
	call 401 unauthenticated alice GET /api/v1/sessions
}

@test "nobody ends another's session" {
	serve
	person alice bob
	call 404 no_such_session alice DELETE "/api/v1/sessions/$("$API" "$URL" show bob sid)"
	call 200 - bob GET /api/v1/sessions
}

@test "keys and users can be looked up by people signed in" {
	serve
	person alice bob
	call 200 - alice GET /api/v1/keys/bob
	[ "$(json .fingerprint)" = "$("$API" "$URL" show bob fp)" ]
	[ "$(json '.devices[0].identity')" = "$("$API" "$URL" show bob identity)" ]
	[ "$(json '.devices|length')" = 1 ]
	call 404 no_such_user alice GET /api/v1/keys/carol
	call 404 no_such_user alice GET /api/v1/keys/..
	call 401 unauthenticated alice GET /api/v1/keys/bob unsigned
	call 200 - alice GET /api/v1/users/bob
	[ "$(json .address)" = "bob@$ORIGIN" ]
	call 404 no_such_user alice GET /api/v1/users/carol
	call 403 no_directory alice GET /api/v1/users
}

@test "the directory, where there is one, comes in pages" {
	SMSERVER_DIRECTORY=yes serve
	person alice bob carol
	call 200 - alice GET '/api/v1/users?limit=2'
	[ "$(json '.users|map(.user)|join(" ")')" = "alice bob" ]
	call 200 - alice GET '/api/v1/users?after=bob&limit=2'
	[ "$(json '.users|map(.user)|join(" ")')" = carol ]
	call 400 bad_request alice GET '/api/v1/users?limit=x'
	call 400 bad_request alice GET '/api/v1/users?limit=5000'
	call 400 bad_request alice GET '/api/v1/users?limit=0'
	call 400 bad_request alice GET '/api/v1/users?limit=2&limit=2'
}

@test "a new identity: proven by the new key, ends the other sessions, routes at once" {
	serve
	person alice bob
	cp "$CLIENTS/alice.session" other.session
	api 200 - login alice "$PASSWORD"
	old=$("$API" "$URL" show alice fp)
	api 401 bad_proof identity alice next bad-signature
	api 401 bad_proof identity alice next wrong-purpose
	envelope before bob 10 alice
	send 201 - bob before
	api 200 - identity alice next
	[ "$(json .fingerprint)" != "$old" ]
	[ "$(json .fingerprint)" = "$(json '.devices[0].fingerprint')" ]
	call 200 - bob GET /api/v1/keys/alice
	[ "$(json .fingerprint)" = "$("$API" "$URL" show next fp)" ]
	envelope stale bob 10 alice
	send 409 stale_devices bob stale
	[ "$(json '.extra[0].fingerprint')" = "$old" ]
	[ "$(json '.missing[0].identity')" = "$("$API" "$URL" show next identity)" ]
	send 200 - bob before # what was stored stays stored, though it could not be routed now
	[ "$(json .stored)" = false ]
	envelope fresh bob 10 "alice@$ORIGIN=next"
	send 201 - bob fresh
	api 200 - identity alice next # the same again: no change
	cp "$CLIENTS/alice.session" kept.session
	cp other.session "$CLIENTS/alice.session"
	call 401 unauthenticated alice GET /api/v1/sessions
	cp kept.session "$CLIENTS/alice.session"
	call 200 - alice GET /api/v1/messages
	[ "$(json '.messages|length')" = 2 ]
	api 401 login_refused login alice "$PASSWORD" # with the old key
	cp "$CLIENTS/next.key" "$CLIENTS/alice.key"
	api 200 - login alice "$PASSWORD"
}

@test "paths that are no call, and methods that are not the call's" {
	serve
	[ "$(curl -sS -o out -w '%{http_code}' "$URL/api/v1/nothing")" = 404 ]
	[ "$(curl -sS -o out -D head -w '%{http_code}' -X PUT "$URL/api/v1/messages")" = 405 ]
	grep -qi '^allow: POST, GET, DELETE' head
	[ "$(curl -sS "$URL/healthz")" = ok ]
	[ "$(curl -sS "$URL/readyz")" = ready ]
	grep -qi '^date: ' head
}
