/* Runs a fuzz target over every file of a folder: the committed corpus is a
 * test of its own, with any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *folder, const char *name)
{
    char path[4096];
    uint8_t *data = malloc(INPUT_MAX);
    FILE *file = NULL;
    size_t size = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL || data == NULL) {
        perror(path);
        free(data);
        return 1;
    }
    size = fread(data, 1, INPUT_MAX, file);
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int count, char **arguments)
{
    DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
    struct dirent *entry = NULL;
    size_t files = 0;

    if (folder == NULL) {
        (void)fprintf(stderr, "usage: %s FOLDER (that can be read)\n",
                      arguments[0]);
        return 1;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            if (run_file(arguments[1], entry->d_name) != 0) {
                return 1;
            }
            files++;
        }
    }
    (void)closedir(folder);
    (void)printf("%zu inputs of %s\n", files, arguments[1]);
    return files == 0 ? 1 : 0;
}
