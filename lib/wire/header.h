/* The envelope's header (sm-format(5), "Header"): canonical text from `sm-envelope/1 ` through `---\n`.
 * Parser and writer only, no private keys: smserver routes with this. */
#ifndef SM_WIRE_HEADER_H
#define SM_WIRE_HEADER_H

#include "wire/address.h"
#include "wire/identity.h"

#define SM_HEADER_MAX (2u << 20)
#define SM_TO_MAX 1024
#define SM_ATTACH_MAX 64
#define SM_ID_LEN 26
#define SM_MAGIC "sm-envelope/1 "
#define SM_ARMOR_ENVELOPE "SM ENVELOPE"
#define SM_ARMOR_SIGNATURE "SM SIGNATURE"

/* A `from` or `to` line. `-` for the address is address.text "" ; `-` for the fingerprint is has_fp false and zeros. */
struct sm_party {
	struct sm_address address;
	bool has_fp;
	uint8_t fp[SM_FP_LEN];
};

/* The two words of a `from`, `to` or `signer` line. False when they are not canonical, or one is `-` where the other is not allowed
 * to be: an address without a fingerprint. */
bool sm_party_parse(struct sm_party *p, struct sm_span address, struct sm_span fp);
/* Appends `<address|-> <fingerprint|->`. SM_ERR_HEADER when it would not be read back. */
SM_CHECKED enum sm_err sm_party_write(struct sm_buf *b, const struct sm_party *p);

struct sm_attach_line {
	uint8_t digest[32];
	uint64_t bytes;
};

struct sm_stanza {
	enum sm_stanza_type type;
	union {
		uint8_t enc[SM_ENC_MAX]; /* the suite's key stanza, where it has an argument */
		struct {
			uint8_t salt[16];
			uint32_t t, m; /* argon2id; pbkdf2: t is the rounds */
		} pw;
		struct {
			uint32_t device; /* the recipient's */
			uint8_t header[40];
			bool x3dh; /* the next three are there */
			uint8_t eka[32];
			uint32_t spk;
			bool has_opk;
			uint32_t opk;
		} ratchet;
		struct {
			uint32_t device; /* the sender's */
			char chain[SM_ID_LEN + 1];
			uint32_t n;
		} senderkey;
	};
	uint8_t *body; /* owned by the header */
	size_t bodylen;
};

/* A `group` line. */
struct sm_group_line {
	char id[SM_ID_LEN + 1];
	uint64_t epoch;
	uint8_t roster[32]; /* the roster hash (wire/roster.h) */
};

struct sm_header {
	const struct sm_suite *suite;
	struct sm_party from; /* anonymous: no address, no fp */
	struct sm_party *to;  /* owned; nto 0 with a group */
	size_t nto;
	bool has_group;
	struct sm_group_line group;
	char id[SM_ID_LEN + 1];
	int64_t date;
	struct sm_attach_line attach[SM_ATTACH_MAX];
	size_t nattach;
	struct sm_stanza *stanza; /* owned; nto of them, or one for a passphrase or group */
	size_t nstanza;
	uint8_t hh[32]; /* SHA-256 of the header's bytes, set by parse and by write */
};

/* How many of the n bytes at p are header, `---\n` included: SM_OK and *len; SM_ERR_NOTFOUND when there is no `---\n` line yet
 * (read more, while n <= SM_HEADER_MAX); SM_ERR_HEADER when it cannot become one (wrong magic, or over the limit). */
SM_CHECKED enum sm_err sm_header_find(size_t *len, const uint8_t *p, size_t n);
/* Parses exactly n bytes. SM_ERR_HEADER or SM_ERR_SUITE with *line (from 1) where it is wrong; h needs release only on SM_OK. */
SM_CHECKED enum sm_err sm_header_parse(struct sm_header *h, unsigned *line, const uint8_t *p, size_t n);
/* Appends the canonical bytes and sets h->hh. SM_ERR_HEADER when h does not describe a valid header. */
SM_CHECKED enum sm_err sm_header_write(struct sm_buf *b, struct sm_header *h);
void sm_header_release(struct sm_header *h);
bool sm_header_anonymous(const struct sm_header *h);
/* The index in to[] of the key fp, or -1. */
int sm_header_find_to(const struct sm_header *h, const uint8_t fp[static SM_FP_LEN]);

#endif
