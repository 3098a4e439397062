/* What must never happen, whatever does: a model that watches a story beside
 * the core and knows nothing of its inside. */
#ifndef STORIES_HELP_MODEL_H
#define STORIES_HELP_MODEL_H

#include "help_story.h"

#define MODEL_INTENTS_MAX  4096
#define MODEL_MOVES_MAX    64
#define MODEL_RELEASES_MAX 65536

struct model {
    uint64_t sequence; /* of the newest record */
    bool stopped;
    struct {
        char seen[NAME_MAX_BYTES + 1]; /* the last answer that was clear */
        time_ms seen_at;
        char put_live[NAME_MAX_BYTES + 1]; /* by us, and by nobody since */
    } services[STORY_SERVICES_MAX];        /* in the order of the world */
    struct intent {
        uint64_t sequence, rollback, incident, release;
        char suspect[NAME_MAX_BYTES + 1], target[NAME_MAX_BYTES + 1];
        int effective; /* reverts that changed what is live */
    } intents[MODEL_INTENTS_MAX];
    size_t intents_count;
    struct {
        uint64_t rollback;
        char code[RECORD_CODE_MAX];
    } refusals[MODEL_INTENTS_MAX];
    size_t refusals_count;
    struct { /* of each release, by its id */
        enum grade grade;
        enum release_state state;
    } releases[MODEL_RELEASES_MAX];
    bool undetermined[MODEL_RELEASES_MAX];
    size_t reverts; /* effective ones, of all */

    /* How often each move of a rollback happened: what a run has covered. */
    struct {
        char code[RECORD_CODE_MAX];
        size_t count;
    } moves[MODEL_MOVES_MAX];
    size_t moves_count;
};

/* Watch @story from now on; it lends @model, all zero or used before: what
 * was covered adds up. */
void model_watch(struct model *model, struct story *story);

/* After a look or two: whoever should be rolled back has a rollback, or a
 * recorded reason why not. */
void model_is_decided(const struct story *story);

/* Nothing is under way any more: after a time in which all peers worked. */
void model_is_quiet(const struct model *model, const struct story *story);

#endif
