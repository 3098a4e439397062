#include "help_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE      4096
#define FILES_MAX 8
#define PAGES_MAX 96

/* What is surely on the disk of one file. */
struct platter {
    char path[512]; /* empty: not used */
    unsigned char *bytes;
    sqlite3_int64 size;
    bool dirty[PAGES_MAX]; /* written, not synced */
};

struct disk_file {
    sqlite3_file file;
    struct platter *platter; /* NULL: a temporary file */
    sqlite3_file *real;      /* lies behind this struct */
};

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;
static struct platter platters[FILES_MAX];
static enum fault fault;
static unsigned first, last, count, failed;
static bool is_paused;

void disk_fail(enum fault kind, unsigned nth, unsigned times)
{
    fault = kind;
    first = nth;
    last = nth + times - 1;
    count = 0;
    failed = 0;
}

unsigned disk_failed(void)
{
    return failed;
}

void disk_pause(bool pause)
{
    is_paused = pause;
}

static bool fails(bool is_sync)
{
    if (is_paused || fault == FAULT_NONE || (fault == FAULT_SYNC) != is_sync) {
        return false;
    }
    count++;
    bool now = count >= first && count <= last;
    failed += now ? 1 : 0;
    return now;
}

static struct disk_file *disk_of(sqlite3_file *file)
{
    return (struct disk_file *)(void *)file;
}

static int on_close(sqlite3_file *file)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xClose(real);
}

static int on_read(sqlite3_file *file, void *bytes, int length,
                   sqlite3_int64 offset)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xRead(real, bytes, length, offset);
}

static void mark(struct platter *platter, sqlite3_int64 offset, int length)
{
    for (sqlite3_int64 page = offset / PAGE;
         platter && page <= (offset + length - 1) / PAGE; page++) {
        if (page >= PAGES_MAX) {
            abort();
        }
        platter->dirty[page] = true;
    }
}

static int on_write(sqlite3_file *file, const void *bytes, int length,
                    sqlite3_int64 offset)
{
    sqlite3_file *real = disk_of(file)->real;
    int code = SQLITE_OK;
    if (fails(false)) {
        code = fault == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        length = fault == FAULT_HALF ? length / 2 : 0;
    }
    if (length > 0) {
        mark(disk_of(file)->platter, offset, length);
        int written = real->pMethods->xWrite(real, bytes, length, offset);
        code = code == SQLITE_OK ? written : code;
    }
    return code;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xTruncate(real, size);
}

static int size_of(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xFileSize(real, ret_size);
}

/* Bring page @page of the file onto the platter's copy @bytes. */
static void settle(sqlite3_file *real, unsigned char *bytes, size_t page,
                   sqlite3_int64 size)
{
    sqlite3_int64 at = (sqlite3_int64)page * PAGE;
    if (at < size) {
        int length = size - at < PAGE ? (int)(size - at) : PAGE;
        if (real->pMethods->xRead(real, bytes + at, length, at) != SQLITE_OK) {
            abort();
        }
    }
}

/* The real disk is not asked: what it would keep is known here. */
static int on_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *real = disk_of(file)->real;
    struct platter *platter = disk_of(file)->platter;
    bool lost = fails(true);
    sqlite3_int64 size = 0;
    (void)flags;
    (void)size_of(file, &size);
    for (size_t i = 0; platter && i < PAGES_MAX; i++) {
        if (platter->dirty[i] && !lost) {
            settle(real, platter->bytes, i, size);
        }
        platter->dirty[i] = false;
    }
    if (platter && !lost) {
        platter->size = size;
    }
    return lost ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int on_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xLock(real, level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xUnlock(real, level);
}

static int on_check_lock(sqlite3_file *file, int *ret_held)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xCheckReservedLock(real, ret_held);
}

static int on_control(sqlite3_file *file, int what, void *data)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xFileControl(real, what, data);
}

static int on_sector(sqlite3_file *file)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xSectorSize(real);
}

static int on_traits(sqlite3_file *file)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

static int on_map(sqlite3_file *file, int page, int size, int extend,
                  void volatile **ret_map)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xShmMap(real, page, size, extend, ret_map);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xShmLock(real, offset, n, flags);
}

static void on_barrier(sqlite3_file *file)
{
    sqlite3_file *real = disk_of(file)->real;
    real->pMethods->xShmBarrier(real);
}

static int on_unmap(sqlite3_file *file, int remove)
{
    sqlite3_file *real = disk_of(file)->real;
    return real->pMethods->xShmUnmap(real, remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = size_of,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_traits,
    .xShmMap = on_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_barrier,
    .xShmUnmap = on_unmap,
};

static struct platter *platter_of(const char *path)
{
    struct platter *empty = NULL;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (!strcmp(platters[i].path, path)) {
            return &platters[i];
        }
        if (platters[i].path[0] == '\0' && !empty) {
            empty = &platters[i];
        }
    }
    if (!empty) {
        abort();
    }
    memset(empty, 0, sizeof *empty);
    (void)snprintf(empty->path, sizeof empty->path, "%s", path);
    empty->bytes = calloc(PAGES_MAX, PAGE);
    return empty;
}

static void forget(struct platter *platter)
{
    free(platter->bytes);
    memset(platter, 0, sizeof *platter);
}

void disk_forget(void)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        forget(&platters[i]);
    }
}

static int on_open(sqlite3_vfs *self, const char *path, sqlite3_file *file,
                   int flags, int *ret_flags)
{
    struct disk_file *disk = disk_of(file);
    (void)self;
    disk->file.pMethods = NULL;
    disk->real = (sqlite3_file *)(void *)(disk + 1);
    disk->platter = path ? platter_of(path) : NULL;
    int code = real_vfs->xOpen(real_vfs, path, disk->real, flags, ret_flags);
    if (code == SQLITE_OK) {
        disk->file.pMethods = &methods;
    }
    return code;
}

static int on_delete(sqlite3_vfs *self, const char *path, int sync)
{
    (void)self;
    forget(platter_of(path));
    return real_vfs->xDelete(real_vfs, path, sync);
}

void disk_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "disk";
    vfs.szOsFile = (int)sizeof(struct disk_file) + real_vfs->szOsFile;
    vfs.xOpen = on_open;
    vfs.xDelete = on_delete;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) {
        abort();
    }
}

static uint32_t scramble(uint32_t seed)
{
    seed = (seed ^ seed >> 16) * 0x45d9f3bU;
    seed = (seed ^ seed >> 16) * 0x45d9f3bU;
    return seed ^ seed >> 16;
}

/* The file's own bytes where an unsynced page made it, the platter's else. */
static bool cut_one(const struct platter *platter, const char *copy,
                    uint32_t seed)
{
    unsigned char *bytes = malloc((size_t)PAGES_MAX * PAGE);
    FILE *from = fopen(platter->path, "r"), *to = fopen(copy, "w");
    size_t size = (size_t)platter->size;
    bool success = bytes && from && to;
    if (success) {
        memcpy(bytes, platter->bytes, (size_t)PAGES_MAX * PAGE);
    }
    for (size_t i = 0; i < PAGES_MAX && success; i++) {
        if (!platter->dirty[i] || scramble(seed + (uint32_t)i) % 2 == 0) {
            continue;
        }
        success = fseek(from, (long)(i * PAGE), SEEK_SET) == 0;
        size_t length = fread(bytes + i * PAGE, 1, PAGE, from);
        size = i * PAGE + length > size ? i * PAGE + length : size;
    }
    success = success && fwrite(bytes, 1, size, to) == size;
    success = (!from || fclose(from) == 0) && success;
    success = (!to || fclose(to) == 0) && success;
    free(bytes);
    return success;
}

bool disk_cut(const char *folder, const char *copy, uint32_t seed)
{
    size_t length = strlen(folder);
    for (size_t i = 0; i < FILES_MAX; i++) {
        char name[512];
        if (strncmp(platters[i].path, folder, length) != 0) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%s%s", copy,
                       platters[i].path + length);
        if (!cut_one(&platters[i], name, seed + (uint32_t)i * 7919)) {
            return false;
        }
    }
    return true;
}
