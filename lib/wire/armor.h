/* Armor (sm-format(5), "Armor"): a BEGIN line, base64 in lines of 64 columns with padding, an END line. Push-style coders in constant
 * memory. Reading is strict apart from CRLF and white space around the whole; the writer gives LF. */
#ifndef SM_WIRE_ARMOR_H
#define SM_WIRE_ARMOR_H

#include "base/buf.h"

/* Writer. label: SM_ARMOR_ENVELOPE or SM_ARMOR_SIGNATURE (borrowed). */
struct sm_armor_writer {
	const char *label;
	bool begun;
	uint8_t held[48]; /* less than one line of input */
	size_t nheld;
};
void sm_armor_writer_init(struct sm_armor_writer *w, const char *label);
/* Appends to out what n more bytes complete; out grows by at most n/48*65 + 200. */
SM_CHECKED enum sm_err sm_armor_write(struct sm_armor_writer *w, struct sm_buf *out, const uint8_t *p, size_t n);
SM_CHECKED enum sm_err sm_armor_finish(struct sm_armor_writer *w, struct sm_buf *out);

/* Reader: feed bytes, take binary. SM_ERR_ARMOR as soon as a line cannot be right, and from then on for every call; what was appended
 * to out before that is not to be used. How the input is cut into pieces makes no difference. out wants room for
 * (n + 64) / 4 * 3 + 3 bytes more. */
struct sm_armor_reader {
	const char *label;
	unsigned state;
	char line[96]; /* the part of a line that the last piece ended in */
	size_t nline;  /* of them; while BEGIN or END comes in, how many of its characters have */
	bool last;     /* a short or padded line has been seen: only END may follow */
};
void sm_armor_reader_init(struct sm_armor_reader *r, const char *label);
SM_CHECKED enum sm_err sm_armor_read(struct sm_armor_reader *r, struct sm_buf *out, const uint8_t *p, size_t n);
/* No more input: SM_ERR_ARMOR unless END was seen. */
SM_CHECKED enum sm_err sm_armor_read_end(struct sm_armor_reader *r);

/* Whole small objects. */
SM_CHECKED enum sm_err sm_armor_encode(struct sm_buf *out, const char *label, const uint8_t *p, size_t n);
SM_CHECKED enum sm_err sm_dearmor(struct sm_buf *out, const char *label, const uint8_t *p, size_t n);

#endif
