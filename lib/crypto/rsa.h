/* RSA (RFC 8017) by OpenSSL: RSAES-OAEP and RSASSA-PSS, both with SHA-256, MGF1 with SHA-256, PSS with 32 bytes of salt; moduli of 2048 to
 * 8192 bits, public exponent 65537.
 * A public key is the DER of its SubjectPublicKeyInfo (RFC 5280, rsaEncryption with NULL parameters), of which there is one for each
 * modulus; a secret key the DER of its PKCS#8 PrivateKeyInfo (RFC 5208), as OpenSSL writes it. Public keys are rsa.c's; what needs a secret
 * one is in rsa_secret.c, which smserver does not link.
 *
 * Unlike the rest of lib/crypto these take no struct sm_rand: OpenSSL draws primes, OAEP seeds and PSS salts from its own generator, which
 * the system's seeds. Nothing is set up before the first call. */
#ifndef SM_CRYPTO_RSA_H
#define SM_CRYPTO_RSA_H

#include "base/buf.h"
#include "base/secret.h"

#define SM_RSA_BITS_MIN 2048
#define SM_RSA_BITS_MAX 8192
#define SM_RSA_BITS_DEFAULT 3072
#define SM_RSA_MIN (SM_RSA_BITS_MIN / 8) /* bytes of the smallest modulus, and of what is encrypted or signed with it */
#define SM_RSA_MAX (SM_RSA_BITS_MAX / 8)
#define SM_RSA_SPKI_MAX (SM_RSA_MAX + 38)
#define SM_RSA_HASH 32
#define SM_RSA_SALT 32

/* SM_ERR_FORMAT for anything but the one encoding of an odd modulus of an allowed size. Every other function wants a checked key. */
SM_CHECKED enum sm_err sm_rsa_spki_check(struct sm_span spki);
/* Bytes of the modulus. */
size_t sm_rsa_size(struct sm_span spki);
/* out gets sm_rsa_size bytes. in: at most that less 66, else SM_ERR_LIMIT. */
SM_CHECKED enum sm_err sm_rsa_seal(uint8_t *out, struct sm_span spki, struct sm_span label, const uint8_t *in, size_t n);
/* SM_ERR_SIGNATURE, also when n is not sm_rsa_size. */
SM_CHECKED enum sm_err sm_rsa_verify(struct sm_span spki, struct sm_span message, const uint8_t *sig, size_t n);

/* A new key. SM_ERR_LIMIT for bits out of range, or that are no whole bytes: OpenSSL would round them. */
SM_CHECKED enum sm_err sm_rsa_generate(struct sm_secret *pkcs8, unsigned bits);
/* Reads PKCS#8, and writes it again in *pkcs8 as sm_rsa_generate does. SM_ERR_FORMAT when it is not one RSA key of an allowed size with an
 * allowed exponent. That the numbers in it belong together is not checked: a key that is not right opens nothing. */
SM_CHECKED enum sm_err sm_rsa_pkcs8_read(struct sm_secret *pkcs8, struct sm_span der);
/* The public half. SM_ERR_FORMAT as above. */
SM_CHECKED enum sm_err sm_rsa_spki(uint8_t spki[static SM_RSA_SPKI_MAX], size_t *n, struct sm_span pkcs8);
/* out has room for SM_RSA_MAX bytes. SM_ERR_STANZA when it does not open, whatever the reason: OpenSSL's check of the padding takes the
 * same time for each, and nothing here looks further. */
SM_CHECKED enum sm_err sm_rsa_open(uint8_t *out, size_t *outlen, struct sm_span pkcs8, struct sm_span label, const uint8_t *in, size_t n);
/* sig has room for SM_RSA_MAX bytes; *n gets the modulus's size. */
SM_CHECKED enum sm_err sm_rsa_sign(uint8_t *sig, size_t *n, struct sm_span pkcs8, struct sm_span message);

#endif
