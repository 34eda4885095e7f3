# What `make install` puts where, that it works from there, and that `make uninstall` takes all of it away.
load helper

PREFIX=/opt/sm
TOOLS=$(sed -n 's/^O[A-Z]*LINE = //p' "$SM_TOP/Makefile" | tr '\n' ' ')
setup() {
	sm_setup
	DEST=$BATS_TEST_TMPDIR/dest
	STAGE=$DEST$PREFIX
}

sm_make() { env -u MAKEFLAGS -u MAKELEVEL make -s -o all -C "$SM_TOP" B="$SM_BIN" DESTDIR="$DEST" PREFIX="$PREFIX" "$@" 3>&-; }

@test "install: programs, pages, completions and the unit are in their places" {
	sm_make install
	for tool in $TOOLS; do
		[ "$(stat -c %a "$STAGE/bin/$tool")" = 755 ]
		[ -s "$STAGE/share/man/man1/$tool.1" ]
		[ -s "$STAGE/share/bash-completion/completions/$tool" ]
		[ -s "$STAGE/share/zsh/site-functions/_$tool" ]
		[ -s "$STAGE/share/fish/vendor_completions.d/$tool.fish" ]
	done
	[ "$(stat -c %a "$STAGE/sbin/smserver")" = 755 ]
	[ -s "$STAGE/share/man/man8/smserver.8" ]
	[ -s "$STAGE/share/man/man5/sm-format.5" ]
	[ -s "$STAGE/share/man/man7/sm-protocol.7" ]
	grep -q "^ExecStart=$PREFIX/sbin/smserver" "$STAGE/lib/systemd/system/smserver.service"
	# Every page of the source tree is installed, and everything installed can be read by everybody.
	[ "$(find "$STAGE/share/man" -type f | wc -l)" = "$(find "$SM_TOP"/man -name '*.[1-8]' | wc -l)" ]
	[ -z "$(find "$DEST" -type f ! -perm -444)" ]
	[ -z "$(find "$DEST" -type d ! -perm -555)" ]
}

@test "install: the installed tools work, with nothing of the build folder on PATH" {
	sm_make install
	PATH=$STAGE/bin:$STAGE/sbin:/usr/bin:/bin
	[ "$(command -v smkeygen)" = "$STAGE/bin/smkeygen" ]
	smkeygen -N >key.txt
	echo hello | smencrypt -r "$(smkeygen -y | cut -d' ' -f1)" | smencrypt -d >out 2>/dev/null
	[ "$(cat out)" = hello ]
	smserver --version
}

@test "install: a second time over the first is fine" {
	sm_make install
	sm_make install
}

@test "uninstall: leaves no file behind, and nobody else's is touched" {
	sm_make install
	echo mine >"$STAGE/bin/mine"
	echo mine >"$STAGE/share/man/man1/mine.1"
	sm_make uninstall
	[ "$(find "$DEST" ! -type d | sort)" = "$(printf '%s\n' "$STAGE/bin/mine" "$STAGE/share/man/man1/mine.1")" ]
}

@test "dist: the tarball of a commit has the sources, under the version" {
	git -C "$SM_TOP" rev-parse HEAD >/dev/null 2>&1 || skip "not a git checkout"
	version=$(sed -n 's/^VERSION = //p' "$SM_TOP/Makefile")
	make -s -C "$SM_TOP" B="$BATS_TEST_TMPDIR/dist" dist 3>&-
	tar tzf "$BATS_TEST_TMPDIR/dist/sm-$version.tar.gz" >list
	grep -qx "sm-$version/Makefile" list
	grep -qx "sm-$version/lib/wire/header.h" list
	run grep -v "^sm-$version/" list
	[ "$status" -eq 1 ]
}

@test "every program says its version, the one of the makefile" {
	version=$(sed -n 's/^VERSION = //p' "$SM_TOP/Makefile")
	for tool in $TOOLS smserver; do
		[ "$("$tool" --version)" = "$tool (sm) $version" ]
	done
}
