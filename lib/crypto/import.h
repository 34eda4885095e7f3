/* Private keys of other programs, in PEM: PKCS#1 (RFC 8017), PKCS#8 and encrypted PKCS#8 (RFC 5958), read by OpenSSL. */
#ifndef SM_CRYPTO_IMPORT_H
#define SM_CRYPTO_IMPORT_H

#include "base/buf.h"
#include "base/secret.h"

enum sm_import_kind { SM_IMPORT_RSA, SM_IMPORT_ED25519 };

struct sm_imported {
	enum sm_import_kind kind;
	unsigned bits;        /* RSA */
	struct sm_secret key; /* RSA: PKCS#8 as crypto/rsa.h has it; Ed25519: the 32-byte seed. Owned by the caller. */
};

/* Fills pw (already initialised); any error it returns is passed on. */
typedef enum sm_err sm_import_ask(void *ctx, struct sm_buf *pw);

/* Takes the next private key off *pem, skipping what is none (certificates, public keys, text). SM_ERR_NOTFOUND when there is none left;
 * SM_ERR_SUITE for another kind of key; SM_ERR_LIMIT for RSA of a size or exponent that sm-format(5) does not allow; SM_ERR_PASSPHRASE;
 * SM_ERR_FORMAT when it is damaged, its numbers not belonging together included. */
SM_CHECKED enum sm_err sm_import_pem(struct sm_imported *key, struct sm_span *pem, sm_import_ask *ask, void *ctx);

#endif
