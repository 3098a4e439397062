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
    bool help;
};

/* False with one line in @ret_error.  With --help nothing else is checked. */
bool options_read(int argc, char **argv, struct replay_options *ret_options,
                  char *ret_error, size_t size);

/* Fits 80 x 24. */
void options_print_help(FILE *out);

#endif
