/* The least that any program can do to make an environment: the system calls that make its folders, files and links, from
   contents that lie ready in memory. No interpreter is looked for, nothing is checked, compiled or undone.

       floor LIST ENV_DIR [THREADS]

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
static int env_dir, folder_count;
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

static void fill_folder(const char *at)
{
    struct record record = read_record(at);
    int folder = openat(env_dir, record.name, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        err(1, "%s", record.name);
    while (record.next < list_end && *record.next != 'e') {
        record = read_record(record.next);
        if (record.kind == 'l') {
            if (symlinkat(record.content, folder, record.name) != 0)
                err(1, "%s", record.name);
            continue;
        }
        int file = openat(folder, record.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, record.mode);
        if (file < 0)
            err(1, "%s", record.name);
        if (record.content_length > 0 && write(file, record.content, record.content_length) != (ssize_t)record.content_length)
            err(1, "%s", record.name);
        close(file);
    }
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
    struct stat status;
    pthread_t others[64];

    if (argc < 3 || threads < 1 || threads > 64)
        errx(2, "usage: floor LIST ENV_DIR [THREADS]");
    int file = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0)
        err(1, "%s", argv[1]);
    const char *list = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
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
