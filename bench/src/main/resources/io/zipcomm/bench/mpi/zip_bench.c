/*
 * All ranks of an MPI job that the benchmark harness compares the library with. Rank 0 reads orders from standard input
 * and answers on standard output, one line each: "@zip measure operation=allreduce bytes=8 ...". It paces, times and
 * checks as the harness' Java workers do (Pace.java, Exercises.java, TestPattern.java): the constants here are theirs.
 *
 * While there is no order no rank uses the processor: rank 0 waits for its input, the others for a signal by which it
 * announces an order. Nothing but MPI and POSIX is needed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <mpi.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, NAME_BYTES = 32, TEXT_BYTES = 160, ROOT = 0 };
enum { ORDER_TAG = 1, STEP_TAG = 2, PING_TAG = 3, DONE_TAG = 4 };
enum { IDLE_US_MIN = 1000, IDLE_US_MAX = 16000 };
enum { PROBES = 6, TIMES_PER_LINE = 1000, NOT_TIMED = 0, TIMED = 1 };

static const int64_t PROGRESS_NS = 2000000000;
static const float SUM_POISON = -1;
static const unsigned char BYTE_POISON_FLIP = 0x55;

static int rank, ranks;

/* ------------------------------------------------------------------------------------------ time and its cost */

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

typedef struct {
    int64_t cpu_ns, switches, peak_bytes;
} usage;

static int64_t timeval_ns(struct timeval time) {
    return time.tv_sec * INT64_C(1000000000) + time.tv_usec * INT64_C(1000);
}

/* Of this process since it began. */
static usage usage_now(void) {
    struct rusage all;
    getrusage(RUSAGE_SELF, &all);
    usage result = {timeval_ns(all.ru_utime) + timeval_ns(all.ru_stime), all.ru_nvcsw + all.ru_nivcsw,
                    all.ru_maxrss * INT64_C(1024)};
    return result;
}

/* ------------------------------------------------------------------------------------------------- test data */

static uint32_t seed_of(int iteration, int source, int destination) {
    return (uint32_t) iteration * 0x27d4eb2fu + (uint32_t) source * 0x165667b1u + (uint32_t) destination * 0x5bd1e995u
            + 0x3c6ef372u;
}

static uint32_t mix(uint32_t seed, uint32_t index) {
    uint32_t x = seed ^ (index * 0x9e3779b1u);
    x = (x ^ (x >> 15)) * 0x85ebca6bu;
    return x ^ (x << 7);
}

static unsigned char byte_at(uint32_t seed, int index) {
    return (unsigned char) (mix(seed, (uint32_t) index) >> 24);
}

/* Whole numbers below 64: their sums are exact in any order. */
static float float_at(uint32_t seed, int index) {
    return (float) (mix(seed, (uint32_t) index) >> 26);
}

static float sum_at(int iteration, int index) {
    float sum = 0;
    for (int one = 0; one < ranks; one++) {
        sum += float_at(seed_of(iteration, one, one), index);
    }
    return sum;
}

/* The few elements that are written anew and checked in every iteration; count is at least 1. */
static int probe_index(int iteration, int probe, int count) {
    if (probe == 0) {
        return 0;
    }
    if (probe == 1) {
        return count - 1;
    }
    int32_t hash = (int32_t) ((uint32_t) (iteration + 1) * 0x9e3779b1u + (uint32_t) probe * 0x7f4a7c15u);
    int64_t rest = (int64_t) hash % count;
    return (int) (rest < 0 ? rest + count : rest);
}

/* How many elements are visited, and which is the i-th. */
static int visits(int count, int all) {
    return count == 0 ? 0 : all ? count : PROBES;
}

static int visited(int iteration, int i, int count, int all) {
    return all ? i : probe_index(iteration, i, count);
}

/* A stretch of memory that holds the bytes of one stream of the pattern. */
typedef struct {
    unsigned char *memory;
    int length, source, destination;
} region;

static void region_fill(const region *r, int iteration, int all, unsigned char flip) {
    uint32_t seed = seed_of(iteration, r->source, r->destination);
    for (int i = 0; i < visits(r->length, all); i++) {
        int at = visited(iteration, i, r->length, all);
        r->memory[at] = byte_at(seed, at) ^ flip;
    }
}

static void region_check(const region *r, int iteration, int all, char *mismatch) {
    uint32_t seed = seed_of(iteration, r->source, r->destination);
    for (int i = 0; i < visits(r->length, all); i++) {
        int at = visited(iteration, i, r->length, all);
        if (r->memory[at] != byte_at(seed, at)) {
            snprintf(mismatch, TEXT_BYTES, "iteration %d: byte %d of %d from rank %d is %d, expected %d", iteration, at,
                     r->length, r->source, (signed char) r->memory[at], (signed char) byte_at(seed, at));
            return;
        }
    }
}

/* ----------------------------------------------------------------------------------------------------- orders */

typedef enum {
    BARRIER, PINGPONG, BROADCAST, REDUCE, ALLREDUCE, SCATTER, GATHER, ALLGATHER, REDUCESCATTER, ALLTOALL, OPERATIONS
} operation;

static const char *const LABELS[OPERATIONS] = {"barrier", "pingpong",  "broadcast",     "reduce",  "allreduce",
                                               "scatter", "gather",    "allgather",     "reducescatter", "alltoall"};

/* For blocks of one length, and for others: as the MPI standard calls them. */
static const char *const EVEN[OPERATIONS] = {"MPI_Barrier",   "MPI_Send",   "MPI_Bcast",     "MPI_Reduce",
                                             "MPI_Allreduce", "MPI_Scatter", "MPI_Gather",   "MPI_Allgather",
                                             "MPI_Reduce_scatter_block", "MPI_Alltoall"};
static const char *const UNEVEN[OPERATIONS] = {"MPI_Barrier",   "MPI_Send",   "MPI_Bcast",     "MPI_Reduce",
                                               "MPI_Allreduce", "MPI_Scatterv", "MPI_Gatherv", "MPI_Allgatherv",
                                               "MPI_Reduce_scatter_block", "MPI_Alltoallv"};

/* What rank 0 tells the others; plain bytes, since all run the same program on one machine. */
typedef struct {
    int end, operation, iterations, warm;
    int64_t bytes, budget_ns;
} order;

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c == 0 ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int) (found - digits) % 16;
}

/* As forms of the web are decoded: %41 is a byte, + is a space. In place. */
static void decode(char *text) {
    char *to = text;
    for (char *from = text; *from; from++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low >= 0) {
            *to++ = (char) (high * 16 + low);
            from += 2;
        } else {
            *to++ = *from == '+' ? ' ' : *from;
        }
    }
    *to = 0;
}

/* The other way round, for what is written. */
static void print_encoded(const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char) *text;
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-_.*", c)) {
            putchar(c);
        } else if (c == ' ') {
            putchar('+');
        } else {
            printf("%%%02X", c);
        }
    }
}

static void fail(const char *what, const char *which) {
    printf("@zip failed rank=%d code=INTERNAL peer=-1 atNs=%lld message=", rank, (long long) now_ns());
    print_encoded(what);
    print_encoded(which);
    putchar('\n');
    fflush(stdout);
}

static int find_operation(const char *label) {
    for (int i = 0; i < OPERATIONS; i++) {
        if (strcmp(LABELS[i], label) == 0) {
            return i;
        }
    }
    return -1;
}

/* Reads "name=value name=value ..." and returns whether it is an order that can be carried out; says why not. */
static int parse_measure(char *values, order *what) {
    memset(what, 0, sizeof *what);
    what->operation = -1;
    char *rest = NULL;
    for (char *word = strtok_r(values, " \r\n", &rest); word; word = strtok_r(NULL, " \r\n", &rest)) {
        char *value = strchr(word, '=');
        if (value == NULL) {
            continue;
        }
        *value++ = 0;
        decode(value);
        if (strcmp(word, "operation") == 0) {
            what->operation = find_operation(value);
            if (what->operation < 0) {
                fail("no such operation: ", value);
                return 0;
            }
        } else if (strcmp(word, "bytes") == 0) {
            what->bytes = strtoll(value, NULL, 10);
        } else if (strcmp(word, "iterations") == 0) {
            what->iterations = atoi(value);
        } else if (strcmp(word, "budgetNs") == 0) {
            what->budget_ns = strtoll(value, NULL, 10);
        } else if (strcmp(word, "warm") == 0) {
            what->warm = strcmp(value, "true") == 0;
        }
    }
    if (what->operation < 0 || what->bytes < 0 || what->bytes > INT32_MAX / 2) {
        fail("an order without operation, or with too many bytes", "");
        return 0;
    }
    if (what->operation == PINGPONG && ranks < 2) {
        fail("pingpong needs two ranks", "");
        return 0;
    }
    return 1;
}

/* Reads lines until one is an order. The end of the input is the order to end: the harness is gone. */
static order read_order(void) {
    static char line[LINE_BYTES];
    order what;
    memset(&what, 0, sizeof what);
    while (fgets(line, sizeof line, stdin)) {
        static const char measure[] = "@zip measure ";
        if (strncmp(line, measure, sizeof measure - 1) == 0) {
            if (parse_measure(line + sizeof measure - 1, &what)) {
                return what;
            }
        } else if (strncmp(line, "@zip end", 8) == 0) {
            break;
        }
    }
    what.end = 1;
    return what;
}

/* Waits for a message and looks less often the longer it takes, so that the processor is free. */
static void receive_idle(void *buffer, int bytes, int tag) {
    int there = 0;
    MPI_Iprobe(ROOT, tag, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
    for (int pause_us = IDLE_US_MIN; !there; pause_us = pause_us < IDLE_US_MAX ? 2 * pause_us : IDLE_US_MAX) {
        usleep((useconds_t) pause_us);
        MPI_Iprobe(ROOT, tag, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
    }
    MPI_Recv(buffer, bytes, MPI_BYTE, ROOT, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void send_to_all(const void *buffer, int bytes, int tag) {
    for (int peer = 1; peer < ranks; peer++) {
        MPI_Send(buffer, bytes, MPI_BYTE, peer, tag, MPI_COMM_WORLD);
    }
}

/* Before MPI begins: its threads are not to get the signal either. */
static void take_signal(sigset_t *wake_up) {
    sigemptyset(wake_up);
    sigaddset(wake_up, SIGUSR1);
    sigprocmask(SIG_BLOCK, wake_up, NULL);
}

static void wake_all(const int *processes) {
    for (int peer = 1; peer < ranks; peer++) {
        kill(processes[peer], SIGUSR1);
    }
}

/* Sleeps until rank 0 has an order. Looks each second: rank 0 may be gone, or the signal. */
static void sleep_until_woken(const sigset_t *wake_up) {
    const struct timespec limit = {1, 0};
    int there = 0;
    while (!there && sigtimedwait(wake_up, NULL, &limit) < 0) {
        MPI_Iprobe(ROOT, ORDER_TAG, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
    }
}

/* --------------------------------------------------------------------------------------------------- exercise */

/* One operation with its memory. */
typedef struct {
    operation what;
    int even, count; /* count: bytes or floats, in all */
    int *lengths, *starts, *arriving, *arrivals;
    void *from, *to;
    region *inputs, *outputs;
    int input_count, output_count;
    int shares, share, share_length; /* sums: how they are divided, and which part comes out here; -1 for none */
    int iteration, filled;
    char mismatch[TEXT_BYTES];
    int64_t progress_ns;
} exercise;

static void *memory(size_t bytes) {
    void *result = NULL;
    if (posix_memalign(&result, 4096, bytes == 0 ? 1 : bytes) != 0) {
        fprintf(stderr, "rank %d: no memory for %zu bytes\n", rank, bytes);
        MPI_Abort(MPI_COMM_WORLD, 3);
    }
    memset(result, 0, bytes == 0 ? 1 : bytes);
    return result;
}

static int start_of(int count, int parts, int part) {
    return (int) ((int64_t) count * part / parts);
}

static void add_region(region *list, int *count, void *base, int at, int length, int source, int destination) {
    region one = {(unsigned char *) base + at, length, source, destination};
    list[(*count)++] = one;
}

static void add_input(exercise *e, int at, int length, int source, int destination) {
    add_region(e->inputs, &e->input_count, e->from, at, length, source, destination);
}

static void add_output(exercise *e, int at, int length, int source, int destination) {
    add_region(e->outputs, &e->output_count, e->to, at, length, source, destination);
}

static int is_sum(operation what) {
    return what == REDUCE || what == ALLREDUCE || what == REDUCESCATTER;
}

static void open_sums(exercise *e, int64_t bytes) {
    int floats = (int) (bytes / (int64_t) sizeof(float));
    e->shares = 1;
    e->share = e->what == REDUCE && rank != ROOT ? -1 : 0;
    e->count = floats;
    e->share_length = e->share < 0 ? 0 : floats;
    if (e->what == REDUCESCATTER) {
        /* Its blocks have equal lengths: M is rounded up. */
        e->share_length = (floats + ranks - 1) / ranks;
        e->count = e->share_length * ranks;
        e->shares = ranks;
        e->share = rank;
    }
    e->even = 1;
    e->from = memory((size_t) e->count * sizeof(float));
    e->to = memory((size_t) e->share_length * sizeof(float));
}

static void open_bytes(exercise *e, int bytes) {
    int own = e->lengths[rank];
    int from = bytes, to = bytes;
    if ((e->what == SCATTER && rank != ROOT) || e->what == BARRIER) {
        from = 0;
    } else if (e->what == GATHER || e->what == ALLGATHER) {
        from = own;
    }
    if (e->what == SCATTER) {
        to = own;
    } else if ((e->what == GATHER && rank != ROOT) || e->what == BARRIER) {
        to = 0;
    } else if (e->what == ALLTOALL) {
        to = own * ranks;
    }
    if (e->what == PINGPONG && rank > 1) {
        from = to = 0;
    }
    e->to = memory((size_t) to);
    e->from = e->what == BROADCAST ? e->to : memory((size_t) from);
    if (e->what == PINGPONG && rank == 0) {
        add_input(e, 0, bytes, 0, 1);
        add_output(e, 0, bytes, 0, 1);
    } else if (e->what == BROADCAST) {
        if (rank == ROOT) {
            add_input(e, 0, bytes, ROOT, ROOT);
        }
        add_output(e, 0, bytes, ROOT, ROOT);
    }
    if (e->what == GATHER || e->what == ALLGATHER) {
        add_input(e, 0, own, rank, ROOT);
    }
    if (e->what == SCATTER) {
        add_output(e, 0, own, ROOT, rank);
    }
    for (int one = 0; one < ranks; one++) {
        if (e->what == ALLTOALL || (e->what == SCATTER && rank == ROOT)) {
            add_input(e, e->starts[one], e->lengths[one], rank, one);
        }
        if (e->what == ALLTOALL) {
            add_output(e, own * one, own, one, rank);
        } else if (e->what == ALLGATHER || (e->what == GATHER && rank == ROOT)) {
            add_output(e, e->starts[one], e->lengths[one], one, ROOT);
        }
    }
}

static void open_exercise(exercise *e, const order *o) {
    memset(e, 0, sizeof *e);
    e->what = (operation) o->operation;
    e->progress_ns = now_ns();
    e->count = (int) o->bytes;
    e->even = o->bytes % ranks == 0;
    e->lengths = memory(sizeof(int) * (size_t) ranks);
    e->starts = memory(sizeof(int) * (size_t) ranks);
    e->arriving = memory(sizeof(int) * (size_t) ranks);
    e->arrivals = memory(sizeof(int) * (size_t) ranks);
    e->inputs = memory(sizeof(region) * (size_t) (ranks + 1));
    e->outputs = memory(sizeof(region) * (size_t) (ranks + 1));
    for (int one = 0; one < ranks; one++) {
        e->starts[one] = start_of((int) o->bytes, ranks, one);
        e->lengths[one] = start_of((int) o->bytes, ranks, one + 1) - e->starts[one];
    }
    for (int one = 0; one < ranks; one++) {
        e->arriving[one] = e->lengths[rank];
        e->arrivals[one] = e->lengths[rank] * one;
    }
    if (is_sum(e->what)) {
        open_sums(e, o->bytes);
    } else {
        open_bytes(e, (int) o->bytes);
    }
}

static void close_exercise(exercise *e) {
    if (e->from != e->to) {
        free(e->from);
    }
    free(e->to);
    free(e->lengths);
    free(e->starts);
    free(e->arriving);
    free(e->arrivals);
    free(e->inputs);
    free(e->outputs);
}

static void prepare_sums(exercise *e, int all) {
    float *input = e->from, *output = e->to;
    uint32_t seed = seed_of(e->iteration, rank, rank);
    for (int one = 0; one < e->shares; one++) {
        int start = start_of(e->count, e->shares, one);
        int length = start_of(e->count, e->shares, one + 1) - start;
        for (int i = 0; i < visits(length, all); i++) {
            int at = visited(e->iteration, i, length, all);
            input[start + at] = float_at(seed, start + at);
            if (one == e->share) {
                output[at] = SUM_POISON;
            }
        }
    }
}

static void check_sums(exercise *e, int all) {
    const float *output = e->to;
    for (int i = 0; i < visits(e->share_length, all); i++) {
        int at = visited(e->iteration, i, e->share_length, all);
        float expected = sum_at(e->iteration, start_of(e->count, e->shares, e->share) + at);
        if (output[at] != expected) {
            snprintf(e->mismatch, TEXT_BYTES, "iteration %d: sum %d of %d is %g, expected %g", e->iteration, at,
                     e->share_length, (double) output[at], (double) expected);
            return;
        }
    }
}

static void prepare(exercise *e, int all) {
    if (is_sum(e->what)) {
        prepare_sums(e, all);
        return;
    }
    for (int i = 0; i < e->output_count; i++) {
        region_fill(&e->outputs[i], e->iteration, all, BYTE_POISON_FLIP);
    }
    for (int i = 0; i < e->input_count; i++) {
        region_fill(&e->inputs[i], e->iteration, all, 0);
    }
}

/* The first wrong datum stays. */
static void check(exercise *e, int all) {
    if (is_sum(e->what) && e->mismatch[0] == 0) {
        check_sums(e, all);
    }
    for (int i = 0; i < e->output_count && e->mismatch[0] == 0; i++) {
        region_check(&e->outputs[i], e->iteration, all, e->mismatch);
    }
}

static void operate(exercise *e) {
    MPI_Comm world = MPI_COMM_WORLD;
    int own = e->lengths[rank];
    switch (e->what) {
        case BARRIER:
            MPI_Barrier(world);
            break;
        case PINGPONG:
            if (rank == 0) {
                MPI_Send(e->from, e->count, MPI_BYTE, 1, PING_TAG, world);
                MPI_Recv(e->to, e->count, MPI_BYTE, 1, PING_TAG, world, MPI_STATUS_IGNORE);
            } else if (rank == 1) {
                MPI_Recv(e->to, e->count, MPI_BYTE, 0, PING_TAG, world, MPI_STATUS_IGNORE);
                MPI_Send(e->to, e->count, MPI_BYTE, 0, PING_TAG, world);
            }
            break;
        case BROADCAST:
            MPI_Bcast(e->to, e->count, MPI_BYTE, ROOT, world);
            break;
        case REDUCE:
            MPI_Reduce(e->from, e->to, e->count, MPI_FLOAT, MPI_SUM, ROOT, world);
            break;
        case ALLREDUCE:
            MPI_Allreduce(e->from, e->to, e->count, MPI_FLOAT, MPI_SUM, world);
            break;
        case REDUCESCATTER:
            MPI_Reduce_scatter_block(e->from, e->to, e->share_length, MPI_FLOAT, MPI_SUM, world);
            break;
        case SCATTER:
            if (e->even) {
                MPI_Scatter(e->from, own, MPI_BYTE, e->to, own, MPI_BYTE, ROOT, world);
            } else {
                MPI_Scatterv(e->from, e->lengths, e->starts, MPI_BYTE, e->to, own, MPI_BYTE, ROOT, world);
            }
            break;
        case GATHER:
            if (e->even) {
                MPI_Gather(e->from, own, MPI_BYTE, e->to, own, MPI_BYTE, ROOT, world);
            } else {
                MPI_Gatherv(e->from, own, MPI_BYTE, e->to, e->lengths, e->starts, MPI_BYTE, ROOT, world);
            }
            break;
        case ALLGATHER:
            if (e->even) {
                MPI_Allgather(e->from, own, MPI_BYTE, e->to, own, MPI_BYTE, world);
            } else {
                MPI_Allgatherv(e->from, own, MPI_BYTE, e->to, e->lengths, e->starts, MPI_BYTE, world);
            }
            break;
        case ALLTOALL:
            if (e->even) {
                MPI_Alltoall(e->from, own, MPI_BYTE, e->to, own, MPI_BYTE, world);
            } else {
                MPI_Alltoallv(e->from, e->lengths, e->starts, MPI_BYTE, e->to, e->arriving, e->arrivals, MPI_BYTE,
                              world);
            }
            break;
        case OPERATIONS:
            break;
    }
}

/* Rank 0 tells now and then that it goes on. */
static void report_progress(exercise *e) {
    if (rank == 0 && now_ns() - e->progress_ns > PROGRESS_NS) {
        e->progress_ns = now_ns();
        printf("@zip progress rank=0 iterations=%d\n", e->iteration);
        fflush(stdout);
    }
}

/* Runs the operation some times and times each; thorough: the first and the last have all their data checked. */
static void run(exercise *e, int count, int64_t *times, int thorough) {
    for (int i = 0; i < count; i++) {
        int all = thorough && (i == 0 || i == count - 1);
        prepare(e, all || !e->filled);
        e->filled = 1;
        if (e->what != PINGPONG) {
            MPI_Barrier(MPI_COMM_WORLD);
        }
        int64_t began = now_ns();
        operate(e);
        times[i] = e->what == PINGPONG && rank > 0 ? 0 : now_ns() - began;
        check(e, all);
        e->iteration++;
        report_progress(e);
    }
}

/* ------------------------------------------------------------------------------------------------------- pace */

static int compare_times(const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

typedef struct {
    int64_t budget_ns, spent_ns, iteration_ns;
    double last_median;
    int iterations, was_warm, first, warm;
} pace;

static int fit(const pace *p, double share, int min, int max) {
    double count = share * (double) p->budget_ns / (double) p->iteration_ns;
    return count < min ? min : count > max ? max : (int) count;
}

static int next_batch(const pace *p) {
    return p->first ? 2 : fit(p, 0.1, 3, 2000);
}

static int timed_iterations(const pace *p) {
    return p->iterations > 0 ? p->iterations : fit(p, 0.5, 5, 10000);
}

static void batch_done(pace *p, int64_t *times, int count, int64_t elapsed_ns) {
    p->spent_ns += elapsed_ns;
    p->iteration_ns = elapsed_ns / count > 1 ? elapsed_ns / count : 1;
    int over = (double) p->spent_ns > 1.5 * (double) p->budget_ns;
    if (p->first) {
        /* The first calls open connections: they say nothing about the next. */
        p->first = 0;
        p->warm = over;
        return;
    }
    qsort(times, (size_t) count, sizeof *times, compare_times);
    double median = (double) (times[(count - 1) / 2] + times[count / 2]) / 2;
    double change = median - p->last_median;
    int stable = p->last_median > 0 && (change < 0 ? -change : change) < 0.1 * p->last_median;
    p->warm = p->was_warm ? (double) p->spent_ns > 0.3 * (double) p->budget_ns : stable || over;
    p->last_median = median;
}

/* ------------------------------------------------------------------------------------------------------- rows */

typedef struct {
    int64_t *values;
    int room;
} times;

static void make_room(times *t, int count) {
    if (count > t->room) {
        t->room = count;
        t->values = realloc(t->values, sizeof(int64_t) * (size_t) count);
        if (t->values == NULL) {
            fprintf(stderr, "rank %d: no memory for the times\n", rank);
            MPI_Abort(MPI_COMM_WORLD, 3);
        }
    }
}

typedef struct {
    int count, mode;
} step;

/* Warms up; returns how many iterations to time. Rank 0 decides and tells the others each step. */
static int warm_up(exercise *e, const order *o, times *t) {
    if (rank == 0) {
        pace p = {o->budget_ns, 0, 1, 0, o->iterations, o->warm, 1, 0};
        while (!p.warm) {
            step next = {next_batch(&p), NOT_TIMED};
            send_to_all(&next, sizeof next, STEP_TAG);
            make_room(t, next.count);
            int64_t began = now_ns();
            run(e, next.count, t->values, 0);
            batch_done(&p, t->values, next.count, now_ns() - began);
        }
        step last = {timed_iterations(&p), TIMED};
        send_to_all(&last, sizeof last, STEP_TAG);
        return last.count;
    }
    for (;;) {
        step next;
        if (e->what == PINGPONG && rank > 1) {
            receive_idle(&next, sizeof next, STEP_TAG);
        } else {
            MPI_Recv(&next, sizeof next, MPI_BYTE, ROOT, STEP_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
        make_room(t, next.count);
        if (next.mode == TIMED) {
            return next.count;
        }
        run(e, next.count, t->values, 0);
    }
}

/* What one rank found, to be printed by rank 0. */
typedef struct {
    usage used;
    char mismatch[TEXT_BYTES];
} finding;

/* The times go in several lines: each has a limit at the other end. */
static void print_times(const int64_t *values, int count) {
    for (int i = 0; i < count; i++) {
        if (i % TIMES_PER_LINE == 0) {
            printf("%s@zip times rank=0 ns=%lld", i == 0 ? "" : "\n", (long long) values[i]);
        } else {
            printf(",%lld", (long long) values[i]);
        }
    }
    putchar('\n');
}

static void print_results(const exercise *e, const finding *all) {
    for (int one = 0; one < ranks; one++) {
        printf("@zip measured rank=%d mismatch=", one);
        print_encoded(all[one].mismatch);
        printf(" algorithm=%s cpuNs=%lld contextSwitches=%lld peakMemoryBytes=%lld\n",
               (e->even ? EVEN : UNEVEN)[e->what], (long long) all[one].used.cpu_ns,
               (long long) all[one].used.switches, (long long) all[one].used.peak_bytes);
    }
    puts("@zip done rank=0");
    fflush(stdout);
}

static void measure(const order *o, times *t) {
    exercise e;
    open_exercise(&e, o);
    int timed = warm_up(&e, o, t);
    make_room(t, timed);

    usage before = usage_now();
    run(&e, timed, t->values, 1);
    usage after = usage_now();

    if (e.what == PINGPONG) {
        /* Who does not play waits without disturbing those who do. */
        char done = 1;
        if (rank == 0) {
            send_to_all(&done, sizeof done, DONE_TAG);
        } else {
            receive_idle(&done, sizeof done, DONE_TAG);
        }
    }
    if (rank == 0) {
        MPI_Reduce(MPI_IN_PLACE, t->values, timed, MPI_INT64_T, MPI_MAX, ROOT, MPI_COMM_WORLD);
    } else {
        MPI_Reduce(t->values, NULL, timed, MPI_INT64_T, MPI_MAX, ROOT, MPI_COMM_WORLD);
    }

    finding own;
    memset(&own, 0, sizeof own);
    own.used.cpu_ns = after.cpu_ns - before.cpu_ns;
    own.used.switches = after.switches - before.switches;
    own.used.peak_bytes = after.peak_bytes;
    memcpy(own.mismatch, e.mismatch, sizeof own.mismatch);
    finding *all = memory(sizeof own * (size_t) ranks);
    MPI_Gather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, ROOT, MPI_COMM_WORLD);
    if (rank == 0) {
        print_times(t->values, timed);
        print_results(&e, all);
    }
    free(all);
    close_exercise(&e);
}

int main(int argc, char **argv) {
    sigset_t wake_up;
    take_signal(&wake_up);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    int process = getpid();
    int *processes = memory(ranks * sizeof process);
    MPI_Gather(&process, 1, MPI_INT, processes, 1, MPI_INT, ROOT, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        char version[MPI_MAX_LIBRARY_VERSION_STRING];
        int length = 0;
        MPI_Get_library_version(version, &length);
        printf("@zip joined rank=0 library=");
        print_encoded(version);
        putchar('\n');
        fflush(stdout);
    }
    times all = {NULL, 0};
    for (;;) {
        order next;
        if (rank == 0) {
            next = read_order();
            wake_all(processes);
            send_to_all(&next, sizeof next, ORDER_TAG);
        } else {
            sleep_until_woken(&wake_up);
            receive_idle(&next, sizeof next, ORDER_TAG);
        }
        if (next.end) {
            break;
        }
        measure(&next, &all);
    }
    free(processes);
    free(all.values);
    MPI_Finalize();
    return 0;
}
