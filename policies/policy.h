/* A policy, compiled: one contiguous, immutable block without pointers.
 *
 * policy_read() makes it from text; the shell hands it to the core, which
 * judges with it (judge.h) and gives it back when the last reader is gone.
 * Everything variable lies behind this struct in the same allocation and is
 * reached by offset through the functions at the end of this file.
 *
 * Expressions of the whole file are one array of nodes in evaluation order:
 * a node's operands always have smaller indexes, a named signal is a node that
 * others refer to.  So one straight pass over the array evaluates everything
 * once, explains everything, and can never hang. */
#ifndef POLICIES_POLICY_H
#define POLICIES_POLICY_H

#include "policies/problem.h"
#include "policies/units.h"

#define POLICY_FILE_MAX      (64 * 1024)  /* bytes of source text */
#define POLICY_BLOCK_MAX     (256 * 1024) /* bytes compiled, source included */
#define POLICY_DEPTH_MAX     16           /* of the tree and of an expression */
#define EXPRESSION_BYTES_MAX 1024
#define EXPRESSION_NODES_MAX 64
#define POLICY_NODES_MAX     512 /* of all expressions of a file */
#define POLICY_SIGNALS_MAX   32  /* fetched ones; `is` signals are nodes */
#define POLICY_QUESTIONS_MAX 32
#define POLICY_LEAVES_MAX    33
#define POLICY_FROZEN_MAX    16 /* baseline(), change() and before() nodes */
#define POLICY_RINGS_MAX     32
#define POLICY_FLEET_MAX     8
#define POLICY_TRIALS_MAX    8 /* worse() nodes */
#define POLICY_SELECT_MAX    4
#define POLICY_NOTIFY_MAX    4
#define SAMPLES_MAX          512 /* grid times any window may look back over */
#define JUDGE_BYTES_MAX      (32 * 1024) /* a release's memory, see judge.h */
#define QUERY_TEXT_MAX       2048
#define POLICY_TEXT_MAX      512 /* a leaf's or question's text */

/* An index that points nowhere. */
#define NONE_INDEX UINT16_MAX

/* What a leaf may do, in order; the effective mode is the lowest of several. */
enum mode { MODE_OBSERVE, MODE_SUGGEST, MODE_COUNTDOWN, MODE_AUTO };

/* Three-valued truth. */
enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

/* Why a value is not known.  KNOWN is 0, so that zeroed memory is a number. */
enum unknown {
    KNOWN,
    UNKNOWN_NO_DATA, /* the source answered and had nothing */
    UNKNOWN_NAN,     /* not a number */
    UNKNOWN_INFINITE,
    UNKNOWN_STALE,   /* the newest sample is older than max_age */
    UNKNOWN_SEVERAL, /* several series where one was expected */
    UNKNOWN_WINDOW,  /* window not covered */
    UNKNOWN_NO_BASELINE,
    UNKNOWN_DIVIDE_BY_ZERO,
    UNKNOWN_SOURCE_ERROR,
    UNKNOWN_NO_COLUMN, /* replay: the table has no such column */
    UNKNOWN_NOT_ASKED, /* no answer for this grid time (a gap) */
    UNKNOWN_SETTLING,  /* within deployed_at + settle */
    UNKNOWN_FACT,      /* the release does not say */
    UNKNOWN_LAST       /* how many there are */
};

/* "no data", "window not covered", ...: the words of product.md. */
const char *unknown_name(enum unknown unknown);
const char *mode_name(enum mode mode);
const char *answer_name(enum answer answer); /* "no", "yes", "unknown" */

/* One value.  Conditions are 0 or 1; NaN never occurs in `number`. */
struct value {
    double number;
    enum unknown unknown;
};

/* What kind of thing a node yields. */
enum node_type { TYPE_NUMBER, TYPE_CONDITION, TYPE_TEXT };

enum op {
    OP_LITERAL, /* number */
    OP_TEXT,    /* text literal: text/text_length without quotes */
    OP_SIGNAL,  /* the fetched signal `signal` at g, scaled to base units */
    OP_NAMED,   /* an `is` signal: a is its root; name in text */
    OP_FACT,    /* release.*: `fact`; label's name in `label` */
    OP_FLEET,   /* fleet.*: facts.fleet[fleet] */
    OP_NEGATE,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_EQUAL,
    OP_NOT_EQUAL, /* text and facts only */
    OP_NOT,
    OP_AND,
    OP_OR,
    OP_FOR, /* a for span */
    OP_OF,  /* a for k of n */
    OP_SURELY,
    OP_ABSENT, /* a is an OP_SIGNAL */
    OP_AVG,
    OP_MIN,
    OP_MAX,
    OP_SUM,
    OP_STDDEV,
    OP_QUANTILE, /* number = q */
    OP_COUNT,
    OP_SLOPE,
    OP_FORECAST, /* horizon */
    OP_RISING,
    OP_FLAT,
    OP_RATE,        /* a is an OP_SIGNAL fetched by scrape */
    OP_TOO_MANY,    /* a errors, b requests, number = share */
    OP_BURN,        /* a errors, b requests, number = target, span and horizon
                       the long and the short window */
    OP_WORSENED,    /* a errors, b requests, number = least share, factor;
                       frozen and frozen + 1: events of a and b before */
    OP_OUTGROWS,    /* a grows by factor, more than b excuses */
    OP_BASELINE,    /* frozen[frozen]: median of a before the deploy */
    OP_AT_DEPLOY,   /* frozen[frozen]: mean of a's last span before it */
    OP_CHANGE,      /* a now over its baseline */
    OP_BEFORE,      /* a was true at more than half of the known grid times */
    OP_CANARY,      /* a, on the canary's side */
    OP_CONTROL,     /* a, on the control's: a copy that reads other series */
    OP_SIDES,       /* not written: a, and b, the same on the control's side */
    OP_WORSE,       /* a (OP_SIDES) is more than factor times the control's */
    OP_WORSE_SHARE, /* the same of errors a among requests b */
    OP_LAST         /* how many there are */
};

enum fact {
    FACT_SERVICE,
    FACT_ENVIRONMENT,
    FACT_VERSION,
    FACT_CONTROL_VERSION, /* of `select` only, and never written */
    FACT_KIND,
    FACT_DATA_CHANGE,
    FACT_LABEL, /* texts */
    FACT_ROLLBACK_SAFE,
    FACT_STUCK, /* conditions */
    FACT_AGE    /* seconds since deployed_at */
};

struct node {
    enum op op;
    enum node_type type;
    struct unit unit;
    uint16_t a, b;   /* operands, smaller than this node's own index */
    uint16_t signal; /* OP_SIGNAL */
    uint16_t ring;   /* window functions and for: rings[ring] keeps a */
    uint16_t ring_b; /* too_many, burn: rings[ring_b] keeps b */
    uint16_t frozen; /* baseline, change, before */
    uint16_t fleet;  /* OP_FLEET */
    uint16_t trial;  /* worse: its evidence in the release's memory */
    uint16_t depth;  /* nesting, for printing */
    enum fact fact;
    uint32_t label;  /* FACT_LABEL: offset of the name */
    double number;   /* literal (base units), q, share, target */
    double factor;   /* worsened, outgrows, worse */
    time_ms span;    /* W or D; worse: between two judgements */
    time_ms horizon; /* forecast's h, burn's short window */
    uint16_t k, n;   /* for k of n */
    uint32_t text;   /* offset of this node's source text, NUL-ended */
    uint16_t line, column;
};

/* The past of one node's values in a release's memory: a ring with a slot for
 * each of the last `slots` grid times. */
struct ring {
    uint16_t node; /* whose values */
    uint16_t slots;
    bool condition;  /* one byte a slot (answer), else a double and a byte */
    uint32_t offset; /* in the judge's block */
};

enum fetch {
    FETCH_PROMETHEUS,
    FETCH_SCRAPE,
    FETCH_JSON,
    FETCH_TABLE /* replay: a column in place of an expression */
};

/* label = value in `select`; the value is literal or a fact of the release. */
struct select {
    uint32_t label; /* offset */
    uint32_t value; /* offset; for FACT_LABEL the label's name */
    bool is_fact;
    enum fact fact;
};

struct signal {
    uint32_t name;   /* offset */
    uint32_t query;  /* offset: PromQL, selector or JSON pointer */
    uint32_t fresh;  /* offset of a PromQL for the age, 0 when none */
    uint32_t source; /* offset of a source's name, 0: the service's own */
    enum fetch fetch;
    struct unit unit;
    double scale;         /* fetched value times this is in base units */
    bool zero_when_empty; /* on_no_data: zero */
    time_ms max_age;      /* 0: replay, the column's own */
    time_ms range;        /* its query looks back over, 0: none */
    struct select select[POLICY_SELECT_MAX];
    uint8_t selects;
    bool two_sided; /* of the release's version, so there is a control's */
    uint16_t node;  /* its OP_SIGNAL, NONE_INDEX when nothing reads it */
};

/* A question's answer leads to another question or to a leaf. */
struct branch {
    /* TO_WAIT: no `unknown:` given */
    enum { TO_QUESTION, TO_LEAF, TO_WAIT } to;
    uint16_t index;
};

struct question {
    uint32_t text; /* offset */
    uint16_t node; /* its condition */
    struct branch yes, no, unknown;
    uint16_t line, column;
};

enum leaf_kind { LEAF_HEALTHY, LEAF_WAIT, LEAF_ROLLBACK, LEAF_HOLD, LEAF_PAGE };

struct leaf {
    enum leaf_kind kind;
    uint32_t text; /* hold's or page's text with its {{...}}, or 0 */
    uint32_t run;  /* offset of an action's name, or 0 */
    uint32_t notify[POLICY_NOTIFY_MAX]; /* offsets of notices' names */
    uint8_t notifies;
    time_ms freeze;     /* 0: none; the default of a rollback is 24 h */
    bool freezes;       /* freeze is set or defaulted and not `none` */
    bool blames_nobody; /* blame: none */
    bool has_mode;
    enum mode mode;
    time_ms countdown;
    uint16_t line, column;
};

/* Leaves 0 and 1 of every policy are `healthy` and `wait`. */
#define LEAF_INDEX_HEALTHY 0
#define LEAF_INDEX_WAIT    1

struct watch_rules {
    time_ms lasts;       /* watch.for, 24 h */
    time_ms every;       /* 15 s */
    time_ms settle;      /* 60 s */
    time_ms provisional; /* 1 h */
    time_ms at_most;     /* 2 x for */
    double needs_known;  /* share of looks whose root was known, 0.9; 0 none */
    double needs_requests;  /* 0: none asked */
    uint16_t requests_node; /* the signal named `requests`, or NONE_INDEX */
};

struct policy {
    uint32_t bytes;      /* of the whole block */
    uint32_t references; /* for the owner only; not part of the meaning */
    char digest[65];     /* SHA-256 of the source text, hex */
    uint32_t name;       /* offset */
    uint32_t service,
        environment; /* applies_to patterns: exact, "prefix*", "*" */
    uint32_t source_text, source_length; /* the file itself */
    enum mode mode;
    time_ms countdown; /* of `mode: countdown 60s` */
    enum mode unsure;
    time_ms unsure_countdown;
    struct watch_rules watch;
    time_ms baseline; /* how long before the deploy is "normal" */
    time_ms verify_within, verify_for; /* 15 min, 2 min */
    time_ms history;      /* how far before deployed_at judge_learn() reads */
    time_ms lookback;     /* the longest any node looks back from g, nested */
    time_ms root_window;  /* the same for the root question alone */
    uint32_t judge_bytes; /* of one release's memory */
    uint16_t asked;       /* facts: 1 << enum fact for each that a node asks */
    struct branch root;   /* to a question */
    uint16_t nodes, signals, questions, leaves, rings, frozens, fleets, trials;
    uint32_t nodes_at, signals_at, questions_at, leaves_at, rings_at,
        frozens_at, fleets_at; /* offsets of the arrays, 8-aligned */
};

enum fleet_fact { FLEET_ROLLBACKS, FLEET_BREACHING, FLEET_RELEASED };

struct fleet_query {
    enum fleet_fact fact;
    time_ms span;
};

void policy_free(struct policy *policy);

/* Replay judges one release whatever the policy applies to. */
void policy_apply_to_all(struct policy *policy);

/* 0: does not match; else higher is more specific.  Service counts before
 * environment, exact before prefix (longer first) before "*". */
int policy_match(const struct policy *policy, const char *service,
                 const char *environment);

/* Does some expression ask @fact?  What nobody asks need not be found out. */
bool policy_asks(const struct policy *policy, enum fact fact);

/* The pieces.  Offsets are never 0 for something that exists. */
const char *policy_text(const struct policy *policy, uint32_t offset);
const struct node *policy_node(const struct policy *policy, uint16_t index);
const struct signal *policy_signal(const struct policy *policy, uint16_t index);
const struct question *policy_question(const struct policy *policy,
                                       uint16_t index);
const struct leaf *policy_leaf(const struct policy *policy, uint16_t index);
const struct ring *policy_ring(const struct policy *policy, uint16_t index);
/* The node whose frozen value slot @index is. */
uint16_t policy_frozen(const struct policy *policy, uint16_t index);
const struct fleet_query *policy_fleet(const struct policy *policy,
                                       uint16_t index);

/* Human text of a leaf with {{service}} {{environment}} {{version}} {{target}}
 * filled in; unknown names were refused at load.  Cut at @size. */
void leaf_text(const struct policy *policy, uint16_t leaf, const char *service,
               const char *environment, const char *version, const char *target,
               char *ret_text, size_t size);

#endif
