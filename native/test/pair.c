#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

void pump(struct side *side) {
    CHECK(side->filled + 64 < INBOX_MAX);
    int32_t count = zf_poll(side->endpoint, &side->inbox[side->filled], 64);
    CHECK(count >= 0);
    side->filled += count;
}

struct zf_completion next(struct side *side) {
    int64_t deadline_ns = now_ns() + PATIENCE_NS;
    while (side->taken == side->filled) {
        CHECK(now_ns() < deadline_ns);
        side->taken = 0;
        side->filled = 0;
        pump(side);
    }
    return side->inbox[side->taken++];
}

struct zf_completion expect(struct side *side, int32_t kind, uint64_t context) {
    struct zf_completion completion = next(side);
    CHECK_IS(0, completion.status);
    CHECK_IS(kind, completion.kind);
    CHECK_IS(context, completion.context);
    return completion;
}

void send_all(struct side *side, int64_t registration, const void *memory, int64_t bytes, uint64_t context) {
    int64_t deadline_ns = now_ns() + PATIENCE_NS;
    int32_t result = zf_send(side->endpoint, side->peer, registration, address_of(memory), bytes, context);
    while (result == AGAIN) {
        CHECK(now_ns() < deadline_ns);
        pump(side);
        result = zf_send(side->endpoint, side->peer, registration, address_of(memory), bytes, context);
    }
    CHECK_IS(0, result);
}

void tell(struct side *side, const void *bytes, size_t count) {
    CHECK_IS(count, send(side->socket, bytes, count, MSG_NOSIGNAL));
}

/* The other side may need our progress before it can say anything. */
void hear(struct side *side, void *bytes, size_t count) {
    uint8_t *out = bytes;
    size_t heard = 0;
    int64_t deadline_ns = now_ns() + PATIENCE_NS;
    while (heard < count) {
        CHECK(now_ns() < deadline_ns);
        if (side->endpoint > 0) {
            pump(side);
        }
        ssize_t result = recv(side->socket, out + heard, count - heard, MSG_DONTWAIT);
        CHECK(result > 0 || (result < 0 && errno == EAGAIN));
        heard += result > 0 ? (size_t)result : 0;
    }
}

void meet(struct side *side) {
    char here = 'm';
    char there = 0;
    tell(side, &here, 1);
    hear(side, &there, 1);
    CHECK_IS(here, there);
}

static void exchange_addresses(struct side *side) {
    uint8_t address[512] = {0};
    int32_t bytes = zf_address(side->endpoint, address, (int32_t)sizeof address);
    CHECK(bytes > 0 && bytes <= (int32_t)sizeof address);
    tell(side, &bytes, sizeof bytes);
    tell(side, address, (size_t)bytes);
    hear(side, &bytes, sizeof bytes);
    hear(side, address, (size_t)bytes);
    side->peer = zf_peer_add(side->endpoint, address, bytes);
    CHECK(side->peer >= 0);
}

static void open_side(struct side *side, const struct scenario *scenario) {
    struct zf_options options = options_for(side->provider, scenario->wants);
    options.transmit_depth = scenario->depth;
    options.receive_depth = scenario->depth;
    side->inbox = calloc(INBOX_MAX, sizeof *side->inbox);
    CHECK(side->inbox != NULL);
    side->endpoint = open_or_fail(&options);
    side->facts = facts_of(side->endpoint);
    exchange_addresses(side);
}

void close_side(struct side *side) {
    CHECK_IS(0, end_side(side));
}

int32_t end_side(struct side *side) {
    int32_t result = zf_close(side->endpoint);
    CHECK_IS(ZF_ESTALE, zf_close(side->endpoint));
    CHECK_IS(0, zf_open_endpoints());
    side->endpoint = 0;
    free(side->inbox);
    side->inbox = NULL;
    return result;
}

static void run_side(struct side *side, const struct scenario *scenario) {
    /* A side that hangs must not outlive the test. */
    (void)alarm(90);
    open_side(side, scenario);
    scenario->sides[side->number](side);
    if (side->endpoint > 0) {
        close_side(side);
    }
    free(side->inbox);
    (void)close(side->socket);
}

static pid_t fork_side(const struct scenario *scenario, const char *provider, int number, int sockets[2], pid_t other) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct side side = {.provider = provider, .number = number, .socket = sockets[number], .other = other};
        (void)close(sockets[1 - number]);
        run_side(&side, scenario);
        exit(0);
    }
    return child;
}

static int ended(const struct scenario *scenario, const char *provider, pid_t child, int number) {
    int status = 0;
    CHECK_IS(child, waitpid(child, &status, 0));
    int killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && scenario->killed_side == number;
    int well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!well && !killed) {
        (void)fprintf(stderr, "%s over %s: side %d ended with status 0x%x\n", scenario->name, provider, number, status);
    }
    return well || killed;
}

/* What a killed process leaves of shm: nobody else can know that it is no longer needed. */
static void remove_leftovers(pid_t dead) {
    char prefix[32];
    (void)snprintf(prefix, sizeof prefix, "zip-%d-", (int)dead);
    DIR *memory = opendir("/dev/shm");
    if (memory == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(memory); entry != NULL; entry = readdir(memory)) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            (void)unlinkat(dirfd(memory), entry->d_name, 0);
        }
    }
    (void)closedir(memory);
}

void run_scenario(const struct scenario *scenario, const char *provider) {
    int64_t begun_ns = now_ns();
    int sockets[2];
    CHECK_IS(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    (void)fflush(stdout);
    pid_t second = fork_side(scenario, provider, 1, sockets, 0);
    pid_t first = fork_side(scenario, provider, 0, sockets, second);
    (void)close(sockets[0]);
    (void)close(sockets[1]);
    int ended_well = ended(scenario, provider, first, 0) & ended(scenario, provider, second, 1);
    remove_leftovers(first);
    remove_leftovers(second);
    if (!ended_well) {
        exit(1);
    }
    (void)printf("%-12s %-44s %6.0f ms\n", provider, scenario->name, (double)(now_ns() - begun_ns) / 1e6);
}
