/* The least that any program can do to make an environment: the system calls that make its folders, files and links, from
   contents that lie ready in memory. No interpreter is looked for, nothing is checked, compiled or undone.

       floor LIST ENV_DIR [THREADS [METHOD]]

   METHOD is how files are made (laying.sh compares them): "relative" opens each folder once and names files from there, "whole"
   names them by their path in ENV_DIR, "read" reads the contents into a buffer first, "range" has the kernel copy them.
   LIST is made by peers.sh from a finished environment. Its records, one after the other: the kind (d, e, f or l), three
   32-bit numbers (mode, length of the name, length of the content) and those two strings;
   a name and a link's target end in a zero byte.
   First every folder (d), parents first; then for each folder "e" with its path, and the files (f) and links (l) in it. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct record {
    char kind;
    uint32_t mode, content_length;
    const char *name, *content;
    const char *next;
};

static const char *list_end, *folders[4096];
static const char *list;
static int list_file, env_dir, folder_count;
static enum { RELATIVE, WHOLE, READ, RANGE } method;
static atomic_int next_folder;

static struct record read_record(const char *at)
{
    struct record record = {.kind = *at};
    uint32_t numbers[3];

    memcpy(numbers, at + 1, sizeof numbers);
    record.mode = numbers[0];
    record.name = at + 1 + sizeof numbers;
    record.content = record.name + numbers[1];
    record.content_length = numbers[2];
    record.next = record.content + numbers[2];
    return record;
}

static void fill_file(int file, struct record record)
{
    static _Thread_local char buffer[4 << 20];
    const char *content = record.content;
    off_t offset = record.content - list;

    if (method == RANGE) {
        for (size_t left = record.content_length; left > 0;) {
            ssize_t copied = copy_file_range(list_file, &offset, file, NULL, left, 0);
            if (copied <= 0)
                err(1, "%s", record.name);
            left -= copied;
        }
        return;
    }
    if (method == READ) {
        if (record.content_length > sizeof buffer ||
            pread(list_file, buffer, record.content_length, offset) != (ssize_t)record.content_length)
            err(1, "%s", record.name);
        content = buffer;
    }
    if (record.content_length > 0 && write(file, content, record.content_length) != (ssize_t)record.content_length)
        err(1, "%s", record.name);
}

static void fill_folder(const char *at)
{
    struct record record = read_record(at);
    const char *folder_name = record.name;
    int folder = method == WHOLE ? env_dir : openat(env_dir, folder_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char path[4096];

    if (folder < 0)
        err(1, "%s", record.name);
    while (record.next < list_end && *record.next != 'e') {
        record = read_record(record.next);
        if (method == WHOLE) {
            if (snprintf(path, sizeof path, "%s/%s", folder_name, record.name) >= (int)sizeof path)
                errx(1, "too long: %s", record.name);
            record.name = path;
        }
        if (record.kind == 'l') {
            if (symlinkat(record.content, folder, record.name) != 0)
                err(1, "%s", record.name);
            continue;
        }
        int file = openat(folder, record.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, record.mode);
        if (file < 0)
            err(1, "%s", record.name);
        fill_file(file, record);
        close(file);
    }
    if (folder != env_dir)
        close(folder);
}

static void *work(void *unused)
{
    for (int i; (i = atomic_fetch_add(&next_folder, 1)) < folder_count;)
        fill_folder(folders[i]);
    return unused;
}

int main(int argc, char **argv)
{
    int threads = argc > 3 ? atoi(argv[3]) : 1;
    static const char *const methods[] = {"relative", "whole", "read", "range"};
    struct stat status;
    pthread_t others[64];

    if (argc > 4)
        while (strcmp(argv[4], methods[method]) != 0)
            if (++method == sizeof methods / sizeof *methods)
                errx(2, "%s: no such method", argv[4]);
    if (argc < 3 || threads < 1 || threads > 64)
        errx(2, "usage: floor LIST ENV_DIR [THREADS [METHOD]]");
    list_file = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (list_file < 0 || fstat(list_file, &status) != 0)
        err(1, "%s", argv[1]);
    list = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, list_file, 0);
    if (list == MAP_FAILED)
        err(1, "%s", argv[1]);
    list_end = list + status.st_size;

    if (mkdir(argv[2], 0777) != 0 || (env_dir = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        err(1, "%s", argv[2]);
    for (const char *at = list; at < list_end;) {
        struct record record = read_record(at);
        if (record.kind == 'd' && mkdirat(env_dir, record.name, record.mode) != 0)
            err(1, "%s", record.name);
        if (record.kind == 'e') {
            if (folder_count == sizeof folders / sizeof *folders)
                errx(1, "too many folders");
            folders[folder_count++] = at;
        }
        at = record.next;
    }
    for (int i = 1; i < threads; i++)
        if (pthread_create(&others[i], NULL, work, NULL) != 0)
            errx(1, "no thread");
    work(NULL);
    for (int i = 1; i < threads; i++)
        pthread_join(others[i], NULL);
    return 0;
}
