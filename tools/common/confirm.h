/* A question that only a person answers: never from standard input, which may be data. */
#ifndef SM_COMMON_CONFIRM_H
#define SM_COMMON_CONFIRM_H

#include <stdbool.h>

/* Puts the question (ASCII) to the terminal; true for an answer that begins with y or Y. False for any other, and without a terminal. */
bool sm_confirm(const char *question);

#endif
