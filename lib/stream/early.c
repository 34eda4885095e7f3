/* Tells content from padding without knowing where the end is: a mark is content when anything but zeros follows it. */
#include "stream/early.h"

#define MARK 0x80

static enum sm_err let_go(struct sm_early *s)
{
	static const uint8_t mark = MARK, zeros[65536];
	enum sm_err e = s->mark ? sm_sink_write(s->out, &mark, 1) : SM_OK;

	s->mark = false;
	while (!e && s->zeros) {
		size_t n = s->zeros < sizeof zeros ? (size_t)s->zeros : sizeof zeros;
		e = sm_sink_write(s->out, zeros, n);
		s->zeros -= n;
	}
	return e;
}

static enum sm_err content(struct sm_early *s, const uint8_t *p, size_t n)
{
	size_t end = n;
	enum sm_err e;

	while (end && !p[end - 1])
		end--;
	if (!end) {
		s->zeros += n;
		return SM_OK;
	}
	if ((e = let_go(s)))
		return e;
	s->mark = p[end - 1] == MARK;
	s->zeros = n - end;
	return sm_sink_write(s->out, p, end - s->mark);
}

enum sm_err sm_early_write(struct sm_early *s, const uint8_t *p, size_t n)
{
	while (n && s->at < sizeof s->length) {
		s->length[s->at++] = *p++;
		n--;
	}
	if (!n)
		return SM_OK;
	uint64_t first = sizeof s->length + (uint64_t)sm_get_be32(s->length), skip = s->at >= first ? 0 : first - s->at;
	s->at += n;
	return skip < n ? content(s, p + skip, n - (size_t)skip) : SM_OK;
}
