/* The folder of policies: what it holds, what is wrong with it, and what the
 * core must be told so that it judges by it.
 *
 * Files are *.yaml, *.yml and *.json, not *.test.*, not hidden.  A file that
 * cannot be used leaves its former policy in force; so does a folder that
 * cannot be read, and an empty one in the place of the one that held them.  Two
 * policies of one name, or two that match equally, are an error in the one that
 * is not in force yet (else in the later path). */
#ifndef RUNTIME_POLICY_FOLDER_H
#define RUNTIME_POLICY_FOLDER_H

#include "controller/config/config.h"
#include "controller/core/view.h"

struct policy_folder;

struct policy_folder *policy_folder_new(const struct config *config);
void policy_folder_free(struct policy_folder *folder);

/* From recovery: a policy of this name is in force, or is not any more. */
void policy_folder_known(struct policy_folder *folder, const char *name,
                         bool in_force);

/* After recovery, before the first look: false with a sentence when the folder
 * cannot be read and nothing is in force to judge by meanwhile. */
bool policy_folder_may_start(const struct policy_folder *folder,
                             char *ret_error, size_t size);

/* Look at the folder; false when it is as it was at the last look.  @again
 * reads also files that look unchanged. */
bool policy_folder_look(struct policy_folder *folder, const struct core *core,
                        bool again);

/* What is still to be told, one change at a time: a block to accept (given
 * away), or a name that is removed.  False when there is nothing. */
bool policy_folder_next(struct policy_folder *folder,
                        struct policy **ret_accepted,
                        char ret_removed[NAME_MAX_BYTES + 1]);

const struct problems *
policy_folder_problems(const struct policy_folder *folder);
size_t policy_folder_files(const struct policy_folder *folder);

#endif
