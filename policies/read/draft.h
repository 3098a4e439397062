/* A policy while it is read: everything that will be copied into the block,
 * and what only the compiler needs to know about it.  The parts of policy_read
 * share this; nobody else includes it. */
#ifndef POLICIES_DRAFT_H
#define POLICIES_DRAFT_H

#include "policies/policy_block.h"
#include "policies/read/policy_read.h"
#include "policies/read/yaml_tree.h"

#define NAMED_MAX   64 /* `is` signals of a file */
#define SYMBOLS_MAX (POLICY_SIGNALS_MAX + NAMED_MAX)

/* A name of `signals:`. */
struct symbol {
    const struct yaml_item *item;       /* its entry: key and place */
    const struct yaml_item *expression; /* of `is`, else NULL */
    uint16_t signal;                    /* of a fetched one */
    uint16_t node;                      /* NONE_INDEX until compiled */
    bool broken;                        /* was refused: say nothing more */
};

/* What the compiler knows about a node beside the node itself. */
struct node_traits {
    time_ms lookback; /* how far it looks back from g, operands included */
    bool has_frozen;  /* baseline(), change() or before() somewhere below */
    bool has_before;
    bool asks_safe;   /* release.rollback_safe somewhere below */
    bool two_sided;   /* a signal that has a control's side somewhere below */
    bool has_sides;   /* canary(), control() or worse() somewhere below */
    uint16_t control; /* the same on the control's side; 0: not made yet */
};

struct draft {
    const struct yaml_tree *tree;
    struct problems *problems;
    struct policy head;
    const struct yaml_item *settle_item;  /* where settle was given, or NULL */
    const struct policy_changes *changes; /* of a second reading, or NULL */
    const struct policy *unchanged;       /* with them: the first reading */
    struct symbol symbols[SYMBOLS_MAX];
    size_t symbol_count;
    struct node nodes[POLICY_NODES_MAX];
    struct node_traits traits[POLICY_NODES_MAX];
    struct signal signals[POLICY_SIGNALS_MAX];
    struct question questions[POLICY_QUESTIONS_MAX];
    struct leaf leaves[POLICY_LEAVES_MAX];
    struct ring rings[POLICY_RINGS_MAX];
    uint16_t frozens[POLICY_FROZEN_MAX];
    struct fleet_query fleets[POLICY_FLEET_MAX];
    size_t texts_used;
    bool full; /* POLICY_BLOCK_MAX is used up; said once */
    char texts[POLICY_BLOCK_MAX];
};

/* Keep a text; returns its offset in the block to be, never 0. */
uint32_t draft_text(struct draft *draft, const char *text, size_t length);

/* Copy everything into one block, owned by the caller.  NULL with an error
 * when it would be too large. */
struct policy *draft_finish(struct draft *draft, const char *source,
                            size_t length);

struct symbol *draft_symbol(struct draft *draft, const char *name,
                            size_t length);

/* The node of a fetched signal, made when nothing read it so far. */
uint16_t draft_signal_node(struct draft *draft, struct symbol *symbol);

/* Compile the expression in @item.  Returns the root's node, or NONE_INDEX
 * with errors.  Names must have been compiled before. */
uint16_t draft_expression(struct draft *draft, const struct yaml_item *item);

/* The same, where a condition is wanted. */
uint16_t draft_condition(struct draft *draft, const struct yaml_item *item);

/* `signals:`: every name, in the order of their needs.  Needs watch.every. */
void draft_signals(struct draft *draft, const struct yaml_item *signals);

/* Compile the `is` signals among the symbols, in the order of their needs. */
void draft_named(struct draft *draft);

/* A new node without operands, at the place of a symbol's key.  NONE_INDEX
 * with an error when there are too many. */
uint16_t draft_node(struct draft *draft, const struct symbol *symbol,
                    enum op op, struct unit unit, uint32_t text);

/* `tree:`: questions and leaves. */
void draft_tree(struct draft *draft, const struct yaml_item *tree);

/* Check a text's {{names}} and keep it; 0 with an error. */
uint32_t draft_human_text(struct draft *draft, const struct yaml_item *item);

/* "auto", "countdown 60s", ... */
bool draft_mode(struct draft *draft, const struct yaml_item *item,
                enum mode *ret_mode, time_ms *ret_countdown);

/* How many grid times (g - span, g] holds. */
int64_t draft_grid_times(const struct draft *draft, time_ms span);

/* False with an error for a policy that would hold up the loop. */
bool policy_check_cost(const struct policy *policy, struct problems *problems);

/* The longest [range] that a query looks back over; 0 for none. */
time_ms query_range(const char *query);

/* Warnings about a policy that loads. */
void draft_lint(struct draft *draft);

#endif
