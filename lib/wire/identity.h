/* Identities (sm-format(5), "Identities"): public lines, secret key files, fingerprints.
 * identity.c parses and prints public identities (smserver links it); identity_secret.c holds what needs the secret. What differs between
 * suites is in suite.c and suite_secret.c. */
#ifndef SM_WIRE_IDENTITY_H
#define SM_WIRE_IDENTITY_H

#include "base/secret.h"
#include "crypto/rand.h"
#include "crypto/sign.h"
#include "wire/suite.h"

#define SM_FP_LEN 32
#define SM_FP_TEXT_LEN 50 /* "SHA256:" and 43 characters */
#define SM_PUBLIC_LINE_MAX 8192
#define SM_PUBLIC_TEXT_MAX 2850 /* characters of an identity without comment, in any suite */
#define SM_COMMENT_MAX 255

/* A public identity. Plain data: copy freely. */
struct sm_public {
	const struct sm_suite *suite;
	uint8_t fp[SM_FP_LEN]; /* SHA-256 of the decoded identity */
	/* x25519 suite: the key and its image */
	uint8_t ed25519[SM_PK_LEN];
	uint8_t x25519[32];
	/* RSA suite: lp(SPKI sign) | lp(SPKI encrypt). Held here, and not elsewhere with an owner, so that all who pass identities around
	 * need not care; who keeps many keeps less of each. */
	size_t keylen;
	uint8_t key[SM_PUBLIC_KEY_MAX];
};

/* From an identity without comment, `sm1...` or `sm-rsa ...`: SM_ERR_FORMAT (not canonical, or none of the keys that sm-format(5) allows).
 */
SM_CHECKED enum sm_err sm_public_parse(struct sm_public *p, const char *s, size_t n);
/* One line of a file, without LF: an identity and an optional comment (UTF-8 without control characters, <= 255 bytes).
 * *found false for an empty or # line. comment (may be NULL) borrows from line. */
SM_CHECKED enum sm_err sm_public_parse_line(struct sm_public *p, bool *found, struct sm_span *comment, struct sm_span line);
/* A line's identity, and what is behind the space that follows it; nothing is checked. */
void sm_public_split(struct sm_span *token, struct sm_span *comment, struct sm_span line);
SM_CHECKED enum sm_err sm_public_from_ed25519(struct sm_public *p, const uint8_t pk[static SM_PK_LEN]);
/* Two SubjectPublicKeyInfo, which must be different. SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_public_from_rsa(struct sm_public *p, struct sm_span sign, struct sm_span encrypt);
/* Appends the identity, without comment. */
SM_CHECKED enum sm_err sm_public_format(struct sm_buf *b, const struct sm_public *p);
/* The same of a key that sm_public_from_ed25519 would take. */
SM_CHECKED enum sm_err sm_public_format_ed25519(struct sm_buf *b, const uint8_t pk[static SM_PK_LEN]);
void sm_fp_format(char out[static SM_FP_TEXT_LEN + 1], const uint8_t fp[static SM_FP_LEN]);
SM_CHECKED enum sm_err sm_fp_parse(uint8_t fp[static SM_FP_LEN], const char *s, size_t n);

/* An unlocked identity: the secret in guarded memory, with its public half. */
struct sm_identity {
	struct sm_secret secret; /* x25519 suite: the 32-byte seed; RSA suite: lp(PKCS#8 sign) | lp(PKCS#8 encrypt) */
	struct sm_public pub;
};

/* In the default suite, x25519. */
SM_CHECKED enum sm_err sm_identity_generate(struct sm_identity *id, const struct sm_rand *rand);
/* bits: of each key in a suite that has a choice (RSA: crypto/rsa.h); 0 for its default. SM_ERR_LIMIT when it has not that size. The RSA
 * suite does not use rand. */
SM_CHECKED enum sm_err sm_identity_generate_in(struct sm_identity *id, const struct sm_suite *suite, unsigned bits,
                                               const struct sm_rand *rand);
/* From what struct sm_identity keeps (unlocked keys in the kernel, imported ones). Takes secret over in every case. SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_identity_from_secret(struct sm_identity *id, const struct sm_suite *suite, struct sm_secret *secret);
SM_CHECKED enum sm_err sm_identity_from_seed(struct sm_identity *id, const uint8_t seed[static SM_SEED_LEN]);
/* What struct sm_identity keeps of two RSA keys (sm_rsa_pkcs8_read, sm_rsa_generate). */
SM_CHECKED enum sm_err sm_identity_rsa_secret(struct sm_secret *secret, const struct sm_secret *sign, const struct sm_secret *encrypt);
/* The text of a plain secret key file: exactly one key (SM-SECRET-KEY-1..., or two PEM blocks), # lines and blank lines allowed. comment:
 * may be NULL; gets the text after "# comment: ", or after this identity in "# public: ", where there is one (borrowed; else empty).
 * SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_identity_parse(struct sm_identity *id, struct sm_span *comment, const uint8_t *text, size_t n);
/* Appends the text of a plain secret key file: "# created: DATE", "# public: sm1... comment" and the key. */
SM_CHECKED enum sm_err sm_identity_format(struct sm_buf *b, const struct sm_identity *id, const char *comment, int64_t created);
void sm_identity_release(struct sm_identity *id);

/* bech32 (BIP-173) of n <= 64 data bytes under hrp; upper: all upper case. Appends. */
SM_CHECKED enum sm_err sm_bech32_encode(struct sm_buf *b, const char *hrp, const uint8_t *in, size_t n, bool upper);
/* Exactly the case and hrp asked for, zero pad bits, no 90-character limit beyond what n bytes need. SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_bech32_decode(uint8_t *out, size_t n, const char *hrp, const char *s, size_t slen, bool upper);

#endif
