/* A YAML or JSON file as a tree of items, each with its place in the source.
 *
 * Scalars are text; whoever reads them says what type is wanted, so that
 * `version: 1.10` stays 1.10 and `no` is a word.  What makes YAML files
 * treacherous is refused here, at its place: anchors, aliases, merges, tags,
 * directives, duplicate keys, keys that are not scalars, a second document,
 * control characters, bad UTF-8, bare CR, a plain scalar over several lines
 * inside { } or [ ].  Policies and the daemon's configuration both come
 * through this door.
 *
 *     struct yaml_tree *tree = yaml_tree_read(path, text, length, problems);
 *     const struct yaml_item *root = tree ? yaml_root(tree) : NULL;
 *     static const char *const keys[] = {"listen", "state"};
 *     if (root && yaml_expect_map(root, keys, 2, problems))
 *         listen = yaml_get(root, "listen");
 *     ...
 *     yaml_tree_free(tree);
 */
#ifndef POLICIES_YAML_TREE_H
#define POLICIES_YAML_TREE_H

#include "policies/problem.h"
#include "policies/units.h"

#include <stdint.h>

#define YAML_BYTES_MAX (64 * 1024) /* of a file */
#define YAML_ITEMS_MAX 4096        /* libyaml's own cost grows with depth */
#define YAML_DEPTH_MAX 32

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

/* How a text is written.  Only a plain one may be nothing at all ("key:"). */
enum yaml_style {
    YAML_PLAIN,
    YAML_SINGLE,  /* '...' */
    YAML_DOUBLE,  /* "..." */
    YAML_LITERAL, /* | */
    YAML_FOLDED   /* > */
};

struct yaml_item {
    enum yaml_kind kind;
    enum yaml_style style;
    bool flow;               /* a map in { } or a list in [ ] */
    bool in_flow;            /* this item stands inside { } or [ ] */
    int line, column;        /* 1-based, columns count code points */
    int length;              /* code points on its first line, for the caret */
    uint32_t begin, end;     /* its bytes in the source */
    const char *text;        /* YAML_TEXT: NUL-ended, without NULs; else NULL */
    size_t text_length;      /* bytes */
    size_t count;            /* entries of a list or map */
    struct yaml_item *first; /* the first of them */
    struct yaml_item *next;  /* the next one beside this item */
    const char *key;         /* an entry of a map: its key, else NULL */
    int key_line, key_column, key_length;
};

struct yaml_tree;

/* Read @source; a @path that ends in ".json" is JSON.  Returns NULL when it
 * cannot be read as a tree.  Otherwise a tree, owned by the caller, even when
 * some parts were refused, so that all problems are found in one go: check
 * problems->errors before using what was read.  Keeps a copy of @source. */
struct yaml_tree *yaml_tree_read(const char *path, const char *source,
                                 size_t length, struct problems *problems);
void yaml_tree_free(struct yaml_tree *tree);

/* The document; never NULL. */
const struct yaml_item *yaml_root(const struct yaml_tree *tree);

/* The value of @key in @map, or NULL; also when @map is not a map. */
const struct yaml_item *yaml_get(const struct yaml_item *map, const char *key);

/* True for "key:" with nothing behind it. */
bool yaml_is_empty(const struct yaml_item *item);

/* True for what a comma inside { } makes of `{is: avg(x, 5m)}`: the key "5m)"
 * with nothing behind it. */
bool yaml_is_rest_of_value(const struct yaml_item *item);

/* Where byte @offset of a text came from: inside block scalars, folds and
 * escapes too.  When that cannot be told, the item's own place. */
void yaml_place(const struct yaml_tree *tree, const struct yaml_item *item,
                size_t offset, int *ret_line, int *ret_column);

/* --- Complaining ---------------------------------------------------------- */

/* An error or warning at an item, at its key, or @offset bytes into its text,
 * with the caret's length set. */
struct problem *yaml_error(struct problems *problems,
                           const struct yaml_item *item, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));
struct problem *yaml_warning(struct problems *problems,
                             const struct yaml_item *item, const char *format,
                             ...) __attribute__((format(printf, 3, 4)));
struct problem *yaml_key_error(struct problems *problems,
                               const struct yaml_item *item, const char *format,
                               ...) __attribute__((format(printf, 3, 4)));

/* Say what to write in place of @item's text, or of its key; in quotes when
 * that is how it is written. */
void yaml_fix(struct problem *problem, const struct yaml_item *item,
              const char *text);
void yaml_key_fix(struct problem *problem, const struct yaml_item *item,
                  const char *text);

/* Complain about one key: "unknown key 'x'; did you mean 'y'?", and about the
 * comma when it looks like the rest of a value inside { }. */
struct problem *yaml_unknown_key(const struct yaml_item *item,
                                 const char *const *keys, size_t count,
                                 struct problems *problems);

/* @item is the first rest of the value of @before, which a comma tore apart:
 * say how it is quoted. */
void yaml_quote_fix(struct problem *problem, const struct yaml_item *before,
                    const struct yaml_item *item);

/* --- Reading what is expected --------------------------------------------- *
 * Each complains and returns false or NULL when @item is something else.
 * @item may not be NULL; @ret_... are set only on success.  Messages name the
 * item by its key. */

/* A map whose keys are all among @keys (NULL: any keys).  Unknown keys are
 * complained about one by one and leave the answer true. */
bool yaml_expect_map(const struct yaml_item *item, const char *const *keys,
                     size_t count, struct problems *problems);
bool yaml_expect_list(const struct yaml_item *item, struct problems *problems);

/* Any text that is not empty. */
const char *yaml_expect_text(const struct yaml_item *item,
                             struct problems *problems);

/* A name as of name_is_valid(). */
const char *yaml_expect_name(const struct yaml_item *item,
                             struct problems *problems);

/* The index of one of @words. */
bool yaml_expect_word(const struct yaml_item *item, const char *const *words,
                      size_t count, size_t *ret_index,
                      struct problems *problems);

/* "30s" and the like, within [least, most]. */
bool yaml_expect_duration(const struct yaml_item *item, time_ms least,
                          time_ms most, time_ms *ret_span,
                          struct problems *problems);

/* A plain decimal number, within [least, most]. */
bool yaml_expect_number(const struct yaml_item *item, double least, double most,
                        double *ret_number, struct problems *problems);
bool yaml_expect_whole(const struct yaml_item *item, int64_t least,
                       int64_t most, int64_t *ret_number,
                       struct problems *problems);

/* "90%": 0.9; within [0 %, 100 %]. */
bool yaml_expect_percent(const struct yaml_item *item, double *ret_share,
                         struct problems *problems);

#endif
