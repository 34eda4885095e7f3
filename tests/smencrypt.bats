load helper

setup() {
	sm_setup
	sm_home alice
	sm_home bob
	sm_home eve
	A=$(as alice smkeygen -y | cut -d' ' -f1)
	B=$(as bob smkeygen -y | cut -d' ' -f1)
	printf 'attack at dawn\n' >plain
}

teardown() {
	! mountpoint -q "$BATS_TEST_TMPDIR/tmp/small" || umount "$BATS_TEST_TMPDIR/tmp/small"
	sm_teardown
}

@test "encrypt and decrypt at every limit, armored and binary, from file and pipe" {
	for n in 0 1 16383 16384 16385 1048575 1048576 1048577 3000000; do
		head -c "$n" /dev/urandom >in
		for b in "" -b; do
			as alice smencrypt $b -S -r "$B" in >env
			as bob smencrypt -d -q env | cmp - in
			as bob smencrypt -d -q <env | cmp - in
			cat env | as bob smencrypt -d -s "$A" | cmp - in
		done
	done
}

@test "an unsigned envelope opens with one warning, a signed one by a stranger too" {
	as alice smencrypt -r "$B" plain >env
	as bob smencrypt -d env >out 2>err
	cmp out plain
	[[ $(wc -l <err) -eq 1 ]] && grep -q 'not proven' err
	as alice smencrypt -S -r "$B" plain >env
	as bob smencrypt -d env >out 2>err
	cmp out plain
	[[ $(wc -l <err) -eq 1 ]] && grep -q 'no contact' err
}

@test "-s and --require-signature refuse what is not proven" {
	as alice smencrypt -r "$B" plain >unsigned
	as alice smencrypt -S -r "$B" plain >signed
	refused 65 'not signed' as bob smencrypt -d -s "$A" unsigned
	refused 65 'not signed by' as bob smencrypt -d -s "$B" signed
	refused 65 'not signed by a contact' as bob smencrypt -d --require-signature signed
	as bob smencrypt -d -s "$A" signed | cmp - plain
	as alice smencrypt -S -r "$A" plain | as alice smencrypt -d --require-signature | cmp - plain
}

@test "several recipients, by -r and -R, each once" {
	sm_home carol
	C=$(as carol smkeygen -y)
	printf '# the team\n\n%s\n%s bob at work\n' "$C" "$B" >team.txt
	as alice smencrypt -r "$B" -R team.txt plain >env
	as bob smencrypt -q -d env | cmp - plain
	as carol smencrypt -q -d env | cmp - plain
	smencrypt --inspect env | grep -c '^to ' | grep -qx 3
	refused 65 'not a recipient' as eve smencrypt -d env
}

@test "recipients that are none" {
	printf 'not a key\n' >bad.txt
	: >empty.txt
	refused 65 "'bad.txt' line 1" as alice smencrypt -R bad.txt plain
	refused 65 'no key in it' as alice smencrypt -R empty.txt plain
	refused 66 'No such file' as alice smencrypt -R missing.txt plain
	refused 65 'not a valid public key' as alice smencrypt -r "${B%?}q" plain
}

@test "a thousand recipients and no more" {
	local i
	for i in $(seq 1024); do printf '%s\n' "$B"; done >same.txt
	as alice smencrypt -R same.txt plain | as bob smencrypt -q -d | cmp - plain
}

@test "passphrase: by file, wrong, none to be had" {
	(umask 077; printf 'correct horse\n' >pw; printf 'wrong\n' >pw2)
	as alice smencrypt -p --argon2 1,8 --passphrase-file pw plain >env
	as bob smencrypt -q -d --passphrase-file pw env | cmp - plain
	refused 77 'wrong passphrase' as bob smencrypt -d --passphrase-file pw2 env
	refused 77 'no terminal' as bob notty smencrypt -d env
	chmod 644 pw
	refused 77 'pw' as bob smencrypt -d --passphrase-file pw env
}

@test "what bad input gets: one class each, one line, 65, nothing out" {
	as alice smencrypt -S -b -r "$B" plain >env
	as alice smencrypt -S -r "$B" plain >arm
	printf 'hello\n' >garbage
	refused 65 'malformed envelope, line 1' as bob smencrypt -d garbage
	sed 's/^\(.\{40\}\)./\1*/' arm >x && refused 65 'malformed armor' as bob smencrypt -d x
	head -c -10 arm >x && refused 65 'malformed armor' as bob smencrypt -d x
	sed '1s/x25519-ed25519-aes256gcm/other-suite/' env >x && refused 65 'unsupported suite' as bob smencrypt -d x
	sed '2s/from/form/' env >x && refused 65 'malformed envelope, line 2' as bob smencrypt -d x
	sed 's/^date 2/date 3/' env >x && refused 65 'commitment' as bob smencrypt -d x
	head -c -1 env >x && refused 65 'payload' as bob smencrypt -d x
	{ cat env; printf x; } >x && refused 65 'payload' as bob smencrypt -d x
	head -c 100 env >x && refused 65 'malformed envelope' as bob smencrypt -d x
	: >x && refused 65 'malformed envelope' as bob smencrypt -d x
	refused 65 'not a recipient' as eve smencrypt -d env
	# the last byte is the signature's
	{ head -c -1 env; tail -c 1 env | tr '\000-\377' '\001-\377\000'; } >x
	refused 65 'bad signature' as bob smencrypt -d -s "$A" x
	refused 66 'No such file' as bob smencrypt -d missing
	refused 66 'Is a directory' as bob smencrypt -d .
}

@test "output: late, whole or not at all" {
	as alice smencrypt -S -b -r "$B" plain >env
	head -c -1 env >cut
	refused 65 payload as bob smencrypt -d -o result cut
	[[ ! -e result && -z $(find . -name 'result*') ]]
	printf 'old\n' >result
	refused 65 payload as bob smencrypt -d -o result cut
	grep -qx old result
	as bob smencrypt -d -q -o result env
	cmp result plain
	refused 73 'same file' as bob smencrypt -d -o env env
	refused 73 'cannot create' as bob smencrypt -d -q -o no/such/dir env
	as alice smencrypt -r "$B" -o sealed plain
	as bob smencrypt -d -q sealed | cmp - plain
	refused 73 'same file' as alice smencrypt -r "$B" -o plain plain
}

@test "full disk, closed stdout, reader gone" {
	[[ -e /dev/full ]] || skip 'no /dev/full'
	local status=0
	as alice smencrypt -r "$B" plain >/dev/full 2>err || status=$?
	[[ $status -eq 74 ]] && grep -q 'No space left' err
	status=0
	as alice smencrypt -r "$B" plain >&- 2>err || status=$?
	[[ $status -eq 74 && -s err ]]
	head -c 3000000 /dev/zero >big
	status=0
	{ as alice smencrypt -r "$B" big 2>err || echo $? >status; } | head -c 1 >/dev/null
	[[ $(cat status) -eq 74 && ! -s err ]]
}

@test "the spool of a pipe: a full temporary directory" {
	[[ $EUID -eq 0 ]] || skip 'cannot mount a small file system here'
	head -c 8000000 /dev/urandom >big
	as alice smencrypt -S -b -r "$B" big >env
	mkdir small && mount -t tmpfs -o size=1m tmpfs small 2>/dev/null || skip 'cannot mount a small file system here'
	export TMPDIR=$PWD/small
	cat env | refused 74 'No space left' as bob smencrypt -d
}

@test "who it is from" {
	(umask 077; as alice smkeygen -N -o other >/dev/null)
	header() { grep -v -- '---' | base64 -d 2>/dev/null | head -c 4096 | grep -a '^from '; }
	[[ $(as alice smencrypt --anonymous -r "$B" plain | header) == 'from - -' ]]
	[[ $(as alice smencrypt -r "$B" plain | header) == "from - $(as alice smkeygen -l | cut -d' ' -f1)" ]]
	[[ $(as alice smencrypt -i other -r "$B" plain | header) == "from - $(as alice smkeygen -l other | cut -d' ' -f1)" ]]
	private_dir "$PWD/empty"
	[[ $(SM_HOME=$PWD/empty smencrypt -r "$B" plain | header) == 'from - -' ]]
	refused 66 'smkeygen' env SM_HOME="$PWD/empty" smencrypt -S -r "$B" plain
}

@test "oneself can read it too, unless --no-self or nobody is named" {
	as alice smencrypt -r "$B" plain | as alice smencrypt -q -d | cmp - plain
	as alice smencrypt -S -r "$B" -r "$A" plain >env
	smencrypt --inspect env | grep -c '^to ' | grep -qx 2
	as alice smencrypt --no-self -r "$B" plain >env
	refused 65 'not a recipient' as alice smencrypt -d env
	as alice smencrypt --anonymous -r "$B" plain >env
	refused 65 'not a recipient' as alice smencrypt -d env
	(umask 077; as alice smkeygen -N -o other >/dev/null)
	as alice smencrypt -i other -r "$B" plain | as alice smencrypt -q -d -i other | cmp - plain
}

@test "usage" {
	refused 64 'to whom' smencrypt plain
	refused 64 'no -r or -R' smencrypt -p -r "$B" plain
	refused 64 'goes with neither' smencrypt --anonymous -S -r "$B" plain
	refused 64 'takes no option' smencrypt -d -r "$B" plain
	refused 64 'go with -d' smencrypt -s "$A" -r "$B" plain
	refused 64 'more than one FILE' smencrypt -r "$B" plain plain
	refused 64 'twice' smencrypt -r "$B" -o x -o y plain
	refused 64 'passes' smencrypt -p --argon2 11,8 plain
	refused 65 'cannot be a name' smencrypt -r "$B" -n ../x plain
	refused 65 'subject' smencrypt -r "$B" --subject $'a\nb' plain
}

@test "constant memory: 300 MiB in, sealed, opened from a pipe" {
	need prlimit
	unsanitized
	head -c 300M /dev/zero >big
	# Address space is not residency; what is bounded here is data + stack + anonymous maps.
	as alice prlimit --data=100000000 smencrypt -S -b -r "$B" big >env
	cat env | as bob prlimit --data=100000000 smencrypt -d -s "$A" | cmp - big
}

@test "nothing remote reaches a terminal raw" {
	need script
	printf 'red \033[31m text\n' >esc
	as alice smencrypt -S -r "$B" esc >env
	as bob script -qec "smencrypt -d -q env" /dev/null </dev/null >out
	grep -q 'red \\e\[31m text' out
	as bob script -qec "smencrypt -d -q -o - env" /dev/null </dev/null >out
	grep -q 'red \\e\[31m text' out
	as bob script -qec "smencrypt -d -q --early env" /dev/null </dev/null >out || true
	[[ $(grep -c red out) -eq 0 ]]
	head -c 100 /dev/zero >bin
	as alice smencrypt -S -r "$B" bin >env
	local status=0
	as bob script -qec "smencrypt -d -q env" /dev/null </dev/null >out || status=$?
	[[ $status -ne 0 ]] && grep -q 'use -o FILE' out
	as alice script -qec "smencrypt -b -r $B plain" /dev/null </dev/null >out || status=$?
	grep -q 'leave out -b' out
}

@test "attachments: there and back, of every size, with their names" {
	mkdir in got got2
	printf 'one\n' >in/a.txt
	: >in/empty
	head -c 3000000 /dev/urandom >"in/with space.bin"
	for b in "" -b; do
		rm -rf got got2 && mkdir got got2
		as alice smencrypt $b -S -r "$B" -A in/a.txt -A in/empty -A "in/with space.bin" plain >env
		as bob smencrypt -d -s "$A" --attachments got env | cmp - plain
		diff -r in got
		cat env | as bob smencrypt -d -s "$A" --attachments got2 | cmp - plain
		diff -r in got2
	done
	as bob smencrypt -d -s "$A" env 2>err | cmp - plain
	grep -q '3 attachments are not written' err
}

@test "attachments: never over a file, never out of the directory, safe names, twice the same" {
	mkdir x y got
	printf 'x\n' >x/f
	printf 'y\n' >y/f
	printf 'dot\n' >.profile
	as alice smencrypt -S -r "$B" -A x/f -A y/f -A .profile plain >env
	as bob smencrypt -q -d --attachments got env | cmp - plain
	[[ $(cat got/f) == x && $(cat got/f.1) == y && $(cat got/_profile) == dot && $(find got -type f | wc -l) -eq 3 ]]
	rm got/f.1 got/_profile && printf 'mine\n' >got/f
	refused 73 "got/f" as bob smencrypt -q -d --attachments got env
	[[ $(cat got/f) == mine && $(find got -type f | wc -l) -eq 1 ]]
	refused 73 "nowhere" as bob smencrypt -q -d --attachments nowhere env
	refused 66 'No such file' as alice smencrypt -r "$B" -A missing plain
	refused 66 'Is a directory' as alice smencrypt -r "$B" -A x plain
	refused 64 'go with -d' as alice smencrypt -r "$B" --attachments got plain
	refused 64 'takes no option' as bob smencrypt -d -A x/f env
}

@test "attachments: one bit, one swapped, one missing, one more: refused, and no file" {
	mkdir got
	printf 'one\n' >a && printf 'two\n' >b
	as alice smencrypt -S -b --no-pad -r "$B" -A a -A b plain >env
	# --no-pad: each blob is 56 + 4 + 16 bytes behind its length of 8
	size=$(stat -c %s env)
	head -c $((size - 168)) env >front
	tail -c 168 env | head -c 84 >one
	tail -c 84 env >two
	cat front one two | as bob smencrypt -q -d --attachments got | cmp - plain && rm got/*
	for bad in "front two one" "front one" "front one two two" "front two" "front"; do
		cat $bad >x
		refused 65 payload as bob smencrypt -q -d --attachments got x
	done
	{ head -c -1 env; tail -c 1 env | tr '\000-\377' '\001-\377\000'; } >x
	refused 65 payload as bob smencrypt -q -d --attachments got x
	[[ -z $(ls got) ]]
}

@test "--inspect shows the header to anybody, as text and as JSON" {
	need jq
	as alice smencrypt -S -r "$B" -A plain plain >env
	as alice smencrypt -S -b -r "$B" -A plain plain >bin
	for f in env bin; do
		smencrypt --inspect $f >out
		[[ $(head -n 1 out) == "sm-envelope/1 x25519-ed25519-aes256gcm" && $(tail -n 1 out) == "---" ]]
		grep -qx "from - $(as alice smkeygen -l | cut -d' ' -f1)" out
		smencrypt --inspect --json <$f >json
		[[ $(jq -r '.suite + " " + .to[0].fingerprint + " " + .stanzas[0] + " " + (.attachments | length | tostring)' json) == \
			"x25519-ed25519-aes256gcm $(as bob smkeygen -l | cut -d' ' -f1) hpke 1" ]]
	done
	printf 'sm-envelope/1 \033[31m\n' >x
	refused 65 'line 1' smencrypt --inspect x
	refused 64 'takes --json' smencrypt --inspect -r "$B" env
	refused 64 'goes with --inspect' smencrypt -d --json env
}

@test "--range: any part of a large file, and only what is read is checked" {
	head -c 3000000 /dev/urandom >big
	for n in 0 1 252 16380 3000000; do
		head -c $n big >in
		for s in "" -S; do
			as alice smencrypt -b $s -r "$B" -n name in >env
			for r in 0-0 0-9 16000-17000 251-252 2999999-2999999 100000-3500000 5-; do
				a=${r%-*} b=${r#*-}
				[[ -n $b ]] || b=3000000
				if [[ $a -lt $n ]]; then
					as bob smencrypt -q -d --range $r env >out
					tail -c +$((a + 1)) in | head -c $((b - a + 1)) | cmp - out
				else
					refused 1 'nothing there' as bob smencrypt -q -d --range $r env
				fi
			done
		done
	done
	# a byte in the middle is not met by a range at the front, and is by one that covers it
	size=$(stat -c %s env)
	{ head -c 1500000 env; printf x; tail -c $((size - 1500001)) env; } >x
	as bob smencrypt -q -d --range 0-99 x | cmp - <(head -c 100 in)
	refused 65 payload as bob smencrypt -q -d --range 0-2999999 x
	head -c -1 env >x && refused 65 payload as bob smencrypt -q -d --range 0-9 x
	as alice smencrypt -r "$B" plain >arm
	refused 65 'armored' as bob smencrypt -d --range 0-9 arm
	refused 65 'is no file' as bob smencrypt -d --range 0-9 < <(cat env)
	refused 65 'not a recipient' as eve smencrypt -d --range 0-9 env
	refused 64 'wants A-B' as bob smencrypt -d --range 5 env
	refused 64 'go with -d' as bob smencrypt --range 5-6 -r "$B" env
	refused 64 'does not read the signature' as bob smencrypt -d --range 5-6 -s "$A" env
}

@test "--early: comes out while it comes in, and the end still decides" {
	head -c 3000000 /dev/urandom >big
	as alice smencrypt -b -S -r "$B" big >env
	as bob smencrypt -d --early -s "$A" <env 2>err | cmp - big
	grep -q 'has not been verified' err
	local status=0
	head -c -1 env | as bob smencrypt -q -d --early -s "$A" >out || status=$?
	[[ $status -eq 65 ]] && cmp out big
	printf 'zeros\0\0\0\200\0\0' >z
	as alice smencrypt -b -S -r "$B" z | as bob smencrypt -q -d --early | cmp - z
	rm -f result
	refused 65 payload as bob smencrypt -q -d --early -o result < <(head -c -1 env)
	[[ ! -e result ]]
}

@test "--rekey: the same content, fields and attachments to somebody else" {
	sm_home carol
	C=$(as carol smkeygen -y | cut -d' ' -f1)
	head -c 3000000 /dev/urandom >big
	mkdir got
	as alice smencrypt -S -r "$B" --subject 'about it' -A big -A plain big >env
	as bob smencrypt --rekey -s "$A" -r "$C" -b -o new env 2>err
	grep -q 'anew' err
	as carol smencrypt -q -d -s "$B" --attachments got new | cmp - big
	cmp got/big big && cmp got/plain plain
	refused 65 'not a recipient' as alice smencrypt -q -d new
	as bob smencrypt -q -d new | cmp - big
	as bob smencrypt -q --rekey --no-self -r "$C" env >new
	refused 65 'not a recipient' as bob smencrypt -q -d new
	head -c -40 env >cut
	refused 65 armor as bob smencrypt -q --rekey -r "$C" cut
	refused 65 'not a recipient' as carol smencrypt -q --rekey -r "$C" env
	refused 64 'for whom' as bob smencrypt --rekey env
	as bob smencrypt -q --rekey -r "$C" <env | as carol smencrypt -q -d | cmp - big
}

@test "SM_THREADS: any number of threads makes and opens the same; anything else is refused" {
	head -c 5000000 /dev/urandom >big
	for n in 1 2 4 8; do
		SM_THREADS=$n as alice smencrypt -b -S -r "$B" big >env
		SM_THREADS=$n as bob smencrypt -d -s "$A" env | cmp - big
		SM_THREADS=$n as alice smsign -b <env | cmp - env
	done
	for n in 0 9 x 10; do
		export SM_THREADS=$n
		refused 78 'SM_THREADS' as alice smencrypt -r "$B" plain
	done
}

@test "an interrupt leaves no half output" {
	mkfifo slow
	SM_HOME=$(home_of alice) smencrypt -b -r "$B" -o result slow 3>&- &
	local pid=$! status=0
	{ head -c 3000000 /dev/zero; wait_until 10 has_temp; kill -TERM "$pid"; wait_until 10 no_temp; } >slow
	wait "$pid" || status=$?
	[[ $status -ne 0 && ! -e result && -z $(find . -name 'result*') ]]
}
has_temp() { [[ -n $(find . -name 'result?*') ]]; }
no_temp() { [[ -z $(find . -name 'result?*') ]]; }
