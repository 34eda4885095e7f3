#!/usr/bin/env bats
# "The server cannot read messages": nothing that opens envelopes or signs is in its binary.
load helper

@test "no symbol of opening, unwrapping or signing is in smserver" {
	command -v nm >/dev/null || skip "nm is not installed"
	ar p "$SM_BIN/libsm.a" >/dev/null || skip "libsm.a is not there"
	nm --defined-only "$SERVER" | awk '{print $3}' | sort -u >have
	grep -qx sm_header_parse have # the table is not stripped, so that what follows means something
	for object in sign hpke_open chunked_open rsa_secret import unwrap identity_secret suite_secret signature_sign signed_text_sign devices_sign roster_sign wrap; do
		nm --defined-only "$SM_BIN/lib/crypto/$object.o" "$SM_BIN/lib/wire/$object.o" "$SM_BIN/lib/session/$object.o" 2>/dev/null | awk '$2 == "T" {print $3}' >of.$object
		[ -s of.$object ] || { echo "no symbols of $object"; false; }
		while read -r symbol; do
			! grep -qx "$symbol" have || { echo "$symbol of $object.c is in smserver"; false; }
		done <of.$object
	done
}
