load helper

setup() {
	sm_setup
	sm_home alice
	sm_home bob
	A=$(as alice smkeygen -y | cut -d' ' -f1)
	B=$(as bob smkeygen -y | cut -d' ' -f1)
	printf 'attack at dawn\n' >plain
}

# fails STATUS PATTERN FILE COMMAND...: as answers, with "FILE: FAILED" on stdout
fails() {
	local want=$1 pattern=$2 file=$3 status=0
	shift 3
	"$@" >out 2>err || status=$?
	[[ $status -eq $want ]] || { echo "exit $status, not $want: $(cat err)" >&2; return 1; }
	[[ $(wc -l <err) -eq 1 ]] || { echo "not one line: $(cat err)" >&2; return 1; }
	grep -q -- "$pattern" err || { echo "'$(cat err)' has no '$pattern'" >&2; return 1; }
	[[ $(cat out) == "$file: FAILED" ]] || { echo "stdout: $(cat out)" >&2; return 1; }
}

@test "an envelope from a pipe is signed in place, at every limit" {
	for n in 0 1 16383 16384 16385 1048576 3000000; do
		head -c "$n" /dev/urandom >in
		as alice smencrypt -r "$B" in | as alice smsign >env
		as bob smencrypt -d -s "$A" env | cmp - in
		as alice smencrypt -b -r "$B" in | as alice smsign -b | as bob smsign -V -s "$A" | as bob smencrypt -d -s "$A" | cmp - in
	done
}

@test "signing twice changes nothing; signing for somebody else is refused" {
	as alice smencrypt -S -r "$B" plain >env
	as alice smsign <env | cmp - env
	as alice smencrypt -r "$B" plain >env
	refused 65 "not from this identity" as bob smsign <env
	as alice smencrypt --anonymous -r "$B" plain >env
	refused 65 "not from this identity" as alice smsign <env
}

@test "-V passes an envelope on only once it has verified" {
	as alice smencrypt -S -r "$B" plain >env
	as bob smsign -V -s "$A" <env | cmp - env
	as bob smsign -V -s "$A" env | cmp - env
	refused 1 'another key' as bob smsign -V -s "$B" <env
	as alice smencrypt -r "$B" plain >unsigned
	refused 1 'not signed' as bob smsign -V -s "$A" <unsigned
	as alice smencrypt -S -b -r "$B" plain >bin
	{ head -c -1 bin; tail -c 1 bin | tr '\000-\377' '\001-\377\000'; } >x
	refused 1 'bad signature' as bob smsign -V -s "$A" <x
	# a bit of the body, which no tag guards against one who does not decrypt
	size=$(stat -c %s bin)
	{ head -c $((size - 100)) bin; tail -c 100 bin | head -c 1 | tr '\000-\377' '\001-\377\000'; tail -c 99 bin; } >x
	refused 1 'bad signature' as bob smsign -V -s "$A" <x
	head -c -1 bin >x && refused 65 'payload' as bob smsign -V -s "$A" <x
	{ cat bin; printf x; } >x && refused 65 'payload' as bob smsign -V -s "$A" <x
	sed '2s/from/form/' bin >x && refused 65 'line 2' as bob smsign -V -s "$A" <x
	head -c -5 env >x && refused 65 'armor' as bob smsign -V -s "$A" <x
}

@test "detached: beside the file, by -x, from a pipe" {
	as alice smsign plain
	[[ -f plain.sig ]]
	[[ $(as bob smsign -V -s "$A" plain) == "plain: OK" ]]
	[[ -z $(as bob smsign -q -V -s "$A" plain) ]]
	mv plain.sig elsewhere
	as bob smsign -V -s "$A" -x elsewhere plain
	as bob smsign -V -s "$A" -x elsewhere <plain
	as alice smsign <plain >piped
	as bob smsign -V -s "$A" -x piped plain
	as alice smsign -b <plain >binary
	as bob smsign -V -s "$A" -x binary plain
	as alice smsign -o named plain && as bob smsign -V -s "$A" -x named plain
	cp plain second && as alice smsign plain second && as bob smsign -V -s "$A" second
	printf 'x' >>second
	cp plain third && as alice smsign third
	local status=0
	as bob smsign -V -s "$A" plain second third >out 2>err || status=$?
	[[ $status -eq 1 && $(cat out) == $'plain: OK\nsecond: FAILED\nthird: OK' && $(wc -l <err) -eq 1 ]]
}

@test "detached: every way to be wrong" {
	as alice smsign plain
	printf 'attack at noon\n' >other
	fails 1 'bad signature' other as bob smsign -V -s "$A" -x plain.sig other
	fails 1 'another key' plain as bob smsign -V -s "$B" plain
	fails 1 "namespace 'file', not 'release'" plain as bob smsign -V -s "$A" -n release plain
	as alice smsign -n release -o rel plain
	as bob smsign -V -s "$A" -n release -x rel plain
	fails 1 namespace plain as bob smsign -V -s "$A" -x rel plain
	fails 66 'No such file' plain as bob smsign -V -s "$A" -x missing plain
	fails 66 'No such file' other as bob smsign -V -s "$A" other
	refused 66 'No such file' as bob smsign -V -s "$A" missing
	fails 65 'malformed signature' plain as bob smsign -V -s "$A" -x plain plain
	head -c -5 plain.sig >x && fails 65 armor plain as bob smsign -V -s "$A" -x x plain
	as alice smsign -b -o bin plain
	head -c -1 bin >x && fails 65 payload plain as bob smsign -V -s "$A" -x x plain
	{ cat bin; printf x; } >x && fails 65 payload plain as bob smsign -V -s "$A" -x x plain
	sed '2s/namespace/nomespace/' bin >x && fails 65 'line 2' plain as bob smsign -V -s "$A" -x x plain
	sed '1s/x25519-ed25519-aes256gcm/other/' bin >x && fails 65 'unsupported suite' plain as bob smsign -V -s "$A" -x x plain
	sed 's/^date 2/date 3/' bin >x && fails 1 'bad signature' plain as bob smsign -V -s "$A" -x x plain
}

@test "comment and date are told with -v, once they have verified" {
	as alice smsign -c 'release 1.0' plain
	as bob smsign -V -v -s "$A" plain 2>err
	grep -q 'comment: release 1.0' err && grep -q 'good signature' err
	refused 65 'namespace' as alice smsign -c $'two\nlines' -o x plain
	refused 65 'namespace' as alice smsign -n 'UPPER' -o x plain
}

@test "usage and what cannot be written" {
	refused 64 'whose signature' smsign -V plain
	refused 64 'go with -V' smsign -s "$A" plain
	refused 64 'one FILE' smsign -V -s "$A" -x sig plain plain
	refused 64 'one FILE' smsign -o x plain plain
	refused 73 'cannot create' as alice smsign -o no/such/dir plain
	mkdir dir && cp plain dir/f
	local status=0
	as alice smsign <plain >/dev/full 2>err || status=$?
	[[ $status -eq 74 ]]
	private_dir "$PWD/empty"
	refused 66 smkeygen env SM_HOME="$PWD/empty" smsign plain
}
