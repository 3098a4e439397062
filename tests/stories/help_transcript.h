/* What happened in a story as lines, and whether two cores know the same. */
#ifndef STORIES_HELP_TRANSCRIPT_H
#define STORIES_HELP_TRANSCRIPT_H

#include "help_story.h"

/* One line for what matters; queries, progress and the like are left out. */
void transcript_record(struct story *story, const struct record *record);
void transcript_effect(struct story *story, const struct effect *effect);

/* Assert that both know the same releases, rollbacks and services. */
void compare_cores(const struct core *a, const struct core *b);

#endif
