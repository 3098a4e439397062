/* Expressions worked out slowly, straight from what the language promises:
 * every value anew from all samples, without rings, order or memory between
 * looks.  What is tested is compared with this. */
#ifndef HELP_REFERENCE_H
#define HELP_REFERENCE_H

#include "policies/units.h"

/* Grid times before and after the deploy, which is at time 0. */
#define PAST_TIMES 60
#define LOOKS      90
#define TIMES      (PAST_TIMES + 1 + LOOKS)

#define REFERENCE_EVERY    (10 * SECOND_MS)
#define REFERENCE_SETTLE   3  /* grid times */
#define REFERENCE_BASELINE 30 /* grid times */

enum kind {
    /* Numbers. */
    NUMBER, /* a literal, as `text` has it */
    SIGNAL,
    AGE,
    MINUS,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    AVG,
    MIN,
    MAX,
    SUM,
    STDDEV,
    QUANTILE, /* number: q */
    SLOPE,
    FORECAST, /* number: grid times ahead */
    RATE,
    COUNT,
    BASELINE,
    CHANGE,
    /* Conditions. */
    TRUTH, /* number: 0 or 1 */
    STUCK,
    SAFE,
    KIND_IS_A, /* release.kind == "a" */
    ABSENT,
    LESS,
    LESS_EQUAL,
    GREATER,
    GREATER_EQUAL,
    NOT,
    AND,
    OR,
    FOR,
    OF, /* number: k of `times` */
    SURELY,
    RISING,
    FLAT,
    BEFORE,
    KINDS
};

struct expression {
    enum kind kind;
    struct expression *a, *b;
    size_t signal;
    int times; /* of the window */
    double number;
    const char *text;
    struct unit unit; /* of a literal */
    size_t index;     /* among all of its pool */
};

enum signal_name { X, Y, E, R, P, Z, C, MS, SIGNALS };
struct reference_signal {
    const char *name;
    const char *declared; /* its entry of `signals:` */
    struct unit unit;
    double scale;
    bool zero_when_empty;
};
extern const struct reference_signal reference_signals[SIGNALS];

/* A sample: what the source said at that grid time. */
enum said { SAID_NUMBER, SAID_NOTHING, SAID_ERROR };

struct story {
    double numbers[SIGNALS][TIMES];
    enum said said[SIGNALS][TIMES];
    bool asked[TIMES]; /* false: a gap, no look was taken */
    bool stuck;
    int safe;         /* 0 no, 1 yes, else not said */
    const char *kind; /* NULL: not said */
};

/* The place of grid time @n, -PAST_TIMES to LOOKS, in a story. */
#define AT(n) ((n) + PAST_TIMES)

struct worth {
    bool known;
    double number; /* a condition: 0 or 1 */
};

/* What @expression is worth at grid time @n of the story, 1 to LOOKS. */
struct worth reference_worth(const struct story *story,
                             const struct expression *expression, int n);

/* Is it allowed, and of which unit is it?  Bare numbers are counts that
 * multiply anything. */
struct meaning_of {
    bool allowed, condition, bare, frozen, before;
    struct unit unit;
};
struct meaning_of reference_meaning(const struct expression *expression);

#endif
