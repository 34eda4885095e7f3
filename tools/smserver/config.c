/* Configuration: one table of keys serves the file, the environment, the flags, the sample file and the reload. */
#include "config.h"

#include "base/config.h"
#include "base/path.h"
#include "base/time.h"
#include "wire/roster.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { TEXT, HOST, LISTEN, NUMBER, YESNO, DURATION, REGISTRATION, LEVEL };

struct key {
	const char *section, *name;
	enum kind kind;
	size_t at, size; /* in struct sm_config; for numbers size is not used */
	uint64_t min, max;
	bool live; /* a reload can change it */
	const char *sample, *about;
};

#define AT(f) offsetof(struct sm_config, f), sizeof(((struct sm_config *)0)->f)
static const struct key keys[] = {
        {"server", "name", HOST, AT(name), 0, 0, false, "example.org", "what stands after the @ of every address here: host or host:port"},
        {"server", "listen", LISTEN, AT(listen), 0, 0, false, "127.0.0.1:8600", "ADDRESS:PORT; repeat for more"},
        {"server", "data", TEXT, AT(data), 0, 0, false, "/var/lib/smserver", "the data directory, 0700"},
        {"server", "user", TEXT, AT(user), 0, 0, false, "smserver", "when started by root: the account to run as"},
        {"server", "threads", NUMBER, AT(threads), 0, 64, false, "0", "event loops; 0 is one a core"},
        {"server", "connections", NUMBER, AT(connections), 0, 1000000, false, "64",
         "open connections for one address (IPv6: /64); 0 is no limit"},
        {"server", "plain_http", YESNO, AT(plain_http), 0, 0, false, "no",
         "serve plain HTTP on more than loopback: behind a TLS proxy only"},
        {"tls", "tls_cert", TEXT, AT(tls_cert), 0, 0, true, "/etc/ssl/smserver.pem", "certificate chain, PEM"},
        {"tls", "tls_key", TEXT, AT(tls_key), 0, 0, true, "/etc/ssl/private/smserver.key", "its private key, PEM"},
        {"accounts", "registration", REGISTRATION, AT(registration), 0, 0, true, "invite", "invite, open or closed"},
        {"accounts", "directory", YESNO, AT(directory), 0, 0, true, "no", "may people signed in list all accounts?"},
        {"accounts", "kdf_t", NUMBER, AT(kdf_t), 1, 10, true, "3", "Argon2id passes for new passwords"},
        {"accounts", "kdf_m", NUMBER, AT(kdf_m), 8, 1048576, true, "65536", "Argon2id memory for new passwords, KiB"},
        {"accounts", "session_expires", DURATION, AT(session_expires), 900, 315360000, true, "30d",
         "a session ends when unused for so long"},
        {"messages", "message_bytes", NUMBER, AT(message_bytes), 4096, 4194304, true, "262144", "the largest envelope"},
        {"messages", "retention", DURATION, AT(retention), 1, 315360000, true, "7d", "how long a message waits to be fetched"},
        {"groups", "group_members", NUMBER, AT(group_members), 1, SM_ROSTER_MAX, true, "1024", "the most members a group may get"},
        {"log", "log_level", LEVEL, AT(log.level), 0, 0, true, "info", "debug, info, warn or error"},
        {"log", "log_json", YESNO, AT(log.json), 0, 0, true, "no", "JSON lines in place of logfmt"},
        {"log", "log_requests", YESNO, AT(log_requests), 0, 0, true, "no", "a line for every request"},
        {"log", "log_addresses", YESNO, AT(log_addresses), 0, 0, true, "no", "people's network addresses in the log"},
};
enum { NKEYS = sizeof keys / sizeof *keys };

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < NKEYS; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static bool parse_word(const char *value, const char *const *words, size_t n, int *out)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(value, words[i]))
			return *out = (int)i, true;
	return false;
}

static const char *const modes[] = {"invite", "open", "closed"};
static const char *const levels[] = {"debug", "info", "warn", "error"};
static const char *const yesno[] = {"no", "yes"};

const char *sm_registration_text(enum sm_registration_mode m) { return modes[m]; }

static enum sm_err bad(char why[static 256], const struct key *k, const char *wants)
{
	snprintf(why, 256, "%s: %s", k->name, wants);
	return SM_ERR_CONFIG;
}

static enum sm_err set_text(char *to, size_t size, const char *value, const struct key *k, char why[static 256])
{
	if (strlen(value) >= size)
		return bad(why, k, "too long");
	memcpy(to, value, strlen(value) + 1);
	return SM_OK;
}

static enum sm_err set_number(uint32_t *to, const struct key *k, const char *value, char why[static 256])
{
	char *end, wants[80];
	unsigned long long v = isdigit((unsigned char)value[0]) ? strtoull(value, &end, 10) : 0;

	snprintf(wants, sizeof wants, "must be a number from %llu to %llu", (unsigned long long)k->min, (unsigned long long)k->max);
	if (!isdigit((unsigned char)value[0]) || *end || strlen(value) > 10 || v < k->min || v > k->max)
		return bad(why, k, wants);
	*to = (uint32_t)v;
	return SM_OK;
}

static enum sm_err set_duration(int64_t *to, const struct key *k, const char *value, char why[static 256])
{
	int64_t v;

	if (sm_duration_parse(&v, value) || v < (int64_t)k->min || v > (int64_t)k->max)
		return bad(why, k, "must be a time like 90, 15m, 8h or 7d");
	*to = v;
	return SM_OK;
}

static enum sm_err add_listen(struct sm_config *c, const struct key *k, const char *value, char why[static 256])
{
	if (c->listen_default)
		c->nlisten = 0, c->listen_default = false;
	if (c->nlisten == SM_CONFIG_LISTEN_MAX)
		return bad(why, k, "at most 8 addresses");
	if (!strrchr(value, ':'))
		return bad(why, k, "must be ADDRESS:PORT");
	return set_text(c->listen[c->nlisten++], sizeof c->listen[0], value, k, why);
}

static enum sm_err set_word(struct sm_config *c, const struct key *k, const char *value, char why[static 256])
{
	char *at = (char *)c + k->at;
	int v;

	if (k->kind == YESNO) {
		if (!parse_word(value, yesno, 2, &v))
			return bad(why, k, "must be yes or no");
		*(bool *)(void *)at = v == 1;
	} else if (k->kind == REGISTRATION) {
		if (!parse_word(value, modes, 3, &v))
			return bad(why, k, "must be invite, open or closed");
		*(enum sm_registration_mode *)(void *)at = (enum sm_registration_mode)v;
	} else {
		if (!parse_word(value, levels, 4, &v))
			return bad(why, k, "must be debug, info, warn or error");
		*(enum sm_log_level *)(void *)at = (enum sm_log_level)v;
	}
	return SM_OK;
}

static enum sm_err set_key(struct sm_config *c, const struct key *k, const char *value, char why[static 256])
{
	char *at = (char *)c + k->at;

	switch (k->kind) {
	case HOST:
		if (!sm_host_valid(value, strlen(value)))
			return bad(why, k, "must be host or host:port, in lower case");
		return set_text(at, k->size, value, k, why);
	case TEXT:
		if (!value[0])
			return bad(why, k, "is empty");
		return set_text(at, k->size, value, k, why);
	case LISTEN: return add_listen(c, k, value, why);
	case NUMBER: return set_number((uint32_t *)(void *)at, k, value, why);
	case DURATION: return set_duration((int64_t *)(void *)at, k, value, why);
	default: return set_word(c, k, value, why);
	}
}

struct loading {
	struct sm_config *c;
	bool seen[NKEYS];
};

static enum sm_err file_key(void *ctx, const char *section, const char *name, const char *value, char *why)
{
	struct loading *l = ctx;
	const struct key *k = find_key(name);

	if (!k) {
		snprintf(why, 256, "unknown key '%s'", name);
		return SM_ERR_CONFIG;
	}
	if (strcmp(section, k->section)) {
		snprintf(why, 256, "'%s' belongs under [%s]", name, k->section);
		return SM_ERR_CONFIG;
	}
	if (l->seen[k - keys] && k->kind != LISTEN) {
		snprintf(why, 256, "'%s' is there twice", name);
		return SM_ERR_CONFIG;
	}
	l->seen[k - keys] = true;
	return set_key(l->c, k, value, why);
}

static enum sm_err load_file(struct sm_config *c, const char *path, char why[static 512])
{
	struct loading l = {.c = c};
	char reason[256] = "";
	int line = 0;
	enum sm_err e = sm_config_read(path, file_key, &l, &line, reason);

	if (e == SM_ERR_CONFIG || e == SM_ERR_FORMAT) {
		snprintf(why, 512, "%.240s:%d: %s", path, line, reason);
		return SM_ERR_CONFIG;
	}
	if (e)
		snprintf(why, 512, "cannot read '%.240s': %m", path);
	return e;
}

static enum sm_err load_environment(struct sm_config *c, char why[static 512])
{
	static const char prefix[] = "SMSERVER_";

	for (char **p = environ; *p; p++) {
		char name[64] = "", reason[256] = "";
		const char *eq = strchr(*p, '=');
		size_t n;
		if (strncmp(*p, prefix, sizeof prefix - 1) || !eq)
			continue;
		n = (size_t)(eq - *p) - (sizeof prefix - 1);
		for (size_t i = 0; i < n && i < sizeof name - 1; i++)
			name[i] = (char)tolower((unsigned char)(*p)[sizeof prefix - 1 + i]);
		const struct key *k = find_key(name);
		if (!k)
			snprintf(reason, sizeof reason, "no such key");
		if (k && k->kind == LISTEN)
			c->listen_default = true; /* replaces the file's */
		if (!k || set_key(c, k, eq + 1, reason)) {
			snprintf(why, 512, "%.*s in the environment: %s", (int)(eq - *p), *p, reason);
			return SM_ERR_CONFIG;
		}
	}
	return SM_OK;
}

static enum sm_err load_flags(struct sm_config *c, const struct sm_override *over, size_t nover, char why[static 512])
{
	bool listened = false;

	for (size_t i = 0; i < nover; i++) {
		const struct key *k = find_key(over[i].key);
		char reason[256] = "";
		if (k && k->kind == LISTEN && !listened)
			listened = c->listen_default = true;
		if (!k || set_key(c, k, over[i].value, reason)) {
			snprintf(why, 512, "--%s", k ? reason : over[i].key);
			return SM_ERR_CONFIG;
		}
	}
	return SM_OK;
}

static void defaults(struct sm_config *c)
{
	const char *state = getenv("STATE_DIRECTORY"), *home = getenv("XDG_DATA_HOME");

	*c = (struct sm_config){.connections = 64,
	                        .kdf_t = 3,
	                        .kdf_m = 65536,
	                        .session_expires = 30 * 86400,
	                        .message_bytes = 262144,
	                        .retention = 7 * 86400,
	                        .group_members = SM_ROSTER_MAX,
	                        .log = {.fd = STDERR_FILENO, .level = SM_LOG_INFO}};
	snprintf(c->listen[0], sizeof c->listen[0], "127.0.0.1:8600");
	c->nlisten = 1, c->listen_default = true;
	if (state && *state)
		snprintf(c->data, sizeof c->data, "%s", state);
	else if (geteuid() == 0)
		snprintf(c->data, sizeof c->data, "/var/lib/smserver");
	else if (home && *home)
		snprintf(c->data, sizeof c->data, "%s/smserver", home);
	else
		snprintf(c->data, sizeof c->data, "%s/.local/share/smserver", getenv("HOME") ? getenv("HOME") : ".");
}

/* Where the data directory is, as far as environment and flags say: the optional file is looked for in it. */
static void find_data(char *out, size_t size, const struct sm_config *c, const struct sm_override *over, size_t nover)
{
	const char *env = getenv("SMSERVER_DATA");

	snprintf(out, size, "%s", env && *env ? env : c->data);
	for (size_t i = 0; i < nover; i++)
		if (!strcmp(over[i].key, "data"))
			snprintf(out, size, "%s", over[i].value);
}

static enum sm_err check_whole(const struct sm_config *c, char why[static 512])
{
	if (!c->tls_cert[0] == !c->tls_key[0])
		return SM_OK;
	snprintf(why, 512, "tls_cert and tls_key go together: %s is missing", c->tls_cert[0] ? "tls_key" : "tls_cert");
	return SM_ERR_CONFIG;
}

enum sm_err sm_config_load(struct sm_config *c, const char *path, const struct sm_override *over, size_t nover, char why[static 512])
{
	struct sm_config fresh;
	char dir[1024], *optional = NULL;
	enum sm_err e = SM_OK;

	defaults(&fresh);
	if (!path) {
		find_data(dir, sizeof dir, &fresh, over, nover);
		optional = sm_path_join(dir, "smserver.conf");
		if (optional && access(optional, F_OK) == 0)
			path = optional;
	}
	if (path)
		e = load_file(&fresh, path, why);
	if (!e)
		e = load_environment(&fresh, why);
	if (!e)
		e = load_flags(&fresh, over, nover, why);
	if (!e)
		e = check_whole(&fresh, why);
	free(optional);
	if (!e)
		*c = fresh;
	return e;
}

const char *sm_config_fixed_change(const struct sm_config *running, const struct sm_config *fresh)
{
	for (size_t i = 0; i < NKEYS; i++)
		if (!keys[i].live && memcmp((const char *)running + keys[i].at, (const char *)fresh + keys[i].at, keys[i].size) != 0)
			return keys[i].name;
	if (!running->tls_cert[0] != !fresh->tls_cert[0])
		return "tls_cert";
	return running->nlisten == fresh->nlisten ? NULL : "listen";
}

enum sm_err sm_config_sample(struct sm_buf *b, const char *data, const char *name)
{
	const char *section = "";
	enum sm_err e = sm_buf_adds(
	        b, "# smserver.conf(5). What is commented out shows the default or an example; `smserver -t` checks this file.\n");

	for (size_t i = 0; i < NKEYS && !e; i++) {
		const struct key *k = &keys[i];
		if (strcmp(section, k->section))
			e = sm_buf_addf(b, "\n[%s]\n", k->section);
		section = k->section;
		if (e)
			break;
		if (name && !strcmp(k->name, "name"))
			e = sm_buf_addf(b, "# %s\nname = %s\n", k->about, name);
		else if (!strcmp(k->name, "data"))
			e = sm_buf_addf(b, "# %s\ndata = %s\n", k->about, data);
		else
			e = sm_buf_addf(b, "# %s\n#%s = %s\n", k->about, k->name, k->sample);
	}
	return e;
}
