/* A folder of its own for a test, and files in it. */
#ifndef TESTS_RUNTIME_HELP_FILES_H
#define TESTS_RUNTIME_HELP_FILES_H

#include <stddef.h>

#define FILES_PATH_MAX 256

/* Make a new folder; its path without a slash at the end. */
void files_begin(char ret_folder[FILES_PATH_MAX]);

/* Write @text to @name in @folder.  Returns the path, in a buffer that the
 * next call overwrites. */
const char *files_write(const char *folder, const char *name, const char *text);

/* Remove the files in @folder and the folder. */
void files_end(const char *folder);

#endif
