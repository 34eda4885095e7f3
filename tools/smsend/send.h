/* smsend's parts, one file each; tools/smsend.c has the options. What returns int says what is wrong itself; it is an exit code. */
#ifndef SM_SMSEND_SEND_H
#define SM_SMSEND_SEND_H

#include "common/attachments.h"
#include "common/net_keys.h"
#include "common/net_sessions.h"
#include "common/unlock.h"

#define INPUT_MAX ((size_t)96 << 20)    /* bytes read: an armored envelope of the largest size, or a text */
#define ENVELOPE_MAX ((size_t)64 << 20) /* bytes posted */

struct options {
	struct sm_opts opts;
	struct sm_common common;
	const char *subject, *name, *type, *identity, *key, *input;
	struct sm_attachments attach;
	bool no_signature, json;
	char **who;
	size_t nwho;
};

/* What a run works with. */
struct sending {
	struct options *o;
	struct sm_online online;
	struct sm_db db;
	struct sm_address *to; /* everybody named, each once; o->nwho of them at most */
	size_t nto;
	struct sm_user_key *peer; /* their keys and devices, in the same order */
	char key[SM_KEY_MAX + 1];
	struct sm_buf text; /* the input */
	bool ready;         /* it is an envelope */
	struct sm_buf envelope;
	/* plaintext: */
	struct sm_fields fields;
	struct sm_buf file[SM_ATTACH_MAX]; /* the attachments, read */
	struct sm_source in[SM_ATTACH_MAX];
	struct sm_seal_attachment attach[SM_ATTACH_MAX];
	struct sm_identity id;
	struct sm_self self;
	struct sm_sent sent;
	char group[SM_ID_LEN + 1]; /* sent to this group, else "" */
};

/* content.c: the input, and what it is; fields and attachments of a text. */
int send_read(struct sending *s);
int send_content(struct sending *s);
void send_release(struct sending *s);

/* Who is named: s->to, for which no server is needed; and what it says of them: s->peer. */
int send_name(struct sending *s);
int send_resolve(struct sending *s);
bool send_is_named(const struct sending *s, const char *address);

/* ready.c: an envelope that was made before is checked and posted as it is. */
int send_ready(struct sending *s);
/* people.c: text over sessions; s->id is unlocked, s->self loaded. */
int send_people(struct sending *s);
/* group.c: the same to the one group that is named. */
int send_group(struct sending *s);
/* report.c: it is sent. id: the envelope's; a server that answers for another one is not believed. */
int send_report(const struct sending *s, const char *id);
/* For sealing: what all envelopes of this run have in common. */
struct sm_sealing send_sealing(struct sending *s);

#endif
