/* From a journal to a running controller, and across a jump of the clock. */
#ifndef CORE_RECOVER_H
#define CORE_RECOVER_H

#include "controller/core/input.h"

struct core;
struct record;

/* INPUT_STARTED: a new epoch; observe first, then go on. */
void recover_start(struct core *core);

/* INPUT_CLOCK_SET */
void recover_clock(struct core *core, const struct input *input);

/* Records: what is counted from moves with the clock, and nothing begins in
 * the future. */
void recover_apply_started(struct core *core, const struct record *record);
void recover_apply_clock_set(struct core *core, const struct record *record);

/* INPUT_STOP_FILE, INPUT_STORE: what the shell sees of its files. */
void recover_file(struct core *core, const struct input *input);

#endif
