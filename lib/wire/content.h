/* The content inside the body (sm-format(5), "Content"): be32 length of the fields | fields | content | 0x80 | zeros to the padded total.
 */
#ifndef SM_WIRE_CONTENT_H
#define SM_WIRE_CONTENT_H

#include "wire/header.h"

#define SM_FIELDS_MAX 65536
#define SM_CONTENT_MIN 256

/* PADMÉ (Nikitin et al. 2019): PADMÉ(0) = 0, PADMÉ(1) = 1. */
uint64_t sm_padme(uint64_t n);
/* L = 4 + fields + content + 1 -> max(256, PADMÉ(L)). */
uint64_t sm_content_total(uint64_t l);

struct sm_attach_field {
	uint8_t key[32];
	uint64_t size;
	const char *type; /* one word */
	const char *name;
};

/* Values are UTF-8 strings; NULL or "" means absent. What sm_fields_parse fills in points into text; a writer's own strings are borrowed.
 */
struct sm_fields {
	const char *type, *name, *subject, *thread, *reply_to;
	const char *original; /* the id of an envelope that this one repeats, to one who could not open it */
	struct sm_attach_field attach[SM_ATTACH_MAX];
	size_t nattach;
	char *text; /* owned: the parsed block */
	size_t ntext;
};

/* Exactly the n bytes of the fields block. SM_ERR_PAYLOAD for anything not canonical: unknown or repeated key, bad value, bad name. */
SM_CHECKED enum sm_err sm_fields_parse(struct sm_fields *f, const uint8_t *p, size_t n);
/* Wipes and frees what parse made; safe on a zeroed struct. */
void sm_fields_release(struct sm_fields *f);
/* Appends be32 length | fields (f NULL: none). SM_ERR_FORMAT when a value would not be read back (control characters, a bad name). */
SM_CHECKED enum sm_err sm_fields_write(struct sm_buf *b, const struct sm_fields *f);
/* A name as sm-format(5) allows it: 1..255 bytes of UTF-8, no / or \, not . or .., no U+0000..1F, 7F..9F. */
bool sm_filename_ok(const char *s, size_t n);

/* Follows all plaintext as it is opened and finds where the padding starts, in constant memory. Zero the struct to begin. */
struct sm_unpad {
	uint64_t total; /* bytes seen */
	uint64_t end;   /* one past the last byte that is not zero */
	uint8_t last;   /* that byte */
};
void sm_unpad_update(struct sm_unpad *u, const uint8_t *p, size_t n);
/* After the last byte: *l = L without its 0x80 (what the fields and the content fill). SM_ERR_PAYLOAD unless the last byte that is not
 * zero is 0x80 and the total is L, or what PADMÉ makes of L. */
SM_CHECKED enum sm_err sm_unpad_final(const struct sm_unpad *u, uint64_t *l);

#endif
