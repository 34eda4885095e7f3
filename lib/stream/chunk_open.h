/* One Cobblestone-256 stream opened in two passes, by several threads: a body (frames) or an attachment (bare chunks).
 * The first believes nothing and gives nothing away; the second gives out what the first has verified. */
#ifndef SM_STREAM_CHUNK_OPEN_H
#define SM_STREAM_CHUNK_OPEN_H

#include "stream/body.h"
#include "stream/keep.h"
#include "stream/sink.h"

struct sm_segmenter;

struct sm_chunk_open {
	/* Given by the caller, borrowed: */
	uint8_t key[32]; /* wiped by release */
	const void *context;
	size_t contextlen;
	bool framed;
	bool digest_wanted;
	unsigned threads;
	struct sm_keep *keep; /* where the input is kept, shared by all streams of one envelope */
	/* Called in order with the plaintext of the first pass, in pieces; may be NULL. It is not verified yet. What stands before
	 * show_until, and from show_from on, is shown whole. Of the rest it is enough to know that a piece does not end with zeros: there
	 * are `unseen` bytes before p that are not shown, and the n at p are not all 0. */
	enum sm_err (*look)(void *ctx, size_t unseen, const uint8_t *p, size_t n);
	uint64_t show_until, show_from;
	void *ctx;

	/* Private. */
	uint8_t head[SM_BODY_HEAD];
	struct sm_source *in;
	uint64_t left; /* bare chunks: bytes still to come */
	bool bad;      /* bare chunks: they do not open, though all of them have been read and digested */
	uint8_t digest[SM_HASH_LEN];
	uint64_t kept_at, nblocks, bytes; /* bytes: of all chunks, framing included */
	/* For a file that others may change between the passes: a MAC of each block under a key that never leaves this process. */
	uint8_t recheck_key[32];
	struct sm_buf tags;
	uint8_t *small; /* the whole of it, opened, when one block held it; no second pass then */
	size_t nsmall, nplain;
	struct sm_pieces plain; /* where it stands in small */
	struct sm_segmenter *segmenter;
	struct sm_sink *out;
	uint64_t from, to;
};

/* Sets the recheck key; key, context, framed, digest_wanted, threads, keep, look and ctx are the caller's. */
void sm_chunk_open_init(struct sm_chunk_open *s);
void sm_chunk_open_release(struct sm_chunk_open *s);

/* Salt and commitment from in: SM_ERR_COMMITMENT, SM_ERR_PAYLOAD when it ends before. */
SM_CHECKED enum sm_err sm_chunk_open_head(struct sm_chunk_open *s, struct sm_source *in);
/* First pass over frames, after the head, through the short last chunk: tags, framing, s->digest. */
SM_CHECKED enum sm_err sm_chunk_open_frames(struct sm_chunk_open *s, struct sm_source *in);
/* First pass over a blob of n bytes, head included. What does not open only sets s->bad, so that the digest can be checked first;
 * SM_ERR_PAYLOAD when the input ends before n bytes. */
SM_CHECKED enum sm_err sm_chunk_open_blob(struct sm_chunk_open *s, struct sm_source *in, uint64_t n);
/* Second pass: plaintext bytes from .. to - 1 to out. SM_ERR_PAYLOAD when the input has changed. */
SM_CHECKED enum sm_err sm_chunk_open_release_plain(struct sm_chunk_open *s, struct sm_sink *out, uint64_t from, uint64_t to);

#endif
