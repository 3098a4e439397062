/* Listening sockets: bound, listening, non-blocking, close-on-exec. */
#ifndef API_LISTENER_H
#define API_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/* Port 0 takes any free one; *ret_port says which.  -1 with one line in
 * @ret_error. */
int listener_tcp(const char *host, int port, int *ret_port, char *ret_error,
                 size_t size);

/* A socket file with mode 0660.  One that a dead process left is replaced; one
 * on which somebody answers, or a file of another kind, is refused. */
int listener_unix(const char *path, char *ret_error, size_t size);

#endif
