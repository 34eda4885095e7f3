/* QR codes: what is drawn is read back, module for module, and compared with the matrix. That scanners read it is a bats test's matter. */
#include "tap.h"

#include "cli/qr.h"

#include <fcntl.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUIET 4
#define WIDE 200

static const char digits[] = "033293380328151656227212761645224936643988000137391612222228";

/* Takes the drawing apart: modules, 1 is dark. Returns columns, or 0 when it is no rectangle of half blocks. */
static int take_apart(uint8_t m[WIDE][WIDE], int *rows, const char *s, bool colour)
{
	static const char *const block[] = {" ", "\xe2\x96\x80", "\xe2\x96\x84", "\xe2\x96\x88"};
	int columns = 0, x = 0;
	*rows = 0;
	while (*s) {
		if (colour && !x && !strncmp(s, "\033[30;107m", 9))
			s += 9;
		unsigned k = 0;
		while (k < 4 && strncmp(s, block[k], strlen(block[k])) != 0)
			k++;
		if (k < 4) {
			s += strlen(block[k]);
			k = colour ? k : 3 - k;
			m[*rows][x] = k & 1;
			m[*rows + 1][x++] = (uint8_t)(k >> 1);
			continue;
		}
		if (colour && !strncmp(s, "\033[0m", 4))
			s += 4;
		if (*s++ != '\n' || (columns && x != columns))
			return 0;
		columns = x;
		x = 0;
		*rows += 2;
	}
	return x ? 0 : columns;
}

static bool same(const QRcode *q, uint8_t m[WIDE][WIDE], int columns, int rows)
{
	if (columns != q->width + 2 * QUIET || rows < columns || rows > columns + 1)
		return false;
	for (int y = 0; y < rows; y++)
		for (int x = 0; x < columns; x++) {
			int i = x - QUIET, j = y - QUIET;
			bool in = i >= 0 && j >= 0 && i < q->width && j < q->width;
			if (m[y][x] != (in ? q->data[j * q->width + i] & 1 : 0))
				return false;
		}
	return true;
}

static void draws(const char *name, const char *text, bool colour, int width)
{
	static uint8_t m[WIDE][WIDE];
	struct sm_buf b;
	int rows = 0, columns = 0;
	QRcode *q = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	const char *s = NULL;
	sm_buf_init(&b, 1 << 17);
	if (!q || sm_buf_adds(&b, "") || sm_qr_format(&b, text, colour) || !(s = sm_buf_str(&b)))
		abort();
	columns = take_apart(m, &rows, s, colour);
	ok(same(q, m, columns, rows) && q->width == width, "%s%s: %d modules wide", name, colour ? ", in colour" : "", q->width);
	QRcode_free(q);
	sm_buf_release(&b);
}

static void limits(void)
{
	char *big = malloc(8000);
	struct sm_buf b;
	if (!big)
		abort();
	memset(big, 'a', 8000);
	big[7999] = 0;
	sm_buf_init(&b, 1 << 17);
	ok(sm_qr_format(&b, big, false) == SM_ERR_LIMIT && !b.len, "too long");
	big[2953] = 0;
	ok(!sm_qr_format(&b, big, true) && b.len > 177 * 177 / 2, "the longest");
	sm_buf_release(&b);
	sm_buf_init(&b, 100);
	ok(sm_qr_format(&b, "x", false) == SM_ERR_LIMIT && !b.len, "no room");
	sm_buf_release(&b);
	free(big);
}

static void printing(void)
{
	char got[16384] = "";
	int p[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct sm_buf b;
	sm_buf_init(&b, 1 << 17);
	if (pipe(p) || full < 0)
		abort();
	enum sm_err e = sm_qr_print(p[1], digits);
	close(p[1]);
	ssize_t n = read(p[0], got, sizeof(got));
	ok(!e && !sm_qr_format(&b, digits, false) && n == (ssize_t)b.len && !memcmp(got, b.data, b.len), "no colours into a pipe");
	ok(sm_qr_print(full, digits) == SM_ERR_IO, "a full disk is said");
	close(p[0]);
	close(full);
	sm_buf_release(&b);
}

int main(void)
{
	draws("60 digits", digits, false, 25);
	draws("60 digits", digits, true, 25);
	draws("a word", "sm", false, 21);
	draws("an otpauth URI", "otpauth://totp/sm:alice@example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=sm", true, 33);
	limits();
	printing();
	return tap_done();
}
