#include "tests/unit/help_files.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void files_begin(char ret_folder[FILES_PATH_MAX])
{
    const char *place = getenv("TMPDIR");

    (void)snprintf(ret_folder, FILES_PATH_MAX, "%s/lastgood-test-XXXXXX",
                   place != NULL ? place : "/tmp");
    if (mkdtemp(ret_folder) == NULL) {
        abort();
    }
}

const char *files_write(const char *folder, const char *name, const char *text)
{
    static char path[FILES_PATH_MAX + 64];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert(file != NULL);
    (void)fputs(text, file);
    (void)fclose(file);
    return path;
}

void files_end(const char *folder)
{
    DIR *entries = opendir(folder);

    assert(entries != NULL);
    for (struct dirent *entry = readdir(entries); entry != NULL;
         entry = readdir(entries)) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    (void)closedir(entries);
    (void)rmdir(folder);
}
