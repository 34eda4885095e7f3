/* libqrencode makes the matrix; this draws it. */
#include "cli/qr.h"

#include "base/file.h"
#include "base/secret.h"
#include "cli/tty.h"

#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#define QUIET 4
#define OUT_MAX ((size_t)1 << 17) /* the largest code, 177 modules, takes 50 KiB */
#define BLACK_ON_WHITE "\033[30;107m"
#define RESET "\033[0m"

/* Upper module | lower module << 1, where 1 is dark, to what draws it in the terminal's foreground. */
static const char *const dark_drawn[] = {" ", "\xe2\x96\x80", "\xe2\x96\x84", "\xe2\x96\x88"};
static const char *const light_drawn[] = {"\xe2\x96\x88", "\xe2\x96\x84", "\xe2\x96\x80", " "};

/* Beyond the code, in the quiet zone, all is light. */
static unsigned dark(const QRcode *q, int x, int y)
{
	if (x < 0 || y < 0 || x >= q->width || y >= q->width)
		return 0;
	return q->data[y * q->width + x] & 1;
}

static enum sm_err draw(struct sm_buf *b, const QRcode *q, bool colour)
{
	const char *const *drawn = colour ? dark_drawn : light_drawn;
	enum sm_err e = SM_OK;
	for (int y = -QUIET; !e && y < q->width + QUIET; y += 2) {
		if (colour)
			e = sm_buf_adds(b, BLACK_ON_WHITE);
		for (int x = -QUIET; !e && x < q->width + QUIET; x++)
			e = sm_buf_adds(b, drawn[dark(q, x, y) | dark(q, x, y + 1) << 1]);
		if (!e)
			e = sm_buf_adds(b, colour ? RESET "\n" : "\n");
	}
	return e;
}

enum sm_err sm_qr_format(struct sm_buf *b, const char *text, bool colour)
{
	size_t start = b->len;
	/* the least correction: a screen has no stains */
	QRcode *q = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (!q)
		return errno == ENOMEM ? SM_ERR_NOMEM : SM_ERR_LIMIT;
	enum sm_err e = draw(b, q, colour);
	if (e) {
		if (b->len > start)
			sm_wipe(b->data + start, b->len - start);
		b->len = start;
	}
	sm_wipe(q->data, (size_t)q->width * (size_t)q->width);
	QRcode_free(q);
	return e;
}

enum sm_err sm_qr_print(int fd, const char *text)
{
	const char *no_color = getenv("NO_COLOR");
	struct sm_buf b;
	sm_buf_init(&b, OUT_MAX);
	enum sm_err e = sm_qr_format(&b, text, sm_is_tty(fd) && !(no_color && *no_color));
	if (!e)
		e = sm_write_full(fd, b.data, b.len);
	sm_buf_release(&b);
	return e;
}
