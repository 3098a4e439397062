/* What the parts of evaluate share; nobody else includes it. */
#ifndef POLICIES_EVALUATE_PARTS_H
#define POLICIES_EVALUATE_PARTS_H

#include "policies/evaluate.h"

struct value value_of_truth(bool truth);

/* Kleene: one operand that is known to be @decisive decides; else an unknown
 * one leaves it unknown. */
struct value value_combine(struct value a, struct value b, bool decisive);

/* Of two known values; by 0 it is unknown. */
struct value value_quotient(struct value a, struct value b);

/* A reader of a ring stores this look's value before it reads; two readers of
 * one ring store the same. */
const struct ring *look_remember(const struct look *look, uint16_t index);

/* Functions of two signals: evaluate_pairs.c. */
struct value evaluate_too_many(const struct look *look,
                               const struct node *node);
struct value evaluate_burn(const struct look *look, const struct node *node);
struct value evaluate_worsened(const struct look *look,
                               const struct node *node);
struct value evaluate_outgrows(const struct look *look,
                               const struct node *node);

/* The two sides of a canary: evaluate_sides.c. */
struct value evaluate_worse(const struct look *look, const struct node *node);
struct value evaluate_worse_share(const struct look *look,
                                  const struct node *node);

#endif
