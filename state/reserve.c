#include "state/reserve.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policies/memory.h"
#include "policies/problem.h"
#include "state/chain.h"

#define PATH_BYTES 512
#define SLOT_APART 4096
/* Magic, version, generation, after, last, used, chain, digest; and the hash of
 * all that. */
#define SLOT_FACTS  (16 + 5 * 8 + 2 * CHAIN_BYTES)
#define SLOT_BYTES  (SLOT_FACTS + CHAIN_BYTES)
#define VERSION     1
#define FRAME_HEAD  (6 * 8)
#define FRAMES_ROOM (RESERVE_BYTES - RESERVE_FRAMES_AT)

static const char magic[16] = "lastgood reserve";

/* What a slot says. */
struct slot {
    uint64_t generation;
    uint64_t after, last; /* sequences: above the one, up to the other */
    uint64_t used;        /* bytes of frames */
    unsigned char chain[CHAIN_BYTES];  /* the journal's, at `after` */
    unsigned char digest[CHAIN_BYTES]; /* over the frames, like a chain */
};

struct reserve {
    int file;
    char path[PATH_BYTES];
    char shown[200]; /* escaped: for sentences */
    struct hasher hasher;
    struct slot slot; /* what is surely on the disk */
    bool is_unsure;   /* a newer slot may be there too: its write failed */
};

/* --- Bytes ---------------------------------------------------------------- */

static unsigned char *put_number(unsigned char *at, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        at[i] = (unsigned char)(number >> (8 * i));
    }
    return at + 8;
}

static const unsigned char *get_number(const unsigned char *at,
                                       uint64_t *ret_number)
{
    *ret_number = 0;
    for (int i = 0; i < 8; i++) {
        *ret_number |= (uint64_t)at[i] << (8 * i);
    }
    return at + 8;
}

static void encode_slot(struct hasher *hasher, const struct slot *slot,
                        unsigned char ret_bytes[SLOT_BYTES])
{
    unsigned char *at = ret_bytes;
    memcpy(at, magic, sizeof magic);
    at = put_number(at + sizeof magic, VERSION);
    at = put_number(at, slot->generation);
    at = put_number(at, slot->after);
    at = put_number(at, slot->last);
    at = put_number(at, slot->used);
    memcpy(at, slot->chain, CHAIN_BYTES);
    memcpy(at + CHAIN_BYTES, slot->digest, CHAIN_BYTES);
    hash_payload(hasher, (const char *)ret_bytes, SLOT_FACTS,
                 ret_bytes + SLOT_FACTS);
}

/* False: never completely written, or not ours. */
static bool decode_slot(struct hasher *hasher,
                        const unsigned char bytes[SLOT_BYTES],
                        struct slot *ret_slot)
{
    unsigned char hash[CHAIN_BYTES];
    uint64_t version = 0;
    hash_payload(hasher, (const char *)bytes, SLOT_FACTS, hash);
    if (memcmp(hash, bytes + SLOT_FACTS, CHAIN_BYTES) != 0 ||
        memcmp(bytes, magic, sizeof magic) != 0) {
        return false;
    }
    const unsigned char *at = get_number(bytes + sizeof magic, &version);
    at = get_number(at, &ret_slot->generation);
    at = get_number(at, &ret_slot->after);
    at = get_number(at, &ret_slot->last);
    at = get_number(at, &ret_slot->used);
    memcpy(ret_slot->chain, at, CHAIN_BYTES);
    memcpy(ret_slot->digest, at + CHAIN_BYTES, CHAIN_BYTES);
    return version == VERSION && ret_slot->last >= ret_slot->after &&
           ret_slot->used <= FRAMES_ROOM;
}

static void encode_frame(const struct entry *entry, unsigned char *at)
{
    at = put_number(at, entry->length);
    at = put_number(at, entry->sequence);
    at = put_number(at, (uint64_t)entry->at);
    at = put_number(at, (uint64_t)entry->kind);
    at = put_number(at, entry->release);
    at = put_number(at, entry->incident);
    memcpy(at, entry->payload, entry->length);
}

/* The length of the frame at @bytes; 0: there is none. */
static size_t decode_frame(const unsigned char *bytes, size_t left,
                           struct entry *ret_entry)
{
    uint64_t length = 0, at = 0, kind = 0;
    if (left < FRAME_HEAD) {
        return 0;
    }
    const unsigned char *next = get_number(bytes, &length);
    next = get_number(next, &ret_entry->sequence);
    next = get_number(next, &at);
    next = get_number(next, &kind);
    next = get_number(next, &ret_entry->release);
    next = get_number(next, &ret_entry->incident);
    if (length > left - FRAME_HEAD) {
        return 0;
    }
    ret_entry->at = (time_ms)at;
    ret_entry->kind = (enum record_kind)kind;
    ret_entry->payload = (const char *)next;
    ret_entry->length = length;
    return FRAME_HEAD + length;
}

/* The digest goes on by one frame, as the journal's chain by one entry. */
static void extend_digest(struct hasher *hasher,
                          unsigned char digest[CHAIN_BYTES],
                          const unsigned char *frame, size_t length)
{
    unsigned char hash[CHAIN_BYTES];
    hash_payload(hasher, (const char *)frame, length, hash);
    chain_extend(hasher, digest, hash);
}

/* --- The file ------------------------------------------------------------- */

static enum store_result say(const struct reserve *reserve,
                             enum store_result result, const char *doing,
                             const char *why, char *ret_error, size_t size)
{
    (void)snprintf(ret_error, size, "cannot %s the reserve '%s': %s", doing,
                   reserve->shown, why);
    return result;
}

static enum store_result say_errno(const struct reserve *reserve,
                                   const char *doing, char *ret_error,
                                   size_t size)
{
    return say(reserve, STORE_UNAVAILABLE, doing, strerror(errno), ret_error,
               size);
}

/* All of it; a write that is cut short goes on. */
static bool write_at(int file, const unsigned char *bytes, size_t length,
                     size_t at)
{
    size_t done = 0;
    while (done < length) {
        ssize_t count =
            pwrite(file, bytes + done, length - done, (off_t)(at + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        done += (size_t)count;
    }
    return true;
}

static bool read_at(int file, unsigned char *bytes, size_t length, size_t at)
{
    size_t done = 0;
    while (done < length) {
        ssize_t count =
            pread(file, bytes + done, length - done, (off_t)(at + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            errno = count == 0 ? EIO : errno;
            return false;
        }
        done += (size_t)count;
    }
    return true;
}

/* The slot that is not the newest takes @next. */
static bool write_slot(struct reserve *reserve, struct slot *next)
{
    unsigned char bytes[SLOT_BYTES];
    next->generation = reserve->slot.generation + 1;
    encode_slot(&reserve->hasher, next, bytes);
    reserve->is_unsure = true;
    if (!write_at(reserve->file, bytes, sizeof bytes,
                  next->generation % 2 * SLOT_APART) ||
        fdatasync(reserve->file) != 0) {
        return false;
    }
    reserve->slot = *next;
    reserve->is_unsure = false;
    return true;
}

/* No slot on the disk may name frames that are about to be written over. */
static bool make_sure(struct reserve *reserve)
{
    struct slot again = reserve->slot;
    return !reserve->is_unsure || write_slot(reserve, &again);
}

/* --- Making and opening --------------------------------------------------- */

static bool sync_folder(const char *path)
{
    char folder[PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%s", path);
    int directory = open(dirname(folder), O_RDONLY | O_CLOEXEC);
    bool synced = directory >= 0 && fsync(directory) == 0;
    if (directory >= 0) {
        (void)close(directory);
    }
    return synced;
}

/* Every block is there and on the disk before the file has its name. */
static bool fill(struct reserve *reserve)
{
    struct slot empty = {0};
    unsigned char *zeroes = memory_zeroed(1, RESERVE_BYTES);
    bool filled = write_at(reserve->file, zeroes, RESERVE_BYTES, 0);
    free(zeroes);
    return filled && fsync(reserve->file) == 0 && write_slot(reserve, &empty);
}

static bool make(struct reserve *reserve)
{
    char draft[PATH_BYTES + 8];
    (void)snprintf(draft, sizeof draft, "%s.new", reserve->path);
    reserve->file =
        open(draft, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (reserve->file >= 0 && fill(reserve) &&
        rename(draft, reserve->path) == 0 && sync_folder(reserve->path)) {
        return true;
    }
    int number = errno;
    (void)unlink(draft); /* best effort, it is truncated the next time */
    errno = number;
    return false;
}

static enum store_result load(struct reserve *reserve, char *ret_error,
                              size_t size)
{
    struct slot slots[2];
    bool valid[2];
    struct stat file;
    unsigned char bytes[SLOT_BYTES];
    if (fstat(reserve->file, &file) != 0) {
        return say_errno(reserve, "read", ret_error, size);
    }
    if (file.st_size != RESERVE_BYTES) {
        return say(reserve, STORE_CORRUPT, "use",
                   "it was cut; the reason of a rollback may have been in it: "
                   "look at what is live, then remove the file",
                   ret_error, size);
    }
    for (size_t i = 0; i < 2; i++) {
        if (!read_at(reserve->file, bytes, sizeof bytes, i * SLOT_APART)) {
            return say_errno(reserve, "read", ret_error, size);
        }
        valid[i] = decode_slot(&reserve->hasher, bytes, &slots[i]);
    }
    if (!valid[0] && !valid[1]) {
        return say(reserve, STORE_CORRUPT, "use",
                   "it is damaged; the reason of a rollback may have been in "
                   "it: look at what is live, then remove the file",
                   ret_error, size);
    }
    bool second =
        !valid[0] || (valid[1] && slots[1].generation > slots[0].generation);
    reserve->slot = slots[second ? 1 : 0];
    return STORE_OK;
}

static enum store_result open_file(struct reserve *reserve, char *ret_error,
                                   size_t size)
{
    reserve->file = open(reserve->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (reserve->file >= 0) {
        return load(reserve, ret_error, size);
    }
    if (errno != ENOENT) {
        return say_errno(reserve, "open", ret_error, size);
    }
    return make(reserve) ? STORE_OK
                         : say_errno(reserve, "make", ret_error, size);
}

static struct reserve *new_reserve(const char *path)
{
    struct reserve *reserve = memory_zeroed(1, sizeof *reserve);
    int length =
        snprintf(reserve->path, sizeof reserve->path, "%s.reserve", path);
    assert(length > 0 && (size_t)length < sizeof reserve->path);
    text_escape(reserve->path, reserve->shown, sizeof reserve->shown);
    reserve->file = -1;
    hasher_init(&reserve->hasher);
    return reserve;
}

struct reserve *reserve_open(const char *path, enum store_result *ret_result,
                             char *ret_error, size_t size)
{
    struct reserve *reserve = new_reserve(path);
    *ret_result = open_file(reserve, ret_error, size);
    if (*ret_result != STORE_OK) {
        reserve_close(reserve);
        return NULL;
    }
    return reserve;
}

void reserve_close(struct reserve *reserve)
{
    if (reserve->file >= 0) {
        (void)close(reserve->file); /* what counts was synced */
    }
    hasher_release(&reserve->hasher);
    free(reserve);
}

bool reserve_peek(const char *path, uint64_t *ret_after, uint64_t *ret_last)
{
    struct reserve *reserve = new_reserve(path);
    char error[400];
    reserve->file = open(reserve->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool loaded =
        reserve->file >= 0 && load(reserve, error, sizeof error) == STORE_OK;
    if (loaded) {
        reserve_holds(reserve, ret_after, ret_last);
    }
    reserve_close(reserve);
    return loaded;
}

void reserve_holds(const struct reserve *reserve, uint64_t *ret_after,
                   uint64_t *ret_last)
{
    *ret_after = reserve->slot.after;
    *ret_last = reserve->slot.last;
}

/* --- Writing -------------------------------------------------------------- */

/* What nobody would find again is not durable. */
static bool is_in_place(const struct reserve *reserve)
{
    struct stat held, named;
    return fstat(reserve->file, &held) == 0 &&
           lstat(reserve->path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

enum store_result reserve_clear(struct reserve *reserve, char *ret_error,
                                size_t size)
{
    struct slot empty = {0};
    if (reserve->slot.last == reserve->slot.after && !reserve->is_unsure) {
        return STORE_OK;
    }
    return write_slot(reserve, &empty)
               ? STORE_OK
               : say_errno(reserve, "clear", ret_error, size);
}

static size_t frames_length(const struct entry *entries, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count && length <= FRAMES_ROOM; i++) {
        length += FRAME_HEAD + entries[i].length;
    }
    return length;
}

static enum store_result add_frames(struct reserve *reserve, struct slot *next,
                                    const struct entry *entries, size_t count,
                                    char *ret_error, size_t size)
{
    size_t length = frames_length(entries, count), at = 0;
    if (length > FRAMES_ROOM - next->used) {
        return say(reserve, STORE_UNAVAILABLE, "write",
                   "it is full: the journal was away for too long", ret_error,
                   size);
    }
    unsigned char *bytes = memory_resized(NULL, length);
    for (size_t i = 0; i < count; i++) {
        assert(entries[i].sequence == next->last + 1);
        encode_frame(&entries[i], bytes + at);
        extend_digest(&reserve->hasher, next->digest, bytes + at,
                      FRAME_HEAD + entries[i].length);
        at += FRAME_HEAD + entries[i].length;
        next->last++;
    }
    bool written = write_at(reserve->file, bytes, length,
                            RESERVE_FRAMES_AT + next->used) &&
                   fdatasync(reserve->file) == 0;
    free(bytes);
    next->used += length;
    return written && write_slot(reserve, next)
               ? STORE_OK
               : say_errno(reserve, "write", ret_error, size);
}

enum store_result reserve_put(struct reserve *reserve, uint64_t head,
                              const unsigned char chain[CHAIN_BYTES],
                              const struct entry *entries, size_t count,
                              char *ret_error, size_t size)
{
    size_t known = 0;
    assert(count > 0 && entries[0].sequence == head + 1);
    if (!is_in_place(reserve)) {
        return say(reserve, STORE_UNAVAILABLE, "write",
                   "the file was removed or replaced; restart lastgood to "
                   "make a new one",
                   ret_error, size);
    }
    if (!make_sure(reserve)) {
        return say_errno(reserve, "write", ret_error, size);
    }
    if (reserve->slot.last <= head) {
        enum store_result result = reserve_clear(reserve, ret_error, size);
        if (result != STORE_OK) {
            return result;
        }
    }
    struct slot next = reserve->slot;
    if (next.last == next.after) {
        next.after = head;
        next.last = head;
        memcpy(next.chain, chain, CHAIN_BYTES);
    }
    while (known < count && entries[known].sequence <= next.last) {
        known++;
    }
    return known == count ? STORE_OK
                          : add_frames(reserve, &next, entries + known,
                                       count - known, ret_error, size);
}

/* --- Reading -------------------------------------------------------------- */

static bool parse(struct hasher *hasher, const struct slot *slot,
                  const unsigned char *bytes, struct entry *entries)
{
    unsigned char digest[CHAIN_BYTES] = {0};
    size_t at = 0, count = (size_t)(slot->last - slot->after);
    for (size_t i = 0; i < count; i++) {
        size_t length = decode_frame(bytes + at, slot->used - at, &entries[i]);
        if (length == 0 || entries[i].sequence != slot->after + 1 + i) {
            return false;
        }
        extend_digest(hasher, digest, bytes + at, length);
        at += length;
    }
    return at == slot->used && memcmp(digest, slot->digest, CHAIN_BYTES) == 0;
}

enum store_result reserve_read(struct reserve *reserve,
                               struct entry **ret_entries, size_t *ret_count,
                               char **ret_bytes,
                               unsigned char ret_chain[CHAIN_BYTES],
                               char *ret_error, size_t size)
{
    const struct slot *slot = &reserve->slot;
    /* A frame has a head, so this is bounded by the file. */
    size_t count = (size_t)(slot->last - slot->after);
    bool fits = count <= slot->used / FRAME_HEAD;
    unsigned char *bytes = memory_resized(NULL, slot->used + 1);
    struct entry *entries = memory_zeroed(fits ? count : 0, sizeof *entries);
    enum store_result result = STORE_OK;
    if (!read_at(reserve->file, bytes, slot->used, RESERVE_FRAMES_AT)) {
        result = say_errno(reserve, "read", ret_error, size);
    } else if (!fits || !parse(&reserve->hasher, slot, bytes, entries)) {
        result = say(reserve, STORE_CORRUPT, "use",
                     "it is damaged, and the reason of a rollback was in it: "
                     "look at what is live, then remove the file",
                     ret_error, size);
    }
    if (result != STORE_OK) {
        free(bytes);
        free(entries);
        return result;
    }
    memcpy(ret_chain, slot->chain, CHAIN_BYTES);
    *ret_entries = entries;
    *ret_count = count;
    *ret_bytes = (char *)bytes;
    return STORE_OK;
}
