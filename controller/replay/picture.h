/* What a judgement looked like: signals over time with their thresholds, the
 * deploy, and the verdicts. */
#ifndef REPLAY_PICTURE_H
#define REPLAY_PICTURE_H

#include <stdio.h>

#include "policies/judge.h"

#define PICTURE_TRACES_MAX     32
#define PICTURE_THRESHOLDS_MAX 4
#define PICTURE_NAME_MAX       64

struct picture_trace {
    char name[PICTURE_NAME_MAX];
    struct unit unit;
    struct value *values; /* of each row; UNKNOWN_NOT_ASKED: not judged */
    double thresholds[PICTURE_THRESHOLDS_MAX];
    size_t thresholds_count;
};

struct picture {
    time_ms start, every; /* the first row, and from row to row */
    size_t rows;          /* at least one */
    size_t deploy;        /* the first row after it; rows: there is none */
    size_t count;
    struct picture_trace traces[PICTURE_TRACES_MAX];
    char *verdicts; /* of each row a letter, ' ' where nothing was judged */
    size_t mark;    /* a row to point at; rows: none */
    char mark_text[64];
};

/* @rows rows without traces, of which those up to @deployed_at are before the
 * deploy.  Release it. */
void picture_init(struct picture *picture, time_ms start, time_ms every,
                  size_t rows, time_ms deployed_at);
void picture_release(struct picture *picture);

/* A trace of which nothing is known yet; NULL when there are enough. */
struct picture_trace *picture_add(struct picture *picture, const char *name,
                                  struct unit unit);

/* A verdict at a row: the gravest of several stays. */
void picture_judge(struct picture *picture, size_t row, enum leaf_kind kind);

/* Print it, at most @columns wide, 60 at least:
 *     pool_in_use        180 ____|___...---''' 480
 *     verdict                    |?----------RR
 * with bars of eight heights; only signals that move, and behind them the
 * limits that the policy sets them. */
void picture_print(const struct picture *picture, int columns, FILE *out);

/* The same as an SVG document: one panel a signal, thresholds as dashed lines,
 * verdicts as a band of colours. */
void picture_draw(const struct picture *picture, const char *title, FILE *out);

#endif
