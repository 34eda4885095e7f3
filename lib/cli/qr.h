/* QR codes for a terminal: UTF-8 half blocks, two rows of modules a line, with the quiet zone of four modules that ISO/IEC 18004 asks
 * for. The text may be a secret: nothing of it is kept. */
#ifndef SM_CLI_QR_H
#define SM_CLI_QR_H

#include "base/buf.h"

/* Appends the lines. Digits alone make a smaller code. colour: black on white by escape sequences, whatever colours the terminal has; else
 * blocks are the light modules, as a dark terminal wants it. SM_ERR_LIMIT when text is too long for a code (some 2,900 bytes). */
SM_CHECKED enum sm_err sm_qr_format(struct sm_buf *b, const char *text, bool colour);
/* To fd; in colour when it is a terminal, and $NO_COLOR is not set or empty. SM_ERR_LIMIT; SM_ERR_IO or SM_ERR_PIPE from writing. */
SM_CHECKED enum sm_err sm_qr_print(int fd, const char *text);

#endif
