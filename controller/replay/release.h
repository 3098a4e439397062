/* The release that a table is about: the body that `register` posts, as a
 * file, or one that is made up. */
#ifndef REPLAY_RELEASE_H
#define REPLAY_RELEASE_H

#include "policies/judge.h"

#define RELEASE_FILE_MAX (64 * 1024) /* as the HTTP door's body */

/* Texts that were not said are empty. */
struct replay_release {
    char service[NAME_MAX_BYTES + 1];
    char environment[NAME_MAX_BYTES + 1];
    char version[NAME_MAX_BYTES + 1];
    char previous[NAME_MAX_BYTES + 1];
    char kind[NAME_MAX_BYTES + 1];
    char data_change[16];
    char compatible_from[NAME_MAX_BYTES + 1];
    char last_good[NAME_MAX_BYTES + 1]; /* always there */
    struct label labels[LABELS_MAX];
    size_t labels_count;
    time_ms deployed_at; /* 0: not said */
    int line, column;    /* of deployed_at in the file */
};

/* Read the JSON in @source: the members of the HTTP body and `last_good`,
 * nothing else.  Without `last_good` it is `previous`, else a version of that
 * name.  False with errors in @problems. */
bool release_read(const char *source, size_t length,
                  struct replay_release *ret_release,
                  struct problems *problems);

/* One that @policy could apply to; nothing is known of its data. */
void release_make(const struct policy *policy,
                  struct replay_release *ret_release);

#endif
