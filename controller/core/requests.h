/* The doors of people and pipelines: register and commands. */
#ifndef CORE_REQUESTS_H
#define CORE_REQUESTS_H

#include "controller/core/effect.h"

struct core;

/* INPUT_REGISTER, INPUT_COMMAND */
void register_release(struct core *core, const struct input *input);
void command_carry_out(struct core *core, const struct input *input);

/* Answer to @input's reply token; nothing when it has none.  The caller may
 * add ids to what is returned (NULL: no token). */
struct effect *request_answer(struct core *core, const struct input *input,
                              enum outcome outcome, const char *code,
                              const char *text);

#endif
