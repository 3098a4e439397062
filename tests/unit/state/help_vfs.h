/* A disk that fails on demand, and that knows what a power cut would leave.
 *
 * It becomes SQLite's default VFS and passes everything on to the real one.
 * Beside each file it keeps what is surely on the disk: pages that were written
 * and then synced.  A page whose sync failed counts as clean and is lost, as in
 * Linux's page cache. */
#ifndef TESTS_HELP_VFS_H
#define TESTS_HELP_VFS_H

#include <stdbool.h>
#include <stdint.h>

enum fault {
    FAULT_NONE,
    FAULT_WRITE, /* nothing is written, I/O error */
    FAULT_HALF,  /* half is written, I/O error */
    FAULT_FULL,  /* nothing is written, no room */
    FAULT_SYNC   /* what was written may be lost, I/O error */
};

/* Install it; once a program. */
void disk_install(void);

/* From now on the @nth write (or sync) fails, and the @times - 1 after it.
 * FAULT_NONE: nothing fails.  Forgets how many did. */
void disk_fail(enum fault fault, unsigned nth, unsigned times);

/* How many failed since. */
unsigned disk_failed(void);

/* Meanwhile nothing fails and nothing counts. */
void disk_pause(bool pause);

/* Write what a power cut now would leave of the files in @folder into @copy;
 * of what was not synced, @seed says which pages made it. */
bool disk_cut(const char *folder, const char *copy, uint32_t seed);

/* Forget all files. */
void disk_forget(void);

#endif
