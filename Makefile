# sm: one makefile, no recursion but for other kinds of build (asan, fuzz). `make demo` and `make check` are the way in;
# PREFIX, DESTDIR, CC, CFLAGS, CPPFLAGS and LDFLAGS are yours. B is the build folder: `make B=build-x` stands beside the first.

VERSION = 0.1.0

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
SBINDIR = $(PREFIX)/sbin
DATADIR = $(PREFIX)/share
MANDIR = $(DATADIR)/man
UNITDIR = $(PREFIX)/lib/systemd/system
BASHDIR = $(DATADIR)/bash-completion/completions
ZSHDIR = $(DATADIR)/zsh/site-functions
FISHDIR = $(DATADIR)/fish/vendor_completions.d

CC = cc
CFLAGS = -O2 -g
PKG = pkg-config
INSTALL = install
B = build

# ---- flags

# Fortified where it can be: it wants an optimiser, and the sanitizers do the same job better.
fortify = $(if $(findstring -O0,$(CFLAGS)),,$(if $(findstring -O,$(CFLAGS)),$(if $(findstring -fsanitize,$(CFLAGS)),,-D_FORTIFY_SOURCE=2)))
C_STD = -std=c11 -D_GNU_SOURCE -U_FORTIFY_SOURCE $(fortify) -DSM_VERSION='"$(VERSION)"' -Ilib -Itools
C_WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wpointer-arith
C_HARD = -fstack-protector-strong -fstack-clash-protection -fPIE -fvisibility=hidden
L_HARD = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
ALL_CFLAGS = $(C_STD) $(C_WARN) $(C_HARD) -pthread -MMD -MP $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(L_HARD) -pthread $(CFLAGS) $(LDFLAGS)

# One short line for each step; V=1 shows the whole commands.
show = $(if $V,,@printf '  %s %s\n' $1 '$@';)

# ---- what there is

OFFLINE = smkeygen smencrypt smsign smtotp
ONLINE = smsend sminbox smaccount smcontact smgroup
TOOLS = $(OFFLINE) $(ONLINE)
PROGRAMS = $(TOOLS) smserver

objects = $(patsubst %.c,$B/%.o,$(wildcard $1))
lib_obj = $(call objects,lib/*/*.c)
common_obj = $(call objects,tools/common/*.c)
server_obj = $(call objects,tools/smserver/*.c tools/smserver/api/*.c)

all: $(PROGRAMS:%=$B/%)

# ---- programs: the link lines say what each can do. Only smserver listens, only $(ONLINE) open a connection.

crypto_libs := $(shell $(PKG) --libs libsodium libcrypto 2>/dev/null)
store_libs := $(shell $(PKG) --libs sqlite3 inih 2>/dev/null)
net_libs := $(shell $(PKG) --libs libcurl jansson 2>/dev/null)
server_libs := $(shell $(PKG) --libs libevent_openssl libevent_pthreads libevent libssl jansson 2>/dev/null)
qr_libs := $(shell $(PKG) --libs libqrencode 2>/dev/null)
link = $(call show,ld)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)

$B/smencrypt: $(call objects,tools/smencrypt/*.c)
$B/smkeygen: $(call objects,tools/smkeygen/*.c)
$B/smsend: $(call objects,tools/smsend/*.c)
$B/smaccount: $(call objects,tools/smaccount/*.c)
$B/smcontact: $(call objects,tools/smcontact/*.c)
$B/smgroup: $(call objects,tools/smgroup/*.c)
$(OFFLINE:%=$B/%): $B/%: $B/tools/%.o $B/libcommon.a $B/libsm.a
	$(link) $(qr_libs) $(store_libs) $(crypto_libs)
$(ONLINE:%=$B/%): $B/%: $B/tools/%.o $B/libcommon.a $B/libsm.a
	$(link) $(net_libs) $(qr_libs) $(store_libs) $(crypto_libs)
$B/smserver: $(server_obj) $B/libsm.a
	$(link) $(server_libs) $(store_libs) $(crypto_libs)

$B/libsm.a: $(lib_obj)
$B/libcommon.a: $(common_obj)
$B/libserver.a: $(filter-out %/main.o,$(server_obj))
%.a:
	@rm -f $@
	$(call show,ar)$(AR) rcs $@ $^
$B/%.o: %.c
	@mkdir -p $(@D)
	$(call show,cc)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# ---- tests: unit tests (TAP), the corpora of the fuzzers, C helpers of the bats files, and everything else by tests/run

all_libs = $(server_libs) $(net_libs) $(qr_libs) $(store_libs) $(crypto_libs) -lz
programs_in = $(patsubst %.c,$B/%,$(filter-out %/replay.c,$(wildcard $1)))
unit_bin = $(call programs_in,tests/unit/*.c)
fuzz_names = $(notdir $(call programs_in,tests/fuzz/*.c))
helper_bin = $(call programs_in,tests/server/*.c tests/bench/*.c tests/vectors/*.c tests/interop/*.c)

server_test_bin = $(call programs_in,tests/unit/server_*.c tests/server/*.c)
$(server_test_bin): $B/%: $B/%.o $B/libserver.a $B/libcommon.a $B/libsm.a
	$(link) $(all_libs)
$(filter-out $(server_test_bin),$(unit_bin) $(helper_bin)): $B/%: $B/%.o $B/libcommon.a $B/libsm.a
	$(link) $(all_libs) $(peer_libs)
$B/tests/bench/ratchet: peer_libs = $(shell $(PKG) --libs olm 2>/dev/null)
$(unit_bin:%=%.o): C_STD += -Itests/unit
# Safety numbers are compared with those of another implementation, where it is installed.
$B/tests/unit/session_safety: all_libs += $(shell $(PKG) --libs libsignal-protocol-c 2>/dev/null)
$B/replay/http $B/fuzzer/http: $B/tools/smserver/http_strict.o
$B/replay/%: $B/tests/fuzz/%.o $B/tests/fuzz/replay.o $B/libcommon.a $B/libsm.a
	@mkdir -p $(@D)
	$(link) $(all_libs)
$B/fuzzer/%: $B/tests/fuzz/%.o $B/libcommon.a $B/libsm.a
	@mkdir -p $(@D)
	$(link) -fsanitize=fuzzer $(all_libs)

# What kills a program at its k-th write (LD_PRELOAD): without sanitizers, which want to come first.
crash_shim = $B/tests/crash/crash.so
$(crash_shim): tests/crash/crash.c
	@mkdir -p $(@D)
	$(call show,cc)$(CC) $(C_STD) $(C_WARN) -fPIC -shared -fvisibility=hidden $(filter-out -fsanitize%,$(CFLAGS)) -o $@ $<

unit: $(unit_bin) $(crash_shim)
replay: $(fuzz_names:%=$B/replay/%)
fuzzers: $(fuzz_names:%=$B/fuzzer/%)
tests: all unit replay $(helper_bin) $(crash_shim)

# On a fresh machine it gets what it needs first; without root it says what is missing, and goes on with what there is.
check:
	@contrib/deps build test || true
	@$(MAKE) --no-print-directory tests
	@SM_BIN=$(abspath $B) tests/run
lint: all
	@SM_BIN=$(abspath $B) tests/lint/run
demo:
	contrib/deps build
	$(MAKE) all
	@SM_BIN=$(abspath $B) tests/demo
# ONLY=name runs one row.
bench: all $(helper_bin)
	@SM_BIN=$(abspath $B) tests/bench/run $(ONLY)

# Everything once more with AddressSanitizer and UndefinedBehaviorSanitizer.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan:
	$(MAKE) B=$B/asan CFLAGS='-O1 -g $(SANITIZE)' check

# SECONDS for each fuzzer; FUZZ=name for one of them.
SECONDS = 60
FUZZ = $(fuzz_names)
fuzz:
	$(MAKE) B=$B/fuzz CC=clang CFLAGS='-O1 -g -fsanitize=fuzzer-no-link $(SANITIZE)' $(FUZZ:%=$B/fuzz/fuzzer/%)
	tests/fuzz/run $B/fuzz '$(SECONDS)' $(FUZZ)

# ---- what it takes, and where it goes

deps:
	contrib/deps build test
deps-bench:
	contrib/deps build bench

install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) $(DESTDIR)$(UNITDIR)
	$(INSTALL) -m 755 $(TOOLS:%=$B/%) $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 755 $B/smserver $(DESTDIR)$(SBINDIR)
	for page in man/*.[1-8]; do $(INSTALL) -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${page##*.} $$page || exit; done
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(BASHDIR) completions/bash/*
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(ZSHDIR) completions/zsh/*
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(FISHDIR) completions/fish/*
	sed 's|/usr/local/sbin|$(SBINDIR)|g' contrib/smserver.service >$(DESTDIR)$(UNITDIR)/smserver.service
	chmod 644 $(DESTDIR)$(UNITDIR)/smserver.service
# Files only: the folders may be somebody else's too.
uninstall:
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) $(DESTDIR)$(SBINDIR)/smserver $(DESTDIR)$(UNITDIR)/smserver.service
	for page in man/*.[1-8]; do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page#man/}; done
	rm -f $(patsubst completions/bash/%,$(DESTDIR)$(BASHDIR)/%,$(wildcard completions/bash/*))
	rm -f $(patsubst completions/zsh/%,$(DESTDIR)$(ZSHDIR)/%,$(wildcard completions/zsh/*))
	rm -f $(patsubst completions/fish/%,$(DESTDIR)$(FISHDIR)/%,$(wildcard completions/fish/*))

dist:
	@mkdir -p $B
	git archive --prefix=sm-$(VERSION)/ -o $B/sm-$(VERSION).tar.gz HEAD
	@echo $B/sm-$(VERSION).tar.gz
clean:
	rm -rf $B

.PHONY: all unit replay fuzzers tests check lint demo bench asan fuzz deps deps-bench install uninstall dist clean
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $B -name '*.d' 2>/dev/null)
