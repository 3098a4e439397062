/* Why an input of a person was refused: where, what, and what to do next.
 *
 * Problems are collected, not thrown: a reader reports all errors of a file in
 * one go, up to PROBLEMS_MAX, and says when it stopped counting. */
#ifndef POLICIES_PROBLEM_H
#define POLICIES_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PROBLEMS_MAX     64
#define PROBLEM_TEXT_MAX 320
#define PROBLEM_PATH_MAX 512

enum problem_kind { PROBLEM_ERROR, PROBLEM_WARNING };

/* What kind of mistake it is, for whoever sorts or silences findings.  The
 * names are forever: add, never change. */
enum problem_rule {
    RULE_FILE,
    RULE_YAML,
    RULE_FORM,
    RULE_UNKNOWN_KEY,
    RULE_SIGNAL,
    RULE_SYNTAX,
    RULE_UNKNOWN_NAME,
    RULE_UNIT,
    RULE_FUNCTION,
    RULE_TREE,
    RULE_COST,
    RULE_RIVALS,
    RULE_CONFIGURATION,
    RULE_REFERENCE,
    RULE_QUERY,
    RULE_ONLY_OBSERVES,
    RULE_UNASKED_ROLLBACK,
    RULE_UNSEEN_TRIGGER,
    RULE_SHORT_SETTLE,
    RULE_LAST /* how many there are */
};

/* "unknown-key", and what it means in a sentence. */
const char *problem_rule_id(enum problem_rule rule);
const char *problem_rule_text(enum problem_rule rule);

struct problem {
    enum problem_kind kind;
    enum problem_rule rule;
    char path[PROBLEM_PATH_MAX]; /* file or "-"; empty when there is none */
    int line, column; /* 1-based, columns count code points; 0: no place */
    int length;       /* code points under the caret; at least 1 */
    char text[PROBLEM_TEXT_MAX]; /* one line: what, and what to do */
    char note[PROBLEM_TEXT_MAX]; /* optional: what is at the other place */
    int note_line, note_column;  /* which is in the same file; 0: nowhere */
    char fix[PROBLEM_TEXT_MAX];  /* optional: what to write instead ... */
    int fix_line, fix_column;    /* ... of this; 0: of what the caret marks */
    int fix_length;              /* code points; 0: it is put in */
};

struct problems {
    char path[PROBLEM_PATH_MAX]; /* stamped on each one added, ... */
    enum problem_rule rule;      /* ... as this is */
    size_t count;
    size_t errors;
    bool cut; /* more than PROBLEMS_MAX were found */
    struct problem list[PROBLEMS_MAX];
    struct problem scratch; /* for those that find the list full */
};

/* Forget everything and name the file that is being read. */
void problems_init(struct problems *problems, const char *path);

/* What is read from here on is of this kind; returns what was before. */
enum problem_rule problems_about(struct problems *problems,
                                 enum problem_rule rule);

/* Add one; printf-like.  Returns it so that note, fix and length can be set
 * (a scratch one when the list is full, never NULL). */
struct problem *problems_error(struct problems *problems, int line, int column,
                               const char *format, ...)
    __attribute__((format(printf, 4, 5)));
struct problem *problems_warning(struct problems *problems, int line,
                                 int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Point at the other place involved; 0: there is none to show. */
void problem_note(struct problem *problem, int line, int column,
                  const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Say what to write in place of what the caret marks.  A caller who means
 * another place says so afterwards.  One line; what does not fit is no fix. */
void problem_fix(struct problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "path:14:9", as much of it as there is. */
void problem_place(const struct problem *problem, char *ret_text, size_t size);

/* Fill @ret_order with the indexes of the list in order of place: problems
 * without one first, equals as they came. */
void problems_order(const struct problems *problems,
                    size_t ret_order[PROBLEMS_MAX]);

/* Print all, in order of place, as a good compiler does:
 *   path:14:9: error: 'x' is ratio, '5' is count; '>' wants equal units
 *       is: x > 5 for 2m
 *             ^
 *     fix: 5 -> 5%
 * A fix that the sentence itself quotes ("did you mean 'y'?") is not said
 * twice.  @source is the file's text, or NULL when there is none to show. */
void problems_print(const struct problems *problems, const char *source,
                    size_t length, bool colour, FILE *out);

/* Copy @text for printing: control characters and bad UTF-8 as \xHH.
 * Always ends with NUL, cut with "..." when @size is too small. */
void text_escape(const char *text, char *ret_escaped, size_t size);

/* Does it hold a control character, DEL included? */
bool text_has_control(const char *text);

/* The nearest of @count @names to @word by edit distance, or NULL when none
 * is near enough to be a likely slip. */
const char *nearest_name(const char *word, const char *const *names,
                         size_t count);

#endif
