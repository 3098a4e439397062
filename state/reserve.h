/* The reserve: room on the disk that is already there when the disk is full,
 * for the durable reason that going back needs while the journal cannot be
 * written.
 *
 * A file of fixed size beside the journal, PATH.reserve, written with zeroes
 * and synced when it is made, so that nothing has to be allocated later (on a
 * file system that copies on write this is a good chance, not a promise).  It
 * holds entries that follow the journal's end one by one, and the chain of the
 * entry before them: what another controller wrote, or another journal, does
 * not fit and is refused.
 *
 *   0      slot A   newest state: which entries, how many bytes, their digest
 *   4096   slot B   likewise; the two are written in turns
 *   8192   frames   the entries
 *
 * First the frames are written and synced, then the slot that names them, and
 * only then the entries count as durable.  So what a slot names was completely
 * written once: when it does not fit its digest it was damaged later, and is
 * refused.  Frames that no slot names were never promised to anyone. */
#ifndef STATE_RESERVE_H
#define STATE_RESERVE_H

#include "state/store.h"

/* A kilobyte for each entry that may wait for the store's thread. */
#define RESERVE_BYTES     (4 * 1024 * 1024)
#define RESERVE_FRAMES_AT 8192

struct reserve;

/* Open PATH.reserve; make it when there is none.  NULL with a sentence:
 * STORE_UNAVAILABLE or STORE_CORRUPT in @ret_result. */
struct reserve *reserve_open(const char *path, enum store_result *ret_result,
                             char *ret_error, size_t size);
void reserve_close(struct reserve *reserve);

/* The sequences that it holds: above @ret_after, up to @ret_last; equal when
 * there are none. */
void reserve_holds(const struct reserve *reserve, uint64_t *ret_after,
                   uint64_t *ret_last);

/* The same of the reserve beside the journal @path, for people: nothing is made
 * or changed.  False when there is none that can be read. */
bool reserve_peek(const char *path, uint64_t *ret_after, uint64_t *ret_last);

/* Keep @entries, which follow @head of the journal and its @chain without a
 * gap; those that it already holds are not written again.  On anything but
 * STORE_OK nothing more is held than before. */
enum store_result reserve_put(struct reserve *reserve, uint64_t head,
                              const unsigned char chain[CHAIN_BYTES],
                              const struct entry *entries, size_t count,
                              char *ret_error, size_t size);

/* The journal has them all. */
enum store_result reserve_clear(struct reserve *reserve, char *ret_error,
                                size_t size);

/* What it holds, in order, and the chain before the first.  *ret_entries and
 * the payloads are in *ret_bytes; free both. */
enum store_result reserve_read(struct reserve *reserve,
                               struct entry **ret_entries, size_t *ret_count,
                               char **ret_bytes,
                               unsigned char ret_chain[CHAIN_BYTES],
                               char *ret_error, size_t size);

#endif
