/* The past of a release: rings of values on the grid, and windows over them.
 *
 * A ring has one slot for each of the last `slots` grid times; grid time t
 * lives in slot (t / every) % slots.  A grid time that was never looked at is
 * "not asked".  A window is the grid times in (g - W, g], without those at or
 * before the cut: the deploy and the settling after it.
 *
 * Nothing here allocates; a struct window is 8 KiB of the caller's stack. */
#ifndef POLICIES_WINDOW_H
#define POLICIES_WINDOW_H

#include "policies/policy.h"

/* Where one look stands in time; made by moment_at(). */
struct moment {
    time_ms g;     /* the grid time looked at */
    time_ms every; /* between two grid times */
    int64_t index; /* g / every: which grid time it is */
    size_t open;   /* grid times in (cut, g], SIZE_MAX when nothing is cut */
};

/* Before all grid times: nothing is cut. */
#define NO_CUT INT64_MIN

/* Nothing at or before @cut belongs to a window.  Worked out once a look, for
 * a division costs as much as reading a ring of ten. */
struct moment moment_at(time_ms g, time_ms every, time_ms cut);

/* The known values of a window in order of time. */
struct window {
    size_t grid_times; /* of all of W, cut or not */
    size_t count;      /* of the known values */
    double numbers[SAMPLES_MAX];
    double seconds[SAMPLES_MAX]; /* after g: 0 or less */
};

/* How the answers of a span of grid times divide.  Grid times that were cut
 * are counted as cut only. */
struct tally {
    size_t grid_times, yes, no, unknown, cut;
};

/* Bytes a ring needs in a release's memory, a multiple of 8. */
size_t ring_bytes(uint16_t slots, bool condition);

/* Forget everything: all slots are "not asked". */
void ring_clear(const struct ring *ring, unsigned char *block);

/* The @missing grid times before @moment->g were never looked at. */
void ring_skip(const struct ring *ring, unsigned char *block,
               const struct moment *moment, size_t missing);

/* The value of the ring's node at @moment->g. */
void ring_put(const struct ring *ring, unsigned char *block,
              const struct moment *moment, struct value value);

/* Slot @slot as it is: a number or its reason; 0, 1 or unknown of a condition.
 * ring_set() puts back what ring_get() told. */
struct value ring_get(const struct ring *ring, const unsigned char *block,
                      uint16_t slot);
void ring_set(const struct ring *ring, unsigned char *block, uint16_t slot,
              struct value value);

/* Grid times in (g - span, g], g being one. */
size_t span_grid_times(time_ms span, time_ms every);

/* The known numbers of (g - span, g]; a condition's are 0 and 1. */
void window_read(const struct ring *ring, const unsigned char *block,
                 const struct moment *moment, time_ms span,
                 struct window *ret_window);

/* At least @least values are known, and 80 % of W's grid times. */
bool window_is_covered(const struct window *window, size_t least);

/* Keep at most @most values, evenly spaced, the first and the last included.
 * Statistics that compare all pairs cost the square of the count. */
void window_thin(struct window *window, size_t most);

/* Keep only the grid times that both windows know. */
void window_pair(struct window *a, struct window *b);

/* Count the answers of the last @grid_times grid times up to g. */
struct tally tally_read(const struct ring *ring, const unsigned char *block,
                        const struct moment *moment, size_t grid_times);

/* A number as a value: NaN and infinities become unknown, -0 becomes 0. */
struct value value_of_number(double number);
struct value value_of_answer(enum answer answer, enum unknown reason);
struct value value_unknown(enum unknown reason);
enum answer answer_of_value(struct value value);

#endif
