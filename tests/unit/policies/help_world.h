/* A release under one small policy, looked at step by step. */
#ifndef HELP_WORLD_H
#define HELP_WORLD_H

#include "policies/judge.h"

/* Unless the policy says otherwise, grid times are 10 s apart, settling takes
 * 30 s, normal is the 5 min before the deploy, which is at grid time 0 of the
 * world. */
#define WORLD_EVERY    (10 * SECOND_MS)
#define WORLD_DEPLOYED (1000020 * SECOND_MS)
#define WORLD_SETTLE   3 /* looks */

struct world {
    struct policy *policy;
    struct facts facts;
    struct sample row[POLICY_SIGNALS_MAX];
    struct verdict verdict;
    struct judge_scratch scratch;
    union {
        uint64_t aligned[JUDGE_BYTES_MAX / 8];
        unsigned char bytes[JUDGE_BYTES_MAX];
    } block;
    struct sample past[HISTORY_ROWS_MAX * POLICY_SIGNALS_MAX];
    struct history history;
};

/* Signals: x y count; e r per_second; p ratio; z count, on_no_data: zero;
 * c a scraped counter; ms milliseconds.  The root question asks @condition;
 * world_number() instead names @number `v` and asks about it. */
void world_condition(struct world *world, const char *condition);
void world_number(struct world *world, const char *number);
/* A policy of its own; fails the test with the problems of a bad one. */
void world_policy(struct world *world, const char *source);
/* The policy in a file, named from the root of the sources. */
void world_library(struct world *world, const char *path);
void world_end(struct world *world);

struct judge *world_judge(struct world *world);

/* What the next looks will see. */
void world_say(struct world *world, const char *signal, double number);
void world_unknown(struct world *world, const char *signal,
                   enum unknown unknown);
/* All signals at once. */
void world_all_unknown(struct world *world, enum unknown unknown);

/* Look at grid time @n after the deploy. */
void world_look(struct world *world, int n);

/* The same row at each of from .. to. */
void world_looks(struct world *world, int from, int to);

/* The answer of the root question and the value of the signal @name (fetched
 * or named) at the last look. */
enum answer world_answer(const struct world *world);
enum unknown world_why(const struct world *world); /* of the root condition */
struct value world_value(const struct world *world, const char *name);

/* The past before the deploy, @rows grid times up to the deploy's own, all
 * unknown at first; then what it says @back grid times before the deploy. */
void world_past(struct world *world, size_t rows);
void world_past_say(struct world *world, size_t back, const char *signal,
                    double number);
void world_learn(struct world *world);

#endif
