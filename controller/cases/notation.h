/* Made-up series in a compact notation:
 *
 *   142/s                              all the time
 *   180 .. 480 for 50m                 a straight line; before the deploy 180
 *   0.1% x20, 8% x10, _ x5, 0.1%       20 grid times, 10, 5, then to the end
 *   180 | 180 for 10m, 480             before the deploy | after it
 *
 *   series = [ part , "|" ] , part ;      part  = item , { "," , item } ;
 *   item   = value , [ ".." , value ] , [ "x" , whole | "for" , span ] ;
 *   value  = literal of an expression | "true" | "false"
 *          | "_" | "nan" | "inf" | "error" ;
 *
 * `x20` is 20 grid times, `for 5m` as many as 5 minutes hold.  The first item
 * of what was before and the last item of all may stand without: they go on to
 * the beginning and to the end.  Any other without stands for one grid time.
 * Without `|` the first value was there before the deploy.
 *
 * `_` is an answer with nothing in it, `error` is no answer.  A bare number is
 * in the unit that the policy names for the signal. */
#ifndef CASES_NOTATION_H
#define CASES_NOTATION_H

#include "policies/judge.h"
#include "policies/read/yaml_tree.h"

#define SERIES_ITEMS_MAX 64
#define SERIES_ROWS_MAX  100000 /* of a case: 17 days at 15 s */

struct notation_item {
    struct sample from, to; /* the same, unless it is a line */
    int64_t rows;           /* 0: it fills what is left */
};

struct notation_part {
    size_t count;
    struct notation_item items[SERIES_ITEMS_MAX];
};

struct notation {
    struct notation_part before, after;
};

/* What a series is about. */
struct notation_kind {
    struct unit unit;
    double scale; /* of what the policy fetches to base units */
    time_ms every;
};

/* Read @item.  False with errors at their places in @problems. */
bool notation_read(const struct yaml_tree *tree, const struct yaml_item *item,
                   const struct notation_kind *kind,
                   struct notation *ret_notation, struct problems *problems);

/* How many grid times a part says something about at least; *ret_fills when
 * it goes on from there. */
int64_t notation_rows(const struct notation_part *part, bool *ret_fills);

/* What it says at the @row-th grid time after the deploy; 0 is the last one at
 * or before it, -1 the one before that.  Where it says nothing, there was no
 * answer. */
struct sample notation_at(const struct notation *notation, int64_t row);

#endif
