# A disk that fails under the tools: exit 74, one line that says so, and nothing left that looks like output.
# Twice: with files of the kernel's that really give EIO (/proc/PID/mem, where nothing is mapped), and with a shim that lets a call fail
# halfway, which no real file does on demand.

load helper

setup() {
	sm_setup
	smkeygen -N -q -C alice >/dev/null
	alice=$(smkeygen -y | cut -d' ' -f1)
	mkdir work
	cd work || return
}

# Only what was there before, whatever the tool had begun; out and err are refused's.
nothing_new() {
	local left
	left=$(find . "$TMPDIR" -type f ! -name out ! -name err ! -name eio.so ! -path './given*' | grep -v '/given[^/]*$' || true)
	[[ -z $left ]] || { echo "left behind: $left" >&2; return 1; }
}
io_error() { refused 74 'Input/output error' "$@" && nothing_new; }

# failing CALL PATH BYTES COMMAND...
failing() {
	local call=$1 path=$2 bytes=$3
	shift 3
	env EIO_CALL="$call" EIO_PATH="$path" EIO_AFTER="$bytes" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" LD_PRELOAD="$TMPDIR/eio.so" "$@"
}
shim() {
	need cc
	cc -shared -fPIC -O1 -D_GNU_SOURCE -U_FORTIFY_SOURCE -o "$TMPDIR/eio.so" "$SM_TOP/tests/offline_eio.c" -ldl
}
# given.bin: more than a few blocks, and than any buffer. given.sm: the same, signed
large() {
	head -c 4M /dev/urandom >given.bin
	smencrypt -r "$alice" -S -b given.bin >given.sm
}

@test "EIO from a real file: whatever is read" {
	echo hello >given.txt
	smencrypt -r "$alice" -S given.txt >given.sm
	io_error smencrypt -r "$alice" /proc/self/mem
	io_error smencrypt -r "$alice" -S -b -o not-there /proc/self/mem
	io_error smencrypt -r "$alice" -A /proc/self/mem given.txt
	io_error smencrypt -R /proc/self/mem given.txt
	io_error smencrypt -d /proc/self/mem
	io_error smencrypt -d -o not-there /proc/self/mem
	io_error smencrypt -d -i /proc/self/mem given.sm
	io_error smencrypt --inspect /proc/self/mem
	io_error smsign /proc/self/mem
	io_error smkeygen -y /proc/self/mem
	[[ ! -e not-there ]]
}

@test "EIO from a real file: standard output" {
	head -c 3M /dev/urandom >given.bin
	smencrypt -r "$alice" -S -b given.bin >given.sm
	exec {mem}<>"/proc/$BASHPID/mem"
	to_mem() { "$@" >&"$mem"; }
	io_error to_mem smencrypt -r "$alice" given.bin
	io_error to_mem smencrypt -r "$alice" -b given.bin
	io_error to_mem smencrypt -d given.sm
	io_error to_mem smencrypt -d --range 0-100 given.sm
	io_error to_mem smencrypt --inspect given.sm
	io_error to_mem smsign -o - given.bin
	io_error to_mem smsign <given.sm
	io_error to_mem smsign -b <given.sm
	io_error to_mem smkeygen -y
	exec {mem}>&-
}

@test "EIO halfway through the input" {
	shim
	large
	io_error failing read given.bin 3000000 smencrypt -r "$alice" -S -b -o not-there given.bin
	io_error failing read given.bin 3000000 smencrypt -r "$alice" -o not-there given.bin
	io_error failing read given.bin 3000000 smencrypt -r "$alice" -A given.bin -o not-there given.sm
	io_error failing read given.sm 3000000 smencrypt -d -o not-there given.sm
	io_error failing read given.bin 3000000 smsign -o not-there given.bin
	io_error failing read given.sm 3000000 smsign -b -o not-there <given.sm
	[[ ! -e not-there ]]
}

@test "EIO in the second pass, when all has been verified" {
	shim
	large
	size=$(stat -c %s given.sm)
	io_error failing read given.sm $((size + 1000000)) smencrypt -d -o not-there given.sm
	# One thread reads the blocks in order, two may not: neither leaves anything.
	SM_THREADS=1 io_error failing read given.sm $((size + 3000000)) smencrypt -d -o not-there given.sm
	# And the shim does count: with as much as there is to read, all is well.
	failing read given.sm $((2 * size + 65536)) smencrypt -d -q -o given.out given.sm
	cmp given.bin given.out
}

@test "EIO halfway through the output" {
	shim
	large
	io_error failing write not-there 1000000 smencrypt -r "$alice" -S -b -o not-there given.bin
	io_error failing write not-there 1000000 smencrypt -r "$alice" -o not-there given.bin
	io_error failing write not-there 1000000 smencrypt -d -o not-there given.sm
	io_error failing write not-there 1000000 smencrypt -d --range 0-3000000 -o not-there given.sm
	io_error failing write not-there 1000000 smsign -b -o not-there <given.sm
	mkdir given-dir
	smencrypt -r "$alice" -A given.bin -b -o given-attached.sm given.bin
	refused 74 'Input/output error' failing write given-dir 1000000 smencrypt -d -q -o not-there --attachments given-dir given-attached.sm
	nothing_new
	[[ -z $(find given-dir -type f) ]]
}

@test "EIO in the spool of what comes by a pipe" {
	shim
	head -c 9M /dev/urandom >given.bin
	smencrypt -r "$alice" -S -b given.bin >given.sm
	piped() { cat given.sm | failing "$1" "$TMPDIR/#" "$2" smencrypt -d -o not-there; }
	io_error piped write 1000000
	io_error piped read 1000000
	attached() { failing "$1" "$TMPDIR/#" 1000000 smencrypt -r "$alice" -A given.bin -o not-there given.sm; }
	io_error attached write
	io_error attached read
}

@test "EIO when the output is synced: what stood there before stays" {
	shim
	large
	echo before >given-out
	io_error failing fsync given-out 0 smencrypt -r "$alice" -o given-out given.bin
	io_error failing fsync given-out 0 smencrypt -d -o given-out given.sm
	io_error failing fsync given-out 0 smsign -b -o given-out <given.sm
	[[ $(cat given-out) == before ]]
	[[ $(find . -name 'given-out*' | wc -l) -eq 1 ]]
}
