/* The scripted world of a story: a deployment API and metrics. */
#ifndef STORIES_HELP_WORLD_H
#define STORIES_HELP_WORLD_H

#include "help_story.h"

struct world_answer {
    struct input input;
    char version[NAME_MAX_BYTES + 1];
    char text[128];
    uint32_t series[STORY_SERVICES_MAX];
    struct sample samples[STORY_SERVICES_MAX];
    struct sample *rows; /* malloc'd */
};

/* @event's effect reaches the world: when does its answer arrive, and what is
 * read already now. */
void world_ask(struct story *story, struct story_event *event);

/* The answer that arrives now; false when none ever does. */
bool world_answer(struct story *story, const struct story_event *event,
                  struct world_answer *ret_answer);

/* The controller died: calls that had reached the API are carried out. */
void world_after_crash(struct story *story);

#endif
