/* Error codes shared by every library function. 0 is success; a function that fails leaves its outputs untouched.
 * The classes armor .. policy are the ones of sm-format(5), "Errors": a decryption failure says no more than its class. */
#ifndef SM_BASE_ERR_H
#define SM_BASE_ERR_H

enum sm_err {
	SM_OK = 0,
	/* sm-format(5) classes: exit 65 */
	SM_ERR_ARMOR,      /* not canonical armor */
	SM_ERR_HEADER,     /* malformed envelope or signature header (see the line number the parser gives) */
	SM_ERR_SUITE,      /* unsupported suite */
	SM_ERR_STANZA,     /* no stanza that opens for this identity */
	SM_ERR_PASSPHRASE, /* the passphrase opens no stanza (exit 77) */
	SM_ERR_COMMITMENT, /* body key does not match the commitment */
	SM_ERR_PAYLOAD,    /* tag, truncation, extension, fields, padding */
	SM_ERR_SIGNATURE,  /* signature missing where claimed, wrong, or of the wrong size */
	SM_ERR_POLICY,     /* not a recipient, sender not proven where asked, wrong namespace */
	/* everything else */
	SM_ERR_FORMAT,    /* malformed input outside the envelope: identity, address, base64, JSON ... (65) */
	SM_ERR_LIMIT,     /* larger than a stated maximum (65) */
	SM_ERR_NOMEM,     /* (70) */
	SM_ERR_IO,        /* a system call failed; errno says which way (74) */
	SM_ERR_NOINPUT,   /* cannot open an input; errno says why (66) */
	SM_ERR_CANTCREAT, /* cannot create an output; errno says why (73) */
	SM_ERR_PIPE,      /* the reader of our output went away (74, said quietly) */
	SM_ERR_NOTFOUND,  /* no such row, name, key (66; smsend: recipient 67) */
	SM_ERR_EXISTS,    /* refuses to overwrite or to add twice (73) */
	SM_ERR_PERM,      /* a secret file or directory has looser permissions than 0600/0700 (77) */
	SM_ERR_CHANGED,   /* a pinned key changed (77) */
	SM_ERR_DENIED,    /* the server refuses: 401, 403 (77) */
	SM_ERR_NET,       /* no connection, name, TLS (69) */
	SM_ERR_BUSY,      /* try again: 429, 503, 507, a locked database (75) */
	SM_ERR_CONFLICT,  /* 409: key used with another body, stale device list (65) */
	SM_ERR_PROTOCOL,  /* the other side broke the protocol (76) */
	SM_ERR_CONFIG,    /* configuration (78) */
	SM_ERR_CRYPTO,    /* a primitive failed that cannot fail on good input (70) */
	SM_ERR_BUG,       /* (70) */
};

#define SM_CHECKED __attribute__((warn_unused_result))

/* One lower-case phrase for e, without newline ("no stanza for me"). Never NULL, static storage. */
const char *sm_err_text(enum sm_err e);

#endif
