#include "controller/cli/folder.h"
#include "policies/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Folders that are still to be read; the last one is next. */
struct waiting {
    char path[FOLDER_PATH_MAX];
    size_t depth;
};
#define WAITING_MAX 1024

struct walk {
    struct folder *folder;
    bool (*wants)(const char *name);
    struct waiting waiting[WAITING_MAX];
    size_t count;
};

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool join(const char *folder, const char *name,
                 char ret_path[FOLDER_PATH_MAX])
{
    size_t length = strlen(folder);
    bool slash = length > 0 && folder[length - 1] == '/';

    return snprintf(ret_path, FOLDER_PATH_MAX, "%s%s%s", folder,
                    slash ? "" : "/", name) < FOLDER_PATH_MAX;
}

static void add_file(struct folder *folder, const char *path)
{
    if (folder->count < FOLDER_FILES_MAX) {
        memcpy(folder->paths[folder->count++], path, strlen(path) + 1);
    }
}

/* The entries of one folder, given in order: files now, folders from the last
 * one on, so that the first of them is next. */
static void take_entries(struct walk *walk, const char *path, size_t depth,
                         struct dirent **entries, int count)
{
    char below[FOLDER_PATH_MAX];
    struct stat status;

    for (int i = 0; i < count; i++) {
        if (join(path, entries[i]->d_name, below) &&
            walk->wants(entries[i]->d_name) && stat(below, &status) == 0 &&
            !S_ISDIR(status.st_mode)) {
            add_file(walk->folder, below);
        }
    }
    for (int i = count; i > 0 && depth < FOLDER_DEPTH_MAX; i--) {
        if (join(path, entries[i - 1]->d_name, below) &&
            lstat(below, &status) == 0 && S_ISDIR(status.st_mode) &&
            walk->count < WAITING_MAX) {
            walk->waiting[walk->count].depth = depth + 1;
            memcpy(walk->waiting[walk->count++].path, below, strlen(below) + 1);
        }
    }
}

static bool read_one(struct walk *walk, const char *path, size_t depth)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, by_bytes);

    if (count < 0) {
        return false;
    }
    take_entries(walk, path, depth, entries, count);
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
    return true;
}

bool folder_read(struct folder *ret_folder, const char *path, bool deep,
                 bool (*wants)(const char *name))
{
    struct walk *walk = memory_zeroed(1, sizeof(*walk));
    bool good = false;

    ret_folder->count = 0;
    ret_folder->paths = memory_zeroed(FOLDER_FILES_MAX, FOLDER_PATH_MAX);
    walk->folder = ret_folder;
    walk->wants = wants;
    good = read_one(walk, path, deep ? 0 : FOLDER_DEPTH_MAX);
    while (good && walk->count > 0) {
        struct waiting next = walk->waiting[--walk->count];

        (void)read_one(walk, next.path, next.depth);
    }
    free(walk);
    if (!good) {
        folder_release(ret_folder);
    }
    return good;
}

void folder_release(struct folder *folder)
{
    free(folder->paths);
    folder->paths = NULL;
    folder->count = 0;
}
