# sm: one makefile, no recursion. `make deps all check`; PREFIX, DESTDIR and CFLAGS are yours.

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
SBINDIR = $(PREFIX)/sbin
MANDIR = $(PREFIX)/share/man
VERSION = 0.1.0

CC = cc
CFLAGS = -O2 -g
B = build

PKG = pkg-config
C_STD = -std=c11 -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -DSM_VERSION='"$(VERSION)"' -Ilib -Itools
C_WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wpointer-arith
C_HARD = -fstack-protector-strong -fstack-clash-protection -fPIE -fvisibility=hidden
L_HARD = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
ALL_CFLAGS = $(C_STD) $(C_WARN) $(C_HARD) -pthread -MMD -MP $(CFLAGS)
ALL_LDFLAGS = $(L_HARD) -pthread $(LDFLAGS)

OFFLINE = smkeygen smencrypt smsign smtotp
ONLINE = smsend sminbox smaccount smcontact
TOOLS = $(OFFLINE) $(ONLINE)

lib_src = $(wildcard lib/*/*.c)
server_src = $(wildcard tools/smserver/*.c tools/smserver/api/*.c)
common_src = $(wildcard tools/common/*.c)
lib_obj = $(lib_src:%.c=$B/%.o)
server_obj = $(server_src:%.c=$B/%.o)
common_obj = $(common_src:%.c=$B/%.o)

all: $(TOOLS:%=$B/%) $B/smserver

# The link lines are the list of what each program can do: only smserver listens, only $(ONLINE) open a connection.
crypto_libs = -lsodium -lcrypto
store_libs = -lsqlite3
net_libs = -lcurl -ljansson
server_libs = -levent_openssl -levent_pthreads -levent -lssl $(crypto_libs) -lsqlite3 -ljansson -linih

$(OFFLINE:%=$B/%): $B/%: $B/tools/%.o $B/libcommon.a $B/libsm.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(store_libs) $(crypto_libs) -linih
$(ONLINE:%=$B/%): $B/%: $B/tools/%.o $B/libcommon.a $B/libsm.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(net_libs) $(store_libs) $(crypto_libs) -linih
$B/smserver: $(server_obj) $B/libsm.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(server_libs)

$B/libsm.a: $(lib_obj)
	@rm -f $@
	$(AR) rcs $@ $^
$B/libcommon.a: $(common_obj)
	@rm -f $@
	$(AR) rcs $@ $^
$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

unit_src = $(wildcard tests/unit/*.c)
unit_bin = $(unit_src:tests/unit/%.c=$B/tests/unit/%)
$(unit_bin): $B/tests/unit/%: tests/unit/%.c $B/libsm.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Itests/unit -o $@ $< $B/libsm.a $(net_libs) $(store_libs) $(crypto_libs) -linih -lz
unit: $(unit_bin)

clean:
	rm -rf $B

.PHONY: all unit clean
.DELETE_ON_ERROR:
-include $(shell find $B -name '*.d' 2>/dev/null)
