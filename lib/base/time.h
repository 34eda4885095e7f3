/* Time as the formats write it: YYYY-MM-DDThh:mm:ssZ, years 0000..9999, dates that exist, seconds 00..59. */
#ifndef SM_BASE_TIME_H
#define SM_BASE_TIME_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SM_TIME_LEN 20

/* Seconds and milliseconds since 1970, from the system clock. */
int64_t sm_time_now(void);
int64_t sm_time_now_ms(void);
/* Milliseconds on the monotonic clock, for timeouts. */
int64_t sm_time_mono_ms(void);
void sm_time_format(char out[static SM_TIME_LEN + 1], int64_t t);
SM_CHECKED enum sm_err sm_time_parse(int64_t *t, const char *s, size_t n);
/* "90", "15m", "8h", "7d": seconds; SM_ERR_FORMAT otherwise or over ten years. */
SM_CHECKED enum sm_err sm_duration_parse(int64_t *seconds, const char *s);

#endif
