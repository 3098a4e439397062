/* The files of a folder that a command is about, in an order of their own. */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define FOLDER_PATH_MAX  512
#define FOLDER_FILES_MAX 10000
#define FOLDER_DEPTH_MAX 8

struct folder {
    char (*paths)[FOLDER_PATH_MAX];
    size_t count;
};

/* Find the files that @wants by name: of @path and, when @deep, of the folders
 * in it that are not hidden.  Files come before folders, each by bytes.  False
 * with errno when @path cannot be read; what is below and cannot be read is
 * passed over.  Release it. */
bool folder_read(struct folder *ret_folder, const char *path, bool deep,
                 bool (*wants)(const char *name));
void folder_release(struct folder *folder);

#endif
