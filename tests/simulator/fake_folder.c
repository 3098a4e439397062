/* controller/runtime/policy_folder.h on files in memory. */
#include "controller/runtime/policy_folder.h"

#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "policies/read/policy_read.h"
#include "tests/simulator/world.h"

struct policy_folder {
    struct world *world;
    const struct core *core;
    uint64_t seen; /* version of the folder; 0: never looked */
    size_t next;   /* file to look at */
    bool is_told;  /* everything of it */
    struct {
        char name[NAME_MAX_BYTES + 1];
        bool in_force;
    } known[2 * WORLD_FILES_MAX];
    size_t known_count;
    struct problems problems;
};

struct policy_folder *policy_folder_new(const struct config *config)
{
    struct policy_folder *folder = memory_zeroed(1, sizeof *folder);
    (void)config;
    folder->world = world_current();
    return folder;
}

void policy_folder_free(struct policy_folder *folder)
{
    free(folder);
}

void policy_folder_known(struct policy_folder *folder, const char *name,
                         bool in_force)
{
    size_t i = 0;
    while (i < folder->known_count &&
           strcmp(folder->known[i].name, name) != 0) {
        i++;
    }
    if (i == folder->known_count) {
        folder->known_count++;
        (void)snprintf(folder->known[i].name, sizeof folder->known[i].name,
                       "%s", name);
    }
    folder->known[i].in_force = in_force;
}

bool policy_folder_may_start(const struct policy_folder *folder,
                             char *ret_error, size_t size)
{
    (void)folder;
    (void)ret_error;
    (void)size;
    return true;
}

bool policy_folder_look(struct policy_folder *folder, const struct core *core,
                        bool again)
{
    struct world *world = folder->world;
    folder->core = core;
    if (folder->seen == world->files_version && !again) {
        return false;
    }
    folder->seen = world->files_version;
    folder->is_told = false;
    folder->next = 0;
    return true;
}

static const char *name_of(const struct world *world,
                           const struct policy_file_world *file)
{
    return file->plan.service < 0
               ? "all"
               : world->plan.services[file->plan.service].name;
}

/* A usable file whose text is not the one in force. */
static struct policy *accept_one(struct policy_folder *folder)
{
    struct world *world = folder->world;
    while (folder->next < WORLD_FILES_MAX) {
        const struct policy_file_world *file = &world->files[folder->next++];
        char text[POLICY_PLAN_TEXT_MAX];
        if (!file->present || file->broken) {
            continue;
        }
        policy_text_make(&world->plan, &file->plan, text, sizeof text);
        struct policy *policy =
            policy_read("p.yaml", text, strlen(text), &folder->problems);
        const struct policy *in_force =
            view_policy(folder->core, name_of(world, file));
        if (in_force == NULL || strcmp(in_force->digest, policy->digest) != 0) {
            return policy;
        }
        policy_free(policy);
    }
    return NULL;
}

static bool is_present(const struct world *world, const char *name)
{
    for (size_t i = 0; i < WORLD_FILES_MAX; i++) {
        if (world->files[i].present &&
            strcmp(name_of(world, &world->files[i]), name) == 0) {
            return true;
        }
    }
    return false;
}

bool policy_folder_next(struct policy_folder *folder,
                        struct policy **ret_accepted,
                        char ret_removed[NAME_MAX_BYTES + 1])
{
    if (folder->is_told) {
        return false;
    }
    *ret_accepted = accept_one(folder);
    if (*ret_accepted != NULL) {
        const struct policy *policy = *ret_accepted;
        policy_folder_known(folder, policy_text(policy, policy->name), true);
        return true;
    }
    for (size_t i = 0; i < folder->known_count; i++) {
        if (folder->known[i].in_force &&
            !is_present(folder->world, folder->known[i].name)) {
            folder->known[i].in_force = false;
            (void)snprintf(ret_removed, NAME_MAX_BYTES + 1, "%s",
                           folder->known[i].name);
            return true;
        }
    }
    folder->is_told = true;
    return false;
}

const struct problems *
policy_folder_problems(const struct policy_folder *folder)
{
    return &folder->problems;
}

size_t policy_folder_files(const struct policy_folder *folder)
{
    size_t count = 0;
    for (size_t i = 0; i < WORLD_FILES_MAX; i++) {
        count += folder->world->files[i].present;
    }
    return count;
}
