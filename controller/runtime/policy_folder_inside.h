/* What policy_folder.c and policy_file.c share.  Nobody else includes this. */
#ifndef RUNTIME_POLICY_FOLDER_INSIDE_H
#define RUNTIME_POLICY_FOLDER_INSIDE_H

#include "controller/runtime/policy_folder.h"

#include <sys/types.h>

/* What a policy claims: its name, and what it applies to. */
struct claim {
    char name[NAME_MAX_BYTES + 1]; /* "" none */
    char service[NAME_MAX_BYTES + 1], environment[NAME_MAX_BYTES + 1];
};

/* How a file looked when it was read. */
struct signature {
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t modified_ns, changed_ns;
};

struct policy_file {
    char path[PROBLEM_PATH_MAX];
    struct signature signature;
    bool is_present;       /* at this look */
    bool is_broken;        /* as it is now it cannot be used */
    bool is_rival;         /* it could, but another policy stands against it */
    bool is_in_force;      /* its text is what the core judges by */
    struct policy *policy; /* read, and not given to the core (yet) */
    struct claim claim;    /* of its newest readable text */
    char digest[65];       /*   "" : never readable */
    char accepted[NAME_MAX_BYTES + 1]; /* the name it has in force, "" none */
    char meant[NAME_MAX_BYTES + 1]; /* broken: the name it seems to give, "" */
    bool to_accept;
    struct problem *problems; /* of its text */
    size_t problems_count;
};

/* Read @file anew: its policy and claim, or its problems. */
void policy_file_read(struct policy_file *file, const struct config *config,
                      struct problems *scratch);
void policy_file_release(struct policy_file *file);

/* False when @path is no file (any more).  One that cannot be looked at, like a
 * link to nowhere, has a signature of its own. */
bool policy_file_signature(const char *path, struct signature *ret_signature);
bool policy_file_is_same(const struct signature *a, const struct signature *b);

#endif
