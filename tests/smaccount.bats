# smaccount(1): registering, logging in and out, status, and every way in which these fail. A real smserver each time.
load helper

secret_file() { (umask 077 && printf '%s\n' "$2" >"$1"); }
session_of() { printf '%s/state/session' "$(home_of "$1")"; }
mode() { stat -c %a "$1"; }

@test "register makes the account, keeps it and logs in" {
	start_server
	sm_home alice
	secret_file pw 'Correct-h0rse!'
	run --separate-stderr as alice smaccount register "alice@$SERVER_HOST" --password-file pw
	[ "$status" -eq 0 ]
	[ "$output" = "alice@$SERVER_HOST" ]
	[ "$stderr" = '' ]
	[ "$(mode "$(session_of alice)")" = 600 ]
	[ "$(mode "$(home_of alice)/config/account")" = 600 ]
	run --separate-stderr as alice smaccount status
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "account  alice@$SERVER_HOST" ]]
	[[ ${lines[1]} == "server   http://$SERVER_HOST" ]]
	[[ ${lines[3]} == "session  until 2"* ]]
	[[ ${lines[4]} == "waiting  0" ]]
	as alice smaccount status --json >status.json
	jq -e ".v == 1 and .address == \"alice@$SERVER_HOST\" and .logged_in and .waiting == 0 and .new == 0 and (.clock | fabs) < 5" status.json
}

@test "no token, key or password is ever printed" {
	start_server
	sm_user alice
	token=$(sed -n 's/^access-token //p' "$(session_of alice)")
	[ -n "$token" ]
	as alice smaccount status -v >out 2>&1
	as alice smaccount status --json -v >>out 2>&1
	as alice smaccount login -v --password-file "$(home_of alice)/password" >>out 2>&1
	run ! grep -e "$token" -e eyJ -e h0rse out
}

@test "logout ends the session here and on the server, login begins another" {
	start_server
	sm_user alice
	cp "$(session_of alice)" kept
	as alice smaccount logout
	[ ! -e "$(session_of alice)" ]
	run --separate-stderr as alice smaccount status
	[ "$status" -eq 77 ]
	[[ $output == *"session  none" ]]
	[ "$stderr" = "smaccount: not logged in as alice@$SERVER_HOST: run 'smaccount login'" ]
	run as alice smaccount logout
	[ "$status" -eq 0 ]
	# the revoked session does not come back
	cp kept "$(session_of alice)"
	run --separate-stderr as alice smaccount status
	[ "$status" -eq 77 ]
	[ "$stderr" = "smaccount: the login session has ended: run 'smaccount login'" ]
	as alice smaccount login --password-file "$(home_of alice)/password"
	as alice smaccount status
}

@test "a password from a descriptor, and logging in from another place" {
	start_server
	sm_user alice
	private_dir "$(home_of other)/config"
	cp -p "$(home_of alice)"/config/identity* "$(home_of other)/config/"
	run as other smaccount login "alice@$SERVER_HOST" --password-fd 7 7< <(sm_password alice)
	[ "$status" -eq 0 ]
	as other smaccount status
	as alice smaccount status
}

@test "a wrong password, an unknown name, and a wrong password with another identity are refused alike: 77" {
	start_server
	sm_user alice
	sm_home mallory
	secret_file wrong 'Wrong-h0rse!'
		run --separate-stderr as alice smaccount login --password-file wrong
	[ "$status" -eq 77 ]
	[ "$stderr" = 'smaccount: login refused: wrong name, password or identity' ]
	run --separate-stderr as alice smaccount login "nobody@$SERVER_HOST" --password-file wrong
	[ "$status" -eq 77 ]
	[ "$stderr" = 'smaccount: login refused: wrong name, password or identity' ]
	run --separate-stderr as mallory smaccount login "alice@$SERVER_HOST" --password-file wrong
	[ "$status" -eq 77 ]
	[ "$stderr" = 'smaccount: login refused: wrong name, password or identity' ]
	as alice smaccount status # what was there is still there
}

@test "the password policy is checked before anything is sent" {
	start_server
	sm_home alice
	check() {
		secret_file pw "$1"
		run --separate-stderr as alice smaccount register "alice@$SERVER_HOST" --password-file pw
		[ "$status" -eq 77 ]
		[ "$stderr" = "smaccount: $2" ]
	}
	check 'a1!' 'Password must be at least 8 characters long'
	check '12345678!' 'Password must contain at least one letter'
	check 'abcdefgh!' 'Password must contain at least one number'
	check 'abcdefg12' 'Password must contain at least one special character'
	[ ! -e "$(home_of alice)/config/account" ]
}

@test "a name that is taken, a second account in the profile" {
	start_server
	sm_user alice
	sm_home other
	secret_file pw 'Correct-h0rse!'
	run --separate-stderr as other smaccount register "alice@$SERVER_HOST" --password-file pw
	[ "$status" -eq 77 ]
	[[ $stderr == "smaccount: the name 'alice' is taken"* ]]
	run --separate-stderr as alice smaccount register "alice2@$SERVER_HOST" --password-file pw
	[ "$status" -eq 73 ]
	[[ $stderr == "smaccount: this profile has the account alice@$SERVER_HOST already"* ]]
	as alice smkeygen -N --profile second
	as alice smaccount register "alice2@$SERVER_HOST" --password-file pw --profile second
	[ "$(as alice smaccount status --json --profile second | jq -r .address)" = "alice2@$SERVER_HOST" ]
}

@test "registration by invitation, and closed" {
	SMSERVER_REGISTRATION=invite start_server
	sm_home alice
	secret_file pw 'Correct-h0rse!'
	run --separate-stderr as alice smaccount register "alice@$SERVER_HOST" --password-file pw
	[ "$status" -eq 77 ]
	[[ $stderr == *'wants an invitation'* ]]
	run --separate-stderr as alice smaccount register "alice@$SERVER_HOST" --password-file pw --invite no-such-code
	[ "$status" -eq 77 ]
	[[ $stderr == 'smaccount: refused by the server: '* ]]
	smserver invite --data "$SERVER_DATA" >invite
	as alice smaccount register "alice@$SERVER_HOST" --password-file pw --invite-file invite
	stop_server
	SMSERVER_REGISTRATION=closed start_server
	sm_home bob
	run --separate-stderr as bob smaccount register "bob@$SERVER_HOST" --password-file pw
	[ "$status" -eq 77 ]
	[ "$stderr" = 'smaccount: this server takes no new accounts' ]
}

@test "without an identity: says to run smkeygen" {
	start_server
	run --separate-stderr smaccount register "alice@$SERVER_HOST" --password-file /dev/null
	[ "$status" -eq 66 ]
	[[ $stderr == *'make one with smkeygen' ]]
}

@test "no server: 69, and no terminal: 77" {
	sm_home alice
	secret_file pw 'Correct-h0rse!'
	run --separate-stderr as alice smaccount register alice@localhost:1 --password-file pw
	[ "$status" -eq 69 ]
	[[ $stderr == "smaccount: cannot reach http://localhost:1: "* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	start_server
	run --separate-stderr as alice notty smaccount register "alice@$SERVER_HOST"
	[ "$status" -eq 77 ]
	[[ $stderr == *'--password-file'* ]]
	# the passphrase of the identity is never taken for the account's password
	secret_file pass 'Other-h0rse!1'
	SM_PASSPHRASE_FILE=$PWD/pass run --separate-stderr as alice notty smaccount register "alice@$SERVER_HOST"
	[ "$status" -eq 77 ]
}

@test "asks twice on the terminal" {
	need expect
	start_server
	sm_home alice
	as alice expect -c "
		set timeout 20
		spawn -noecho smaccount register alice@$SERVER_HOST
		expect {New password for alice@*: }; send {Correct-h0rse!}; send \r
		expect {*again: }; send {Correct-h0rse!}; send \r
		expect eof
		exit [lindex [wait] 3]" >out
	run ! grep h0rse out
	as alice smaccount status
}

@test "plain http only to this machine, unless asked for" {
	sm_home alice
	secret_file pw 'Correct-h0rse!'
	run --separate-stderr as alice smaccount register alice@example.org --url http://example.org --password-file pw
	[ "$status" -eq 77 ]
	[[ $stderr == *'refusing plain http'* ]]
	run --separate-stderr as alice smaccount register alice@example.org --url ftp://example.org --password-file pw
	[ "$status" -eq 78 ]
	run as alice smaccount register Alice@example.org
	[ "$status" -eq 64 ]
}

@test "a server of another name: 76" {
	start_server
	sm_home alice
	secret_file pw 'Correct-h0rse!'
	run --separate-stderr as alice smaccount register alice@example.org --url "$SERVER_URL" --password-file pw
	[ "$status" -eq 76 ]
	[ "$stderr" = "smaccount: the server at $SERVER_URL calls itself '$SERVER_HOST', not 'example.org'" ]
}

@test "TLS: with its certificate, without it, with another" {
	need openssl
	cert() { openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null; }
	(umask 077 && cert a)
	cert b
	start_server '[tls]' "tls_cert = $PWD/a.pem" "tls_key = $PWD/a.key"
	sm_home alice
	secret_file pw 'Correct-h0rse!'
	register() { run --separate-stderr as alice smaccount register "alice@localhost:$SERVER_PORT" --url "https://localhost:$SERVER_PORT" --password-file pw "$@"; }
	register
	[ "$status" -eq 69 ]
	[[ $stderr == "smaccount: cannot reach https://localhost:$SERVER_PORT: "*certificate* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	register --cacert b.pem
	[ "$status" -eq 69 ]
	register --cacert no-such.pem
	[ "$status" -eq 66 ]
	register --cacert a.pem
	[ "$status" -eq 0 ]
	echo over TLS | as alice smsend alice
	cd /
	[ "$(as alice sminbox -r 1; as alice sminbox >/dev/null; as alice sminbox -r 1)" = 'over TLS' ]
}

@test "a clock that is wrong: 77, with both times" {
	need cc
	start_server
	sm_user alice
	cat >shift.c <<-'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <time.h>
		int clock_gettime(clockid_t c, struct timespec *t)
		{
			int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
			int r = real(c, t);
			if (c == CLOCK_REALTIME)
				t->tv_sec -= 600;
			return r;
		}
		time_t time(time_t *out)
		{
			struct timespec t;
			clock_gettime(CLOCK_REALTIME, &t);
			if (out)
				*out = t.tv_sec;
			return t.tv_sec;
		}
	END
	cc -shared -fPIC -o shift.so shift.c -ldl
	ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$PWD/shift.so run --separate-stderr as alice smaccount status
	[ "$status" -eq 77 ]
	[[ $stderr =~ "smaccount: this computer's clock is "(599|600|601)" s behind the server's (here 2"[^,]+", there 2"[^\)]+"): set it right" ]]
}

@test "the access token is renewed under way, by many processes at once" {
	start_server
	sm_user alice
	# as if its time were up
	sed -i 's/^access-expires .*/access-expires 1/' "$(session_of alice)"
	before=$(grep ^refresh-token "$(session_of alice)")
	for i in 1 2 3 4 5 6 7 8; do
		as alice smaccount status >"out$i" 2>&1 || echo "$i" >>failed &
	done
	for job in $(jobs -p); do [ "$job" = "$SERVER_PID" ] || wait "$job"; done
	[ ! -e failed ] || { cat out*; false; }
	[ "$(grep ^refresh-token "$(session_of alice)")" != "$before" ]
	[ "$(mode "$(session_of alice)")" = 600 ]
}

@test "a damaged or open session file: 77" {
	start_server
	sm_user alice
	chmod 644 "$(session_of alice)"
	run --separate-stderr as alice sminbox
	[ "$status" -eq 77 ]
	[[ $stderr == *'may be read by others'* ]]
	chmod 600 "$(session_of alice)"
	echo garbage >"$(session_of alice)"
	run --separate-stderr as alice sminbox
	[ "$status" -eq 77 ]
	[[ $stderr == *"session file is damaged: run 'smaccount login'"* ]]
}

# What a hostile server would do, done to an honest one's database.
spoil() {
	stop_server
	sqlite3 "$(find "$SERVER_DATA" -name '*.db' | head -n 1)" "$1"
	start_server
}

@test "a server that cannot prove that it knows the account: 76" {
	need sqlite3
	start_server
	sm_user alice
	before=$(cat "$(session_of alice)")
	spoil 'UPDATE account SET server_key = zeroblob(32)'
	run --separate-stderr as alice smaccount login --password-file "$(home_of alice)/password"
	[ "$status" -eq 76 ]
	[[ $stderr == *'does not answer as this protocol'* ]]
	[ "$(cat "$(session_of alice)")" = "$before" ]
}

@test "a server that asks for a weak or a huge key derivation: 76" {
	need sqlite3
	start_server
	sm_user alice
	for kdf in 't = 1, m = 8' 't = 1, m = 19455' 't = 11, m = 19456' 't = 1, m = 1048577' 't = 0, m = 19456'; do
		spoil "UPDATE account SET ${kdf/,/, }"
		run --separate-stderr as alice smaccount login --password-file "$(home_of alice)/password"
		[ "$status" -eq 76 ] || { echo "$kdf: $status $stderr"; false; }
	done
}

@test "usage" {
	run smaccount
	[ "$status" -eq 64 ]
	run smaccount frobnicate
	[ "$status" -eq 64 ]
	[[ $output == *"unknown verb 'frobnicate'"* ]]
	run smaccount status extra
	[ "$status" -eq 64 ]
	run smaccount login --password-file a --password-fd 3
	[ "$status" -eq 64 ]
	run smaccount register -h
	[ "$status" -eq 0 ]
	run --separate-stderr smaccount status
	[ "$status" -eq 77 ]
	[[ $stderr == *'smaccount register NAME@HOST'* ]]
	start_server
	sm_user alice
	run --separate-stderr as alice bash -c 'smaccount status >/dev/full'
	[ "$status" -eq 74 ]
	run --separate-stderr as alice bash -c 'smaccount status >&-'
	[ "$status" -eq 74 ]
}
