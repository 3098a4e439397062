#include "controller/replay/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

#define ROOM_FIRST ((size_t)64 * 1024)

/* Everything up to the end, or one byte more than @most. */
static char *read_all(FILE *file, size_t most, size_t *ret_length)
{
    size_t room = ROOM_FIRST;
    size_t length = 0;
    char *bytes = memory_resized(NULL, room + 1);

    for (;;) {
        length += fread(bytes + length, 1, room - length, file);
        if (length < room || length > most) {
            break;
        }
        room *= 2;
        bytes = memory_resized(bytes, room + 1);
    }
    bytes[length] = '\0';
    *ret_length = length;
    return bytes;
}

char *file_read(const char *path, size_t most, size_t *ret_length,
                struct problems *problems)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t length = 0;

    if (file == NULL) {
        (void)problems_error(problems, 0, 0, "cannot be read: %s",
                             strerror(errno));
        return NULL;
    }
    bytes = read_all(file, most, &length);
    if (ferror(file) != 0) {
        (void)problems_error(problems, 0, 0, "cannot be read: %s",
                             strerror(errno));
    } else if (length > most) {
        (void)problems_error(problems, 0, 0, "the file is larger than %zu KiB",
                             most / 1024);
    } else {
        *ret_length = length;
        (void)fclose(file);
        return bytes;
    }
    (void)fclose(file);
    free(bytes);
    return NULL;
}
