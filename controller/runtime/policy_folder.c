#include "controller/runtime/policy_folder_inside.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policies/memory.h"
#include "policies/read/policy_read.h"

struct policy_folder {
    const struct config *config;
    struct policy_file *files; /* by path, but for those new in this look */
    size_t files_count, files_room, sorted;
    dev_t device; /* of the folder that held them */
    ino_t inode;
    char (*known)[NAME_MAX_BYTES + 1]; /* names in force */
    size_t known_count, known_room;
    char (*removed)[NAME_MAX_BYTES + 1]; /* to be told */
    size_t removed_count;
    bool has_looked; /* before */
    bool has_failed; /* the folder could not be read at the last look */
    bool is_full;    /* there are more files than policies may be */
    struct problems *problems, *scratch;
};

struct policy_folder *policy_folder_new(const struct config *config)
{
    struct policy_folder *folder = memory_zeroed(1, sizeof(*folder));

    folder->config = config;
    folder->problems = memory_zeroed(1, sizeof(*folder->problems));
    folder->scratch = memory_zeroed(1, sizeof(*folder->scratch));
    problems_init(folder->problems, config->policies);
    return folder;
}

void policy_folder_free(struct policy_folder *folder)
{
    if (folder == NULL) {
        return;
    }
    for (size_t i = 0; i < folder->files_count; i++) {
        policy_file_release(&folder->files[i]);
    }
    free(folder->files);
    free(folder->known);
    free(folder->removed);
    free(folder->problems);
    free(folder->scratch);
    free(folder);
}

const struct problems *
policy_folder_problems(const struct policy_folder *folder)
{
    return folder->problems;
}

size_t policy_folder_files(const struct policy_folder *folder)
{
    return folder->files_count;
}

/* --- Names in force ------------------------------------------------------- */

static size_t find_known(const struct policy_folder *folder, const char *name)
{
    size_t index = 0;

    while (index < folder->known_count &&
           strcmp(folder->known[index], name) != 0) {
        index++;
    }
    return index;
}

void policy_folder_known(struct policy_folder *folder, const char *name,
                         bool in_force)
{
    const size_t index = find_known(folder, name);

    if (in_force && index == folder->known_count) {
        if (folder->known_count == folder->known_room) {
            folder->known_room = folder->known_room * 2 + 16;
            folder->known = memory_resized(
                folder->known, folder->known_room * sizeof(*folder->known));
        }
        (void)snprintf(folder->known[index], sizeof(*folder->known), "%s",
                       name);
        folder->known_count++;
    }
    if (!in_force && index < folder->known_count) {
        folder->known_count--;
        memmove(folder->known[index], folder->known[folder->known_count],
                sizeof(*folder->known));
    }
}

/* --- Files ---------------------------------------------------------------- */

static int path_of_file(const void *path, const void *file)
{
    return strcmp(path, ((const struct policy_file *)file)->path);
}

static struct policy_file *find_file(struct policy_folder *folder,
                                     const char *path)
{
    return folder->sorted == 0 ? NULL
                               : bsearch(path, folder->files, folder->sorted,
                                         sizeof(*folder->files), path_of_file);
}

static struct policy_file *add_file(struct policy_folder *folder,
                                    const char *path)
{
    struct policy_file *file = NULL;

    if (folder->files_count == folder->files_room) {
        folder->files_room = folder->files_room * 2 + 16;
        folder->files = memory_resized(
            folder->files, folder->files_room * sizeof(*folder->files));
    }
    file = &folder->files[folder->files_count++];
    memset(file, 0, sizeof(*file));
    (void)snprintf(file->path, sizeof(file->path), "%s", path);
    return file;
}

/* One name of the folder; true when something changed. */
static bool look_at(struct policy_folder *folder, const char *name, bool again)
{
    struct policy_file *file = NULL;
    struct signature signature;
    char path[PROBLEM_PATH_MAX];
    const int length =
        snprintf(path, sizeof(path), "%s/%s", folder->config->policies, name);

    if (length < 0 || (size_t)length >= sizeof(path) ||
        !policy_file_signature(path, &signature)) {
        return false; /* gone by now, or no file */
    }
    file = find_file(folder, path);
    if (file == NULL && folder->files_count >= POLICIES_MAX) {
        folder->is_full = true;
        return false;
    }
    if (file != NULL && !again &&
        policy_file_is_same(&file->signature, &signature)) {
        file->is_present = true;
        return false;
    }
    file = file == NULL ? add_file(folder, path) : file;
    file->signature = signature;
    file->is_present = true;
    policy_file_read(file, folder->config, folder->scratch);
    return true;
}

static bool forget_absent(struct policy_folder *folder)
{
    size_t kept = 0;

    for (size_t i = 0; i < folder->files_count; i++) {
        if (!folder->files[i].is_present) {
            policy_file_release(&folder->files[i]);
            continue;
        }
        if (kept != i) {
            folder->files[kept] = folder->files[i];
        }
        kept++;
    }
    if (kept == folder->files_count) {
        return false;
    }
    folder->files_count = kept;
    return true;
}

static int is_policy_entry(const struct dirent *entry)
{
    return policy_file_is_named(entry->d_name);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct policy_file *)a)->path,
                  ((const struct policy_file *)b)->path);
}

/* --- Who stands against whom ---------------------------------------------- */

static bool is_in_force(const struct policy_file *file, const struct core *core)
{
    const struct policy *policy = view_policy(core, file->claim.name);

    return policy != NULL && strcmp(policy->digest, file->digest) == 0;
}

/* The claim that counts for a file: of its new text, or, when that cannot be
 * used, of what it still has in force.  @ret_claim stays empty for none. */
static void take_claim(const struct policy_file *file, const struct core *core,
                       struct claim *ret_claim)
{
    const struct policy *policy = NULL;

    if (!file->is_broken && !file->is_rival) {
        *ret_claim = file->claim;
        return;
    }
    policy =
        file->accepted[0] == '\0' ? NULL : view_policy(core, file->accepted);
    if (policy == NULL) {
        return;
    }
    (void)snprintf(ret_claim->name, sizeof(ret_claim->name), "%s",
                   file->accepted);
    (void)snprintf(ret_claim->service, sizeof(ret_claim->service), "%s",
                   policy_text(policy, policy->service));
    (void)snprintf(ret_claim->environment, sizeof(ret_claim->environment), "%s",
                   policy_text(policy, policy->environment));
}

static bool same_reach(const struct claim *a, const struct claim *b)
{
    return strcmp(a->service, b->service) == 0 &&
           strcmp(a->environment, b->environment) == 0;
}

static void add_rivalry(struct policy_folder *folder,
                        const struct policy_file *file,
                        const struct policy_file *other, bool same_name)
{
    problems_init(folder->scratch, file->path);
    if (same_name) {
        (void)problems_error(folder->scratch, 0, 0,
                             "the name '%s' is taken by %s: give this policy "
                             "another name",
                             file->claim.name, other->path);
    } else {
        (void)problems_error(folder->scratch, 0, 0,
                             "applies to the same services as %s: make one of "
                             "the two more specific",
                             other->path);
    }
    if (folder->problems->count < PROBLEMS_MAX) {
        folder->problems->list[folder->problems->count++] =
            folder->scratch->list[0];
    } else {
        folder->problems->cut = true;
    }
    folder->problems->errors++;
}

/* Does @file stand against one of those already settled, whose claims are
 * @claims (without a name: none)? */
static bool has_rival(struct policy_folder *folder,
                      const struct policy_file *file,
                      const struct claim *claims)
{
    for (size_t i = 0; i < folder->files_count; i++) {
        bool same_name = false;

        if (claims[i].name[0] == '\0') {
            continue;
        }
        same_name = strcmp(claims[i].name, file->claim.name) == 0;
        if (same_name || same_reach(&claims[i], &file->claim)) {
            add_rivalry(folder, file, &folder->files[i], same_name);
            return true;
        }
    }
    return false;
}

/* What stands already comes first: broken files with what they have in force,
 * then texts that are in force, then what is new. */
static int turn_of(const struct policy_file *file)
{
    if (file->is_broken) {
        return 0;
    }
    return file->is_in_force ? 1 : 2;
}

static void settle_rivals(struct policy_folder *folder, const struct core *core)
{
    struct claim *claims =
        memory_zeroed(folder->files_count + 1, sizeof(*claims));

    for (size_t i = 0; i < folder->files_count; i++) {
        folder->files[i].is_in_force = is_in_force(&folder->files[i], core);
    }
    for (int turn = 0; turn <= 2; turn++) {
        for (size_t i = 0; i < folder->files_count; i++) {
            struct policy_file *file = &folder->files[i];

            if (turn_of(file) == turn) {
                file->is_rival = turn > 0 && has_rival(folder, file, claims);
                take_claim(file, core, &claims[i]);
            }
        }
    }
    free(claims);
}

/* --- What the core must be told ------------------------------------------- */

static void decide_accepts(struct policy_folder *folder)
{
    for (size_t i = 0; i < folder->files_count; i++) {
        struct policy_file *file = &folder->files[i];
        const bool usable = !file->is_broken && !file->is_rival;

        file->to_accept = false;
        if (usable && file->is_in_force) {
            policy_free(file->policy);
            file->policy = NULL;
            (void)snprintf(file->accepted, sizeof(file->accepted), "%s",
                           file->claim.name);
        } else if (usable && file->policy != NULL) {
            file->to_accept = true;
        }
    }
}

/* The policy that stays because of the file.  A broken one without a past may
 * be the one whose policy we recovered from the journal: its text says which,
 * or nothing does. */
static const char *kept_name(const struct policy_file *file)
{
    if (!file->is_broken && !file->is_rival) {
        return file->claim.name;
    }
    return file->accepted[0] != '\0' ? file->accepted : file->meant;
}

static bool is_claimed(const struct policy_folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->files_count; i++) {
        if (strcmp(kept_name(&folder->files[i]), name) == 0) {
            return true;
        }
    }
    return false;
}

/* While a file may be any policy's, nothing is removed. */
static bool may_remove(const struct policy_folder *folder)
{
    for (size_t i = 0; i < folder->files_count; i++) {
        if (folder->files[i].is_broken &&
            kept_name(&folder->files[i])[0] == '\0') {
            return false;
        }
    }
    return true;
}

static void decide_removals(struct policy_folder *folder)
{
    folder->removed_count = 0;
    free(folder->removed);
    folder->removed =
        memory_zeroed(folder->known_count + 1, sizeof(*folder->removed));
    for (size_t i = 0; i < folder->known_count && may_remove(folder); i++) {
        if (!is_claimed(folder, folder->known[i])) {
            memcpy(folder->removed[folder->removed_count], folder->known[i],
                   sizeof(*folder->removed));
            folder->removed_count++;
        }
    }
}

static void gather_problems(struct policy_folder *folder)
{
    problems_init(folder->problems, folder->config->policies);
    if (folder->is_full) {
        (void)problems_error(folder->problems, 0, 0,
                             "more than %d policies: those beyond are not "
                             "read",
                             POLICIES_MAX);
    }
    for (size_t i = 0; i < folder->files_count; i++) {
        const struct policy_file *file = &folder->files[i];

        for (size_t k = 0; k < file->problems_count; k++) {
            folder->problems->errors +=
                file->problems[k].kind == PROBLEM_ERROR ? 1 : 0;
            if (folder->problems->count < PROBLEMS_MAX) {
                folder->problems->list[folder->problems->count++] =
                    file->problems[k];
            } else {
                folder->problems->cut = true;
            }
        }
    }
}

/* --- The door ------------------------------------------------------------- */

/* What is in force stays so, because of @why. */
static bool folder_failed(struct policy_folder *folder, const char *why)
{
    const bool is_news = !folder->has_failed;

    folder->has_failed = true;
    folder->has_looked = true;
    problems_init(folder->problems, folder->config->policies);
    (void)problems_error(folder->problems, 0, 0, "%s; those in force stay",
                         why);
    return is_news;
}

static bool cannot_read(struct policy_folder *folder, int code)
{
    char why[160];

    (void)snprintf(why, sizeof(why), "cannot read the folder of policies: %s",
                   strerror(code));
    return folder_failed(folder, why);
}

/* A folder without policies where there were some is believed only when it is
 * the one that held them: a volume that is not mounted leaves an empty one. */
static bool is_suspicious(const struct policy_folder *folder,
                          const struct stat *status)
{
    return folder->known_count > 0 && (status->st_dev != folder->device ||
                                       status->st_ino != folder->inode);
}

static bool look_at_all(struct policy_folder *folder, struct dirent **names,
                        int count, bool again)
{
    bool changed = false;

    folder->is_full = false;
    folder->sorted = folder->files_count;
    for (size_t i = 0; i < folder->files_count; i++) {
        folder->files[i].is_present = false;
    }
    for (int i = 0; i < count; i++) {
        changed = look_at(folder, names[i]->d_name, again) || changed;
    }
    return forget_absent(folder) || changed;
}

static void settle(struct policy_folder *folder, const struct core *core)
{
    if (folder->files_count > 0) {
        qsort(folder->files, folder->files_count, sizeof(*folder->files),
              by_path);
    }
    gather_problems(folder);
    settle_rivals(folder, core);
    decide_accepts(folder);
    decide_removals(folder);
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

bool policy_folder_look(struct policy_folder *folder, const struct core *core,
                        bool again)
{
    const char *path = folder->config->policies;
    struct dirent **names = NULL;
    struct stat status = {0};
    bool changed = folder->has_failed || !folder->has_looked || again;
    int count = 0;

    if (stat(path, &status) != 0 ||
        (count = scandir(path, &names, is_policy_entry, alphasort)) < 0) {
        return cannot_read(folder, errno);
    }
    if (count == 0 && is_suspicious(folder, &status)) {
        free(names);
        return folder_failed(folder, "no policy is in this folder, and it is "
                                     "not the one that held some: is it "
                                     "mounted?");
    }
    folder->has_failed = false;
    folder->has_looked = true;
    folder->device = status.st_dev;
    folder->inode = status.st_ino;
    changed = look_at_all(folder, names, count, again) || changed;
    free_names(names, count);
    if (changed) {
        settle(folder, core);
    }
    return changed;
}

bool policy_folder_may_start(const struct policy_folder *folder,
                             char *ret_error, size_t size)
{
    DIR *opened = opendir(folder->config->policies);

    if (opened == NULL && folder->known_count == 0) {
        (void)snprintf(ret_error, size,
                       "%s: cannot read the folder of policies: %s; make it, "
                       "or correct 'policies:' in %s",
                       folder->config->policies, strerror(errno),
                       folder->config->path);
        return false;
    }
    if (opened != NULL) {
        (void)closedir(opened);
    }
    return true;
}

/* New ones first: what is renamed is never without a policy. */
bool policy_folder_next(struct policy_folder *folder,
                        struct policy **ret_accepted,
                        char ret_removed[NAME_MAX_BYTES + 1])
{
    *ret_accepted = NULL;
    for (size_t i = 0; i < folder->files_count; i++) {
        struct policy_file *file = &folder->files[i];

        if (file->to_accept) {
            file->to_accept = false;
            *ret_accepted = file->policy;
            file->policy = NULL;
            (void)snprintf(file->accepted, sizeof(file->accepted), "%s",
                           file->claim.name);
            policy_folder_known(folder, file->claim.name, true);
            return true;
        }
    }
    if (folder->removed_count > 0) {
        folder->removed_count--;
        memcpy(ret_removed, folder->removed[folder->removed_count],
               NAME_MAX_BYTES + 1);
        policy_folder_known(folder, ret_removed, false);
        return true;
    }
    return false;
}
