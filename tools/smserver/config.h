/* smserver.conf(5): sections of `key = value`; SMSERVER_KEY variables over the file, flags over both. Unknown keys are errors.
 * A struct sm_config never changes once the server runs: a reload makes a new one and swaps the pointer. */
#ifndef SM_SMSERVER_CONFIG_H
#define SM_SMSERVER_CONFIG_H

#include "base/err.h"
#include "base/log.h"
#include "wire/address.h"

#include <stdint.h>

#define SM_CONFIG_LISTEN_MAX 8

enum sm_registration_mode { SM_REG_INVITE, SM_REG_OPEN, SM_REG_CLOSED };

struct sm_config {
	struct sm_config *older; /* replaced by this one; kept because a loop may still read it */
	/* [server] */
	char name[262]; /* host[:port]; "" is localhost:PORT */
	char listen[SM_CONFIG_LISTEN_MAX][72];
	unsigned nlisten;
	bool listen_default;
	char data[1024];
	char user[33];
	unsigned threads;     /* 0: one a core */
	unsigned connections; /* for each address; 0: no limit */
	bool plain_http;
	/* [tls] */
	char tls_cert[1024], tls_key[1024];
	/* [accounts] */
	enum sm_registration_mode registration;
	bool directory;
	uint32_t kdf_t, kdf_m;
	int64_t session_expires; /* seconds */
	/* [messages] */
	uint32_t message_bytes;
	int64_t retention; /* seconds */
	/* [groups] */
	uint32_t group_members;
	/* [log] */
	struct sm_log log;
	bool log_addresses, log_requests;
};

/* What a flag sets, over file and environment: pairs of key and value. */
struct sm_override {
	const char *key, *value;
};

/* path NULL: the file is optional, data/smserver.conf is read when it is there. *why (512) is one line without newline:
 * "FILE:LINE: reason", "SMSERVER_X: reason" or "--flag: reason". */
SM_CHECKED enum sm_err sm_config_load(struct sm_config *c, const char *path, const struct sm_override *over, size_t nover,
                                      char why[static 512]);
/* The first key that differs between the two and that a running server cannot change; NULL when there is none. */
const char *sm_config_fixed_change(const struct sm_config *running, const struct sm_config *fresh);
/* The text that `smserver init` writes: every key with its default, commented out, but for the data directory and the name (NULL: not
 * given). Appends. */
SM_CHECKED enum sm_err sm_config_sample(struct sm_buf *b, const char *data, const char *name);
const char *sm_registration_text(enum sm_registration_mode m);

#endif
