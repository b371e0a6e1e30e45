/* What a program asks of the disk, in order: preloaded, it writes every change of the files below
 * POWER_FOLDER into the journal POWER_JOURNAL, and every fsync. test_power_loss replays the journal up to a
 * chosen moment and forgets what no fsync had brought to the disk by then, as a cut of the power does.
 *
 * A record: 1 byte what, 2 bytes length of the path, 8 bytes offset or size, 8 bytes length, path, data.
 * 'w' data at an offset, 't' truncated to a size, 's' synced, 'u' unlinked, 'r' renamed (data: new path).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;

static int wanted(const char *path) {
    const char *folder = getenv("POWER_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    return length && strncmp(path, folder, length) == 0 && strstr(path, "-shm") == NULL;
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return wanted(path);
}

static void note(char what, const char *path, uint64_t at, const void *data, uint64_t length) {
    char head[19];
    uint16_t name = (uint16_t)strlen(path);
    head[0] = what;
    memcpy(head + 1, &name, 2);
    memcpy(head + 3, &at, 8);
    memcpy(head + 11, &length, 8);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)path, name}, {(void *)data, length}};
    if (journal < 0) journal = open(getenv("POWER_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (writev(journal, parts, 3) < 0) abort();
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define NOTED(fd, what, at, data, length)                                    \
    do {                                                                     \
        char path[PATH_MAX];                                                 \
        pthread_mutex_lock(&lock);                                           \
        if (path_of(fd, path)) note(what, path, (uint64_t)(at), data, (uint64_t)(length)); \
        pthread_mutex_unlock(&lock);                                         \
    } while (0)

ssize_t write(int fd, const void *data, size_t length) {
    REAL(write);
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (fcntl(fd, F_GETFL) & O_APPEND) at = lseek(fd, 0, SEEK_END);
    ssize_t done = real(fd, data, length);
    if (done > 0 && at >= 0) NOTED(fd, 'w', at, data, done);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
    REAL(pwrite);
    ssize_t done = real(fd, data, length, at);
    if (done > 0) NOTED(fd, 'w', at, data, done);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    REAL(pwrite64);
    ssize_t done = real(fd, data, length, at);
    if (done > 0) NOTED(fd, 'w', at, data, done);
    return done;
}

int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    int done = real(fd, size);
    if (done == 0) NOTED(fd, 't', size, "", 0);
    return done;
}

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    int done = real(fd, size);
    if (done == 0) NOTED(fd, 't', size, "", 0);
    return done;
}

int fsync(int fd) {
    REAL(fsync);
    int done = real(fd);
    if (done == 0) NOTED(fd, 's', 0, "", 0);
    return done;
}

int fdatasync(int fd) {
    REAL(fdatasync);
    int done = real(fd);
    if (done == 0) NOTED(fd, 's', 0, "", 0);
    return done;
}

int unlink(const char *path) {
    REAL(unlink);
    char whole[PATH_MAX];
    int known = realpath(path, whole) != NULL && wanted(whole);
    int done = real(path);
    if (done == 0 && known) {
        pthread_mutex_lock(&lock);
        note('u', whole, 0, "", 0);
        pthread_mutex_unlock(&lock);
    }
    return done;
}

int rename(const char *from, const char *to) {
    REAL(rename);
    char whole[PATH_MAX], target[PATH_MAX];
    int known = realpath(from, whole) != NULL && wanted(whole);
    int done = real(from, to);
    if (done == 0 && known && realpath(to, target) != NULL) {
        pthread_mutex_lock(&lock);
        note('r', whole, 0, target, strlen(target));
        pthread_mutex_unlock(&lock);
    }
    return done;
}
