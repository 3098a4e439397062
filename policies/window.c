#include "policies/window.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static size_t padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

/* --- Time -------------------------------------------------------------- */

struct moment moment_at(time_ms g, time_ms every, time_ms cut)
{
    struct moment moment = {g, every, g / every, SIZE_MAX};

    assert(g % every == 0);
    if (cut != NO_CUT) {
        moment.open = g > cut ? (size_t)((g - cut + every - 1) / every) : 0;
    }
    return moment;
}

/* --- Rings ---------------------------------------------------------------- */

size_t ring_bytes(uint16_t slots, bool condition)
{
    size_t numbers = condition ? 0 : slots * sizeof(double);

    return numbers + padded(slots);
}

static double *ring_numbers(const struct ring *ring, unsigned char *block)
{
    assert(!ring->condition);
    assert(ring->offset % sizeof(double) == 0);
    return (double *)(void *)(block + ring->offset);
}

/* One byte a slot: enum answer of a condition, enum unknown of a number. */
static size_t ring_marks_at(const struct ring *ring)
{
    return ring->offset + (ring->condition ? 0 : ring->slots * sizeof(double));
}

/* Grid times have indexes below 0 too, where tables begin that count their
 * seconds from 0. */
static size_t ring_slot(const struct ring *ring, int64_t index)
{
    int64_t slot = index % ring->slots;

    return (size_t)(slot < 0 ? slot + ring->slots : slot);
}

static void ring_forget(const struct ring *ring, unsigned char *block,
                        size_t slot)
{
    unsigned char *marks = block + ring_marks_at(ring);

    if (ring->condition) {
        marks[slot] = ANSWER_UNKNOWN;
        return;
    }
    ring_numbers(ring, block)[slot] = 0;
    marks[slot] = UNKNOWN_NOT_ASKED;
}

void ring_clear(const struct ring *ring, unsigned char *block)
{
    assert(ring->slots > 0);
    memset(block + ring->offset, 0, ring_bytes(ring->slots, ring->condition));
    for (size_t slot = 0; slot < ring->slots; slot++) {
        ring_forget(ring, block, slot);
    }
}

void ring_skip(const struct ring *ring, unsigned char *block,
               const struct moment *moment, size_t missing)
{
    if (missing > ring->slots) {
        missing = ring->slots;
    }
    for (size_t i = 1; i <= missing; i++) {
        ring_forget(ring, block, ring_slot(ring, moment->index - (int64_t)i));
    }
}

void ring_put(const struct ring *ring, unsigned char *block,
              const struct moment *moment, struct value value)
{
    ring_set(ring, block, (uint16_t)ring_slot(ring, moment->index), value);
}

struct value ring_get(const struct ring *ring, const unsigned char *block,
                      uint16_t slot)
{
    const unsigned char mark = block[ring_marks_at(ring) + slot];
    struct value value = {.unknown = KNOWN};

    assert(slot < ring->slots);
    if (ring->condition) {
        return value_of_answer((enum answer)mark, UNKNOWN_NOT_ASKED);
    }
    value.unknown = (enum unknown)mark;
    memcpy(&value.number, block + ring->offset + slot * sizeof(double),
           sizeof(double));
    return value;
}

void ring_set(const struct ring *ring, unsigned char *block, uint16_t slot,
              struct value value)
{
    unsigned char *marks = block + ring_marks_at(ring);

    assert(slot < ring->slots);
    assert(value.unknown < UNKNOWN_LAST);
    if (ring->condition) {
        marks[slot] = (unsigned char)answer_of_value(value);
        return;
    }
    ring_numbers(ring, block)[slot] = value.unknown == KNOWN ? value.number : 0;
    marks[slot] = (unsigned char)value.unknown;
}

/* --- Windows -------------------------------------------------------------- */

size_t span_grid_times(time_ms span, time_ms every)
{
    assert(span > 0);
    assert(every > 0);
    return (size_t)((span + every - 1) / every);
}

/* How many of the last @grid_times grid times lie after the cut. */
static size_t grid_times_after_cut(const struct moment *moment,
                                   size_t grid_times)
{
    return moment->open < grid_times ? moment->open : grid_times;
}

void window_read(const struct ring *ring, const unsigned char *block,
                 const struct moment *moment, time_ms span,
                 struct window *ret_window)
{
    const unsigned char *marks = block + ring_marks_at(ring);
    const double *numbers =
        ring->condition ? NULL
                        : (const double *)(const void *)(block + ring->offset);
    size_t wanted = span_grid_times(span, moment->every);
    size_t left = grid_times_after_cut(moment, wanted);
    size_t slot = ring_slot(ring, moment->index);
    double step = (double)moment->every / 1000;
    size_t count = 0;

    assert(wanted <= ring->slots);
    assert(wanted <= SAMPLES_MAX);
    slot = (slot + ring->slots + 1 - left) % ring->slots;
    for (; left > 0; left--) {
        bool known = numbers == NULL ? marks[slot] != ANSWER_UNKNOWN
                                     : marks[slot] == KNOWN;

        if (known) {
            ret_window->numbers[count] =
                numbers == NULL ? marks[slot] == ANSWER_YES : numbers[slot];
            ret_window->seconds[count] = -(double)(left - 1) * step;
            count++;
        }
        slot = slot + 1 < ring->slots ? slot + 1 : 0;
    }
    ret_window->grid_times = wanted;
    ret_window->count = count;
}

bool window_is_covered(const struct window *window, size_t least)
{
    return window->count >= least && window->count > 0 &&
           window->count * 5 >= window->grid_times * 4;
}

static void window_move(struct window *window, size_t from, size_t to)
{
    window->numbers[to] = window->numbers[from];
    window->seconds[to] = window->seconds[from];
}

void window_thin(struct window *window, size_t most)
{
    assert(most >= 2);
    if (window->count <= most) {
        return;
    }
    for (size_t i = 0; i < most; i++) {
        window_move(window, i * (window->count - 1) / (most - 1), i);
    }
    window->count = most;
}

void window_pair(struct window *a, struct window *b)
{
    size_t i = 0, j = 0, count = 0;

    assert(a->grid_times == b->grid_times);
    while (i < a->count && j < b->count) {
        if (a->seconds[i] < b->seconds[j]) {
            i++;
        } else if (b->seconds[j] < a->seconds[i]) {
            j++;
        } else {
            window_move(a, i++, count);
            window_move(b, j++, count);
            count++;
        }
    }
    a->count = count;
    b->count = count;
}

static void tally_marks(struct tally *tally, const unsigned char *marks,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tally->yes += marks[i] == ANSWER_YES;
        tally->no += marks[i] == ANSWER_NO;
    }
}

/* The slots up to g's, and where the ring begins anew those before its end. */
struct tally tally_read(const struct ring *ring, const unsigned char *block,
                        const struct moment *moment, size_t grid_times)
{
    const unsigned char *marks = block + ring_marks_at(ring);
    size_t left = grid_times_after_cut(moment, grid_times);
    size_t end = ring_slot(ring, moment->index) + 1;
    size_t low = left < end ? left : end;
    struct tally tally = {.grid_times = grid_times, .cut = grid_times - left};

    assert(ring->condition);
    assert(grid_times <= ring->slots);
    tally_marks(&tally, marks + end - low, low);
    tally_marks(&tally, marks + ring->slots - (left - low), left - low);
    tally.unknown = left - tally.yes - tally.no;
    return tally;
}

/* --- Values --------------------------------------------------------------- */

struct value value_of_number(double number)
{
    if (isnan(number)) {
        return value_unknown(UNKNOWN_NAN);
    }
    if (isinf(number)) {
        return value_unknown(UNKNOWN_INFINITE);
    }
    return (struct value){number + 0.0, KNOWN};
}

struct value value_of_answer(enum answer answer, enum unknown reason)
{
    if (answer == ANSWER_UNKNOWN) {
        return value_unknown(reason);
    }
    return (struct value){answer == ANSWER_YES, KNOWN};
}

struct value value_unknown(enum unknown reason)
{
    assert(reason != KNOWN);
    assert(reason < UNKNOWN_LAST);
    return (struct value){0, reason};
}

enum answer answer_of_value(struct value value)
{
    if (value.unknown != KNOWN) {
        return ANSWER_UNKNOWN;
    }
    return value.number != 0 ? ANSWER_YES : ANSWER_NO;
}
