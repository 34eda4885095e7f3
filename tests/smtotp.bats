# smtotp(1): the RFC's codes, what is kept and how, and every way in which that fails.
load helper

setup() {
	sm_setup
	smkeygen -N >/dev/null
	FILE=$SM_HOME/data/totp
}

# The seeds of RFC 6238, appendix B, as base32.
SHA1=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
SHA256=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA
SHA512=${SHA1}${SHA1}${SHA1}GEZDGNA

add() { printf '%s\n' "$2" | smtotp add "${@:3}" "$1"; }
secret_file() { (umask 077 && printf '%s\n' "$2" >"$1"); }

@test "the codes of RFC 6238, appendix B" {
	add sha1 $SHA1 --digits 8
	add sha256 $SHA256 --digits 8 --algorithm SHA256
	add sha512 $SHA512 --digits 8 --algorithm sha512
	while read -r time sha1 sha256 sha512; do
		[ "$(smtotp code sha1 --time "$time")" = "$sha1" ]
		[ "$(smtotp code --time "$time" sha256)" = "$sha256" ]
		[ "$(smtotp code sha512 --time="$time")" = "$sha512" ]
	done <<-'END'
		59 94287082 46119246 90693936
		1111111109 07081804 68084774 25091201
		1111111111 14050471 67062674 99943326
		1234567890 89005924 91819424 93441116
		2000000000 69279037 90698825 38618901
		20000000000 65353130 77737706 47863826
	END
}

@test "a URI says everything" {
	add x "otpauth://totp/Ex%20ample:alice?secret=$SHA256&issuer=Ex%20ample&algorithm=SHA256&digits=8&period=30&image=y"
	[ "$(smtotp code --time 59)" = 46119246 ]
	[ "$(smtotp list)" = $'x\tEx ample\talice' ]
	add slow "otpauth://totp/bob?secret=$SHA1&period=60&digits=8"
	[ "$(smtotp code slow --time 119)" = 94287082 ]
}

@test "secrets as people are shown them: groups, lower case, padding, no newline" {
	add groups 'gezd gnbv gy3t qojq gezd gnbv gy3t qojq' --digits 8
	printf ' %s\r\n' $SHA1 | smtotp add --digits 8 windows
	printf %s "$SHA1" | smtotp add --digits 8 bare
	for name in groups windows bare; do [ "$(smtotp code $name --time 59)" = 94287082 ]; done
	add padded MZXW6YQ=
	[[ $(smtotp code padded) =~ ^[0-9]{6}$ ]]
}

@test "the code of now, and how long it lasts" {
	need jq
	add only $SHA1
	# Two in a row are the same unless the period ends between them; then the third is the second.
	a=$(smtotp code) b=$(smtotp code) c=$(smtotp code)
	[[ $a == "$b" || $b == "$c" ]]
	[ "$(smtotp code -v --time 58 2>&1 >/dev/null)" = 'smtotp: 2 seconds left' ]
	[ "$(smtotp code -v --time 59 2>&1 >/dev/null)" = 'smtotp: 1 second left' ]
	[ "$(smtotp code --json --time 58)" = '{"v":1,"name":"only","code":"287082","left":2,"period":30}' ]
	smtotp code --json | jq -e '.left >= 1 and .left <= 30 and (.code | test("^[0-9]{6}$"))'
}

@test "without NAME there must be one: 66 for none, 64 for several" {
	run smtotp code
	[ "$status" -eq 66 ]
	add a $SHA1
	smtotp code
	add b $SHA1
	run smtotp code
	[ "$status" -eq 64 ]
	[ "$output" = 'smtotp: there are 2 secrets: which NAME?' ]
}

@test "an unknown NAME: 66" {
	add a $SHA1
	run smtotp code b
	[ "$status" -eq 66 ]
	[ "$output" = "smtotp: there is no 'b'" ]
	run smtotp remove b
	[ "$status" -eq 66 ]
	[ "$(smtotp list | wc -l)" -eq 1 ]
}

@test "a NAME that is taken: 73" {
	add a $SHA1
	run add a $SHA256
	[ "$status" -eq 73 ]
	[ "$output" = "smtotp: there is a 'a' already: remove it first" ]
	[ "$(smtotp code --time 59)" = 287082 ]
}

@test "list, remove and --json" {
	need jq
	[ "$(smtotp list)" = '' ]
	add zoo "otpauth://totp/%22Q%22:b%C3%B6b?secret=$SHA1&digits=7&period=15&algorithm=SHA512"
	add abc $SHA1
	[ "$(smtotp list)" = $'abc\t\t\nzoo\t"Q"\tböb' ]
	[ "$(smtotp list --json | jq -r '"\(.v) \(.name) \(.issuer) \(.account) \(.algorithm) \(.digits) \(.period)"')" = \
		$'1 abc   SHA1 6 30\n1 zoo "Q" böb SHA512 7 15' ]
	smtotp remove zoo
	[ "$(smtotp list)" = $'abc\t\t' ]
	smtotp remove abc
	[ "$(smtotp list)" = '' ]
}

@test "bad URIs and secrets: 65, one line, nothing kept" {
	while read -r line; do
		run add x "$line"
		[ "$status" -eq 65 ] || { echo "$line: $status $output"; return 1; }
		[[ ${#lines[@]} -eq 1 && $output == 'smtotp: '* ]]
	done <<-'END'
		otpauth://hotp/a?secret=AAAAAAAA&counter=1
		otpauth://totp/a
		otpauth://totp/a?issuer=b
		otpauth://totp/a?secret=AAAAAAAA&secret=AAAAAAAA
		otpauth://totp/a?secret=AAAAAAA1
		otpauth://totp/a?secret=AAAAAAAA&digits=9
		otpauth://totp/a?secret=AAAAAAAA&period=0
		otpauth://totp/a?secret=AAAAAAAA&algorithm=MD5
		otpauth://totp/%1b[2J?secret=AAAAAAAA
		https://example.org/
		hello, world
		A
		AAAAAA

	END
	run bash -c 'head -c 5000 /dev/zero | tr "\0" A | smtotp add x'
	[ "$status" -eq 65 ]
	run bash -c 'smtotp add x </dev/null'
	[ "$status" -eq 65 ]
	[ ! -e "$FILE" ]
}

@test "a secret never shows in an error" {
	run add x "${SHA1}8"
	[ "$status" -eq 65 ]
	[[ $output != *GEZD* ]]
	run add x "otpauth://totp/a?secret=${SHA1}8"
	[[ $output != *GEZD* ]]
}

@test "usage: 64" {
	while read -r line; do
		# shellcheck disable=SC2086 # the words of the line are the arguments
		run smtotp $line <<<$SHA1
		[ "$status" -eq 64 ] || { echo "$line: $status $output"; return 1; }
		[[ ${#lines[@]} -eq 1 && $output == *"; try 'smtotp "*"-h'" ]] || { echo "$line: $output"; return 1; }
	done <<-'END'

		frob
		-z
		add
		add a b
		add --digits 5 a
		add --digits 9 a
		add --digits 8 --digits 8 a
		add --period 0 a
		add --period 3601 a
		add --algorithm MD5 a
		add --json a
		code a b
		code --time -1
		code --time x
		list a
		list --time 1
		remove
		remove a b
		code --profile a --profile b
	END
	run smtotp add 'a b' <<<$SHA1
	[ "$status" -eq 64 ]
	run smtotp add "$(printf 'x%.0s' {1..65})" <<<$SHA1
	[ "$status" -eq 64 ]
	run smtotp add --digits 8 a <<<"otpauth://totp/a?secret=$SHA1"
	[ "$status" -eq 64 ]
	[ ! -e "$FILE" ]
}

@test "-h of the tool and of each verb, and --version" {
	run smtotp -h
	[ "$status" -eq 0 ]
	for verb in add code list remove; do
		[[ $output == *$'\n'"  $verb "* ]]
		[[ $(smtotp $verb -h) == "usage: smtotp $verb "* ]]
	done
	[[ $(smtotp --version) == 'smtotp (sm) '* ]]
	[[ $(smtotp list --version) == 'smtotp (sm) '* ]]
}

@test "the file is 0600 and shows nothing" {
	umask 0
	add visible "otpauth://totp/Issuer:account?secret=$SHA1"
	[ "$(stat -c %a "$FILE" "$FILE.lock" "$SM_HOME/data" | xargs)" = '600 600 700' ]
	run ! grep -qa -e visible -e Issuer -e account -e GEZD -e 1234567890 "$FILE"
	[ "$(head -n 1 "$FILE" | tr -d '\0')" = sm-totp/1 ]
}

@test "sealed anew each time" {
	add a $SHA1
	cp "$FILE" one
	add b $SHA1
	smtotp remove b
	run ! cmp -s "$FILE" one
	[ "$(stat -c %s "$FILE")" = "$(stat -c %s one)" ]
	[ "$(dd if="$FILE" bs=1 skip=10 count=32 2>/dev/null | sha256sum)" != "$(dd if=one bs=1 skip=10 count=32 2>/dev/null | sha256sum)" ]
}

@test "adding from many processes at once loses nothing" {
	for i in {1..24}; do add "n$i" $SHA1 & done
	wait
	[ "$(smtotp list | wc -l)" -eq 24 ]
	for i in {1..12}; do smtotp remove "n$i" & add "m$i" $SHA1 & done
	wait
	[ "$(smtotp list | cut -c1-1 | sort | uniq -c | xargs)" = '12 m 12 n' ]
	[ "$(find "$SM_HOME/data" -type f | wc -l)" -eq 2 ]
}

@test "profiles have their own" {
	smkeygen -N --profile work
	add a $SHA1 --profile work
	[ "$(smtotp list)" = '' ]
	[ "$(smtotp list --profile work)" = $'a\t\t' ]
}

@test "another identity does not open it: 65" {
	add a $SHA1
	smkeygen -N -o other
	run smtotp code -i other
	[ "$status" -eq 65 ]
	[[ $output == *'does not open with this identity' ]]
	run add b $SHA1 -i other
	[ "$status" -eq 65 ]
	[ "$(smtotp list)" = $'a\t\t' ]
}

@test "a damaged file: 65, and it is not written over" {
	add a $SHA1
	for damage in 'truncate -s -1' 'truncate -s 20' 'truncate -s +1' 'sed -i 1s/1/2/'; do
		cp -p "$FILE" saved
		$damage "$FILE"
		cp "$FILE" damaged
		run smtotp list
		[ "$status" -eq 65 ]
		run add b $SHA1
		[ "$status" -eq 65 ]
		cmp "$FILE" damaged
		cp -p saved "$FILE"
	done
	[ "$(smtotp list)" = $'a\t\t' ]
}

@test "a file or directory that others may read: 77" {
	add a $SHA1
	chmod 640 "$FILE"
	run smtotp list
	[ "$status" -eq 77 ]
	chmod 600 "$FILE"
	chmod 755 "$SM_HOME/data"
	run smtotp list
	[ "$status" -eq 77 ]
	run add b $SHA1
	[ "$status" -eq 77 ]
}

@test "no identity: 66; a protected one without passphrase: 77, with it or unlocked: 0" {
	rm "$SM_HOME/config/identity"*
	run add a $SHA1
	[ "$status" -eq 66 ]
	[[ $output == *'make one with smkeygen' ]]
	secret_file pass secret
	smkeygen --passphrase-file pass
	run notty smtotp list
	[ "$status" -eq 77 ]
	printf '%s\n' $SHA1 | notty smtotp add a --passphrase-file pass || true # notty reads /dev/null
	add a $SHA1 --passphrase-file pass
	[ "$(smtotp code --time 59 --passphrase-fd 3 3<pass)" = 287082 ]
	[ "$(SM_PASSPHRASE_FILE=pass smtotp code --time 59)" = 287082 ]
	secret_file wrong no
	run smtotp list --passphrase-file wrong
	[ "$status" -eq 77 ]
	[[ $output == *'wrong passphrase for'* ]]
	smkeygen --unlock 1m --passphrase-file pass || skip 'no kernel keyring here: unlocked not tried'
	[ "$(notty smtotp code --time 59)" = 287082 ]
	smkeygen --lock
	run notty smtotp code
	[ "$status" -eq 77 ]
}

@test "standard output full, closed, or gone: 74" {
	add a $SHA1
	run bash -c 'smtotp code >/dev/full'
	[ "$status" -eq 74 ]
	[ "$output" = 'smtotp: cannot write to standard output: No space left on device' ]
	run bash -c 'smtotp list >&-'
	[ "$status" -eq 74 ]
	run bash -c 'smtotp list -h >/dev/full'
	[ "$status" -eq 74 ]
	run bash -c 'smtotp add b <&-'
	[ "$status" -eq 74 ]
	[[ $output == 'smtotp: cannot read standard input'* ]]
}

@test "a data directory that cannot be made: 73" {
	touch "$SM_HOME/data"
	run add a $SHA1
	[ "$status" -eq 73 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "a full disk leaves the file as it was" {
	add a $SHA1
	cp "$FILE" before
	# no file may grow at all
	run bash -c "trap '' XFSZ; ulimit -f 0; printf '%s\n' $SHA1 | smtotp add b"
	[ "$status" -eq 74 ] || [ "$status" -eq 73 ]
	cmp "$FILE" before
	[ "$(find "$SM_HOME/data" -type f | wc -l)" -eq 2 ]
}

@test "on a terminal the secret is asked for, and not shown" {
	need expect
	cat >script.exp <<-END
		set timeout 20
		spawn smtotp add --digits 8 typed
		expect "otpauth:// URI or secret: "
		send "$SHA1\r"
		expect eof
		exit [lindex [wait] 3]
	END
	run expect -f script.exp
	[ "$status" -eq 0 ]
	[[ $output != *GEZD* ]]
	[ "$(smtotp code --time 59)" = 94287082 ]
}
