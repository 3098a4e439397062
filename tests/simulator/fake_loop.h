/* The part of libuv that the driver uses, as a loop in virtual time: timers,
 * idle, prepare, async and the end of handles; no input or output at all. */
#ifndef SIMULATOR_FAKE_LOOP_H
#define SIMULATOR_FAKE_LOOP_H

#include "policies/units.h"

#include <stdbool.h>
#include <uv.h>

#define LOOP_HANDLES_MAX 16

struct fake_loop {
    uv_loop_t uv; /* first: handles point to it */
    uv_handle_t *handles[LOOP_HANDLES_MAX];
    size_t handles_count;
    struct {
        uv_handle_t *handle;
        uv_close_cb done;
    } closing[LOOP_HANDLES_MAX];
    size_t closing_count;
};

void fake_loop_begin(struct fake_loop *loop, void *data);

/* One turn up to where libuv would wait: timers, idle, prepare. */
void fake_loop_turn(struct fake_loop *loop);

/* When it would wake by itself; now, when it would not wait. */
time_ms fake_loop_wakes_at(const struct fake_loop *loop);

/* What was signalled; then the handles that were closed. */
void fake_loop_poll(struct fake_loop *loop);

#endif
