/*
 * What the shim costs: ping-pong and streams between two processes, with libfabric alone and through the shim, in
 * turns, in one run: fabric_floor [PROVIDER [ROUNDS]] [--check].
 *
 * Each number is the median of its rounds; rounds of the two ways alternate, so that both see the same machine. With
 * --check it fails unless through the shim every latency is at most 1.5 times libfabric's, and every bandwidth at
 * least 0.9 times.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "way.h"

#define MEMORY_BYTES (INT64_C(4) << 20)
#define ROUNDS_MAX 25
#define ROUNDS_DEFAULT 5
#define LATENCY_RATIO_MAX 1.5
#define BANDWIDTH_RATIO_MIN 0.9

enum { PING_8, PING_64, PING_4096, PING_65536, STREAM_4096, STREAM_65536, STREAM_1M, WRITE_64K, READ_64K, WRITE_1M, READ_1M, MEASURES };

static const char *const NAMES[MEASURES] = {"one way 8 B, us",       "one way 64 B, us",      "one way 4 KiB, us",
                                            "one way 64 KiB, us",    "stream 4 KiB, MB/s",    "stream 64 KiB, MB/s",
                                            "stream 1 MiB, MB/s",    "write 64 KiB, MB/s",
                                            "read 64 KiB, MB/s",     "write 1 MiB, MB/s",     "read 1 MiB, MB/s"};

/* What a stream is made of. */
enum kind { SENDS, WRITES, READS };

struct run {
    const struct way *way;
    int number; /* 0 measures */
    int socket;
    uint8_t *memory;
    uint64_t remote_address;
    uint64_t remote_key;
    int64_t transmitted;
    int64_t received;
};

void bench_fail(const char *what, long long code) {
    (void)fprintf(stderr, "%s: %lld\n", what, code);
    abort();
}

static double now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void exchange(struct run *run, const void *mine, void *others, size_t bytes) {
    if (send(run->socket, mine, bytes, 0) != (ssize_t)bytes ||
        recv(run->socket, others, bytes, MSG_WAITALL) != (ssize_t)bytes) {
        bench_fail("exchange", 0);
    }
}

static void meet(struct run *run) {
    char mine = 'm';
    char others;
    if (send(run->socket, &mine, 1, 0) != 1) {
        bench_fail("meet", 0);
    }
    /* The other side may need progress from here. */
    while (recv(run->socket, &others, 1, MSG_DONTWAIT) != 1) {
        run->way->poll(&run->transmitted, &run->received);
    }
}

static void poll_once(struct run *run) {
    run->way->poll(&run->transmitted, &run->received);
}

static void send_one(struct run *run, int64_t bytes) {
    while (!run->way->send(run->memory, bytes)) {
        poll_once(run);
    }
}

static void receive_one(struct run *run, int64_t bytes) {
    while (!run->way->receive(run->memory + MEMORY_BYTES / 2, bytes)) {
        poll_once(run);
    }
}

static double ping_pong(struct run *run, int64_t bytes, int64_t turns) {
    int64_t arrived = run->received;
    receive_one(run, bytes);
    meet(run);
    double begun = now_us();
    for (int64_t turn = 1; turn <= turns; turn++) {
        if (run->number == 0) {
            send_one(run, bytes);
        }
        while (run->received < arrived + turn) {
            poll_once(run);
        }
        if (turn < turns) {
            receive_one(run, bytes);
        }
        if (run->number == 1) {
            send_one(run, bytes);
        }
    }
    double each = (now_us() - begun) / (double)turns / 2;
    meet(run);
    return each;
}

static int start_one(struct run *run, int64_t bytes, enum kind kind) {
    switch (kind) {
        case WRITES:
            return run->way->write(run->memory, bytes, run->remote_address, run->remote_key);
        case READS:
            return run->way->read(run->memory, bytes, run->remote_address, run->remote_key);
        default:
            return run->way->send(run->memory, bytes);
    }
}

static void stream_out(struct run *run, int64_t bytes, int64_t count, enum kind kind) {
    int64_t done = run->transmitted;
    for (int64_t begun = 0; begun < count;) {
        int room = begun - (run->transmitted - done) < WINDOW;
        int started = room ? start_one(run, bytes, kind) : 0;
        begun += started;
        if (!started) {
            poll_once(run);
        }
    }
    while (run->transmitted - done < count) {
        poll_once(run);
    }
}

static void stream_in(struct run *run, int64_t bytes, int64_t count) {
    int64_t arrived = run->received;
    int64_t posted = WINDOW;
    while (run->received - arrived < count) {
        poll_once(run);
        while (posted < count && posted - (run->received - arrived) < WINDOW) {
            receive_one(run, bytes);
            posted++;
        }
    }
}

/* Before each, all transmits of before are done on both sides. */
static double stream(struct run *run, int64_t bytes, int64_t count, enum kind kind) {
    for (int i = 0; kind == SENDS && run->number == 1 && i < WINDOW; i++) {
        receive_one(run, bytes);
    }
    meet(run);
    double begun = now_us();
    if (run->number == 0) {
        stream_out(run, bytes, count, kind);
    } else if (kind == SENDS) {
        stream_in(run, bytes, count);
    }
    meet(run);
    return (double)bytes * (double)count / (now_us() - begun);
}

/* Whoever sent last has completions of it left to take. */
static void settle(struct run *run) {
    for (int i = 0; i < 1000; i++) {
        poll_once(run);
    }
    meet(run);
}

static void measure(struct run *run, double out[MEASURES]) {
    (void)ping_pong(run, 8, 1000);
    settle(run);
    out[PING_8] = ping_pong(run, 8, 10000);
    settle(run);
    out[PING_64] = ping_pong(run, 64, 10000);
    settle(run);
    out[PING_4096] = ping_pong(run, 4096, 5000);
    settle(run);
    out[PING_65536] = ping_pong(run, 65536, 1000);
    settle(run);
    out[STREAM_4096] = stream(run, 4096, 20000, SENDS);
    settle(run);
    out[STREAM_65536] = stream(run, 65536, 4000, SENDS);
    settle(run);
    out[STREAM_1M] = stream(run, INT64_C(1) << 20, 400, SENDS);
    settle(run);
    out[WRITE_64K] = stream(run, 65536, 4000, WRITES);
    settle(run);
    out[READ_64K] = stream(run, 65536, 4000, READS);
    settle(run);
    out[WRITE_1M] = stream(run, INT64_C(1) << 20, 400, WRITES);
    settle(run);
    out[READ_1M] = stream(run, INT64_C(1) << 20, 400, READS);
}

/* Two that wait for each other on cores that others use as well take a slice of time for every turn. */
static void on_alarm(int number) {
    static const char WORDS[] = "no result within 120 s: is the machine busy with something else?\n";
    (void)number;
    (void)!write(STDERR_FILENO, WORDS, sizeof WORDS - 1);
    _exit(1);
}

static void pin(int number) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)number, &set);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        (void)sched_setaffinity(0, sizeof set, &set);
    }
}

static void run_side(const struct way *way, const char *provider, int number, int sock, double out[MEASURES]) {
    struct run run = {.way = way, .number = number, .socket = sock};
    uint8_t mine[512] = {0};
    uint8_t others[512];
    uint64_t lent[2];
    uint64_t remote[2];
    pin(number);
    run.memory = mmap(NULL, (size_t)MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
                      0);
    if (run.memory == MAP_FAILED) {
        bench_fail("mmap", 0);
    }
    way->open(provider, run.memory, MEMORY_BYTES);
    int32_t bytes = way->address(mine, (int32_t)sizeof mine);
    exchange(&run, mine, others, sizeof mine);
    way->peer(others, bytes);
    way->lent(&lent[0], &lent[1]);
    exchange(&run, lent, remote, sizeof lent);
    run.remote_address = remote[0];
    run.remote_key = remote[1];
    measure(&run, out);
    way->close();
}

/* Both sides in processes of their own: neither way leaves anything behind for the other. */
static void run_way(const struct way *way, const char *provider, double out[MEASURES]) {
    int sockets[2];
    int results[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0 || pipe(results) != 0) {
        bench_fail("socketpair", 0);
    }
    for (int number = 0; number < 2; number++) {
        if (fork() == 0) {
            double measured[MEASURES];
            (void)signal(SIGALRM, on_alarm);
            (void)alarm(120);
            run_side(way, provider, number, sockets[number], measured);
            int wrote = number == 1 || write(results[1], measured, sizeof measured) == (ssize_t)sizeof measured;
            exit(wrote ? 0 : 1);
        }
    }
    (void)close(sockets[0]);
    (void)close(sockets[1]);
    (void)close(results[1]);
    if (read(results[0], out, sizeof(double) * MEASURES) != (ssize_t)(sizeof(double) * MEASURES)) {
        (void)fprintf(stderr, "%s: no result\n", way->name);
        exit(1);
    }
    (void)close(results[0]);
    while (wait(NULL) > 0) {
    }
}

static int compare(const void *left, const void *right) {
    double l = *(const double *)left;
    double r = *(const double *)right;
    return (l > r) - (l < r);
}

static double median(double values[ROUNDS_MAX], int count) {
    qsort(values, (size_t)count, sizeof values[0], compare);
    return values[count / 2];
}

static double direct[MEASURES][ROUNDS_MAX];
static double shim[MEASURES][ROUNDS_MAX];

static void measure_round(const char *provider, int round) {
    double of_direct[MEASURES];
    double of_shim[MEASURES];
    /* Neither way always follows the other. */
    if (round % 2 == 0) {
        run_way(&direct_way, provider, of_direct);
        run_way(&shim_way, provider, of_shim);
    } else {
        run_way(&shim_way, provider, of_shim);
        run_way(&direct_way, provider, of_direct);
    }
    for (int i = 0; i < MEASURES; i++) {
        direct[i][round] = of_direct[i];
        shim[i][round] = of_shim[i];
    }
}

static int is_latency(int measure) {
    return measure < STREAM_4096;
}

static int within(int measure, double ratio) {
    return is_latency(measure) ? ratio <= LATENCY_RATIO_MAX : ratio >= BANDWIDTH_RATIO_MIN;
}

/* Prints all, and counts what breaks its bound. */
static int report(const char *provider, int rounds) {
    int broken = 0;
    (void)printf("%s, median of %d rounds\n%-24s %12s %12s %8s %10s\n", provider, rounds, "", direct_way.name,
                 shim_way.name, "ratio", "bound");
    for (int i = 0; i < MEASURES; i++) {
        double floor = median(direct[i], rounds);
        double through = median(shim[i], rounds);
        double ratio = through / floor;
        broken += !within(i, ratio);
        (void)printf("%-24s %12.2f %12.2f %8.3f %7s %.1f%s\n", NAMES[i], floor, through, ratio,
                     is_latency(i) ? "<=" : ">=", is_latency(i) ? LATENCY_RATIO_MAX : BANDWIDTH_RATIO_MIN,
                     within(i, ratio) ? "" : "  broken");
    }
    return broken;
}

int main(int count, char **arguments) {
    int checks = count > 1 && strcmp(arguments[count - 1], "--check") == 0;
    count -= checks;
    const char *provider = count > 1 ? arguments[1] : "shm";
    int rounds = count > 2 ? atoi(arguments[2]) : ROUNDS_DEFAULT;
    if (count > 3 || rounds < 1 || rounds > ROUNDS_MAX) {
        (void)fprintf(stderr, "fabric_floor [PROVIDER [ROUNDS]] [--check], 1 to %d rounds\n", ROUNDS_MAX);
        return 2;
    }
    for (int round = 0; round < rounds; round++) {
        measure_round(provider, round);
    }
    int broken = report(provider, rounds);
    if (checks && broken > 0) {
        (void)fprintf(stderr, "%d of %d bounds are broken\n", broken, (int)MEASURES);
        return 1;
    }
    return 0;
}
