# The suite rsa-oaep-pss-aes256gcm through the tools: identities, envelopes, signatures, and what the two suites may not do together.
# shellcheck disable=SC2154 # bats sets stderr and stderr_lines
load helper

# Keys take a while to make: one pair of people for the file. alice's identity is plain, bob's under a passphrase.
setup_file() {
	mkdir "$BATS_FILE_TMPDIR/keys"
	cd "$BATS_FILE_TMPDIR/keys" || return
	umask 077
	echo secret >pass
	"$SM_BIN/smkeygen" -N -t rsa:2048 -C 'alice at work' -o alice >/dev/null
	"$SM_BIN/smkeygen" --passphrase-file pass -t rsa:2056 -C bob -o bob >/dev/null
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out one.pem 2>/dev/null ||
		openssl genrsa -out one.pem 2048 2>/dev/null
	openssl genrsa -out two.pem 2048 2>/dev/null
}

setup() {
	sm_setup
	for who in alice bob; do
		sm_place "$who"
	done
	sm_home eve # of the other suite
	cp "$BATS_FILE_TMPDIR"/keys/{one,two}.pem "$BATS_FILE_TMPDIR/keys/pass" .
	A=$(key alice) B=$(key bob) E=$(as eve smkeygen -y | cut -d' ' -f1)
	printf 'attack at dawn\n' >plain
}

# A home with the file's identity of that name.
sm_place() {
	private_dir "$(home_of "$1")/config"
	cp "$BATS_FILE_TMPDIR/keys/$1" "$(home_of "$1")/config/identity"
	cp "$BATS_FILE_TMPDIR/keys/$1.pub" "$(home_of "$1")/config/identity.pub"
}
key() { cut -d' ' -f1,2 "$BATS_FILE_TMPDIR/keys/$1.pub"; }
bob() { as bob "$1" --passphrase-file "$PWD/pass" "${@:2}"; }

# refused STATUS WORDS COMMAND...: that exit status, one line with the words, nothing on stdout.
refused() {
	run --separate-stderr "${@:3}"
	[ "$status" -eq "$1" ] || { echo "exit $status: $stderr" && false; }
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *"$2"* ]] || { echo "$stderr" && false; }
}

@test "an identity: two keys in one line, one file and one fingerprint" {
	line=$(as alice smkeygen -y)
	[[ $line =~ ^sm-rsa' '[A-Za-z0-9+/]{790,800}' alice at work'$ ]]
	[ "$line" = "$(cat "$(home_of alice)/config/identity.pub")" ]
	cut -d' ' -f2 <<<"$line" | sed 's/$/===/' | base64 -d 2>/dev/null >raw || true
	[ "$(as alice smkeygen -l)" = "SHA256:$(openssl dgst -sha256 -binary raw | base64 | tr -d =) alice at work" ]
	[ "$(smkeygen -l - <<<"$line")" = "$(as alice smkeygen -l)" ]
	[ "$(as alice smkeygen -y --json | jq -r '.public + " " + .comment')" = "$line" ]
	[ "$(stat -c %a "$(home_of alice)/config/identity")" = 600 ]
	[ "$(grep -c 'BEGIN PRIVATE KEY' "$(home_of alice)/config/identity")" -eq 2 ]
	# OpenSSL reads the file's first key, and finds the line's first key in it
	openssl pkey -in "$(home_of alice)/config/identity" -pubout -outform DER >spki
	cmp -n "$(stat -c %s spki)" -i 0:4 spki raw
}

@test "sizes that are not made: 64" {
	for t in rsa: rsa:x rsa:2047 rsa:8193 rsa:2052 rsa:-2048 rsa:02048 rsa2048 RSA dsa; do
		run smkeygen -N -t "$t" -o k
		[ "$status" -eq 64 ] || { echo "$t: $status" && false; }
		[ ! -e k ]
	done
}

@test "encrypt, sign, verify, decrypt" {
	for n in 0 1 16384 1048577; do
		head -c "$n" /dev/urandom >in
		for b in "" -b; do
			as alice smencrypt $b -S -r "$B" in >env
			bob smencrypt -d -s "$A" env | cmp - in
			bob smencrypt -d -q <env | cmp - in
		done
	done
	head -n 1 < <(as alice smencrypt -b -r "$B" plain) | grep -qx 'sm-envelope/1 rsa-oaep-pss-aes256gcm'
	as alice smencrypt -S -r "$B" plain | smsign -V -s "$A" 2>/dev/null | bob smencrypt -d -s "$A" | cmp - plain
	as alice smencrypt -r "$B" plain | as alice smsign | bob smencrypt -d -s "$A" | cmp - plain
	seq 100000 >in
	as alice smencrypt -b -S -r "$B" in >env
	bob smencrypt -d -q --range 100000-100099 env >part
	cmp -n 100 -i 0:100000 part in
}

@test "several recipients, from arguments and files; others are none" {
	printf '# team\n%s alice\n%s\n' "$A" "$B" >team
	as eve smencrypt --anonymous -R team plain >env
	bob smencrypt -d -q env | cmp - plain
	as alice smencrypt -d -q env | cmp - plain
	refused 65 'not a recipient' as eve smencrypt -d env
	as alice smencrypt -r "$A" plain >env
	refused 65 'not a recipient' bob smencrypt -d env
}

@test "suites do not mix: 65, with the reason" {
	refused 65 'recipients of different suites' as alice smencrypt -r "$A" -r "$E" plain
	printf '%s\n%s\n' "$A" "$E" >team
	refused 65 "recipients of different suites: 'team' line 2" as eve smencrypt --anonymous -R team plain
	refused 65 "the sender's key is of x25519-ed25519-aes256gcm" as eve smencrypt -r "$A" plain
	refused 65 "the sender's key is of x25519-ed25519-aes256gcm" as eve smencrypt -S -r "$A" plain
	refused 65 "the sender's key is of rsa-oaep-pss-aes256gcm" as alice smencrypt -S -r "$E" plain
	as eve smencrypt --anonymous -r "$A" plain | as alice smencrypt -d -q | cmp - plain
	as eve smencrypt -i "$(home_of alice)/config/identity" -S -r "$B" plain | bob smencrypt -d -s "$A" | cmp - plain
	as alice smencrypt -S -r "$A" plain >env
	run as alice smencrypt -q --rekey -r "$E" env
	[ "$status" -eq 65 ]
	[[ $output == *"the sender's key is of"* ]]
	refused 65 "not from this identity" as eve smsign <env
}

@test "a passphrase with a signature of this suite" {
	as alice smencrypt -p -S --argon2 1,8 --passphrase-file pass plain >env
	smencrypt -d --passphrase-file pass -s "$A" env | cmp - plain
	as alice smencrypt -b -p --argon2 1,8 --passphrase-file pass plain | head -n 1 | grep -q rsa-oaep
}

@test "detached signatures" {
	as alice smsign plain
	smsign -V -s "$A" plain
	grep -q 'BEGIN SM SIGNATURE' plain.sig
	bob smsign -n git -c 'a comment' <plain >other.sig
	smsign -V -s "$B" -n git -x other.sig plain
	run smsign -V -s "$B" -x other.sig plain
	[ "$status" -eq 1 ]
	run smsign -V -s "$B" plain
	[ "$status" -eq 1 ]
	run smsign -V -s "$E" plain
	[ "$status" -eq 1 ]
	echo more >>plain
	run smsign -V -s "$A" plain
	[ "$status" -eq 1 ]
}

@test "a damaged stanza, body or signature: 65, one line, nothing out" {
	as alice smencrypt -b -S -r "$B" plain >env
	LC_ALL=C
	at=$(grep -abo -- '-> rsa' env | head -n 1 | cut -d: -f1)
	for o in $((at + 8)) $((at + 60)) $((at + 300)); do
		cp env bad
		c=$(dd if=env bs=1 skip="$o" count=1 status=none)
		printf %s "$([[ $c == A ]] && echo B || echo A)" | dd of=bad bs=1 seek="$o" conv=notrunc status=none
		refused 65 'no stanza for me' bob smencrypt -d bad
	done
	size=$(stat -c %s env)
	cp env bad && printf '\0\0' | dd of=bad bs=1 seek=$((size - 9)) conv=notrunc status=none
	refused 65 signature bob smencrypt -d -s "$A" bad
	head -c $((size - 1)) env >bad
	refused 65 payload bob smencrypt -d bad
}

@test "a passphrase protects the file; -p changes it, --unlock keeps it" {
	grep -q 'BEGIN SM ENVELOPE' "$(home_of bob)/config/identity"
	echo wrong >nope && chmod 600 nope
	as bob smencrypt -S --passphrase-file pass -r "$A" plain | as alice smencrypt -d -s "$B" | cmp - plain
	run as bob smencrypt -S --passphrase-file nope -r "$A" plain
	[ "$status" -eq 77 ]
	(umask 077 && echo new >new)
	bob smkeygen -p --new-passphrase-file new
	as bob smencrypt -S --passphrase-file new -r "$A" plain | as alice smencrypt -d -s "$B" | cmp - plain
	as bob smkeygen -p -N --passphrase-file new
	[ "$(grep -c 'BEGIN PRIVATE KEY' "$(home_of bob)/config/identity")" -eq 2 ]
	as bob smencrypt -S -r "$A" plain | as alice smencrypt -d -s "$B" | cmp - plain
}

@test "unlocked in the kernel, nobody asks" {
	run bob smkeygen --unlock 60
	[[ $output != *"kernel's keyring"* ]] || skip "no kernel keyring here: $output"
	[ "$status" -eq 0 ]
	as bob smencrypt -S -r "$A" plain </dev/null | as alice smencrypt -d -s "$B" | cmp - plain
	as bob smkeygen --lock
	run as bob notty smencrypt -S -r "$A" plain
	[ "$status" -eq 77 ]
}

@test "import: PKCS#8, PKCS#1, encrypted, with or without a second key" {
	need openssl
	printf '%s\n' "$(openssl rsa -in one.pem -traditional 2>/dev/null)" >one.p1
	openssl pkcs8 -topk8 -in one.pem -v2 aes256 -passout pass:secret -out one.p8
	grep -q 'RSA PRIVATE KEY' one.p1
	grep -q 'ENCRYPTED PRIVATE KEY' one.p8
	smkeygen -N --import one.pem --import-encrypt two.pem -o k1 -C c >l1
	smkeygen -N --import one.p1 --import-encrypt two.pem -o k2 -C c >l2
	smkeygen -N --import one.p8 --passphrase-file pass --import-encrypt two.pem -o k3 -C c >l3
	cat one.pem two.pem >both
	smkeygen -N --import both -o k4 -C c >l4
	cmp l1 l2 && cmp l1 l3 && cmp l1 l4
	# what OpenSSL has as the public key is what is in the line
	openssl pkey -in one.pem -pubout -outform DER >spki
	cut -d' ' -f2 l1 | sed 's/$/===/' | base64 -d 2>/dev/null >raw || true
	cmp -n "$(stat -c %s spki)" -i 0:4 spki raw
	# and its file, without comments, is what cat makes
	cmp <(grep -v '^#' k1) both
	chmod 600 one.pem
	run --separate-stderr smkeygen -v -N --import one.pem -o k5
	[ "$status" -eq 0 ]
	[[ $stderr == *'it signs, and a new one of 2048 bits encrypts'* ]]
	smencrypt -i k5 -S -r "$(cut -d' ' -f1,2 k5.pub)" plain | smencrypt -d -q -i k5 | cmp - plain
	smkeygen --import one.pem --import-encrypt two.pem --new-passphrase-file pass -o k6 >/dev/null
	grep -q 'BEGIN SM ENVELOPE' k6
	[ "$(smkeygen -l k6 | cut -d' ' -f1)" = "$(smkeygen -l l1 | cut -d' ' -f1)" ]
}

@test "import of an Ed25519 key makes an identity of the other suite" {
	need openssl
	openssl genpkey -algorithm ED25519 -out ed.pem
	chmod 600 ed.pem
	smkeygen -N --import ed.pem -o k -C c >line
	grep -q '^sm1' line
	smencrypt -i k -S -r "$(cut -d' ' -f1 line)" plain | smencrypt -d -q -i k | cmp - plain
	refused 65 'one Ed25519 key, or two RSA keys' smkeygen -N --import ed.pem --import-encrypt one.pem -o k2
}

@test "import refuses what is no identity" {
	need openssl
	chmod 600 one.pem two.pem
	refused 65 'cannot both sign and encrypt' smkeygen -N --import one.pem --import-encrypt one.pem -o k
	openssl genrsa -out small 1024 2>/dev/null
	refused 65 '2048 to 8192 bits' smkeygen -N --import small -o k
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out three 2>/dev/null
	refused 65 'exponent 65537' smkeygen -N --import three -o k
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec
	refused 65 'not imported' smkeygen -N --import ec -o k
	openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss 2>/dev/null
	refused 65 'not imported' smkeygen -N --import pss -o k
	refused 65 'no private key' smkeygen -N --import plain -o k
	openssl pkey -in one.pem -pubout -out public
	refused 65 'no private key' smkeygen -N --import public -o k
	cat one.pem two.pem one.pem >many
	chmod 600 many
	refused 65 'more private keys' smkeygen -N --import many -o k
	sed '5s/./A/' one.pem | tr 'B' 'C' >damaged
	refused 65 'damaged' smkeygen -N --import damaged -o k
	openssl pkcs8 -topk8 -in one.pem -v2 aes256 -passout pass:other -out one.p8
	refused 77 'wrong passphrase' smkeygen -N --import one.p8 --passphrase-file pass -o k
	run notty smkeygen -N --import one.p8 -o k
	[ "$status" -eq 77 ]
	refused 66 'cannot read' smkeygen -N --import nowhere -o k
	[ ! -e k ]
	for args in '-t rsa --import one.pem' '--import-encrypt two.pem' '-y --import one.pem' '--new-passphrase-file pass' \
		'--import one.pem --new-passphrase-file pass -N'; do
		# shellcheck disable=SC2086 # they are several
		run smkeygen $args -o k
		[ "$status" -eq 64 ] || { echo "$args: $status" && false; }
	done
}

@test "a key with numbers that do not belong together is not imported" {
	need openssl
	mod() { openssl rsa -in "$1" -noout -text 2>/dev/null | sed -n '/^prime1/,/^prime2/p' | grep '^ ' | tr -d ' :\n'; }
	# the first prime of the other key in place of its own
	openssl pkcs8 -topk8 -nocrypt -in one.pem -outform DER -out one.der
	openssl pkcs8 -topk8 -nocrypt -in two.pem -outform DER -out two.der
	xxd -p one.der | tr -d '\n' >one.hex
	p1=$(mod one.pem) p2=$(mod two.pem)
	[ "${#p1}" -eq "${#p2}" ]
	[[ $p1 != "$p2" ]]
	sed "s/$p1/$p2/" one.hex | xxd -r -p >bad.der
	run cmp -s bad.der one.der
	[ "$status" -eq 1 ]
	openssl pkcs8 -topk8 -nocrypt -inform DER -in bad.der -out bad.pem
	refused 65 'damaged' smkeygen -N --import bad.pem -o k
}

@test "damaged identities and key files" {
	refused 65 'not a valid public key' smencrypt -r "${A%?}" plain
	refused 65 'not a valid public key' smencrypt -r "sm-rsa AAAA" plain
	printf '%s\n' "$A" | sed 's/AAAB/AAAC/' >team
	refused 65 "line 1: not a public key" smencrypt -R team plain
	head -n 20 "$(home_of alice)/config/identity" >k
	chmod 600 k
	run smsign -i k plain
	[ "$status" -eq 65 ]
	[ ! -e plain.sig ]
}

@test "contacts hold it, and its owner's signature is known by it" {
	as eve smcontact add alice@example.org "$A"
	as eve smcontact show alice@example.org | grep -q "$(as alice smkeygen -l | cut -d' ' -f1)"
	[ "$(as eve smcontact list --json | jq -r .identity)" = "$A" ]
	as eve smencrypt --anonymous -r alice@example.org plain | as alice smencrypt -d -q | cmp - plain
	as alice smsign plain
	as eve smsign -V -s alice@example.org plain
	refused 77 changed as eve smcontact add alice@example.org "$B"
	as eve smcontact accept alice@example.org "$(smkeygen -l "$BATS_FILE_TMPDIR/keys/bob.pub" | cut -d' ' -f1)"
	run as eve smsign -V -s alice@example.org plain
	[ "$status" -eq 1 ]
}

@test "an account signs in with the other suite: 78, and says so" {
	start_server
	refused 78 'x25519 identities only' as alice smaccount register "alice@$SERVER_HOST" --password-file pass
}

@test "a thousand recipients" {
	: >team
	# numbers that nobody has factored: with the modulus's low half changed the text is as good an identity
	for i in $(seq 0 1023); do
		printf '%s%04d%s\n' "${A:0:200}" "$i" "${A:204}"
	done >team
	smencrypt -b -R team plain >env
	[ "$(head -c 600000 env | grep -ac '^-> rsa$')" -eq 1024 ]
	smencrypt --inspect env | grep -c '^to ' | grep -qx 1024
}
