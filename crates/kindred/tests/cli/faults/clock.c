/* The machine's clock, moved by the seconds that the file of CLOCK_OFFSET holds at this moment. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    long answer = syscall(SYS_clock_gettime, clock, time);
    const char *path = getenv("CLOCK_OFFSET");
    if (answer != 0 || clock != CLOCK_REALTIME || path == NULL)
        return (int)answer;
    char text[32] = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) > 0)
            time->tv_sec += atol(text);
        close(file);
    }
    return 0;
}
