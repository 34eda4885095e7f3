# Rows of tests/bench/run that need no server: files, and processes that do one small thing. Files are in $FAST: what is measured is the
# processor, not a disk. The plaintext is random, so that nobody gains by its being easy.

MIB=$([[ -n $QUICK ]] && echo 64 || echo 1024)
TIMES=$([[ -n $QUICK ]] && echo 20 || echo 200)
home_of() { printf '%s/home-%s' "$FAST" "$1"; }

measure() { "$HELPER/measure" "$@"; }
# A pipeline as one command; the names it uses come by the environment.
measure_sh() { "$HELPER/measure" bash -c "set -o pipefail; $1"; }

# once NAME FUNCTION: only the first time
declare -A done_once=()
once() {
	[[ -z ${done_once[$1]:-} ]] || return 0
	"$1" || return
	done_once[$1]=yes
}

make_plain() {
	head -c "$((MIB << 20))" /dev/urandom >"$FAST/plain"
	printf 'hello\n' >"$FAST/tiny"
}
make_sm() {
	SM_HOME=$(home_of self)
	export SM_HOME
	mkdir -p "$SM_HOME"
	smkeygen -N -q -C bench >/dev/null || return
	sm_key=$(smkeygen -y | awk '{ print $1 }')
	export sm_key FAST
}
make_age() {
	age-keygen -o "$FAST/age.key" 2>/dev/null || return
	age_key=$(age-keygen -y "$FAST/age.key")
	export age_key
}
make_minisign() { minisign -G -W -p "$FAST/minisign.pub" -s "$FAST/minisign.key" >/dev/null; }
make_gpg() {
	mkdir -p "$FAST/gnupg"
	export GNUPGHOME=$FAST/gnupg
	gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key bench default default never 2>/dev/null
}
start_local() {
	once make_plain && once make_sm || return
	SM_HOME=$(home_of self)
}

age_encrypt() { measure age -r "$age_key" "$FAST/plain"; }
sm_encrypt() { measure smencrypt -r "$sm_key" -b "$FAST/plain"; }
row_encrypt() {
	needs encrypt '<= 0.6' age age-keygen || return 0
	start_local && once make_age && in_turn sm_encrypt age_encrypt && ratio_row encrypt seconds '<= 0.6'
}

age_armored() { measure age -a -r "$age_key" "$FAST/plain"; }
sm_armored() { measure smencrypt -r "$sm_key" "$FAST/plain"; }
row_armored() {
	needs armored '<= 0.35' age age-keygen || return 0
	start_local && once make_age && in_turn sm_armored age_armored && ratio_row armored seconds '<= 0.35'
}

# The peer's time is age's plus that of minisign over a file of the same size: it can only sign files.
age_minisign() {
	local a b
	a=$(age_encrypt) && b=$(measure minisign -S -s "$FAST/minisign.key" -m "$FAST/plain" -x "$FAST/plain.minisig") && calc "$a + $b"
}
sm_sign_encrypt() { measure smencrypt -r "$sm_key" -S -b "$FAST/plain"; }
row_sign_encrypt() {
	needs sign-encrypt '<= 0.45' age age-keygen minisign || return 0
	start_local && once make_age && once make_minisign && in_turn sm_sign_encrypt age_minisign && ratio_row sign-encrypt seconds '<= 0.45'
}

gpg_sign_encrypt() { measure gpg --batch --quiet --pinentry-mode loopback --passphrase '' --trust-model always -z0 -s -e -r bench -o - "$FAST/plain"; }
row_sign_encrypt_gpg() {
	needs sign-encrypt-gpg '<= 0.2' gpg gpgconf || return 0
	start_local && once make_gpg && in_turn sm_sign_encrypt gpg_sign_encrypt && ratio_row sign-encrypt-gpg seconds '<= 0.2'
}

# shellcheck disable=SC2016
sm_pipe() { measure_sh 'smencrypt -r "$sm_key" -b "$FAST/plain" | smsign -b'; }
row_pipe_sign_encrypt() {
	needs pipe-sign-encrypt '<= 0.45' age age-keygen minisign || return 0
	start_local && once make_age && once make_minisign && in_turn sm_pipe age_minisign && ratio_row pipe-sign-encrypt seconds '<= 0.45'
}

age_decrypt() { measure age -d -i "$FAST/age.key" "$FAST/plain.age"; }
sm_decrypt() { measure smencrypt -d -s "$sm_key" "$FAST/plain.sm"; }
row_verify_decrypt() {
	local status=1
	needs verify-decrypt '<= 1.0' age age-keygen || return 0
	start_local && once make_age && age -r "$age_key" "$FAST/plain" >"$FAST/plain.age" &&
		smencrypt -r "$sm_key" -S -b "$FAST/plain" >"$FAST/plain.sm" && smencrypt -d -s "$sm_key" "$FAST/plain.sm" | cmp - "$FAST/plain" &&
		in_turn sm_decrypt age_decrypt && ratio_row verify-decrypt seconds '<= 1.0' && status=0
	rm -f "$FAST/plain.age" "$FAST/plain.sm"
	return "$status"
}

# Whole processes, many a sample.
age_tiny() { measure -n "$TIMES" age -r "$age_key" "$FAST/tiny"; }
sm_tiny() { measure -n "$TIMES" smencrypt -r "$sm_key" "$FAST/tiny"; }
sm_tiny_sign() { measure -n "$TIMES" -i "$FAST/tiny" smsign; }
row_tiny_encrypt() {
	needs tiny-encrypt '<= 1.0' age age-keygen || return 0
	start_local && once make_age && in_turn sm_tiny age_tiny && ratio_row tiny-encrypt seconds '<= 1.0'
}
row_tiny_sign() {
	needs tiny-sign '<= 1.0' age age-keygen || return 0
	start_local && once make_age && in_turn sm_tiny_sign age_tiny && ratio_row tiny-sign seconds '<= 1.0'
}

# Peak resident memory, in KiB: a very large input beside a small one. The large one is all holes. Signing keeps 32 bytes for each MiB
# besides, which is 0.5 MiB here, so that it may be a little more.
sm_large() { measure -m smencrypt -r "$sm_key" -b "$FAST/large"; }
sm_small() { measure -m smencrypt -r "$sm_key" -b "$FAST/small"; }
sm_large_signed() { measure -m smencrypt -r "$sm_key" -S -b "$FAST/large"; }
sm_small_signed() { measure -m smencrypt -r "$sm_key" -S -b "$FAST/small"; }
# memory_row NAME LARGE SMALL RATIO: at most RATIO between them, and 32 MiB
memory_row() {
	local status=1 limit=32768 ratio verdict=short
	start_local && truncate -s "$([[ -n $QUICK ]] && echo 1G || echo 16G)" "$FAST/large" && truncate -s 1M "$FAST/small" &&
		in_turn "$2" "$3" && status=0
	rm -f "$FAST/large" "$FAST/small"
	[[ $status -eq 0 ]] || return
	ratio=$(calc "$OURS / $PEER")
	holds "$ratio <= $4 && $OURS <= $limit" && verdict=met
	print_row "$1" "$(mebibytes "$OURS")" "$(mebibytes "$PEER")" "$(printf '%.3f' "$ratio")" "<= $4 and <= 32 MiB" "$verdict"
}
row_memory() { memory_row memory sm_large sm_small 1.1; }
row_memory_sign() { memory_row memory-sign sm_large_signed sm_small_signed 1.25; }

# Sealed and opened messages of 1 KiB a second, in one process for ours and libolm's.
ratchet_ours() { "$HELPER/ratchet" ours "$ratchet_kind" "$MESSAGES"; }
ratchet_olm() { "$HELPER/ratchet" olm "$ratchet_kind" "$MESSAGES"; }
# ratchet_row NAME KIND COUNT GOAL
ratchet_row() {
	ratchet_kind=$2 MESSAGES=$3
	"$HELPER/ratchet" olm "$ratchet_kind" 1 >/dev/null 2>&1
	if [[ $? -eq 77 ]]; then
		skipped "$1" "$4" 'built without libolm'
		return
	fi
	in_turn ratchet_ours ratchet_olm && ratio_row "$1" rate "$4"
}
row_ratchet() { ratchet_row ratchet one-way "$((TIMES * 50))" '>= 10'; }
row_ratchet_pingpong() { ratchet_row ratchet-pingpong ping-pong "$((TIMES * 10))" '>= 4'; }
