load helper

# What the page says, between its markers.
page() { sed -n '/^\.\\" vectors: begin/,/^\.\\" vectors: end/p' "$SM_TOP/man/${1:-sm-format.5}" | sed '1d;$d'; }

@test "sm-format(5): the test vectors are what lib makes, step by step" {
	page >page
	[[ $(wc -l <page) -gt 150 ]]
	"$SM_BIN/tests/vectors/format" | diff - page
}

@test "sm-format(5): and the tools open them" {
	(umask 077; page | sed -n 's/^secret key  *//p' >keys; head -n 1 keys >alice.key; tail -n 1 keys >bob.key)
	alice=$(page | sed -n 's/^identity  *//p' | head -n 1)
	page | sed -n '/^-----BEGIN SM/,/^-----END/p' | csplit -sz -f piece - '/BEGIN/' '{*}'
	mkdir got
	[[ $(smencrypt -d -i bob.key -s "$alice" --attachments got piece00) == hello && $(cat got/a.txt) == abc ]]
	(umask 077; echo correct horse >pw)
	[[ $(smencrypt -q -d --passphrase-file pw piece01) == hello ]]
	[[ $(echo hello | smsign -V -v -s "$alice" -x piece02 2>&1) == *"comment: release 1.0"* ]]
}

@test "sm-sessions(7): the test vectors are what lib makes, step by step" {
	page sm-sessions.7 >page
	[[ $(wc -l <page) -gt 150 ]]
	"$SM_BIN/tests/vectors/sessions" | diff - page
}
