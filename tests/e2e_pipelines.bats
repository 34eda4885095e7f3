# The pipelines that must work as typed, between people at one server.
load helper

people() {
	start_server
	for name; do sm_user "$name"; done
}

@test "echo hi | smencrypt -r bob | smsign | smsend bob, with nobody known before" {
	people alice bob
	as alice bash -euo pipefail -c 'echo hi | smencrypt -r bob | smsign | smsend bob'
	as bob bash -euo pipefail -c 'sminbox; sminbox -r 1; sminbox --raw 1 | smsign -V -s alice | smencrypt -d' >out
	[[ $(head -n 1 out) =~ ^"1	new	"[^\	]+"	alice@$SERVER_HOST	-	3"$ ]]
	[ "$(tail -n 2 out | tr '\n' ' ')" = 'hi hi ' ]
}

@test "a tree through tar, a report with a subject, and the exit code of a failure" {
	people alice bob ops
	mkdir src
	echo one >src/a
	head -c 20000 /dev/urandom >src/b
	as alice bash -euo pipefail -c 'tar c src | smsend -n src.tar bob'
	as bob sminbox | cut -f5 | grep -qx src.tar
	mkdir got
	as bob sminbox -o got 1
	tar x -C got -f got/src.tar
	diff -r src got/src
	as alice bash -euo pipefail -c 'df -P | smsend -s disk ops || echo "exit $?"' >out
	[ ! -s out ]
	[ "$(as ops sminbox | cut -f5)" = disk ]
	[ "$(as alice bash -c 'echo x | smsend nobody 2>/dev/null || echo "exit $?"')" = 'exit 67' ]
}

@test "following into jq" {
	people alice bob
	as alice smsend bob <<<'first'
	env SM_HOME="$(home_of bob)" sminbox -f --json > >(jq --unbuffered -r "select(.from==\"alice@$SERVER_HOST\").text" >got) 3>&- &
	follower=$!
	wait_until 10 grep -qx first got
	kill "$follower"
}

@test "several files to a team, and a file that stays a file" {
	people alice bob carol
	as bob smkeygen -y >team.txt
	as carol smkeygen -y >>team.txt
	echo plan >f
	as alice smencrypt -R team.txt -o f.sm f
	[ "$(as bob smencrypt -d f.sm)" = plan ]
	[ "$(as carol smencrypt -d f.sm)" = plan ]
}

@test "a reply, back and forth" {
	people alice bob
	as alice smsend bob <<<'ping'
	as bob sminbox >/dev/null
	[ "$(as bob sminbox -r 1)" = ping ]
	as bob smsend alice <<<'pong'
	[ "$(as alice sminbox --json | jq -r '.text + .proof')" = $'pong\nproven' ]
}

@test "the server learns neither text nor subject nor name" {
	people alice bob
	echo 'very secret words' | as alice smsend -s 'secret subject' -n secret-name bob
	stop_server
	run ! grep -raE 'very secret|secret subject|secret-name' "$SERVER_DATA"
}

@test "nor does the disk of either side hold the text" {
	people alice bob
	echo 'very secret words' | as alice smsend -s 'secret subject' bob
	as bob sminbox >/dev/null
	as bob sminbox -r 1 >/dev/null
	run ! grep -raE 'very secret|secret subject' "$(home_of alice)" "$(home_of bob)"
}
