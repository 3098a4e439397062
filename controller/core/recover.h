/* From a journal to a running controller, and across a jump of the clock. */
#ifndef CORE_RECOVER_H
#define CORE_RECOVER_H

#include "controller/core/input.h"

struct core;

/* INPUT_STARTED: a new epoch; observe first, then go on. */
void recover_start(struct core *core);

/* INPUT_CLOCK_SET */
void recover_clock(struct core *core, const struct input *input);

/* INPUT_STOP_FILE */
void recover_stop_file(struct core *core, bool stop);

#endif
