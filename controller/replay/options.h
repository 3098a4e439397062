/* The words after `lastgood replay`. */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "policies/units.h"

struct replay_options {
    const char *policy;  /* path */
    const char *samples; /* path */
    const char *release; /* path, or NULL: the first row is the deploy */
    time_ms every;       /* the grid; 0: as the policy says */
    bool linear;         /* --interpolate linear */
    bool goes_on;        /* --continue: to the end of the table */
    bool json;
    bool chart;      /* --chart: signals and verdicts as lines of text */
    const char *svg; /* --svg: the same as a drawing, or NULL */
    bool help;
};

/* False with one line in @ret_error.  With --help nothing else is checked. */
bool options_read(int argc, char **argv, struct replay_options *ret_options,
                  char *ret_error, size_t size);

/* The sentence for an option that getopt_long() stumbled over in @argv: names
 * the likely one of @count @names, or `lastgood COMMAND --help`. */
void options_unknown(int argc, char **argv, const char *const *names,
                     size_t count, char *ret_error, size_t size);

/* Words of any command that getopt_long() stumbled over. */
struct options_words {
    int argc;
    char **argv;
    const char *command;
    const char *const *names; /* its options */
    size_t count;
};

/* What is wrong with them: @found is getopt_long()'s ':' or '?'.  Returns
 * false. */
bool options_refuse(const struct options_words *words, int found,
                    char *ret_error, size_t size);

/* Fits 80 x 24. */
void options_print_help(FILE *out);

#endif
