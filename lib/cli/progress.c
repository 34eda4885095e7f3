/* Progress on stderr, drawn over itself: "  312 MiB of 1.0 GiB  30%  410 MiB/s  0:02 left". */
#include "cli/progress.h"

#include "base/time.h"
#include "cli/tty.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define QUIET_MS 1000
#define REDRAW_MS 250

void sm_progress_init(struct sm_progress *p, bool off, uint64_t total)
{
	*p = (struct sm_progress){.on = !off && sm_is_tty(STDERR_FILENO), .total = total};
	if (p->on)
		p->started_ms = sm_time_mono_ms();
}

static void format_bytes(char out[static 16], uint64_t n)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned u = 0;
	double v = (double)n;
	for (; v >= 1000 && u < 6; u++)
		v /= 1024;
	snprintf(out, 16, v < 10 && u ? "%.1f %s" : "%.0f %s", v, unit[u]);
}

static void format_left(char out[static 48], const struct sm_progress *p, double rate)
{
	uint64_t s = (uint64_t)((double)(p->total - p->done) / rate);
	unsigned percent = (unsigned)((double)p->done * 100 / (double)p->total);
	if (s >= 3600)
		snprintf(out, 48, "  %u%%  %" PRIu64 ":%02u:%02u left", percent, s / 3600, (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	else
		snprintf(out, 48, "  %u%%  %u:%02u left", percent, (unsigned)(s / 60), (unsigned)(s % 60));
}

static void draw(const struct sm_progress *p, int64_t now)
{
	char done[16], total[16], rate[16], left[48] = "", line[160];
	double per_second = (double)p->done * 1000 / (double)(now - p->started_ms);
	bool known = p->total && p->done <= p->total && per_second >= 1;
	format_bytes(done, p->done);
	format_bytes(total, p->total);
	format_bytes(rate, (uint64_t)per_second);
	if (known)
		format_left(left, p, per_second);
	int n = snprintf(line, sizeof(line), "\r  %s%s%s  %s/s%s\033[K", done, known ? " of " : "", known ? total : "", rate, left);
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nobody to tell */
}

void sm_progress_update(struct sm_progress *p, uint64_t done)
{
	p->done = done;
	if (!p->on)
		return;
	int64_t now = sm_time_mono_ms();
	if (now - p->started_ms < QUIET_MS || now - p->shown_ms < REDRAW_MS)
		return;
	p->shown_ms = now;
	draw(p, now);
}

void sm_progress_end(struct sm_progress *p)
{
	if (p->on && p->shown_ms && write(STDERR_FILENO, "\r\033[K", 4) < 0)
		p->on = false;
	p->on = false;
}
