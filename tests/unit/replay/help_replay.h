/* `lastgood replay` as its users call it: words in, two texts and a code out,
 * with files that a test makes up. */
#ifndef UNIT_REPLAY_HELP_REPLAY_H
#define UNIT_REPLAY_HELP_REPLAY_H

#include <jansson.h>

#include "policies/units.h"

#define OUTPUT_MAX (256 * 1024)

struct ran {
    int code;
    char out[OUTPUT_MAX], err[OUTPUT_MAX];
};

/* Run it with the words up to NULL, without "replay" itself. */
void run_replay(struct ran *ret_ran, ...) __attribute__((sentinel));

/* A file with @text in this test's folder; the path lives until the end. */
const char *file_of(const char *name, const char *text);

/* Deletes the files; a cmocka teardown. */
int forget_files(void **state);

/* A table of samples each 15 s from T0 on, column by column from text. */
#define T0    1726665300LL /* 2024-09-18T13:15:00Z, on the grid */
#define EVERY 15

struct sheet {
    char text[64 * 1024];
    size_t used;
    int row;
};
void sheet_begin(struct sheet *sheet, const char *columns);
/* @count rows with these @cells. */
void sheet_add(struct sheet *sheet, int count, const char *cells);

/* Of JSON output: it must be one object of the stable form. */
json_t *json_of(const struct ran *ran);
/* Seconds after T0 of `first_action_at`, -1 for null. */
int acts_at(const json_t *json);
/* "wait@15 healthy@75 rollback@120": verdicts with seconds after T0. */
const char *decisions_of(const json_t *json, char *ret_text, size_t size);
const char *final_of(const json_t *json);

#endif
