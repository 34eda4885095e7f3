/* What every fuzzer here begins with. A property that does not hold is an abort, which is a finding like any crash. */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define CHECK(cond)                                                                                                                        \
	do {                                                                                                                               \
		if (!(cond))                                                                                                               \
			abort();                                                                                                           \
	} while (0)

#endif
