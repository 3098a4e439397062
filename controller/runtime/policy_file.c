#include "controller/runtime/policy_folder_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policies/memory.h"
#include "policies/read/policy_read.h"

#include "controller/config/config_file.h"

static int64_t nanoseconds(struct timespec at)
{
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

bool policy_file_signature(const char *path, struct signature *ret_signature)
{
    struct stat status = {0}, link = {0};

    if (stat(path, &status) != 0) {
        *ret_signature = (struct signature){.size = -1, .changed_ns = errno};
        return errno != ENOENT || lstat(path, &link) == 0;
    }
    if (!S_ISREG(status.st_mode)) {
        return false;
    }
    *ret_signature =
        (struct signature){.device = status.st_dev,
                           .inode = status.st_ino,
                           .size = status.st_size,
                           .modified_ns = nanoseconds(status.st_mtim),
                           .changed_ns = nanoseconds(status.st_ctim)};
    return true;
}

bool policy_file_is_same(const struct signature *a, const struct signature *b)
{
    return a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->modified_ns == b->modified_ns &&
           a->changed_ns == b->changed_ns;
}

static void keep_problems(struct policy_file *file,
                          const struct problems *problems)
{
    free(file->problems);
    file->problems = NULL;
    file->problems_count = problems->count;
    if (problems->count > 0) {
        file->problems =
            memory_zeroed(problems->count, sizeof(*file->problems));
        memcpy(file->problems, problems->list,
               problems->count * sizeof(*file->problems));
    }
}

/* How many of the characters in [from, to) are all of @set. */
static size_t span_of(const char *text, size_t from, size_t to, const char *set)
{
    size_t at = from;

    while (at < to && text[at] != '\0' && strchr(set, text[at]) != NULL) {
        at++;
    }
    return at - from;
}

static void copy_name(char ret_name[NAME_MAX_BYTES + 1], const char *name)
{
    (void)snprintf(ret_name, NAME_MAX_BYTES + 1, "%s", name);
}

static void take_policy(struct policy_file *file, struct policy *policy)
{
    file->policy = policy;
    copy_name(file->claim.name, policy_text(policy, policy->name));
    copy_name(file->claim.service, policy_text(policy, policy->service));
    copy_name(file->claim.environment,
              policy_text(policy, policy->environment));
    (void)snprintf(file->digest, sizeof(file->digest), "%s", policy->digest);
}

/* The name behind "policy:" at the begin of a line, whatever else is wrong with
 * the text: YAML and JSON alike, quoted or not. */
static void take_meant(const char *text, size_t length,
                       char ret_name[NAME_MAX_BYTES + 1])
{
    static const char key[] = "policy";
    static const char around[] = " \t{\"'";
    size_t at = 0, used = 0;

    ret_name[0] = '\0';
    while (at < length && used == 0) {
        const char *end = memchr(text + at, '\n', length - at);
        const size_t next = end == NULL ? length : (size_t)(end - text) + 1;

        at += span_of(text, at, next, around);
        if (next - at > sizeof(key) &&
            memcmp(text + at, key, sizeof(key) - 1) == 0) {
            at += sizeof(key) - 1;
            at += span_of(text, at, next, " \t\"':");
            while (at + used < next && used < NAME_MAX_BYTES &&
                   strchr(" \t\r\n\"',}#", text[at + used]) == NULL) {
                used++;
            }
            memcpy(ret_name, text + at, used);
            ret_name[used] = '\0';
        }
        at = next;
    }
    if (!name_is_valid(ret_name)) {
        ret_name[0] = '\0';
    }
}

void policy_file_read(struct policy_file *file, const struct config *config,
                      struct problems *scratch)
{
    char *text = memory_resized(NULL, POLICY_FILE_MAX + 2);
    struct policy *policy = NULL;
    ssize_t length = 0;

    problems_init(scratch, file->path);
    length = config_read_file(file->path, text, POLICY_FILE_MAX + 2);
    if (length >= 0) {
        policy = policy_read(file->path, text, (size_t)length, scratch);
    } else if (errno == EFBIG) {
        (void)problems_error(scratch, 0, 0,
                             "larger than %d KiB: split it into several "
                             "policies",
                             POLICY_FILE_MAX / 1024);
    } else {
        (void)problems_error(scratch, 0, 0, "cannot read the file: %s",
                             strerror(errno));
    }
    take_meant(text, length > 0 ? (size_t)length : 0, file->meant);
    free(text);
    if (policy != NULL) {
        config_check_policy(config, policy, scratch);
    }
    policy_free(file->policy);
    file->policy = NULL;
    file->is_broken = policy == NULL || scratch->errors > 0;
    if (file->is_broken) {
        policy_free(policy);
    } else {
        take_policy(file, policy);
    }
    keep_problems(file, scratch);
}

void policy_file_release(struct policy_file *file)
{
    policy_free(file->policy);
    free(file->problems);
    memset(file, 0, sizeof(*file));
}
