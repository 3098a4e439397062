/* The clock of a world: it stands still until somebody sets it forward. */
#ifndef SIMULATOR_FAKE_CLOCK_H
#define SIMULATOR_FAKE_CLOCK_H

#include "controller/runtime/clock.h"

/* A new world: boot time 0 is @wall. */
void fake_clock_begin(time_ms wall);

/* Boot time goes on to @boot. */
void fake_clock_advance(time_ms boot);

/* The wall clock jumps. */
void fake_clock_jump(time_ms difference);

#endif
